// SPDX-License-Identifier: BSD-3-Clause
#include "config/parse.h"

#include <algorithm>
#include <exception>
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

void warn_of_idle_ports(const Config& config, Diagnostics& diagnostics) {
  for (const Port& port : config.ports) {
    const bool is_member =
        std::any_of(config.bridges.begin(), config.bridges.end(), [&](const Bridge& bridge) {
          return std::any_of(bridge.ports.begin(), bridge.ports.end(),
                             [&](const BridgePort& member) { return member.port == port.name; });
        });
    if (is_member) continue;
    diagnostics.warning(port.location, concat("port ", quote(port.name),
                                              " is in no bridge: every frame it receives is dropped"));
  }
}

void read(std::string_view text, Config& config, Diagnostics& diagnostics) {
  if (!check_text(text, diagnostics)) return;
  const std::optional<Node> root = read_yaml(text, diagnostics);
  if (!root) return;
  decode(*root, config, diagnostics);
  if (!diagnostics.has_errors()) warn_of_idle_ports(config, diagnostics);
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
