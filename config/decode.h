// SPDX-License-Identifier: BSD-3-Clause
//
// One function a section of the file. Each reads its section into the Config, and reports all that is wrong
// with it at the place where it is wrong; what it leaves behind then is unspecified, and parse() discards it.
//
// Thread safety: pure functions, but for the diagnostics that a Value carries.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/values.h"

namespace sluice::config {

void decode_workers(const Value& value, Config& config);
void decode_dpdk(const Value& value, Config& config);
void decode_tables(const Value& value, Config& config);
void decode_log(const Value& value, Config& config);
void decode_ports(const Value& value, Config& config);
/// Refers to the ports: those are decoded first.
void decode_bridges(const Value& value, Config& config);
/// Refers to the ports and bridges. Leaves an interface with errors marked as such, see networks.h.
void decode_interfaces(const Value& value, Config& config);
/// These refer to the interfaces.
void decode_routes(const Value& value, Config& config);
void decode_neighbors(const Value& value, Config& config);
void decode_nat(const Value& value, Config& config);
void decode_icmp(const Value& value, Config& config);
void decode_control(const Value& value, Config& config);

/// A bridge while it is read.
struct BridgeDraft {
  Bridge bridge;  ///< a member whose VLANs are in error has an empty `vlans`
  const std::vector<Port>& known_ports;
  std::map<std::string, std::string>& bridge_of;  ///< by port, of all bridges so far
};

/// Refers to the members of the bridge: those are decoded first.
void decode_static_macs(const Value& value, BridgeDraft& draft);

/// Reports a port that the `ports` section does not have; a section without ports is reported elsewhere.
void report_unknown_port(Location location, std::string_view name, const std::vector<Port>& known,
                         Diagnostics& diagnostics);

}  // namespace sluice::config
