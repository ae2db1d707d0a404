// SPDX-License-Identifier: BSD-3-Clause
//
// The `interfaces` section. Each interface is read by itself and placed on its port or VLAN, then their
// networks are compared.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "config/addresses.h"
#include "config/decode.h"
#include "config/keys.h"
#include "config/networks.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxInterfaces = 1024;
constexpr size_t kMaxName = 31;
constexpr uint64_t kMinMtu = 68;        // RFC 791
constexpr uint64_t kMinIpv6Mtu = 1280;  // RFC 8200 section 5
constexpr uint64_t kMaxMtu = 65535;

/// What interfaces may be on, and what is on it already.
struct Places {
  std::map<std::string_view, const Port*> ports;
  std::map<std::string_view, const Bridge*> bridges;
  std::map<std::string_view, const Bridge*> bridge_of;         ///< by port
  std::map<std::pair<std::string, VlanId>, std::string> used;  ///< by port (VLAN 0), or bridge and VLAN
};

struct InterfaceDraft {
  Interface interface;
  const Node& node;
  Places& places;
  Diagnostics& diagnostics;
  std::optional<VlanId> vlan;
  std::optional<uint16_t> mtu;
  std::set<IpAddress> addresses;

  void error(std::string_view key, std::string message) const {
    const Node* value = node.find(key);
    diagnostics.error(value ? value->location : interface.location, std::move(message));
  }
};

void decode_address(const Value& value, InterfaceDraft& draft) {
  const std::optional<InterfaceAddress> address = read_interface_address(value);
  if (!address) return;
  if (!draft.addresses.insert(address->address).second) {
    value.error(concat(to_text(address->address), " is listed twice: remove one of them"));
    return;
  }
  draft.interface.addresses.push_back(*address);
}

void decode_addresses(const Value& value, InterfaceDraft& draft) {
  if (!value.is_list()) return value.mismatch("a list like [192.168.10.1/24, \"fd00:10::1/64\"]");
  for (size_t i = 0; i < value.node.items.size(); ++i) decode_address(value.item(i), draft);
}

constexpr Key<InterfaceDraft> kKeys[] = {
    {"port", "the port that it is on",
     [](const Value& value, InterfaceDraft& draft) { store(read_text(value), draft.interface.port); }},
    {"bridge", "the bridge that it is on",
     [](const Value& value, InterfaceDraft& draft) { store(read_text(value), draft.interface.bridge); }},
    {"vlan", "its VLAN of the bridge",
     [](const Value& value, InterfaceDraft& draft) { store(read_vlan(value), draft.vlan); }},
    {"addresses", "its own addresses, with the lengths of their networks", decode_addresses},
    {"mac", "its MAC address",
     [](const Value& value, InterfaceDraft& draft) { store(read_mac(value), draft.interface.mac); }},
    {"mtu", "octets of an IP packet at most",
     [](const Value& value, InterfaceDraft& draft) {
       store(read_integer(value, kMinMtu, kMaxMtu), draft.mtu);
     }},
    {"vrf", "the VRF that it is in"},
    {"urpf", "checks that sources are reached by this interface"},
    {"proxy-arp", "networks that it answers ARP for"},
    {"mss-clamp", "lowers the MSS of TCP connections"},
    {"router-advertisements", "tells IPv6 hosts of this router"},
    {"dhcp-relay", "passes DHCP on to these servers"},
};

Places make_places(const Config& config) {
  Places places;
  for (const Port& port : config.ports) places.ports.emplace(port.name, &port);
  for (const Bridge& bridge : config.bridges) {
    places.bridges.emplace(bridge.name, &bridge);
    for (const BridgePort& member : bridge.ports) places.bridge_of.emplace(member.port, &bridge);
  }
  return places;
}

/// Takes the port, or the VLAN of the bridge, for this interface.
void claim(const InterfaceDraft& draft, std::string_view key, const std::string& owner, VlanId vlan) {
  const auto [first, is_new] = draft.places.used.emplace(std::pair(owner, vlan), draft.interface.name);
  if (is_new) return;
  const std::string place =
      vlan == 0 ? concat("port ", quote(owner)) : concat("VLAN ", vlan, " of bridge ", quote(owner));
  draft.error(key, concat(place, " has interface ", quote(first->second),
                          " already: one interface may have several addresses"));
}

/// \return the MTU of the port, if the interface may be there.
std::optional<uint16_t> place_on_port(const InterfaceDraft& draft, const Config& config) {
  const std::string& name = draft.interface.port;
  const auto port = draft.places.ports.find(name);
  if (port == draft.places.ports.end()) {
    report_unknown_port(draft.node.find("port")->location, name, config.ports, draft.diagnostics);
    return std::nullopt;
  }
  const auto bridge = draft.places.bridge_of.find(name);
  if (bridge != draft.places.bridge_of.end()) {
    draft.error("port", concat("port ", quote(name), " is in bridge ", quote(bridge->second->name),
                               ": put the interface on the bridge, or take the port out of it"));
    return std::nullopt;
  }
  claim(draft, "port", name, 0);
  return port->second->mtu;
}

const Bridge* find_bridge(const InterfaceDraft& draft) {
  const std::string& name = draft.interface.bridge;
  const auto bridge = draft.places.bridges.find(name);
  if (bridge != draft.places.bridges.end()) return bridge->second;
  std::vector<std::string_view> names;
  for (const auto& [known, unused] : draft.places.bridges) names.push_back(known);
  draft.error("bridge", concat("unknown bridge ", quote(name),
                               names.empty() ? ": add it to 'bridges'" : suggest(name, names, "write")));
  return nullptr;
}

