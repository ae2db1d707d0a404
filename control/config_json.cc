// SPDX-License-Identifier: BSD-3-Clause
#include "control/config_json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/addresses.h"

namespace sluice::control {
namespace {

using nlohmann::json;

json device_json(const config::Port& port) {
  using Device = config::Port::Device;
  switch (port.device) {
    case Device::tap:
      return "tap";
    case Device::ring:
      return "ring";
    case Device::null:
      return "null";
    case Device::pcap:
      return "pcap";
    case Device::pci:
    case Device::dpdk:
      break;
  }
  return port.address;
}

json port_json(const config::Port& port) {
  json out = {{"device", device_json(port)}, {"mtu", port.mtu}, {"promiscuous", port.promiscuous}};
  const std::pair<const char*, const std::string&> texts[] = {
      {"netns", port.netns}, {"peer", port.peer}, {"read", port.read}, {"write", port.write}};
  for (const auto& [key, text] : texts) {
    if (!text.empty()) out[key] = text;
  }
  if (port.mac) out["mac"] = mac_text(*port.mac);
  if (port.rx_queues) out["rx-queues"] = *port.rx_queues;
  if (port.tx_queues) out["tx-queues"] = *port.tx_queues;
  return out;
}

json member_json(const config::BridgePort& member) {
  json out = json::object();
  if (member.trunk) {
    out["vlans"] = member.vlans;
    if (member.native_vlan != 0) out["native-vlan"] = member.native_vlan;
  } else {
    out["vlan"] = member.native_vlan;
  }
  if (member.mac_limit != 0) out["mac-limit"] = member.mac_limit;
  return out;
}

json bridge_json(const config::Bridge& bridge) {
  json out = {{"ports", json::object()},
              {"mac-ageing", absl::StrCat(bridge.mac_ageing_s, "s")},
              {"learning", bridge.learning},
              {"static-macs", json::array()}};
  if (bridge.mac_limit != 0) out["mac-limit"] = bridge.mac_limit;
  for (const config::BridgePort& member : bridge.ports) out["ports"][member.port] = member_json(member);
  for (const config::StaticMac& entry : bridge.static_macs) {
    out["static-macs"].push_back({{"mac", mac_text(entry.mac)}, {"vlan", entry.vlan}, {"port", entry.port}});
  }
  return out;
}

/// The items of a list as text.
template <class Item>
json texts_json(const std::vector<Item>& items) {
  json out = json::array();
  for (const Item& item : items) out.push_back(config::to_text(item));
  return out;
}

json interface_json(const config::Interface& interface) {
  json out = {{"addresses", texts_json(interface.addresses)}, {"mtu", interface.mtu}};
  if (interface.bridge.empty()) {
    out["port"] = interface.port;
  } else {
    out["bridge"] = interface.bridge;
    out["vlan"] = interface.vlan;
  }
  if (interface.mac) out["mac"] = mac_text(*interface.mac);
  return out;
}

json route_json(const config::Route& route) {
  static constexpr const char* kTypes[] = {"via", "blackhole", "unreachable", "prohibit"};
  json out = {{"to", config::to_text(route.to)}};
  if (route.type != config::Route::Type::via) {
    out["type"] = kTypes[static_cast<size_t>(route.type)];
    return out;
  }
  out["via"] = json::array();
  for (const config::NextHop& hop : route.via) {
    out["via"].push_back(
        {{"address", config::to_text(hop.address)}, {"interface", hop.interface}, {"weight", hop.weight}});
  }
  return out;
}

json neighbor_json(const config::Neighbor& neighbor) {
  return {{"address", config::to_text(neighbor.address)},
          {"mac", mac_text(neighbor.mac)},
          {"interface", neighbor.interface}};
}

/// A number, or the text of a range.
json ports_json(unsigned first, unsigned last) {
  if (first == last) return first;
  return absl::StrCat(first, "-", last);
}

json port_forward_json(const config::PortForward& forward) {
  const unsigned to_last = forward.to_first + (forward.last - forward.first);
  std::string to = absl::StrCat(config::to_text(forward.to), ":", forward.to_first);
  if (to_last != forward.to_first) absl::StrAppend(&to, "-", to_last);
  json out = {{"protocol", forward.protocol == config::PortForward::Protocol::tcp ? "tcp" : "udp"},
              {"port", ports_json(forward.first, forward.last)},
              {"to", to}};
  if (forward.address) out["address"] = config::to_text(*forward.address);
  return out;
}

json timeouts_json(const config::NatRule::Timeouts& timeouts) {
  return {{"udp", absl::StrCat(timeouts.udp_s, "s")},
          {"icmp", absl::StrCat(timeouts.icmp_s, "s")},
          {"tcp-established", absl::StrCat(timeouts.tcp_established_s, "s")},
          {"tcp-transitory", absl::StrCat(timeouts.tcp_transitory_s, "s")}};
}

json nat_rule_json(const config::NatRule& rule) {
  static constexpr const char* kMappings[] = {"endpoint-independent", "address-and-port-dependent"};
  static constexpr const char* kFilterings[] = {"endpoint-independent", "address-dependent",
                                                "address-and-port-dependent"};
  json out = {{"name", rule.name},
              {"interface", rule.interface},
              {"ports", absl::StrCat(rule.port_min, "-", rule.port_max)},
              {"mapping", kMappings[static_cast<size_t>(rule.mapping)]},
              {"filtering", kFilterings[static_cast<size_t>(rule.filtering)]},
              {"hairpinning", rule.hairpinning},
              {"exempt", texts_json(rule.exempt)},
              {"timeouts", timeouts_json(rule.timeouts)}};
  if (!rule.source.empty()) out["source"] = texts_json(rule.source);
  if (rule.masquerade) out["address"] = "interface";
  if (!rule.pool.empty()) out["address"] = texts_json(rule.pool);
  for (const config::PortForward& forward : rule.port_forwards) {
    out["port-forward"].push_back(port_forward_json(forward));
  }
  for (const config::StaticNat& entry : rule.statics) {
    out["static"].push_back(
        {{"inside", config::to_text(entry.inside)}, {"outside", config::to_text(entry.outside)}});
  }
  return out;
}

json tables_json(const config::Tables& tables) {
  return {{"macs", tables.macs},
          {"sessions", tables.sessions},
          {"routes", tables.routes},
          {"neighbors", tables.neighbors}};
}

json icmp_json(const config::Icmp& icmp) {
  return {{"rate-limit", absl::StrCat(icmp.rate_limit, "/s")}, {"burst", icmp.burst}};
}

json dpdk_json(const config::Dpdk& dpdk) {
  using Hugepages = config::Dpdk::Hugepages;
  json out = {{"hugepages", "auto"}, {"mbufs", "auto"}, {"args", dpdk.args}};
  if (dpdk.hugepages != Hugepages::automatic) out["hugepages"] = dpdk.hugepages == Hugepages::required;
  if (dpdk.mbufs) out["mbufs"] = *dpdk.mbufs;
  if (dpdk.memory_bytes) out["memory"] = absl::StrCat(*dpdk.memory_bytes >> 20, "MiB");
  return out;
}

json log_json(const config::Log& log) {
  static constexpr const char* kLevels[] = {"debug", "info", "warning", "error"};
  using Target = config::Log::Target;
  const std::string target = log.target == Target::file      ? log.file
                             : log.target == Target::journal ? "journal"
                                                             : "stderr";
  return {{"level", kLevels[static_cast<size_t>(log.level)]}, {"target", target}};
}

json control_json(const config::Control& control) {
  json socket = {{"path", control.socket}, {"mode", absl::StrFormat("%04o", control.socket_mode)}};
  if (!control.socket_group.empty()) socket["group"] = control.socket_group;
  return {{"socket", socket}};
}

}  // namespace

std::string mac_text(const config::MacAddress& mac) {
  return absl::StrFormat("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

json to_json(const config::Config& config) {
  json out = {{"workers",
               {{"cores", config.workers.cores},
                {"idle", config.workers.idle == config::Workers::Idle::sleep ? "sleep" : "spin"}}},
              {"dpdk", dpdk_json(config.dpdk)},
              {"tables", tables_json(config.tables)},
              {"log", log_json(config.log)},
              {"icmp", icmp_json(config.icmp)},
              {"control", control_json(config.control)},
              {"ports", json::object()},
              {"bridges", json::object()},
              {"interfaces", json::object()},
              {"routes", json::array()},
              {"neighbors", json::array()},
              {"nat", json::array()}};
  for (const config::Port& port : config.ports) out["ports"][port.name] = port_json(port);
  for (const config::Bridge& bridge : config.bridges) out["bridges"][bridge.name] = bridge_json(bridge);
  for (const config::Interface& interface : config.interfaces) {
    out["interfaces"][interface.name] = interface_json(interface);
  }
  for (const config::Route& route : config.routes) out["routes"].push_back(route_json(route));
  for (const config::Neighbor& neighbor : config.neighbors) {
    out["neighbors"].push_back(neighbor_json(neighbor));
  }
  for (const config::NatRule& rule : config.nat) out["nat"].push_back(nat_rule_json(rule));
  return out;
}

}  // namespace sluice::control
