// SPDX-License-Identifier: BSD-3-Clause
//
// The `routes` section. A next hop leads out by the interface whose connected network holds it.
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

using Family = IpAddress::Family;

constexpr size_t kMaxHops = 64;
constexpr uint64_t kMaxWeight = 256;
constexpr std::string_view kVia =
    "an address like 192.168.10.2, a mapping of address, weight and interface, "
    "or a list of 1 to 64 of these";

struct RouteDraft {
  Route route;
  const Networks& networks;
  std::optional<Prefix> to;
  bool is_default = false;
  std::optional<Family> family;  ///< of `to`, or of the first next hop
  std::set<std::pair<std::string, IpAddress>> hops;
};

struct HopDraft {
  const Networks& networks;
  std::optional<IpAddress> address;
  const Interface* interface = nullptr;  ///< as the file says
  bool has_interface = false;
  uint32_t weight = 1;
};

void decode_to(const Value& value, RouteDraft& draft) {
  draft.is_default = value.is_scalar() && value.text() == "default";
  if (draft.is_default) return;
  if (value.is_scalar() && nearest(value.text(), {"default"})) {
    value.error(concat("unknown word ", quote(value.text()), ": did you mean 'default'?"));
    return;
  }
  draft.to = read_prefix(value);
  if (draft.to) draft.family = draft.to->address.family;
}

void decode_hop_address(const Value& value, HopDraft& hop) {
  const std::optional<IpAddress> address = read_address(value);
  if (address && check_host(value, *address)) hop.address = address;
}

constexpr Key<HopDraft> kHopKeys[] = {
    {"address", "the address of the next router", decode_hop_address},
    {"weight", "its share of the flows",
     [](const Value& value, HopDraft& hop) { store(read_integer(value, 1, kMaxWeight), hop.weight); }},
    {"interface", "the interface that leads to it, for a link-local address",
     [](const Value& value, HopDraft& hop) {
       hop.has_interface = true;
       hop.interface = hop.networks.read_interface(value);
     }},
};

bool check_family(const Value& address, const IpAddress& hop, RouteDraft& draft) {
  if (!draft.family) draft.family = hop.family;
  if (*draft.family == hop.family) return true;
  const std::string_view family = *draft.family == Family::ipv4 ? "IPv4" : "IPv6";
  address.error(concat(to_text(hop), " is ", hop.is_ipv4() ? "IPv4" : "IPv6", ", and ",
                       draft.to ? "'to'" : "the next hop before it", " is ", family, ": write an ", family,
                       " address"));
  return false;
}

const Interface* find_link_local(const Value& address, const HopDraft& hop) {
  if (!hop.has_interface) {
    address.error(concat("a link-local next hop needs its interface: write { address: \"",
                         to_text(*hop.address), "\", interface: NAME }"));
  }
  return hop.interface;
}

/// \return the interface whose connected network holds the next hop, if the file does not say otherwise.
const Interface* find_connected(const Value& address, const HopDraft& hop) {
  const std::string text = to_text(*hop.address);
  const Networks::Connected* network = hop.networks.find(*hop.address);
  if (!network) {
    if (hop.networks.is_complete()) {
      address.error(concat(text, " lies in no connected network: write a next hop that does, or add its ",
                           "network to the 'addresses' of an interface"));
    }
    return nullptr;
  }
  if (!check_host_in(address, *hop.address, network->prefix)) return nullptr;
  if (!hop.interface || hop.interface == network->interface) return network->interface;
  address.error(concat(text, " lies in ", to_text(network->prefix), " on interface ",
                       quote(network->interface->name), ": write that, or remove 'interface'"));
  return nullptr;
}

void add_hop(const Value& address, const HopDraft& hop, RouteDraft& draft) {
  if (!hop.address || !check_family(address, *hop.address, draft)) return;
  if (!draft.networks.check_not_own(address, *hop.address, hop.interface)) return;
  const Interface* interface =
      is_link_local(*hop.address) ? find_link_local(address, hop) : find_connected(address, hop);
  if (!interface) return;
  if (!draft.hops.emplace(interface->name, *hop.address).second) {
    address.error(concat("next hop ", to_text(*hop.address),
                         " is listed twice: remove one of them, and raise the 'weight' of the other"));
  }
  draft.route.via.push_back({*hop.address, interface->name, hop.weight});
}

