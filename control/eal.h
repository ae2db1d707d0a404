// SPDX-License-Identifier: BSD-3-Clause
//
// Starts DPDK's environment: memory, the control cores, and no device at all. Devices come one by one, by
// name, when the file asks for them (DpdkDevices).
//
// Thread safety: start_eal() once, from the main thread, before any other thread exists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/config.h"
#include "control/cpus.h"

namespace sluice::control {

struct EalOptions {
  config::Dpdk dpdk;
  CpuPlan cpus;
  uint64_t memory_bytes = 0;  ///< that DPDK will be asked for: buffers and rings
};

/// Error: the machine lacks something, with the command that mends it.
absl::Status start_eal(const EalOptions& options);

/// The arguments that start_eal() gives to DPDK. `huge`: whether it is to use huge pages.
std::vector<std::string> eal_arguments(const EalOptions& options, bool huge);

/// The first error line that DPDK or a driver wrote for this thread since the last call, without its end; ""
/// if none.
std::string take_dpdk_error();

}  // namespace sluice::control
