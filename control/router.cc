// SPDX-License-Identifier: BSD-3-Clause
//
// The router's tables and their life. Its routes are in router_routes.cc, its packets in router_packets.cc.
#include "control/router.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/log.h"
#include "control/status.h"

namespace sluice::control {
namespace {

using dataplane::AdjacencyIndex;
using dataplane::Ip4;
using dataplane::Ip6;
using dataplane::RouteKind;
using dataplane::RouteTarget;

// Our own addresses, those of connected networks and what is never routed, beside what the file has room for.
constexpr uint32_t kOwnRoutes = 8192;
// External addresses that a reload may add beside those there are at start.
constexpr uint32_t kSpareSlots = 64;

absl::Status no_memory(const char* what) {
  return machine_error(absl::StrCat("no address space for ", what,
                                    ": raise the limit (ulimit -v), or lower the sizes in tables:"));
}

uint32_t slots_for(const config::Config& config) {
  return static_cast<uint32_t>(external_addresses(config)) + kSpareSlots;
}

uint32_t route_room(const config::Config& config) {
  return config.tables.routes + config.tables.neighbors + kOwnRoutes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Router>> Router::create(const config::Config& config, uint64_t seed[2],
                                                       dataplane::Shared& shared) {
  auto reclaimer = std::make_unique<QsbrReclaimer>(shared.rcu);
  const uint32_t words = Neighbors::table_size(config.tables.neighbors);
  auto adjacencies = MappedArray<dataplane::AdjacencyWord>::create(words);
  auto groups = MappedArray<dataplane::NextHopGroup>::create(dataplane::kMaxGroups);
  if (!adjacencies || !groups) return no_memory("neighbors");
  auto arena = dataplane::NatArena::create(config.tables.sessions, shared.workers, slots_for(config),
                                           {seed[0], seed[1]});
  if (!arena) return no_memory("sessions");
  auto writer4 = RouteTableWriter<Ip4>::create(route_room(config), *reclaimer);
  auto writer6 = RouteTableWriter<Ip6>::create(route_room(config), *reclaimer);
  if (!writer4 || !writer6) return no_memory("routes");
  std::unique_ptr<Router> router(new Router(config, shared, *std::move(adjacencies), *std::move(groups),
                                            *std::move(arena), std::move(writer4), std::move(writer6),
                                            std::move(reclaimer)));
  for (unsigned worker = 0; worker < shared.workers; ++worker) {
    auto use = MappedArray<dataplane::AdjacencyUse>::create(words);
    if (!use) return no_memory("neighbors");
    shared.uses[worker] = use->data();
    router->uses_.push_back(*std::move(use));
  }
  return router;
}

Router::Router(const config::Config& config, dataplane::Shared& shared,
               MappedArray<dataplane::AdjacencyWord> words, MappedArray<dataplane::NextHopGroup> groups,
               dataplane::NatArena arena, std::unique_ptr<RouteTableWriter<Ip4>> writer4,
               std::unique_ptr<RouteTableWriter<Ip6>> writer6, std::unique_ptr<Reclaimer> reclaimer)
    : shared_(shared),
      reclaimer_(std::move(reclaimer)),
      words_(std::move(words)),
      groups_(std::move(groups)),
      epochs_(std::make_unique<dataplane::RouteEpochs>()),
      arena_(std::move(arena)),
      nat_(slots_for(config)),
      rib4_(std::move(writer4), [this](Ip4 address, uint8_t length) { epochs_->change(address, length); }),
      rib6_(std::move(writer6), [](const Ip6&, uint8_t) {}),  // no sessions refer to IPv6 routes
      next_hops_(groups_.data()),
      neighbors_({.neighbors = config.tables.neighbors}, *this),
      errors_(config.icmp,
              [this](Ip4 address) { return rib4_.table().look_up(address).kind() == RouteKind::broadcast; }) {
  shared.routes4 = &rib4_.table();
  shared.routes6 = &rib6_.table();
  shared.epochs = epochs_.get();
  shared.adjacencies = words_.data();
  shared.groups = groups_.data();
  shared.nat_arena = arena_.memory();
}

Router::~Router() = default;

uint64_t Router::memory_bytes(const config::Config& config, unsigned workers) {
  const uint64_t words = Neighbors::table_size(config.tables.neighbors);
  return words * (sizeof(dataplane::AdjacencyWord) + workers) +
         sizeof(dataplane::NextHopGroup) * dataplane::kMaxGroups;
}

uint64_t Router::route_bytes(const config::Config& config) {
  return RouteTableWriter<Ip4>::memory_bytes(route_room(config)) +
         RouteTableWriter<Ip6>::memory_bytes(route_room(config));
}

uint64_t Router::session_bytes(const config::Config& config, unsigned workers) {
  return dataplane::NatArena::memory_bytes(config.tables.sessions, workers, slots_for(config));
}

absl::Status Router::acceptable(const config::Config& next) const {
  if (nat_.has_room(next, arena_)) return absl::OkStatus();
  return input_error(absl::StrCat(next.file,
                                  ":1:1: error: more external addresses in nat than there is room for "
                                  "while sluice runs: restart it"));
}

void Router::plan(const config::Config& next, const OpenPorts& ports) {
  interfaces_.update(next, ports);
}

namespace {

// What we answer for on the link of an interface: NAT's external addresses count if they lie in its networks.
std::vector<Ip4> answered(const L3Interface& interface, const dataplane::NatRules& nat) {
  std::vector<Ip4> all;
  for (const auto& own : interface.ipv4) all.push_back(own.address);
  for (const dataplane::ExternalAddress& external : nat.externals) {
    const bool here = std::any_of(interface.ipv4.begin(), interface.ipv4.end(), [&](const auto& own) {
      return network(own.address, own.length) == network(external.address, own.length);
    });
    if (here && std::find(all.begin(), all.end(), external.address) == all.end())
      all.push_back(external.address);
  }
  return all;
}

}  // namespace

void Router::describe(dataplane::Snapshot& snapshot, const config::Config& config, const OpenPorts& ports,
                      const Domains& domains) {
  snapshot.nat = nat_.build(config, interfaces_, arena_);
  answered_.clear();
  for (const config::Interface& from : config.interfaces) {
    const L3Interface* known = interfaces_.find(from.name);
    if (known == nullptr) continue;
    if (snapshot.interfaces.size() <= known->index) snapshot.interfaces.resize(known->index + 1u);
    dataplane::Interface& interface = snapshot.interfaces[known->index];
    interface.mtu = known->mtu;
    const bool is_open =
        from.port.empty() ? domains.all().contains({from.bridge, from.vlan}) : ports.contains(from.port);
    interface.mac = is_open ? known->mac : 0;  // else its port restarts just now
    if (!is_open) continue;
    if (!from.port.empty()) {
      interface.port = ports.at(from.port).index;
      snapshot.ports[interface.port].mode = dataplane::PortMode::routed;
      snapshot.ports[interface.port].interface = known->index;
    } else {
      interface.domain = domains.id({from.bridge, from.vlan});
      snapshot.domains[interface.domain].interface = known->index;
    }
    const std::vector<Ip4> ours = answered(*known, snapshot.nat);
    interface.first_ipv4 = static_cast<uint32_t>(snapshot.ipv4.size());
    interface.ipv4 = static_cast<uint32_t>(ours.size());
    snapshot.ipv4.insert(snapshot.ipv4.end(), ours.begin(), ours.end());
    // The interface's own come first, and are announced as such.
    for (size_t i = known->ipv4.size(); i < ours.size(); ++i)
      answered_.push_back({known->index, ours[i], ours[i]});
    interface.first_ipv6 = static_cast<uint32_t>(snapshot.ipv6.size());
    interface.ipv6 = static_cast<uint32_t>(known->ipv6.size());
    for (const auto& own : known->ipv6) snapshot.ipv6.push_back(own.address);
  }
  externals_.clear();
  for (const dataplane::ExternalAddress& external : snapshot.nat.externals)
    externals_.push_back(external.address);
}

void Router::settle() {
  interfaces_.forget_old();
  next_hops_.retain(hop_sets_);
}

void Router::set_adjacency(AdjacencyIndex index, dataplane::Adjacency adjacency) {
  words_[index].store(adjacency.word(), std::memory_order_release);
}

bool Router::take_use(AdjacencyIndex index) {
  bool used = false;
  for (const auto& use : uses_) used |= use[index].exchange(0, std::memory_order_relaxed) != 0;
  return used;
}

void Router::add_host_route(dataplane::InterfaceIndex, const IpAddress& address, AdjacencyIndex index) {
  const RouteTarget target(RouteKind::adjacency, index);
  const bool added = address.is_ipv4() ? rib4_.set({address.ip4(), 32}, RouteOrigin::neighbor, target)
                                       : rib6_.set({address.ip6(), 128}, RouteOrigin::neighbor, target);
  if (!added)
    log_warning(absl::StrCat("no room for the route to neighbor ", to_text(address), " (tables: routes)"));
}

void Router::remove_host_route(dataplane::InterfaceIndex, const IpAddress& address) {
  if (address.is_ipv4()) {
    rib4_.clear({address.ip4(), 32}, RouteOrigin::neighbor);
  } else {
    rib6_.clear({address.ip6(), 128}, RouteOrigin::neighbor);
  }
}

void Router::retire_index(AdjacencyIndex index) {
  set_adjacency(index, dataplane::Adjacency());
  retired_.emplace_back(reclaimer_->mark(), index);
}

void Router::advance(uint64_t now_ns) {
  now_ns_ = now_ns;
  neighbors_.advance(now_ns);
  std::erase_if(retired_, [&](const auto& item) {
    const bool rested = reclaimer_->passed(item.first);
    if (rested) neighbors_.release_index(item.second);
    return rested;
  });
}

std::optional<uint64_t> Router::next_due() const {
  return neighbors_.next_due();
}

}  // namespace sluice::control
