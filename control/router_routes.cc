// SPDX-License-Identifier: BSD-3-Clause
//
// The routes that a configuration stands for, and how they come into force.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "config/addresses.h"
#include "control/log.h"
#include "control/router.h"

namespace sluice::control {
namespace {

using dataplane::Ip4;
using dataplane::Ip6;
using dataplane::RouteKind;
using dataplane::RouteTarget;

// RFC 1812 5.3.7, RFC 6890; RFC 4291 2.5 and 2.7. A link-local address means a link: no table can hold it.
constexpr std::pair<Ip4, uint8_t> kMartians4[] = {
    {0x00000000, 8}, {0x7F000000, 8}, {0xE0000000, 4}, {0xF0000000, 4}};
constexpr std::pair<Ip6, uint8_t> kMartians6[] = {
    {{0, 0}, 128}, {{0, 1}, 128}, {{0xFE80'0000'0000'0000, 0}, 10}, {{0xFF00'0000'0000'0000, 0}, 8}};

RouteKind kind_of(config::Route::Type type) {
  switch (type) {
    case config::Route::Type::blackhole:
      return RouteKind::blackhole;
    case config::Route::Type::prohibit:
      return RouteKind::prohibit;
    default:
      return RouteKind::unreachable;
  }
}

const char* type_text(config::Route::Type type) {
  switch (type) {
    case config::Route::Type::blackhole:
      return "blackhole";
    case config::Route::Type::prohibit:
      return "prohibit";
    case config::Route::Type::unreachable:
      return "unreachable";
    case config::Route::Type::via:
      return "unicast";
  }
  return "";
}

// The last address of a network.
Ip4 broadcast(Ip4 address, uint8_t length) {
  return network(address, length) | (length == 0 ? ~Ip4{0} : ~Ip4{0} >> length);
}

}  // namespace

void Router::want_own(Wanted& wanted) const {
  for (const auto& prefix : kMartians4) wanted.own4[prefix] = RouteTarget(RouteKind::martian);
  for (const auto& prefix : kMartians6) wanted.own6[prefix] = RouteTarget(RouteKind::martian);
  for (const L3Interface& interface : interfaces_.all()) {
    for (const auto& own : interface.ipv4) {
      if (own.length >= 31) continue;  // RFC 3021: both addresses are hosts
      wanted.own4[{network(own.address, own.length), 32}] = RouteTarget(RouteKind::broadcast);
      wanted.own4[{broadcast(own.address, own.length), 32}] = RouteTarget(RouteKind::broadcast);
    }
  }
  for (const Ip4 external : externals_) wanted.own4[{external, 32}] = RouteTarget(RouteKind::local);
  for (const L3Interface& interface : interfaces_.all()) {
    for (const auto& own : interface.ipv4) wanted.own4[{own.address, 32}] = RouteTarget(RouteKind::local);
    for (const auto& own : interface.ipv6) {
      if (!is_link_local(own.address)) wanted.own6[{own.address, 128}] = RouteTarget(RouteKind::local);
    }
  }
}

void Router::want_connected(Wanted& wanted) const {
  for (const L3Interface& interface : interfaces_.all()) {
    const RouteTarget target(RouteKind::connected, interface.index);
    for (const auto& own : interface.ipv4)
      wanted.connected4[{network(own.address, own.length), own.length}] = target;
    for (const auto& own : interface.ipv6) {
      if (!is_link_local(own.address))
        wanted.connected6[{network(own.address, own.length), own.length}] = target;
    }
  }
}

void Router::want_configured(const config::Config& next, Wanted& wanted) {
  hop_sets_.clear();
  for (const config::Route& route : next.routes) {
    RouteTarget target(kind_of(route.type));
    if (route.type == config::Route::Type::via) {
      const HopSet hops = hops_of(route);
      // Without a single neighbor there is only the truth: it cannot be reached.
      if (!hops.empty()) target = next_hops_.target(hops);
      hop_sets_.push_back(hops);
    }
    if (route.to.address.is_ipv4()) {
      wanted.configured4[{to_ip4(route.to.address), route.to.length}] = target;
    } else {
      wanted.configured6[{to_ip6(route.to.address), route.to.length}] = target;
    }
  }
}

HopSet Router::hops_of(const config::Route& route) const {
  HopSet hops;
  for (const config::NextHop& hop : route.via) {
    const auto known = pinned_.find({interfaces_.index(hop.interface), IpAddress::from_config(hop.address)});
    if (known != pinned_.end()) hops.push_back({known->second, hop.weight});
  }
  std::sort(hops.begin(), hops.end());
  return hops;
}

void Router::pin_new(const config::Config& next, uint64_t now_ns) {
  for (const config::Route& route : next.routes) {
    for (const config::NextHop& hop : route.via) {
      const HopName name{interfaces_.index(hop.interface), IpAddress::from_config(hop.address)};
      if (name.first == 0 || pinned_.contains(name)) continue;
      if (const auto index = neighbors_.pin(name.first, name.second, now_ns)) {
        pinned_.emplace(name, *index);
      } else {
        log_warning(absl::StrCat("no room for the next hop ", to_text(name.second), " (tables: neighbors)"));
      }
    }
  }
}

void Router::unpin_old(const config::Config& next) {
  std::set<HopName> wanted;
  for (const config::Route& route : next.routes) {
    for (const config::NextHop& hop : route.via)
      wanted.emplace(interfaces_.index(hop.interface), IpAddress::from_config(hop.address));
  }
  std::erase_if(pinned_, [&](const auto& item) {
    if (wanted.contains(item.first)) return false;
    neighbors_.unpin(item.second);
    return true;
  });
}

void Router::replace(const Wanted& wanted, bool remove_only) {
  const size_t refused = rib4_.replace(RouteOrigin::own, wanted.own4, remove_only) +
                         rib4_.replace(RouteOrigin::connected, wanted.connected4, remove_only) +
                         rib4_.replace(RouteOrigin::configured, wanted.configured4, remove_only) +
                         rib6_.replace(RouteOrigin::own, wanted.own6, remove_only) +
                         rib6_.replace(RouteOrigin::connected, wanted.connected6, remove_only) +
                         rib6_.replace(RouteOrigin::configured, wanted.configured6, remove_only);
  if (refused != 0) log_error(absl::StrCat(refused, " routes found no room (tables: routes)"));
}

void Router::withdraw(const config::Config& next) {
  Wanted wanted;
  want_own(wanted);
  want_connected(wanted);
  // Only the prefixes count here.
  for (const config::Route& route : next.routes) {
    if (route.to.address.is_ipv4()) {
      wanted.configured4[{to_ip4(route.to.address), route.to.length}] = {};
    } else {
      wanted.configured6[{to_ip6(route.to.address), route.to.length}] = {};
    }
  }
  replace(wanted, true);
}

void Router::install(const config::Config& next, uint64_t now_ns) {
  now_ns_ = now_ns;
  neighbors_.set_interfaces(interfaces_.all(), now_ns);
  neighbors_.set_answered(answered_);
  std::vector<StaticNeighbor> statics;
  for (const config::Neighbor& neighbor : next.neighbors) {
    const dataplane::InterfaceIndex interface = interfaces_.index(neighbor.interface);
    if (interface != 0)
      statics.push_back(
          {interface, IpAddress::from_config(neighbor.address), dataplane::mac48(neighbor.mac)});
  }
  neighbors_.set_static(statics, now_ns);
  pin_new(next, now_ns);
  Wanted wanted;
  want_own(wanted);
  want_connected(wanted);
  want_configured(next, wanted);
  replace(wanted, false);
  unpin_old(next);
  std::vector<IpAddress> fallback;
  for (const L3Interface& interface : interfaces_.all()) {
    for (const auto& own : interface.ipv4) fallback.emplace_back(own.address);
    for (const auto& own : interface.ipv6) fallback.emplace_back(own.address);
  }
  errors_.set_fallback(std::move(fallback));
  errors_.configure(next.icmp, now_ns);
}

std::vector<RouteView> Router::routes(const config::Config& config) {
  std::vector<RouteView> views;
  for (const config::Interface& interface : config.interfaces) {
    for (const config::InterfaceAddress& own : interface.addresses) {
      const config::Prefix prefix = config::network_of(own.address, own.length);
      views.push_back(
          {config::to_text(prefix), "connected", "interface", {{own.address, interface.name, 1}}});
    }
  }
  for (const config::Route& route : config.routes)
    views.push_back({config::to_text(route.to), type_text(route.type), "file", route.via});
  return views;
}

}  // namespace sluice::control
