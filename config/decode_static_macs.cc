// SPDX-License-Identifier: BSD-3-Clause
//
// `static-macs` of a bridge: each must lead to a port that carries its VLAN there.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "config/decode.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

struct StaticMacDraft {
  std::optional<MacAddress> mac;
  std::optional<VlanId> vlan;
  std::optional<std::string> port;
};

constexpr Key<StaticMacDraft> kKeys[] = {
    {"mac", "the address",
     [](const Value& value, StaticMacDraft& draft) { store(read_mac(value), draft.mac); }},
    {"vlan", "its VLAN; by default that of the access port, or the native one of the trunk",
     [](const Value& value, StaticMacDraft& draft) { store(read_vlan(value), draft.vlan); }},
    {"port", "the port of the bridge that leads to it",
     [](const Value& value, StaticMacDraft& draft) { store(read_text(value), draft.port); }},
};

const BridgePort* find_member(const Node& name, const BridgeDraft& draft, Diagnostics& diagnostics) {
  const std::vector<BridgePort>& members = draft.bridge.ports;
  const auto member = std::find_if(members.begin(), members.end(),
                                   [&](const BridgePort& port) { return port.port == name.text; });
  if (member != members.end()) return &*member;
  const bool is_known = std::any_of(draft.known_ports.begin(), draft.known_ports.end(),
                                    [&](const Port& port) { return port.name == name.text; });
  if (is_known) {
    diagnostics.error(name.location, concat("port ", quote(name.text), " is not in bridge ",
                                            quote(draft.bridge.name), ": add it there, or name another"));
  } else {
    report_unknown_port(name.location, name.text, draft.known_ports, diagnostics);
  }
  return nullptr;
}

/// \return the VLAN of the entry in `node`, if `member` carries it.
std::optional<VlanId> resolve_vlan(const Node& node, const StaticMacDraft& draft, const BridgePort& member,
                                   Diagnostics& diagnostics) {
  const Node* vlan = node.find("vlan");
  if (member.vlans.empty() || (vlan && !draft.vlan)) return std::nullopt;  // reported already
  if (!vlan && member.native_vlan == 0) {
    diagnostics.error(node.location,
                      concat("port ", quote(member.port), " is a trunk without 'native-vlan': add 'vlan'"));
    return std::nullopt;
  }
  const VlanId id = draft.vlan.value_or(member.native_vlan);
  if (std::binary_search(member.vlans.begin(), member.vlans.end(), id)) return id;
  diagnostics.error(vlan->location, concat("port ", quote(member.port), " does not carry VLAN ", id,
                                           ": write one that it does"));
  return std::nullopt;
}

std::optional<StaticMac> decode_static_mac(const Value& value, const BridgeDraft& bridge) {
  StaticMacDraft draft;
  if (!decode_keys(value, kKeys, draft)) return std::nullopt;
  for (const std::string_view key : {"mac", "port"}) {
    require_key(value.node, key, value.node.location, "this entry", value.diagnostics);
  }
  if (!draft.port) return std::nullopt;
  const BridgePort* member = find_member(*value.node.find("port"), bridge, value.diagnostics);
  if (!member) return std::nullopt;
  const std::optional<VlanId> vlan = resolve_vlan(value.node, draft, *member, value.diagnostics);
  if (!vlan || !draft.mac) return std::nullopt;
  return StaticMac{.mac = *draft.mac, .vlan = *vlan, .port = *draft.port, .location = value.node.location};
}

}  // namespace

void decode_static_macs(const Value& value, BridgeDraft& draft) {
  if (!value.is_list())
    return value.mismatch("a list of entries like { mac: \"02:00:00:00:00:07\", port: lan1 }");
  std::set<std::pair<MacAddress, VlanId>> seen;
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const std::optional<StaticMac> entry = decode_static_mac(value.item(i), draft);
    if (!entry) continue;
    if (!seen.emplace(entry->mac, entry->vlan).second) {
      value.item(i).error(
          concat("this MAC address has an entry in VLAN ", entry->vlan, " already: remove one of them"));
    }
    draft.bridge.static_macs.push_back(*entry);
  }
}

}  // namespace sluice::config