void decode_hop(const Value& value, RouteDraft& draft) {
  HopDraft hop{draft.networks, {}};
  if (value.is_scalar()) {
    decode_hop_address(value, hop);
    return add_hop(value, hop, draft);
  }
  if (!value.is_mapping()) return value.mismatch(kVia);
  decode_keys(value, kHopKeys, hop);
  require_key(value.node, "address", value.node.location, "this next hop", value.diagnostics);
  const Node* address = value.node.find("address");
  if (address) add_hop({"address", *address, value.diagnostics}, hop, draft);
}

void decode_via(const Value& value, RouteDraft& draft) {
  if (!value.is_list()) return decode_hop(value, draft);
  const size_t hops = value.node.items.size();
  if (hops == 0) return value.mismatch(kVia);
  if (hops > kMaxHops) {
    value.item(kMaxHops).error(concat("more than ", kMaxHops, " next hops: remove this one"));
  }
  for (size_t i = 0; i < hops; ++i) decode_hop(value.item(i), draft);
}

void decode_type(const Value& value, RouteDraft& draft) {
  constexpr Route::Type meanings[] = {Route::Type::blackhole, Route::Type::unreachable,
                                      Route::Type::prohibit};
  const auto word = read_word(value, {"blackhole", "unreachable", "prohibit"});
  if (word) draft.route.type = meanings[*word];
}

constexpr Key<RouteDraft> kKeys[] = {
    {"to", "the destinations: a prefix, or default", decode_to},
    {"via", "the next hop, or several that share the flows", decode_via},
    {"type", "instead of via: blackhole, unreachable or prohibit", decode_type},
    {"vrf", "the VRF that it is in"},
    {"leak-to", "the VRF whose table is looked up"},
};

/// Reports keys that do not go together.
void check_route_keys(const Value& value, const RouteDraft& draft) {
  const Node& node = value.node;
  require_key(node, "to", node.location, "this route", value.diagnostics);
  const Node* type = node.find("type");
  if (!type && !node.find("via")) {
    value.error("this route has no 'via': add it, or a 'type' like blackhole");
  } else if (type && node.find("via")) {
    value.diagnostics.error(type->location, "a route has 'via' or 'type': remove one of them");
  } else if (type && draft.is_default) {
    value.diagnostics.error(node.find("to")->location,
                            "'default' takes its family from 'via': write 0.0.0.0/0 or \"::/0\" here");
  }
}

std::optional<Route> decode_route(const Value& value, const Networks& networks) {
  RouteDraft draft{{}, networks, {}, false, {}, {}};
  draft.route.location = value.node.location;
  if (!decode_keys(value, kKeys, draft)) return std::nullopt;
  check_route_keys(value, draft);
  if (draft.is_default && draft.family) draft.to = Prefix{IpAddress{.family = *draft.family}};
  if (!draft.to) return std::nullopt;
  draft.route.to = *draft.to;
  return std::move(draft.route);
}

}  // namespace

void decode_routes(const Value& value, Config& config) {
  if (!value.is_list()) {
    return value.mismatch("a list of entries like { to: 10.0.0.0/8, via: 192.168.10.2 }");
  }
  const Networks networks(config.interfaces);
  std::map<Prefix, int> line_of;
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    std::optional<Route> route = decode_route(value.item(i), networks);
    if (!route) continue;
    const auto [first, is_new] = line_of.emplace(route->to, route->location.line);
    if (!is_new) {
      value.diagnostics.error(value.node.items[i].find("to")->location,
                              concat("there is a route to ", to_text(route->to), " in line ", first->second,
                                     ": remove one of them, or list the next hops in one 'via'"));
    }
    config.routes.push_back(std::move(*route));
  }
}

}  // namespace sluice::config
