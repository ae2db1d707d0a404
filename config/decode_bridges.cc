// SPDX-License-Identifier: BSD-3-Clause
//
// The `bridges` section: bridges and their ports. For static MACs see decode_static_macs.cc.
#include <algorithm>
#include <optional>
#include <utility>

#include "config/decode.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxName = 31;
constexpr uint32_t kMinAgeing_s = 10;
constexpr uint32_t kMaxAgeing_s = 1'000'000;
constexpr uint64_t kMaxMacs = uint64_t{4} << 20;

/// A bridge port while it is read: what was said of its VLANs.
struct BridgePortDraft {
  std::optional<VlanId> vlan;
  std::optional<VlanId> native_vlan;
  std::optional<std::vector<VlanId>> vlans;
  uint32_t mac_limit = 0;
};

constexpr Key<BridgePortDraft> kPortKeys[] = {
    {"vlan", "access: the VLAN of the port",
     [](const Value& value, BridgePortDraft& draft) { store(read_vlan(value), draft.vlan); }},
    {"vlans", "trunk: the VLANs that it carries",
     [](const Value& value, BridgePortDraft& draft) { store(read_vlan_list(value), draft.vlans); }},
    {"native-vlan", "trunk: the one of its VLANs that is untagged",
     [](const Value& value, BridgePortDraft& draft) { store(read_vlan(value), draft.native_vlan); }},
    {"mac-limit", "MAC addresses learned on this port at most",
     [](const Value& value, BridgePortDraft& draft) {
       store(read_integer(value, 1, kMaxMacs), draft.mac_limit);
     }},
    {"isolated", "no frames to and from other isolated ports"},
    {"split-horizon", "no frames to and from other ports of this group"},
    {"tag", "the tag's protocol, for provider ports"},
};

/// Reports keys that do not go together.
bool check_vlan_keys(const Node& node, Diagnostics& diagnostics) {
  const Node* vlan = node.find("vlan");
  const Node* native_vlan = node.find("native-vlan");
  if (vlan && node.find("vlans")) {
    diagnostics.error(vlan->location, "'vlan' makes an access port and 'vlans' a trunk: remove one of them");
    return false;
  }
  if (native_vlan && !node.find("vlans")) {
    diagnostics.error(native_vlan->location,
                      "'native-vlan' is for trunks: add 'vlans', or write 'vlan' for an access port");
    return false;
  }
  return true;
}

/// Works out what `draft` means; leaves `vlans` empty if it means nothing.
void resolve_vlans(const BridgePortDraft& draft, const Node& node, BridgePort& port,
                   Diagnostics& diagnostics) {
  port.vlans.clear();
  if (!check_vlan_keys(node, diagnostics)) return;
  port.trunk = node.find("vlans") != nullptr;
  if (!port.trunk) {
    port.native_vlan = draft.vlan.value_or(1);
    if (draft.vlan || !node.find("vlan")) port.vlans = {port.native_vlan};
    return;
  }
  port.native_vlan = draft.native_vlan.value_or(0);
  if (!draft.vlans) return;
  const bool has_native = std::binary_search(draft.vlans->begin(), draft.vlans->end(), port.native_vlan);
  if (!draft.native_vlan || has_native) {
    port.vlans = *draft.vlans;
    return;
  }
  diagnostics.error(node.find("native-vlan")->location,
                    concat("'native-vlan' ", port.native_vlan, " is not in 'vlans': add it there"));
}

/// Adds the port to the bridge, unless it does not exist or is in a bridge already.
BridgePort* add_port(const Node& name, BridgeDraft& draft, Diagnostics& diagnostics) {
  const bool is_known = std::any_of(draft.known_ports.begin(), draft.known_ports.end(),
                                    [&](const Port& port) { return port.name == name.text; });
  if (!is_known) {
    report_unknown_port(name.location, name.text, draft.known_ports, diagnostics);
    return nullptr;
  }
  const auto [owner, is_new] = draft.bridge_of.emplace(name.text, draft.bridge.name);
  if (!is_new) {
    diagnostics.error(name.location, concat("port ", quote(name.text), " is in bridge ", quote(owner->second),
                                            " already: remove it from one of them"));
    return nullptr;
  }
  draft.bridge.ports.push_back({.port = name.text, .vlans = {1}, .location = name.location});
  return &draft.bridge.ports.back();
}

void decode_port_list(const Value& value, BridgeDraft& draft) {
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const Value item = value.item(i);
    if (read_text(item)) add_port(item.node, draft, value.diagnostics);
  }
}

void decode_bridge_port(const Entry& entry, BridgeDraft& draft, Diagnostics& diagnostics) {
  BridgePort* port = add_port(entry.key, draft, diagnostics);
  BridgePortDraft port_draft;
  if (entry.value.kind == Node::Kind::null) {
    diagnostics.error(entry.value.location, concat("port ", quote(entry.key.text),
                                                   " has no value: write {} for an access port of VLAN 1"));
    return;
  }
  if (!decode_keys({entry.key.text, entry.value, diagnostics}, kPortKeys, port_draft)) return;
  BridgePort unknown;  // what is said of it is checked all the same
  resolve_vlans(port_draft, entry.value, port ? *port : unknown, diagnostics);
  if (port) port->mac_limit = port_draft.mac_limit;
}

void decode_bridge_ports(const Value& value, BridgeDraft& draft) {
  if (value.is_list()) return decode_port_list(value, draft);
  if (!value.is_mapping()) return value.mismatch("a mapping or a list of ports");
  for (const Entry& entry : value.node.entries) decode_bridge_port(entry, draft, value.diagnostics);
}

constexpr Key<BridgeDraft> kBridgeKeys[] = {
    {"ports", "the ports of the bridge and their VLANs", decode_bridge_ports},
    {"mac-ageing", "how long a MAC address is remembered that sends nothing",
     [](const Value& value, BridgeDraft& draft) {
       store(read_seconds(value, kMinAgeing_s, kMaxAgeing_s), draft.bridge.mac_ageing_s);
     }},
    {"mac-limit", "MAC addresses learned in this bridge at most",
     [](const Value& value, BridgeDraft& draft) {
       store(read_integer(value, 1, kMaxMacs), draft.bridge.mac_limit);
     }},
    {"learning", "false: every frame is flooded, as by a hub",
     [](const Value& value, BridgeDraft& draft) { store(read_boolean(value), draft.bridge.learning); }},
    {"static-macs", "MAC addresses that are neither learned nor forgotten", decode_static_macs},
    {"mac-move-limit", "how often a MAC address may change its port"},
    {"neighbor-suppression", "answers ARP and ND for known neighbors"},
};

}  // namespace

void decode_bridges(const Value& value, Config& config) {
  if (!value.is_mapping()) return value.mismatch("a mapping of names to bridges");
  std::map<std::string, std::string> bridge_of;
  for (const Entry& entry : value.node.entries) {
    check_name(entry.key, kMaxName, value.diagnostics);
    BridgeDraft draft{{}, config.ports, bridge_of};
    draft.bridge.name = entry.key.text;
    draft.bridge.location = entry.key.location;
    const size_t errors = value.diagnostics.errors();
    decode_keys({entry.key.text, entry.value, value.diagnostics}, kBridgeKeys, draft);
    // A member whose VLANs are unknown: what depends on the bridge's VLANs is not blamed for its errors.
    if (value.diagnostics.errors() > errors) draft.bridge.ports.emplace_back();
    config.bridges.push_back(std::move(draft.bridge));
  }
}

}  // namespace sluice::config
