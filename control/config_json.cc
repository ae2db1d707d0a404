// SPDX-License-Identifier: BSD-3-Clause
#include "control/config_json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

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
              {"tables", {{"macs", config.tables.macs}}},
              {"log", log_json(config.log)},
              {"control", control_json(config.control)},
              {"ports", json::object()},
              {"bridges", json::object()}};
  for (const config::Port& port : config.ports) out["ports"][port.name] = port_json(port);
  for (const config::Bridge& bridge : config.bridges) out["bridges"][bridge.name] = bridge_json(bridge);
  return out;
}

}  // namespace sluice::control
