// SPDX-License-Identifier: BSD-3-Clause
//
// What Runtime can tell: counters, MAC addresses, buffers; and the work that comes round.
#include <rte_mempool.h>
#include <rte_ring.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <utility>

#include "control/log.h"
#include "control/runtime.h"
#include "dataplane/ring.h"

namespace sluice::control {
namespace {

using dataplane::MacTable;

constexpr useconds_t kLookAgain_us = 50;
// A worker answers at the end of its turn. One that has not after this long is starved of its core, or stuck.
constexpr auto kPatience = std::chrono::seconds(2);

uint32_t age(uint32_t now_s, uint32_t last_seen_s) {
  // A worker may have looked at the clock after us: an entry from the future is new, not a million seconds
  // old.
  constexpr uint32_t kFuture = MacTable::kSecondsModulus - 1024;
  const uint32_t seconds = (now_s - last_seen_s) % MacTable::kSecondsModulus;
  return seconds >= kFuture ? 0 : seconds;
}

}  // namespace

Books Runtime::books() {
  Books books;
  if (threads_.empty()) {
    for (const auto& worker : workers_) books.workers.push_back(worker->counters());
    books.fresh.assign(workers_.size(), true);
  } else {
    const uint64_t request = ++shared_.publish_request;
    for (unsigned index = 0; index < shared_.workers; ++index) dataplane::wake(shared_, index);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (unsigned index = 0; index < shared_.workers; ++index) {
      const dataplane::Post& post = shared_.posts[index];
      const auto answered = [&] { return post.published.load(std::memory_order_acquire) == request; };
      while (!answered() && std::chrono::steady_clock::now() < deadline) usleep(kLookAgain_us);
      books.fresh.push_back(answered());
      if (answered()) last_known_[index] = post.counters;
      books.workers.push_back(last_known_[index]);
    }
  }
  for (const dataplane::Counters& worker : books.workers) {
    dataplane::add(books.total, worker);
    // Each worker's books balance by themselves, so no two workers need to be asked at the same instant.
    books.unaccounted += std::abs(dataplane::unaccounted(worker));
    books.held += worker.held;
  }
  books.control = router_->book();
  dataplane::add(books.total, books.control);
  books.unaccounted += std::abs(dataplane::unaccounted(books.control));
  books.held += router_->held();
  for (const auto& row : shared_.rings) {
    for (const rte_ring* ring : row) books.held += dataplane::waiting_on(ring);
  }
  return books;
}

const std::string* Runtime::port_name(dataplane::PortIndex index) const {
  for (const auto& [name, port] : ports_) {
    if (port.index == index) return &name;
  }
  return nullptr;
}

bool Runtime::matches(const MacTable::Entry& entry, const MacFilter& filter) const {
  const DomainName* domain = domains_.name(entry.domain);
  const std::string* port = port_name(entry.port);
  if (domain == nullptr || port == nullptr) return false;
  return (!filter.bridge || *filter.bridge == domain->first) &&
         (!filter.vlan || *filter.vlan == domain->second) && (!filter.port || *filter.port == *port);
}

std::vector<MacView> Runtime::macs(const MacFilter& filter) const {
  std::vector<MacView> views;
  const auto now_s = static_cast<uint32_t>(now_ns() / 1'000'000'000);
  macs_->for_each([&](const MacTable::Entry& entry) {
    if (!matches(entry, filter)) return;
    const DomainName& domain = *domains_.name(entry.domain);
    views.push_back({domain.first, domain.second, dataplane::octets(entry.mac), *port_name(entry.port),
                     entry.is_static, entry.is_static ? 0 : age(now_s, entry.last_seen_s)});
  });
  std::sort(views.begin(), views.end(), [](const MacView& a, const MacView& b) {
    return std::tie(a.bridge, a.vlan, a.mac) < std::tie(b.bridge, b.vlan, b.mac);
  });
  return views;
}

uint32_t Runtime::clear_macs(const MacFilter& filter) {
  return macs_->erase_if(
      [&](const MacTable::Entry& entry) { return !entry.is_static && matches(entry, filter); });
}

void Runtime::age_macs() {
  const auto now_s = static_cast<uint32_t>(now_ns() / 1'000'000'000);
  std::map<std::string, uint32_t> ageing_s;
  for (const config::Bridge& bridge : config_.bridges) ageing_s[bridge.name] = bridge.mac_ageing_s;
  std::vector<uint32_t> limit_s(snapshot_->domains.size(), 0);
  for (const auto& [name, id] : domains_.all()) limit_s[id] = ageing_s.at(name.first);
  macs_->erase_if([&](const MacTable::Entry& entry) {
    // An entry that was moved within the table while a reload looked for it may still name a VLAN that has
    // gone.
    if (entry.domain >= limit_s.size()) return true;
    return !entry.is_static && age(now_s, entry.last_seen_s) > limit_s[entry.domain];
  });
}

// Whoever comes next to that port is somebody else: neighbors there are asked for anew.
void Runtime::forget_hosts_behind(const std::string& port) {
  const MacFilter there = {.bridge = {}, .vlan = {}, .port = port};
  std::set<dataplane::Mac48> hosts;
  for (const MacView& entry : macs(there)) hosts.insert(dataplane::mac48(entry.mac));
  clear_macs(there);
  dataplane::InterfaceIndex routed = 0;
  for (const config::Interface& interface : config_.interfaces) {
    if (interface.port == port) routed = router_->interfaces().index(interface.name);
  }
  for (const NeighborInfo& neighbor : router_->neighbors().list(now_ns())) {
    const bool behind =
        (routed != 0 && neighbor.interface == routed) || (neighbor.mac && hosts.contains(*neighbor.mac));
    if (behind) router_->neighbors().clear({neighbor.interface, neighbor.address});
  }
}

void Runtime::watch_links() {
  for (const auto& [name, port] : ports_) {
    const bool up = devices_.link_up(port.device);
    if (std::exchange(links_[name], up) == up) continue;
    log_info(absl::StrCat("port ", name, ": link ", up ? "up" : "down"));
    if (!up) forget_hosts_behind(name);
  }
}

unsigned Runtime::mbufs_in_use() const {
  return rte_mempool_in_use_count(shared_.pool);
}
unsigned Runtime::mbufs() const {
  return shared_.pool->size;
}

}  // namespace sluice::control
