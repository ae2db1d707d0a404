// SPDX-License-Identifier: BSD-3-Clause
#include "control/router_views.h"

#include <algorithm>

#include "config/addresses.h"
#include "control/config_json.h"
#include "dataplane/session_state.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string endpoint(dataplane::Ip4 address, uint16_t port, uint8_t protocol) {
  const std::string text = to_text(IpAddress(address));
  return dataplane::PortBlocks::has_ports(protocol) ? absl::StrCat(text, ":", port) : text;
}

std::string protocol_text(uint8_t protocol) {
  switch (protocol) {
    case dataplane::kProtocolTcp:
      return "tcp";
    case dataplane::kProtocolUdp:
      return "udp";
    case dataplane::kProtocolIcmp:
      return "icmp";
    default:
      return absl::StrCat(protocol);
  }
}

json address_text(const IpAddress& address, unsigned length) {
  return absl::StrCat(to_text(address), "/", length);
}

json addresses_json(const L3Interface& interface) {
  json out = json::array();
  for (const auto& own : interface.ipv4) out.push_back(address_text(own.address, own.length));
  for (const auto& own : interface.ipv6) out.push_back(address_text(own.address, own.length));
  return out;
}

json via_json(const RouteView& route) {
  json out = json::array();
  for (const config::NextHop& hop : route.via) {
    if (route.type == "connected") {
      out.push_back({{"interface", hop.interface}});
    } else {
      out.push_back(
          {{"address", config::to_text(hop.address)}, {"interface", hop.interface}, {"weight", hop.weight}});
    }
  }
  return out;
}

std::string interface_name(Runtime& runtime, dataplane::InterfaceIndex index) {
  const L3Interface* interface = runtime.router().interfaces().find(index);
  return interface == nullptr ? "" : interface->name;
}

json neighbor_json(Runtime& runtime, const NeighborInfo& neighbor) {
  return {{"address", to_text(neighbor.address)},
          {"interface", interface_name(runtime, neighbor.interface)},
          {"mac", neighbor.mac ? json(mac_text(dataplane::octets(*neighbor.mac))) : json()},
          {"state", neighbor.is_static ? "static" : std::string(state_text(neighbor.state))},
          {"static", neighbor.is_static},
          {"held", neighbor.held},
          {"age", neighbor.age_ns / 1'000'000'000}};
}

json session_json(const SessionView& view, const std::vector<std::string>& rules) {
  const dataplane::Flow original = view.session.arriving(0), leaving = view.session.leaving(0);
  const uint8_t protocol = original.protocol;
  return {{"protocol", protocol_text(protocol)},
          {"source", endpoint(original.source, original.source_port, protocol)},
          {"destination", endpoint(original.destination, original.destination_port, protocol)},
          {"translated-source", endpoint(leaving.source, leaving.source_port, protocol)},
          {"translated-destination", endpoint(leaving.destination, leaving.destination_port, protocol)},
          {"state", std::string(dataplane::state_name(view.session))},
          {"expires", view.remaining_ms / 1000},
          {"rule", view.session.rule < rules.size() ? rules[view.session.rule] : ""},
          {"worker", view.worker}};
}

// By the rule's place in the snapshot: rules of interfaces that are not there are left out of that.
std::vector<std::string> rule_names(Runtime& runtime) {
  std::vector<std::string> names;
  for (const config::NatRule& rule : runtime.config().nat) {
    if (runtime.router().interfaces().find(rule.interface) != nullptr) names.push_back(rule.name);
  }
  return names;
}

json rule_json(const config::NatRule& rule, const json& said, uint64_t sessions) {
  json out = said;
  out["name"] = rule.name;
  out["sessions"] = sessions;
  return out;
}

}  // namespace

json interfaces_view(Runtime& runtime) {
  json out = json::array();
  for (const config::Interface& said : runtime.config().interfaces) {
    const L3Interface* interface = runtime.router().interfaces().find(said.name);
    if (interface == nullptr) continue;
    json entry = {{"name", said.name},
                  {"mac", mac_text(dataplane::octets(interface->mac))},
                  {"mtu", interface->mtu},
                  {"addresses", addresses_json(*interface)}};
    if (said.port.empty()) {
      entry["bridge"] = said.bridge;
      entry["vlan"] = said.vlan;
    } else {
      entry["port"] = said.port;
    }
    out.push_back(std::move(entry));
  }
  return {{"interfaces", out}};
}

json routes_view(Runtime& runtime, unsigned family) {
  json out = json::array();
  for (const RouteView& route : Router::routes(runtime.config())) {
    const bool ipv6 = route.to.find(':') != std::string::npos;
    if ((family == 4 && ipv6) || (family == 6 && !ipv6)) continue;
    out.push_back(
        {{"to", route.to}, {"type", route.type}, {"via", via_json(route)}, {"origin", route.origin}});
  }
  return {{"routes", out}, {"capacity", runtime.config().tables.routes}};
}

json neighbors_view(Runtime& runtime, const NeighborFilter& filter) {
  json out = json::array();
  for (const NeighborInfo& neighbor : runtime.router().neighbors().list(runtime.now_ns())) {
    const bool matches = (!filter.interface || *filter.interface == neighbor.interface) &&
                         (!filter.address || *filter.address == neighbor.address);
    if (matches) out.push_back(neighbor_json(runtime, neighbor));
  }
  return {{"neighbors", out}, {"capacity", runtime.config().tables.neighbors}};
}

json sessions_view(Runtime& runtime, const dataplane::SessionFilter& filter) {
  const std::vector<std::string> names = rule_names(runtime);
  json out = json::array();
  for (const SessionView& view : runtime.sessions(filter)) out.push_back(session_json(view, names));
  return {{"sessions", out}, {"capacity", runtime.config().tables.sessions}};
}

json nat_view(Runtime& runtime) {
  const std::vector<std::string> names = rule_names(runtime);
  std::map<std::string, uint64_t> sessions;
  uint64_t total = 0;
  for (const SessionView& view : runtime.sessions({})) {
    ++total;
    if (view.session.rule < names.size()) ++sessions[names[view.session.rule]];
  }
  const json said = to_json(runtime.config())["nat"];
  json rules = json::array();
  for (size_t i = 0; i < runtime.config().nat.size(); ++i) {
    const config::NatRule& rule = runtime.config().nat[i];
    rules.push_back(rule_json(rule, said[i], sessions[rule.name]));
  }
  const Books books = runtime.books();
  return {{"rules", rules},
          {"sessions", total},
          {"opened", books.total.sessions_opened},
          {"ended", books.total.sessions_ended},
          {"capacity", runtime.config().tables.sessions}};
}

}  // namespace sluice::control