/// \return the smallest MTU of the ports that carry the VLAN, if there are any.
std::optional<uint16_t> place_on_bridge(InterfaceDraft& draft) {
  const Bridge* bridge = find_bridge(draft);
  if (!bridge || (draft.node.find("vlan") && !draft.vlan)) return std::nullopt;
  const VlanId vlan = draft.vlan.value_or(1);
  draft.interface.vlan = vlan;
  claim(draft, draft.vlan ? "vlan" : "bridge", bridge->name, vlan);
  std::optional<uint16_t> smallest;
  bool are_vlans_known = true;
  for (const BridgePort& member : bridge->ports) {
    are_vlans_known = are_vlans_known && !member.vlans.empty();
    if (!std::binary_search(member.vlans.begin(), member.vlans.end(), vlan)) continue;
    const uint16_t mtu = draft.places.ports.at(member.port)->mtu;
    smallest = std::min(smallest.value_or(mtu), mtu);
  }
  if (smallest || !are_vlans_known) return smallest;
  draft.error(
      draft.vlan ? "vlan" : "bridge",
      concat("no port of bridge ", quote(bridge->name), " carries VLAN ", vlan,
             draft.vlan ? ": write one that a port does, or add it to a port" : ", the default: add 'vlan'"));
  return std::nullopt;
}

/// \return the largest MTU that the interface may have where it is, if it may be there.
std::optional<uint16_t> place(InterfaceDraft& draft, const Config& config) {
  const Node* port = draft.node.find("port");
  const Node* bridge = draft.node.find("bridge");
  const std::string name = concat("interface ", quote(draft.interface.name));
  if (!port && !bridge) {
    draft.diagnostics.error(draft.interface.location,
                            concat(name, " has neither 'port' nor 'bridge': add one of them"));
  } else if (port && bridge) {
    draft.error("bridge", concat(name, " has both 'port' and 'bridge': remove one of them"));
  } else if (port && draft.node.find("vlan")) {
    draft.error("vlan", "'vlan' is for an interface on a bridge: remove it, or write 'bridge' for 'port'");
  } else if (!draft.interface.port.empty()) {
    return place_on_port(draft, config);
  } else if (!draft.interface.bridge.empty()) {
    return place_on_bridge(draft);
  }
  return std::nullopt;
}

void resolve_mtu(InterfaceDraft& draft, uint16_t largest) {
  const bool is_unset = draft.node.find("mtu") == nullptr;
  if (!is_unset && !draft.mtu) return;
  const uint16_t mtu = draft.mtu.value_or(largest);
  draft.interface.mtu = mtu;
  const std::string_view whose = draft.interface.bridge.empty() ? "its port" : "a port of its VLAN";
  if (mtu > largest) {
    draft.error("mtu", concat("'mtu' ", mtu, " is more than the ", largest, " of ", whose,
                              ": lower it, or raise that of the port"));
  }
  const auto& addresses = draft.interface.addresses;
  const auto ipv6 = std::find_if(addresses.begin(), addresses.end(),
                                 [](const InterfaceAddress& own) { return !own.address.is_ipv4(); });
  if (mtu >= kMinIpv6Mtu || ipv6 == addresses.end()) return;
  const std::string what = concat("IPv6 needs an 'mtu' of at least ", kMinIpv6Mtu, " (RFC 8200 section 5)");
  if (is_unset) {
    draft.diagnostics.error(
        ipv6->location, concat(what, ", and ", whose, " has ", mtu, ": raise that, or remove this address"));
  } else {
    draft.error("mtu", concat(what, ": raise it, or remove the IPv6 addresses"));
  }
}

Interface decode_interface(const Entry& entry, Places& places, const Config& config,
                           Diagnostics& diagnostics) {
  InterfaceDraft draft{{}, entry.value, places, diagnostics, {}, {}, {}};
  draft.interface.name = entry.key.text;
  draft.interface.location = entry.key.location;
  const size_t errors = diagnostics.errors();
  check_name(entry.key, kMaxName, diagnostics);
  if (decode_keys({entry.key.text, entry.value, diagnostics}, kKeys, draft)) {
    const std::optional<uint16_t> largest_mtu = place(draft, config);
    if (largest_mtu) resolve_mtu(draft, *largest_mtu);
  }
  if (diagnostics.errors() > errors) mark_in_error(draft.interface);
  return std::move(draft.interface);
}

void check_networks(std::vector<Interface>& interfaces, Diagnostics& diagnostics) {
  Networks networks;
  for (Interface& interface : interfaces) {
    const size_t errors = diagnostics.errors();
    for (const InterfaceAddress& address : interface.addresses) {
      const Networks::Connected* other = networks.add(interface, address);
      if (!other) continue;
      diagnostics.error(address.location, concat(to_text(address), " overlaps with ", to_text(other->prefix),
                                                 " on interface ", quote(other->interface->name),
                                                 ": one network is on one interface, in one length"));
    }
    if (diagnostics.errors() > errors) mark_in_error(interface);
  }
}

}  // namespace

void decode_interfaces(const Value& value, Config& config) {
  if (!value.is_mapping()) return value.mismatch("a mapping of names to interfaces");
  Places places = make_places(config);
  for (const Entry& entry : value.node.entries) {
    if (config.interfaces.size() == kMaxInterfaces) {
      value.diagnostics.error(entry.key.location,
                              concat("more than ", kMaxInterfaces, " interfaces: remove this one"));
      break;
    }
    config.interfaces.push_back(decode_interface(entry, places, config, value.diagnostics));
  }
  check_networks(config.interfaces, value.diagnostics);
}

}  // namespace sluice::config
