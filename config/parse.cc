// SPDX-License-Identifier: BSD-3-Clause
#include "config/parse.h"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "config/decode.h"
#include "config/diagnostics.h"
#include "config/keys.h"
#include "config/text.h"
#include "config/yaml_tree.h"

namespace sluice::config {
namespace {

/// The sections of a file; ports before what refers to them.
constexpr Key<Config> kSections[] = {
    {"workers", "threads that forward packets", decode_workers},
    {"dpdk", "memory and arguments of DPDK", decode_dpdk},
    {"tables", "capacities, allocated at start", decode_tables},
    {"log", "what is logged, and where", decode_log},
    {"ports", "where packets come in and go out", decode_ports},
    {"bridges", "VLAN-aware switches between ports", decode_bridges},
    {"control", "how the running program is reached", decode_control},
    {"interfaces", "layer 3 on a port or a bridge's VLAN"},
    {"routes", "static routes"},
    {"neighbors", "static neighbors"},
    {"nat", "address translation"},
    {"vrfs", "separate routing tables"},
    {"icmp", "limits of the router's own errors"},
};

void decode(const Node& root, Config& config, Diagnostics& diagnostics) {
  if (root.kind == Node::Kind::null) {
    diagnostics.error({}, "the file is empty: write at least 'ports'");
    return;
  }
  if (root.kind != Node::Kind::mapping) {
    diagnostics.error(root.location, "the file must be a mapping of sections like 'ports:'");
    return;
  }
  decode_keys({"the file", root, diagnostics}, kSections, config);
  require_key(root, "ports", {}, "the file", diagnostics);
}

const Bridge* bridge_of(const Config& config, const Port& port) {
  for (const Bridge& bridge : config.bridges) {
    for (const BridgePort& member : bridge.ports) {
      if (member.port == port.name) return &bridge;
    }
  }
  return nullptr;
}

void warn_of_ports(const Config& config, Diagnostics& diagnostics) {
  for (const Port& port : config.ports) {
    const Bridge* bridge = bridge_of(config, port);
    const std::string name = concat("port ", quote(port.name));
    if (bridge == nullptr) {
      diagnostics.warning(port.location,
                          concat(name, " is in no bridge: every frame it receives is dropped"));
    } else if (port.peer == port.name && bridge->ports.size() > 1) {
      diagnostics.warning(port.location,
                          concat(name, " is a ring to itself: what its bridge floods to it comes back, ",
                                 "and every address moves to it: give it a peer"));
    }
  }
}

constexpr size_t kMaxBridges = 256;
constexpr size_t kMaxVlans = 65535;

/// What only the sums of the whole file can break.
void check_sums(const Config& config, Diagnostics& diagnostics) {
  size_t statics = 0, vlans = 0;
  for (const Bridge& bridge : config.bridges) {
    std::set<VlanId> carried;
    for (const BridgePort& port : bridge.ports) carried.insert(port.vlans.begin(), port.vlans.end());
    vlans += carried.size();
    if (vlans > kMaxVlans && vlans - carried.size() <= kMaxVlans) {
      diagnostics.error(bridge.location,
                        "more than 65535 VLANs on all bridges together: carry fewer on its trunks");
    }
    for (const StaticMac& entry : bridge.static_macs) {
      if (++statics == config.tables.macs + size_t{1}) {
        diagnostics.error(entry.location,
                          concat("more static-macs than 'tables: macs' has room for: raise it above ",
                                 std::to_string(config.tables.macs)));
      }
    }
  }
  if (config.bridges.size() <= kMaxBridges) return;
  diagnostics.error(config.bridges[kMaxBridges].location, "more than 256 bridges: use VLANs");
}

void read(std::string_view text, Config& config, Diagnostics& diagnostics) {
  if (!check_text(text, diagnostics)) return;
  const std::optional<Node> root = read_yaml(text, diagnostics);
  if (!root) return;
  decode(*root, config, diagnostics);
  if (!diagnostics.has_errors()) check_sums(config, diagnostics);
  if (!diagnostics.has_errors()) warn_of_ports(config, diagnostics);
}

/// For lack of memory, and for what yaml-cpp throws beside its own exceptions.
void read_or_report(std::string_view text, Config& config, Diagnostics& diagnostics) {
  try {
    read(text, config, diagnostics);
  } catch (const std::exception& error) {
    diagnostics.error({}, concat("the file cannot be read: ", error.what()));
  }
}

}  // namespace

ParseResult parse(std::string_view text, std::string_view file) {
  Config config;
  config.file = file;
  Diagnostics diagnostics;
  try {
    read_or_report(text, config, diagnostics);
  } catch (const TooManyErrors&) {  // the list says so itself
  }
  ParseResult result;
  if (!diagnostics.has_errors()) result.config = std::move(config);
  result.diagnostics = diagnostics.take();
  return result;
}

}  // namespace sluice::config
