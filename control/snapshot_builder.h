// SPDX-License-Identifier: BSD-3-Clause
//
// From what the file says to what the stages ask.
//
// Thread safety: pure functions.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "control/devices.h"
#include "control/domains.h"
#include "dataplane/counters.h"
#include "dataplane/snapshot.h"

namespace sluice::control {

/// A port whose device is open.
struct OpenPort {
  config::Port config;
  Device device;
  dataplane::PortIndex index = 0;
  std::vector<unsigned> pollers;         ///< the worker of each receive queue; fixed while the port is open
  dataplane::PortCounters at_opening{};  ///< what its index had counted before, for an earlier port
};

using OpenPorts = std::map<std::string, OpenPort>;

/// Without layer 3, which Router::describe() adds. REQUIRES: every port of a bridge is in `ports`, every VLAN
/// in `domains`.
std::unique_ptr<dataplane::Snapshot> build_snapshot(const config::Config& config, const OpenPorts& ports,
                                                    const Domains& domains, unsigned workers,
                                                    uint64_t generation);

}  // namespace sluice::control
