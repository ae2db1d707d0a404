// SPDX-License-Identifier: BSD-3-Clause
//
// How a new configuration comes into force.
//
// New ports are opened first: what can fail fails before anything has changed. Then one snapshot replaces the
// other. When every worker has moved on, what nobody refers to any more is taken away: MAC addresses, ports.
// A port whose device itself must change (its mtu, its queues) is out of service for the moment that its
// restart takes; all others do not notice.
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/buffers.h"
#include "control/config_json.h"
#include "control/log.h"
#include "control/memory_reserve.h"
#include "control/runtime.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr useconds_t kLookAgain_us = 50;
constexpr useconds_t kPatience_us = 2'000'000;

const config::Port* find(const config::Config& config, const std::string& name) {
  const auto found = std::find_if(config.ports.begin(), config.ports.end(),
                                  [&](const config::Port& port) { return port.name == name; });
  return found == config.ports.end() ? nullptr : &*found;
}

// Everything about a port that its device was opened with. A ring's transmit queues are its peer's inbox.
auto device_key(const config::Port& port, const config::Config& all) {
  const config::Port* peer = port.peer.empty() ? nullptr : find(all, port.peer);
  return std::tuple(port.device, port.address, port.netns, port.peer, port.read, port.write, port.mac,
                    port.mtu, port.rx_queues, port.tx_queues, port.promiscuous,
                    peer == nullptr ? std::optional<uint16_t>() : peer->rx_queues);
}

// More than a configuration takes while it comes into force or goes: snapshot, routes, copies, comparisons.
size_t change_bytes(const config::Config& config) {
  constexpr size_t kAtLeast = 8 << 20, kLine = 4096, kVlan = 512, kNeighbor = 256;
  size_t lines = config.ports.size() + config.neighbors.size(), vlans = 0;
  for (const config::Bridge& bridge : config.bridges) {
    lines += 1 + bridge.static_macs.size();
    for (const config::BridgePort& port : bridge.ports) vlans += port.vlans.size();
  }
  for (const config::Interface& interface : config.interfaces) lines += 1 + interface.addresses.size();
  for (const config::Route& route : config.routes) lines += 1 + route.via.size();
  for (const config::NatRule& rule : config.nat)
    lines += 2 + rule.source.size() + rule.exempt.size() + rule.port_forwards.size() + rule.statics.size();
  lines += external_addresses(config);
  return kAtLeast + kLine * lines + kVlan * vlans + kNeighbor * config.tables.neighbors;
}

}  // namespace

/// The ports by what happens to their devices.
struct Runtime::Change {
  std::vector<std::string> added, removed, restarted;

  Change(const config::Config& next, const config::Config& current, const OpenPorts& open) {
    for (const config::Port& port : next.ports) {
      const auto known = open.find(port.name);
      if (known == open.end()) {
        added.push_back(port.name);
      } else if (device_key(known->second.config, current) != device_key(port, next)) {
        restarted.push_back(port.name);
      }
    }
    for (const auto& [name, port] : open) {
      if (find(next, name) == nullptr) removed.push_back(name);
    }
  }
};

absl::Status Runtime::refuse_restart_keys(const config::Config& next) const {
  const nlohmann::json now = to_json(config_), then = to_json(next);
  std::vector<std::string> keys;
  for (const char* key : {"workers", "dpdk", "tables", "log", "control"}) {
    if (now[key] != then[key]) keys.emplace_back(key);
  }
  if (keys.empty()) return absl::OkStatus();
  return input_error(absl::StrCat(next.file, ":1:1: error: ", absl::StrJoin(keys, ", "),
                                  " cannot change while sluice runs: restart it, or leave as it was"));
}

