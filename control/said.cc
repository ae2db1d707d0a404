// SPDX-License-Identifier: BSD-3-Clause
#include "control/said.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "config/addresses.h"

namespace sluice::control {
namespace {

bool covers(const config::Prefix& prefix, const config::IpAddress& address) {
  return prefix.address.family == address.family &&
         config::network_of(address, prefix.length).address == prefix.address;
}

config::IpAddress to_config(const IpAddress& address) {
  config::IpAddress out;
  if (address.is_ipv4()) {
    for (size_t i = 0; i < 4; ++i) out.octets[i] = static_cast<uint8_t>(address.ip4() >> (24 - 8 * i));
  } else {
    out.family = config::IpAddress::Family::ipv6;
    dataplane::store_ip6(address.ip6(), out.octets.data());
  }
  return out;
}

void consider(RouteSaid& best, const RouteSaid& candidate) {
  if (best.kind == RouteSaid::Kind::none || candidate.prefix.length > best.prefix.length) best = candidate;
}

}  // namespace

std::string said_at(const config::Config& config, const config::Location& location) {
  return absl::StrCat(config.file, ":", location.line);
}

Membership membership(const config::Config& config, const std::string& port) {
  for (const config::Bridge& bridge : config.bridges) {
    for (const config::BridgePort& member : bridge.ports) {
      if (member.port == port) return {&bridge, &member};
    }
  }
  return {};
}

const config::Interface* interface_named(const config::Config& config, const std::string& name) {
  const auto found = std::find_if(config.interfaces.begin(), config.interfaces.end(),
                                  [&](const config::Interface& interface) { return interface.name == name; });
  return found == config.interfaces.end() ? nullptr : &*found;
}

const config::StaticMac* static_mac(const config::Bridge& bridge, config::VlanId vlan,
                                    const config::MacAddress& mac) {
  const auto found =
      std::find_if(bridge.static_macs.begin(), bridge.static_macs.end(),
                   [&](const config::StaticMac& entry) { return entry.vlan == vlan && entry.mac == mac; });
  return found == bridge.static_macs.end() ? nullptr : &*found;
}

RouteSaid route_said(const config::Config& config, const IpAddress& destination) {
  using Kind = RouteSaid::Kind;
  const config::IpAddress address = to_config(destination);
  RouteSaid best;
  for (const config::Interface& interface : config.interfaces) {
    for (const config::InterfaceAddress& own : interface.addresses) {
      const config::Prefix network = config::network_of(own.address, own.length);
      const auto bits = static_cast<uint8_t>(address.bits());
      if (own.address == address)
        consider(best, {Kind::own, {address, bits}, &interface, nullptr, own.location});
      if (covers(network, address))
        consider(best, {Kind::connected, network, &interface, nullptr, own.location});
    }
  }
  for (const config::Route& route : config.routes) {
    if (covers(route.to, address)) consider(best, {Kind::route, route.to, nullptr, &route, route.location});
  }
  return best;
}

const config::Neighbor* static_neighbor(const config::Config& config, const std::string& interface,
                                        const IpAddress& address) {
  const config::IpAddress wanted = to_config(address);
  const auto found =
      std::find_if(config.neighbors.begin(), config.neighbors.end(), [&](const config::Neighbor& neighbor) {
        return neighbor.interface == interface && neighbor.address == wanted;
      });
  return found == config.neighbors.end() ? nullptr : &*found;
}

}  // namespace sluice::control
