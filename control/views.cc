// SPDX-License-Identifier: BSD-3-Clause
#include "control/views.h"

#include <algorithm>
#include <string>

#include "control/config_json.h"

namespace sluice::control {
namespace {

using dataplane::kDropReasons;
using dataplane::PortCounters;
using nlohmann::json;

// Names in the code have '_', names for people '-'.
std::string words(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

// Only the reasons that occurred.
json drops_json(const std::array<uint64_t, kDropReasons>& drops) {
  json out = json::object();
  for (size_t reason = 0; reason < kDropReasons; ++reason) {
    if (drops[reason] != 0) out[words(dataplane::kDropNames[reason])] = drops[reason];
  }
  return out;
}

// What this port has counted since it was opened: its index may have served another port before.
PortCounters counted(const OpenPort& port, const Books& books) {
  PortCounters now = books.total.ports[port.index];
  now.received -= port.at_opening.received;
  now.received_bytes -= port.at_opening.received_bytes;
  now.transmitted -= port.at_opening.transmitted;
  now.transmitted_bytes -= port.at_opening.transmitted_bytes;
  for (size_t reason = 0; reason < kDropReasons; ++reason) now.drops[reason] -= port.at_opening.drops[reason];
  return now;
}

// Of all ports that there ever were.
json all_drops(const Books& books) {
  std::array<uint64_t, kDropReasons> sums{};
  for (const PortCounters& port : books.total.ports) {
    for (size_t reason = 0; reason < kDropReasons; ++reason) sums[reason] += port.drops[reason];
  }
  return drops_json(sums);
}

// Of all ports that there ever were, so that they balance.
json sums_json(const Books& books) {
  uint64_t received = 0, transmitted = 0;
  for (const PortCounters& port : books.total.ports) {
    received += port.received;
    transmitted += port.transmitted;
  }
  return {{"received", received},
          {"transmitted", transmitted},
          {"generated", books.total.generated},
          {"consumed", books.total.consumed},
          {"drops", all_drops(books)},
          {"held", books.held},
          {"unaccounted", books.unaccounted}};
}

std::string bridge_of(const config::Config& config, const std::string& port) {
  for (const config::Bridge& bridge : config.bridges) {
    for (const config::BridgePort& member : bridge.ports) {
      if (member.port == port) return bridge.name;
    }
  }
  return "";
}

json counters_json(const OpenPort& port, const Books& books) {
  const PortCounters counters = counted(port, books);
  return {{"received", counters.received},
          {"received-bytes", counters.received_bytes},
          {"transmitted", counters.transmitted},
          {"transmitted-bytes", counters.transmitted_bytes},
          {"drops", drops_json(counters.drops)}};
}

json port_json(Runtime& runtime, const OpenPort& port, const Books& books) {
  json out = counters_json(port, books);
  out.update({{"link", runtime.link_up(port) ? "up" : "down"},
              {"bridge", bridge_of(runtime.config(), port.config.name)},
              {"device", to_json(runtime.config())["ports"][port.config.name]["device"]},
              {"mac", mac_text(port.device.mac)},
              {"mtu", port.config.mtu},
              {"rx-queues", port.device.rx_queues},
              {"tx-queues", port.device.tx_queues}});
  return out;
}

double ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

json stages_json(const dataplane::Counters& counters) {
  json out = json::object();
  for (size_t stage = 0; stage < dataplane::kStages; ++stage) {
    const dataplane::StageCounters& timed = counters.stages[stage];
    out[words(dataplane::kStageNames[stage])] = {{"timed-packets", timed.packets},
                                                 {"cycles-per-packet", ratio(timed.cycles, timed.packets)}};
  }
  return out;
}

json queues_of(const OpenPorts& ports, unsigned worker) {
  json out = json::array();
  for (const auto& [name, port] : ports) {
    for (size_t queue = 0; queue < port.pollers.size(); ++queue) {
      if (port.pollers[queue] == worker) out.push_back({{"port", name}, {"queue", queue}});
    }
  }
  return out;
}

json worker_json(Runtime& runtime, const Books& books, unsigned index) {
  const dataplane::Counters& counters = books.workers[index];
  return {{"worker", index},
          {"core", runtime.cpus().workers[index]},
          {"answers", static_cast<bool>(books.fresh[index])},
          {"queues", queues_of(runtime.ports(), index)},
          {"packets", counters.packets},
          {"sweeps", counters.sweeps},
          {"packets-per-sweep", ratio(counters.packets, counters.sweeps)},
          {"busy", ratio(counters.busy_cycles, counters.busy_cycles + counters.idle_cycles)},
          {"sleeps", counters.sleeps},
          {"handed-over", counters.handed_over},
          {"taken-over", counters.taken_over},
          {"macs",
           {{"learned", counters.macs_learned},
            {"moved", counters.macs_moved},
            {"refused", counters.macs_refused},
            {"busy", counters.macs_busy}}},
          {"stages", stages_json(counters)}};
}

}  // namespace

json ports_view(Runtime& runtime) {
  const Books books = runtime.books();
  json out = sums_json(books);
  out["ports"] = json::object();
  for (const auto& [name, port] : runtime.ports()) out["ports"][name] = port_json(runtime, port, books);
  return out;
}

json replay_view(Runtime& runtime) {
  const Books books = runtime.books();
  json out = sums_json(books);
  out["ports"] = json::object();
  for (const auto& [name, port] : runtime.ports()) out["ports"][name] = counters_json(port, books);
  const auto macs = runtime.macs({});
  out["macs"] =
      std::count_if(macs.begin(), macs.end(), [](const MacView& entry) { return !entry.is_static; });
  out["sessions"] = runtime.sessions({}).size();
  return out;
}

json drops_view(Runtime& runtime) {
  const Books books = runtime.books();
  json out = sums_json(books);
  out["ports"] = json::object();
  for (const auto& [name, port] : runtime.ports())
    out["ports"][name] = drops_json(counted(port, books).drops);
  // What we made ourselves came in by no port.
  const json own = drops_json(books.total.ports[dataplane::kSelfPort].drops);
  if (!own.empty()) out["ports"]["(own)"] = own;
  for (size_t reason = 0; reason < kDropReasons; ++reason) {
    out["reasons"][words(dataplane::kDropNames[reason])] = dataplane::kDropSentences[reason];
  }
  return out;
}

json macs_view(Runtime& runtime, const MacFilter& filter) {
  json entries = json::array();
  for (const MacView& entry : runtime.macs(filter)) {
    entries.push_back({{"bridge", entry.bridge},
                       {"vlan", entry.vlan},
                       {"mac", mac_text(entry.mac)},
                       {"port", entry.port},
                       {"static", entry.is_static},
                       {"age", entry.age_s}});
  }
  return {{"macs", entries},
          {"dynamic", runtime.mac_table().dynamic_size()},
          {"capacity", runtime.mac_table().capacity()}};
}

json workers_view(Runtime& runtime) {
  const Books books = runtime.books();
  json out = {{"workers", json::array()},
              {"mbufs", {{"total", runtime.mbufs()}, {"in-use", runtime.mbufs_in_use()}}},
              {"held", books.held},
              {"unaccounted", books.unaccounted}};
  for (unsigned index = 0; index < books.workers.size(); ++index) {
    out["workers"].push_back(worker_json(runtime, books, index));
  }
  return out;
}

}  // namespace sluice::control