absl::Status Runtime::check_room(const config::Config& next) const {
  const auto at_file = [&](const auto&... parts) {
    return input_error(absl::StrCat(next.file, ":1:1: error: ", parts...));
  };
  // For an instant both the ports that come and those that go are open.
  const size_t ports = ports_.size() + Change(next, config_, ports_).added.size();
  if (ports > RTE_MAX_ETHPORTS) {
    return at_file(ports, " ports for an instant, and DPDK holds ", RTE_MAX_ETHPORTS,
                   ": reload once without those that go, then with those that come");
  }
  if (!next.dpdk.mbufs && mbuf_count(next, shared_.workers) > mbufs()) {
    return at_file(mbuf_count(next, shared_.workers), " packet buffers are needed and there are ", mbufs(),
                   ": set dpdk: mbufs, and restart");
  }
  // For an instant both the VLANs that come and those that go have their ids.
  size_t domains = domains_.all().size();
  for (const DomainName& name : domains_of(next)) domains += domains_.all().contains(name) ? 0 : 1;
  if (domains > UINT16_MAX) {
    return at_file("more than 65535 VLANs, those that go included: reload once without these first");
  }
  return absl::OkStatus();
}

absl::Status Runtime::acceptable(const config::Config& next) const {
  if (absl::Status status = refuse_restart_keys(next); !status.ok()) return status;
  if (absl::Status status = check_room(next); !status.ok()) return status;
  return router_->acceptable(next);
}

absl::Status Runtime::apply(const config::Config& next) {
  return with_reserve(next, [&] { return change_to(next); });
}

// Halfway there is no turning back without memory either; and even to compare takes some: what holds JSON
// asks for memory when it goes.
absl::Status Runtime::with_reserve(const config::Config& next, const std::function<absl::Status()>& work) {
  try {
    MemoryReserve reserve(change_bytes(config_) + change_bytes(next));
    return reserve.whole() ? work() : no_memory_;
  } catch (const std::bad_alloc&) {
    return no_memory_;
  }
}

absl::Status Runtime::change_to(const config::Config& next) {
  if (absl::Status status = acceptable(next); !status.ok()) return status;
  Change change(next, config_, ports_);
  // A port that is replaced is one that is added and one that is removed, under the same name.
  const auto replaced =
      std::stable_partition(change.restarted.begin(), change.restarted.end(), [&](const std::string& name) {
        return !devices_.can_coexist(ports_.at(name).config, *find(next, name));
      });
  change.added.insert(change.added.end(), replaced, change.restarted.end());
  change.removed.insert(change.removed.end(), replaced, change.restarted.end());
  change.restarted.erase(replaced, change.restarted.end());
  for (const std::string& name : change.restarted) {
    if (absl::Status status = devices_.check(*find(next, name)); !status.ok()) return status;
  }
  OpenPorts opened;
  if (absl::Status status = open_ports(next, change.added, opened); !status.ok()) return status;
  if (!change.restarted.empty()) {
    if (absl::Status status = replace_ports(next, change); !status.ok()) {
      for (const auto& [name, port] : opened) close_port(port);
      return status;
    }
  }
  OpenPorts closing;
  for (const std::string& name : change.removed) closing.insert(ports_.extract(name));
  ports_.merge(opened);
  put_in_force(next);
  for (const auto& [name, port] : closing) close_port(port);
  return absl::OkStatus();
}

absl::Status Runtime::open_ports(const config::Config& next, const std::vector<std::string>& names,
                                 OpenPorts& opened) {
  for (const std::string& name : names) {
    absl::StatusOr<OpenPort> port = open_port(*find(next, name), next, opened);
    if (!port.ok()) {
      for (const auto& [done, other] : opened) close_port(other);
      opened.clear();
      return port.status();
    }
    opened.emplace(name, *std::move(port));
  }
  return absl::OkStatus();
}

// Takes the changed ports out of service, and opens them anew as `next` says; as they were if that fails.
absl::Status Runtime::replace_ports(const config::Config& next, Change& change) {
  OpenPorts old;
  for (const std::string& name : change.restarted) {
    forget_hosts_behind(name);
    old.insert(ports_.extract(name));
  }
  config::Config without = config_;
  std::erase_if(without.ports, [&](const config::Port& port) { return old.contains(port.name); });
  for (config::Bridge& bridge : without.bridges) {
    std::erase_if(bridge.ports, [&](const config::BridgePort& port) { return old.contains(port.port); });
    std::erase_if(bridge.static_macs,
                  [&](const config::StaticMac& entry) { return old.contains(entry.port); });
  }
  const config::Config before = config_;
  put_in_force(without);
  for (const auto& [name, port] : old) close_port(port);

  OpenPorts opened;
  absl::Status status = open_ports(next, change.restarted, opened);
  if (!status.ok()) {
    const absl::Status back = open_ports(before, change.restarted, opened);
    if (!back.ok())
      status = machine_error(absl::StrCat(status.message(), "; and back as it was: ", back.message()));
  }
  ports_.merge(opened);
  // A port that could not even be opened as it was stays out; everything else is in force as before.
  const bool whole = std::all_of(before.ports.begin(), before.ports.end(),
                                 [&](const config::Port& port) { return ports_.contains(port.name); });
  if (!status.ok() && whole) put_in_force(before);
  return status;
}

