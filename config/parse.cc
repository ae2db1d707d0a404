// SPDX-License-Identifier: BSD-3-Clause
#include "config/parse.h"

#include <algorithm>
#include <exception>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "config/decode.h"
#include "config/diagnostics.h"
#include "config/keys.h"
#include "config/text.h"
#include "config/yaml_tree.h"

namespace sluice::config {
namespace {

/// The sections of a file; each behind those that it refers to.
constexpr Key<Config> kSections[] = {
    {"workers", "threads that forward packets", decode_workers},
    {"dpdk", "memory and arguments of DPDK", decode_dpdk},
    {"tables", "capacities, set aside at start", decode_tables},
    {"log", "what is logged, and where", decode_log},
    {"ports", "where packets come in and go out", decode_ports},
    {"bridges", "VLAN-aware switches between ports", decode_bridges},
    {"interfaces", "layer 3 on a port or a bridge's VLAN", decode_interfaces},
    {"routes", "static routes", decode_routes},
    {"neighbors", "static neighbors", decode_neighbors},
    {"nat", "address translation", decode_nat},
    {"icmp", "limits of the router's own errors", decode_icmp},
    {"control", "how the running program is reached", decode_control},
    {"vrfs", "separate routing tables"},
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

bool has_interface(const Config& config, const Port& port) {
  return std::any_of(config.interfaces.begin(), config.interfaces.end(),
                     [&](const Interface& interface) { return interface.port == port.name; });
}

void warn_of_ports(const Config& config, Diagnostics& diagnostics) {
  for (const Port& port : config.ports) {
    if (has_interface(config, port)) continue;
    const Bridge* bridge = bridge_of(config, port);
    const std::string name = concat("port ", quote(port.name));
    if (bridge == nullptr) {
      diagnostics.warning(
          port.location,
          concat(name, " is in no bridge and has no interface: every frame it receives is dropped"));
    } else if (port.peer == port.name && bridge->ports.size() > 1) {
      diagnostics.warning(port.location,
                          concat(name, " is a ring to itself: what its bridge floods to it comes back, ",
                                 "and every address moves to it: give it a peer"));
    }
  }
}

/// NAT hides the hosts behind it, and who relies on that may not expect IPv6 to pass it by.
void warn_of_ipv6_beside_nat(const Config& config, Diagnostics& diagnostics) {
  const auto has_ipv6 = [](const Interface& interface) {
    return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                       [](const InterfaceAddress& own) { return !own.address.is_ipv4(); });
  };
  const auto ipv6 = std::find_if(config.interfaces.begin(), config.interfaces.end(), has_ipv6);
  if (config.nat.empty() || ipv6 == config.interfaces.end()) return;
  diagnostics.warning(
      config.nat[0].location,
      concat("NAT is for IPv4, and interface ", quote(ipv6->name), " has IPv6: IPv6 is routed, neither ",
             "translated nor filtered, so IPv6 hosts behind this gateway can be reached from outside"));
}

constexpr size_t kMaxBridges = 256;
constexpr size_t kMaxVlans = 65535;

/// Reports the first of `entries` that the table of `key` has no room for.
template <class Entry>
void check_capacity(const std::vector<Entry>& entries, size_t capacity, std::string_view key,
                    Diagnostics& diagnostics) {
  if (entries.size() <= capacity) return;
  diagnostics.error(entries[capacity].location, concat("more ", key, " than 'tables: ", key,
                                                       "' has room for: raise it above ", capacity));
}

/// What only the sums of the whole file can break.
void check_sums(const Config& config, Diagnostics& diagnostics) {
  check_capacity(config.routes, config.tables.routes, "routes", diagnostics);
  check_capacity(config.neighbors, config.tables.neighbors, "neighbors", diagnostics);
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

void read(const Node& root, Config& config, Diagnostics& diagnostics) {
  decode(root, config, diagnostics);
  if (!diagnostics.has_errors()) check_sums(config, diagnostics);
  if (diagnostics.has_errors()) return;
  warn_of_ports(config, diagnostics);
  warn_of_ipv6_beside_nat(config, diagnostics);
}

void read(std::string_view text, Config& config, Diagnostics& diagnostics) {
  if (!check_text(text, diagnostics)) return;
  const std::optional<Node> root = read_yaml(text, diagnostics);
  if (root) read(*root, config, diagnostics);
}

/// For lack of memory, and for what yaml-cpp throws beside its own exceptions.
template <class Source>
void read_or_report(const Source& source, Config& config, Diagnostics& diagnostics) {
  try {
    read(source, config, diagnostics);
  } catch (const std::exception& error) {
    diagnostics.error({}, concat("the file cannot be read: ", error.what()));
  }
}

template <class Source>
ParseResult parse_source(const Source& source, std::string_view file) {
  Config config;
  config.file = file;
  Diagnostics diagnostics;
  try {
    read_or_report(source, config, diagnostics);
  } catch (const TooManyErrors&) {  // the list says so itself
  }
  ParseResult result;
  if (!diagnostics.has_errors()) result.config = std::move(config);
  result.diagnostics = diagnostics.take();
  return result;
}

}  // namespace

ParseResult parse(std::string_view text, std::string_view file) {
  return parse_source(text, file);
}

ParseResult parse(const Node& root, std::string_view file) {
  return parse_source(root, file);
}

}  // namespace sluice::config
