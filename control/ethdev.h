// SPDX-License-Identifier: BSD-3-Clause
//
// Configures and starts a DPDK Ethernet device, whatever its driver.
//
// Thread safety: the control thread alone.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "control/devices.h"

namespace sluice::control {

/// Queues, mtu, address, offloads, promiscuous mode; then the start. On an error the device is left stopped.
absl::StatusOr<Device> start_ethdev(uint16_t id, const config::Port& port, const Wish& wish);

/// Stops and closes the device, without removing it from its bus.
void stop_ethdev(uint16_t id);

/// The driver's answer to its last call in words: DPDK's own error line if there was one.
std::string driver_error(int code);

}  // namespace sluice::control