absl::StatusOr<OpenPort> Runtime::open_port(const config::Port& port, const config::Config& all,
                                            const OpenPorts& opened) {
  const bool sleeps = all.workers.idle == config::Workers::Idle::sleep;
  const absl::StatusOr<Device> device =
      devices_.open(port, all, {.workers = shared_.workers, .interrupts = sleeps, .pool = shared_.pool});
  if (!device.ok()) return device.status();
  OpenPort open{.config = port, .device = *device, .index = free_index(), .pollers = {}};
  open.at_opening = books().total.ports[open.index];
  open.pollers = choose_pollers(device->rx_queues, opened);
  links_[port.name] = devices_.link_up(*device);
  return open;
}

// As many queues as workers: one each. Otherwise every queue goes to the worker that has the fewest so far.
std::vector<unsigned> Runtime::choose_pollers(unsigned queues, const OpenPorts& opened) const {
  std::vector<unsigned> load(shared_.workers), pollers;
  for (const OpenPorts* ports : {&ports_, &opened}) {
    for (const auto& [name, port] : *ports) {
      for (unsigned worker : port.pollers) ++load[worker];
    }
  }
  for (unsigned queue = 0; queue < queues; ++queue) {
    const auto least = static_cast<unsigned>(std::min_element(load.begin(), load.end()) - load.begin());
    pollers.push_back(queues == shared_.workers ? queue : least);
    ++load[pollers.back()];
  }
  return pollers;
}

void Runtime::close_port(const OpenPort& port) {
  links_.erase(port.config.name);
  devices_.close(port.config, port.device);
}

// The least recently used index: no packet and no MAC address of an earlier port can still carry it.
dataplane::PortIndex Runtime::free_index() {
  const auto taken = [&](dataplane::PortIndex index) {
    return std::any_of(ports_.begin(), ports_.end(),
                       [&](const auto& item) { return item.second.index == index; });
  };
  do last_index_ = (last_index_ + 1) % dataplane::kSelfPort;
  while (taken(last_index_));
  return last_index_;
}

void Runtime::put_in_force(const config::Config& config) {
  const std::set<DomainName> names = domains_of(config);
  domains_.allocate(names);
  set_mac_limits(config);
  auto next = build_snapshot(config, ports_, domains_, shared_.workers, ++generation_);
  router_->plan(config, ports_);
  router_->describe(*next, config, ports_, domains_);
  install_static_macs(config);
  router_->withdraw(config);
  shared_.snapshot.store(next.get(), std::memory_order_release);
  router_->install(config, now_ns());
  wait_until_unused();
  router_->settle();
  snapshot_ = std::move(next);
  config_ = config;
  erase_stale_macs(config);
  domains_.retain(names);
}

void Runtime::set_mac_limits(const config::Config& config) {
  const auto limit = [](uint32_t said) { return said == 0 ? dataplane::MacTable::kNoLimit : said; };
  uint32_t statics = 0;
  for (const config::Bridge& bridge : config.bridges) {
    statics += static_cast<uint32_t>(bridge.static_macs.size());
    for (const config::BridgePort& port : bridge.ports) {
      macs_->limit_port(ports_.at(port.port).index, limit(port.mac_limit));
    }
  }
  macs_->reserve_static(statics);
  for (const auto& [name, id] : domains_.all()) macs_->assign(id, domains_.bridge(name.first));
  for (const config::Bridge& bridge : config.bridges) {
    if (!bridge.ports.empty()) macs_->limit_bridge(domains_.bridge(bridge.name), limit(bridge.mac_limit));
  }
}

