// SPDX-License-Identifier: BSD-3-Clause
//
// How neighbors come and go: by a packet, by the file, by a route that names them, and for want of room.
#include "control/neighbors.h"

#include <algorithm>

namespace sluice::control {

using dataplane::AdjacencyIndex;
using dataplane::DropReason;
using dataplane::InterfaceIndex;

Neighbors::Neighbors(const NeighborLimits& limits, NeighborPort& port)
    : limits_(limits), port_(port), own_([this](InterfaceIndex interface, std::vector<uint8_t> frame) {
        port_.send(interface, std::move(frame));
      }) {
  by_index_.resize(table_size(limits.neighbors));
}

void Neighbors::set_interfaces(std::span<const L3Interface> interfaces, uint64_t now_ns) {
  own_.set_interfaces(interfaces, now_ns);
  prune();
}

void Neighbors::set_answered(std::vector<AnsweredRange> ranges) {
  own_.set_answered(std::move(ranges));
  prune();
}

// Those that are in no network of their interface any more.
void Neighbors::prune() {
  for (auto next = neighbors_.begin(); next != neighbors_.end();) {
    Neighbor& neighbor = (next++)->second;
    if (!own_.is_on_link(neighbor.place.first, neighbor.place.second))
      forget(neighbor, DropReason::neighbor_gone, false);
  }
}

size_t Neighbors::set_static(std::span<const StaticNeighbor> neighbors, uint64_t now_ns) {
  std::set<Place> wanted;
  for (const StaticNeighbor& neighbor : neighbors) wanted.emplace(neighbor.interface, neighbor.address);
  for (auto next = neighbors_.begin(); next != neighbors_.end();) {
    Neighbor& old = (next++)->second;
    if (old.state == NeighborState::permanent && !wanted.contains(old.place))
      forget(old, DropReason::neighbor_gone, false);
  }
  size_t lost = 0;
  for (const StaticNeighbor& wish : neighbors) {
    const Place place{wish.interface, wish.address};
    Neighbor* neighbor = at(place);
    if (neighbor == nullptr && own_.is_on_link(wish.interface, wish.address) && room_for_configured(now_ns))
      neighbor = make(place, now_ns);
    if (neighbor != nullptr) set_static(wish, *neighbor, now_ns);
    if (neighbor == nullptr) ++lost;
  }
  return lost;
}

void Neighbors::set_static(const StaticNeighbor& wanted, Neighbor& neighbor, uint64_t now_ns) {
  if (neighbor.state == NeighborState::permanent && neighbor.mac == wanted.mac) return;
  neighbor.mac = wanted.mac;
  neighbor.confirmed_ns = now_ns;
  enter(neighbor, NeighborState::permanent, now_ns);
}

std::optional<AdjacencyIndex> Neighbors::pin(InterfaceIndex interface, const IpAddress& address,
                                             uint64_t now_ns) {
  const Place place{interface, address};
  Neighbor* neighbor = at(place);
  if (!own_.is_on_link(interface, address)) return std::nullopt;
  if (neighbor == nullptr) {
    if (!room_for_configured(now_ns)) return std::nullopt;
    neighbor = make(place, now_ns);
  }
  ++neighbor->pins;
  incomplete_.erase({neighbor->since_ns, neighbor->index});
  return neighbor->index;
}

void Neighbors::unpin(AdjacencyIndex index) {
  Neighbor& neighbor = *by_index_[index];
  if (--neighbor.pins != 0) return;
  if (neighbor.state == NeighborState::unresolved) return remove(neighbor, DropReason::neighbor_gone, false);
  if (neighbor.state == NeighborState::incomplete) incomplete_.insert({neighbor.since_ns, neighbor.index});
}

void Neighbors::release_index(AdjacencyIndex index) {
  free_indices_.push_back(index);
}

void Neighbors::hold(InterfaceIndex interface, const IpAddress& address, rte_mbuf* packet, uint64_t now_ns) {
  Neighbor* neighbor = at({interface, address});
  if (neighbor == nullptr) {
    if (!own_.is_on_link(interface, address)) return port_.give_up(packet, DropReason::neighbor_gone, false);
    if (!room_to_resolve(now_ns)) {
      ++counts_.refused;
      return port_.give_up(packet, DropReason::neighbor_full, false);
    }
    neighbor = make({interface, address}, now_ns);
  }
  keep(*neighbor, packet, now_ns);
}

void Neighbors::hold(AdjacencyIndex index, rte_mbuf* packet, uint64_t now_ns) {
  Neighbor* neighbor = index < by_index_.size() ? by_index_[index] : nullptr;
  if (neighbor == nullptr) return port_.give_up(packet, DropReason::neighbor_gone, false);
  keep(*neighbor, packet, now_ns);
}

size_t Neighbors::clear(const NeighborFilter& filter) {
  size_t cleared = 0;
  for (auto next = neighbors_.begin(); next != neighbors_.end();) {
    Neighbor& neighbor = (next++)->second;
    const bool knows = neighbor.state != NeighborState::unresolved &&
                       neighbor.state != NeighborState::incomplete &&
                       neighbor.state != NeighborState::permanent;
    if (!knows || (filter.interface && *filter.interface != neighbor.place.first) ||
        (filter.address && *filter.address != neighbor.place.second))
      continue;
    forget(neighbor, DropReason::neighbor_gone, false);
    ++cleared;
  }
  return cleared;
}

void Neighbors::drop_held(DropReason reason) {
  for (auto& [place, neighbor] : neighbors_) give_up_held(neighbor, reason, false);
}

std::optional<dataplane::Adjacency> Neighbors::find(InterfaceIndex interface,
                                                    const IpAddress& address) const {
  const auto found = neighbors_.find({interface, address});
  if (found == neighbors_.end()) return std::nullopt;
  return found->second.shown;
}

std::vector<NeighborInfo> Neighbors::list(uint64_t now_ns) const {
  std::vector<NeighborInfo> out;
  out.reserve(neighbors_.size());
  for (const auto& [place, neighbor] : neighbors_) {
    NeighborInfo info;
    info.interface = place.first;
    info.address = place.second;
    info.index = neighbor.index;
    info.state = neighbor.state;
    info.is_static = neighbor.state == NeighborState::permanent;
    if (neighbor.mac != 0) info.mac = neighbor.mac;
    info.held = neighbor.held.size();
    info.age_ns = now_ns - std::min(now_ns, neighbor.confirmed_ns);
    out.push_back(info);
  }
  return out;
}

NeighborCounts Neighbors::counts() const {
  NeighborCounts counts = counts_;
  counts.neighbors = neighbors_.size();
  counts.permanent = count(NeighborState::permanent);
  counts.incomplete = count(NeighborState::incomplete);
  counts.held = held_;
  counts.conflicts = own_.conflicts();
  return counts;
}

Neighbors::Neighbor* Neighbors::at(const Place& place) {
  const auto found = neighbors_.find(place);
  return found == neighbors_.end() ? nullptr : &found->second;
}

// REQUIRES: there is none yet, and room: room_to_resolve() or room_for_configured() said so.
Neighbors::Neighbor* Neighbors::make(const Place& place, uint64_t now_ns) {
  Neighbor& neighbor = neighbors_[place];
  neighbor.place = place;
  if (free_indices_.empty()) {
    neighbor.index = fresh_index_++;
  } else {
    neighbor.index = free_indices_.back();
    free_indices_.pop_back();
  }
  by_index_[neighbor.index] = &neighbor;
  neighbor.confirmed_ns = now_ns;
  neighbor.may_ask_ns = lately_.recall(place, now_ns);
  ++states_[static_cast<size_t>(neighbor.state)];
  port_.take_use(neighbor.index);  // of whoever had the index before
  show(neighbor);
  if (!is_link_local(place.second)) port_.add_host_route(place.first, place.second, neighbor.index);
  return &neighbor;
}

void Neighbors::remove(Neighbor& neighbor, DropReason reason, bool unreachable) {
  leave(neighbor);
  const Place place = neighbor.place;
  // The route first: whoever still finds the neighbor finds it whole.
  if (!is_link_local(place.second)) port_.remove_host_route(place.first, place.second);
  port_.set_adjacency(neighbor.index, dataplane::Adjacency());
  by_index_[neighbor.index] = nullptr;
  port_.retire_index(neighbor.index);
  if (neighbor.may_ask_ns != 0) lately_.remember(place, neighbor.may_ask_ns);
  give_up_held(neighbor, reason, unreachable);
  neighbors_.erase(place);
}

// Removes it, or, if a route names it, all that is known of it.
void Neighbors::forget(Neighbor& neighbor, DropReason reason, bool unreachable) {
  if (neighbor.pins == 0) return remove(neighbor, reason, unreachable);
  neighbor.mac = 0;
  enter(neighbor, NeighborState::unresolved, neighbor.since_ns);
  give_up_held(neighbor, reason, unreachable);
}

bool Neighbors::has_index() const {
  return !free_indices_.empty() || fresh_index_ < by_index_.size();
}

// RFC 6583 section 6: what is only asked for must leave room for what is there. In a crowd of those, one that
// has been silent for a second makes room: a live neighbor answers sooner.
bool Neighbors::room_to_resolve(uint64_t now_ns) {
  const size_t most = std::max<size_t>(1, limits_.neighbors / 4);
  if (!has_index() || (incomplete_.size() >= most && !evict_incomplete(now_ns))) return false;
  return !is_full() || evict_stale(now_ns);
}

// What the file asks for goes before what was found.
bool Neighbors::room_for_configured(uint64_t now_ns) {
  return has_index() && (!is_full() || evict_stale(now_ns) || evict_any());
}

// The one that has been stale and unused for longest.
bool Neighbors::evict_stale(uint64_t now_ns) {
  for (auto next = stale_.begin(); next != stale_.end();) {
    Neighbor& neighbor = *by_index_[(next++)->second];
    if (neighbor.pins != 0) continue;
    if (port_.take_use(neighbor.index)) {
      enter(neighbor, NeighborState::delay, now_ns);
      continue;
    }
    evict(neighbor);
    return true;
  }
  return false;
}

bool Neighbors::evict_incomplete(uint64_t now_ns) {
  if (incomplete_.empty() || incomplete_.begin()->first + kRetransmit_ns > now_ns) return false;
  evict(*by_index_[incomplete_.begin()->second]);
  return true;
}

bool Neighbors::evict_any() {
  for (const auto& [due_ns, index] : due_) {
    Neighbor& neighbor = *by_index_[index];
    if (neighbor.pins != 0) continue;
    evict(neighbor);
    return true;
  }
  return false;
}

void Neighbors::evict(Neighbor& neighbor) {
  ++counts_.evicted;
  remove(neighbor, DropReason::neighbor_full, false);
}

}  // namespace sluice::control