void Runtime::install_static_macs(const config::Config& config) {
  for (const config::Bridge& bridge : config.bridges) {
    for (const config::StaticMac& entry : bridge.static_macs) {
      const dataplane::DomainId domain = domains_.id({bridge.name, entry.vlan});
      macs_->add_static(dataplane::mac48(entry.mac), domain, ports_.at(entry.port).index);
    }
  }
}

// Dynamic entries stay as long as their port carries their VLAN; static ones as long as the file names them.
void Runtime::erase_stale_macs(const config::Config& config) {
  std::set<std::pair<dataplane::DomainId, dataplane::Mac48>> statics;
  for (const config::Bridge& bridge : config.bridges) {
    for (const config::StaticMac& entry : bridge.static_macs) {
      statics.emplace(domains_.id({bridge.name, entry.vlan}), dataplane::mac48(entry.mac));
    }
  }
  macs_->erase_if([&](const dataplane::MacTable::Entry& entry) {
    if (entry.is_static) return !statics.contains({entry.domain, entry.mac});
    if (entry.port >= snapshot_->ports.size() || entry.domain >= snapshot_->domains.size()) return true;
    const dataplane::Domain& domain = snapshot_->domains[entry.domain];
    return !domain.learning || !egress_tag(snapshot_->ports[entry.port], entry.domain, domain).member;
  });
}

// Twice: after the first no worker sends to a port that has gone; a worker that has made one more whole turn
// has also emptied the rings on which others had sent it packets for that port.
void Runtime::wait_until_unused() {
  wait_for_quiescence();
  wait_for_quiescence();
}

void Runtime::wait_for_quiescence() {
  if (threads_.empty()) {
    // Nobody else moves the workers: one turn each, which receives nothing, empties the rings.
    for (const auto& worker : workers_) worker->catch_up();
    return;
  }
  const uint64_t token = rte_rcu_qsbr_start(shared_.rcu);
  for (unsigned index = 0; index < shared_.workers; ++index) dataplane::wake(shared_, index);
  // Not DPDK's own waiting, which spins: a worker may need this very core to get on.
  unsigned looks = 0;
  const auto moved_on = [&] {
    if (rte_rcu_qsbr_check(shared_.rcu, token, false) == 0) return false;
    // One that slept counts as quiescent, but may still listen to the interrupts of a port that has gone.
    return std::all_of(shared_.posts.begin(), shared_.posts.begin() + shared_.workers, [&](const auto& post) {
      return post.following.load(std::memory_order_acquire) == generation_;
    });
  };
  while (!moved_on()) {
    usleep(kLookAgain_us);
    if (++looks == kPatience_us / kLookAgain_us)
      log_warning("a worker has not moved on for 2 s: is its core taken?");
  }
}

namespace {

// What is named in one of two sections, or differs in both.
void add_differences(std::vector<std::string>& lines, const char* kind, const nlohmann::json& now,
                     const nlohmann::json& then) {
  for (const auto& [name, item] : then.items()) {
    if (!now.contains(name)) lines.push_back(absl::StrCat(kind, " ", name, ": added"));
    if (now.contains(name) && now[name] != item) lines.push_back(absl::StrCat(kind, " ", name, ": changed"));
  }
  for (const auto& [name, item] : now.items()) {
    if (!then.contains(name)) lines.push_back(absl::StrCat(kind, " ", name, ": removed"));
  }
}

}  // namespace

std::vector<std::string> Runtime::difference(const config::Config& next) const {
  std::vector<std::string> lines;
  const Change change(next, config_, ports_);
  for (const std::string& name : change.added) lines.push_back(absl::StrCat("port ", name, ": opened"));
  for (const std::string& name : change.restarted) {
    lines.push_back(absl::StrCat("port ", name, ": restarted, down for a moment"));
  }
  for (const std::string& name : change.removed) lines.push_back(absl::StrCat("port ", name, ": closed"));
  const nlohmann::json now = to_json(config_), then = to_json(next);
  add_differences(lines, "bridge", now["bridges"], then["bridges"]);
  add_differences(lines, "interface", now["interfaces"], then["interfaces"]);
  for (const char* section : {"routes", "neighbors", "nat", "icmp"}) {
    if (now[section] != then[section]) lines.push_back(absl::StrCat(section, ": changed"));
  }
  return lines;
}

}  // namespace sluice::control
