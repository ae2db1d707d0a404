// SPDX-License-Identifier: BSD-3-Clause
//
// A neighbor's way from state to state (RFC 4861 section 7.3.2 and appendix C, of which ARP gets the same
// service), its timers, and the packets that wait for it.
#include <algorithm>

#include "control/neighbors.h"

namespace sluice::control {

using dataplane::Adjacency;
using dataplane::DropReason;
using dataplane::Mac48;
using dataplane::Reach;

namespace {

Reach reach_of(NeighborState state) {
  switch (state) {
    case NeighborState::unresolved:
    case NeighborState::incomplete:
      return Reach::incomplete;
    case NeighborState::stale:
      return Reach::stale;
    default:
      return Reach::usable;
  }
}

}  // namespace

std::string_view state_text(NeighborState state) {
  constexpr std::array<std::string_view, kNeighborStates> kTexts = {
      "unresolved", "incomplete", "reachable", "stale", "delay", "probe", "permanent"};
  return kTexts[static_cast<size_t>(state)];
}

// All that a state begins with. What was held for its MAC goes as soon as there is one.
void Neighbors::enter(Neighbor& neighbor, NeighborState state, uint64_t now_ns) {
  leave(neighbor);
  neighbor.state = state;
  neighbor.since_ns = now_ns;
  neighbor.asked = 0;
  ++states_[static_cast<size_t>(state)];
  show(neighbor);
  switch (state) {
    case NeighborState::unresolved:
    case NeighborState::permanent:
      break;
    case NeighborState::incomplete:
      if (neighbor.pins == 0) incomplete_.insert({now_ns, neighbor.index});
      ask_when_allowed(neighbor, now_ns);
      break;
    case NeighborState::reachable:
      schedule(neighbor, now_ns + kReachable_ns);
      break;
    case NeighborState::stale:
      if (stale_.empty()) sweep_ns_ = now_ns + kSweep_ns;
      stale_.insert({now_ns, neighbor.index});
      break;
    case NeighborState::delay:
      schedule(neighbor, now_ns + kDelay_ns);
      break;
    case NeighborState::probe:
      ask_when_allowed(neighbor, now_ns);
      break;
  }
  if (reach_of(state) == Reach::incomplete) return;
  held_ -= neighbor.held.size();
  for (rte_mbuf* packet : std::exchange(neighbor.held, {})) port_.release(packet);
}

void Neighbors::leave(Neighbor& neighbor) {
  --states_[static_cast<size_t>(neighbor.state)];
  schedule(neighbor, 0);
  stale_.erase({neighbor.since_ns, neighbor.index});
  incomplete_.erase({neighbor.since_ns, neighbor.index});
}

void Neighbors::show(Neighbor& neighbor) {
  const Adjacency adjacency(reach_of(neighbor.state), neighbor.place.first, neighbor.mac);
  if (adjacency.word() == neighbor.shown.word()) return;
  neighbor.shown = adjacency;
  port_.set_adjacency(neighbor.index, adjacency);
}

// At most one timer each; 0: none.
void Neighbors::schedule(Neighbor& neighbor, uint64_t due_ns) {
  if (neighbor.due_ns != 0) due_.erase({neighbor.due_ns, neighbor.index});
  neighbor.due_ns = due_ns;
  if (due_ns != 0) due_.insert({due_ns, neighbor.index});
}

void Neighbors::ask_when_allowed(Neighbor& neighbor, uint64_t now_ns) {
  if (neighbor.may_ask_ns > now_ns) return schedule(neighbor, neighbor.may_ask_ns);
  ask(neighbor, now_ns);
}

// One more request: to all while nothing is known, to its last known address to confirm that (RFC 4861 7.3.3,
// RFC 1122 2.3.2.1).
void Neighbors::ask(Neighbor& neighbor, uint64_t now_ns) {
  const auto& [interface, address] = neighbor.place;
  ++neighbor.asked;
  neighbor.may_ask_ns = now_ns + kRetransmit_ns;
  schedule(neighbor, neighbor.may_ask_ns);
  const L3Interface* on = own_.interface(interface);
  const auto source = own_.source_for(interface, address);
  if (on == nullptr || !source) return;
  const bool known = neighbor.state == NeighborState::probe;
  ++counts_.requests;
  if (address.is_ipv4()) {
    const Mac48 to = known ? neighbor.mac : kBroadcastMac;
    return port_.send(interface, arp_request(on->mac, source->ip4(), address.ip4(), to));
  }
  const auto to = known ? std::optional(neighbor.mac) : std::nullopt;
  port_.send(interface, neighbor_solicitation(on->mac, source->ip6(), address.ip6(), to));
}

void Neighbors::advance(uint64_t now_ns) {
  own_.advance(now_ns);
  while (!due_.empty() && due_.begin()->first <= now_ns) expire(*by_index_[due_.begin()->second], now_ns);
  if (!stale_.empty() && sweep_ns_ <= now_ns) sweep(now_ns);
}

std::optional<uint64_t> Neighbors::next_due() const {
  std::optional<uint64_t> next = own_.next_due();
  if (!due_.empty()) next = std::min(next.value_or(due_.begin()->first), due_.begin()->first);
  if (!stale_.empty()) next = std::min(next.value_or(sweep_ns_), sweep_ns_);
  return next;
}

void Neighbors::expire(Neighbor& neighbor, uint64_t now_ns) {
  if (neighbor.state == NeighborState::reachable) return enter(neighbor, NeighborState::stale, now_ns);
  if (neighbor.state == NeighborState::delay) return enter(neighbor, NeighborState::probe, now_ns);
  if (neighbor.asked < kRequests) return ask(neighbor, now_ns);
  ++counts_.failed;
  forget(neighbor, DropReason::neighbor_failed, true);
}

// The packet path can only leave a mark at a stale neighbor that it sends to: control comes and looks.
void Neighbors::sweep(uint64_t now_ns) {
  sweep_ns_ = now_ns + kSweep_ns;
  for (auto next = stale_.begin(); next != stale_.end();) {
    Neighbor& neighbor = *by_index_[(next++)->second];
    if (port_.take_use(neighbor.index)) {
      enter(neighbor, NeighborState::delay, now_ns);
    } else if (neighbor.pins == 0 && neighbor.since_ns + kStale_ns <= now_ns) {
      remove(neighbor, DropReason::neighbor_gone, false);
    }
  }
}

// Somebody says where the neighbor is. Only an answer to a question of ours confirms that it hears us, too.
void Neighbors::learn(Neighbor& neighbor, Mac48 mac, bool confirmed, uint64_t now_ns) {
  if (neighbor.state == NeighborState::permanent) return;
  if (!confirmed && neighbor.mac == mac) return;
  neighbor.mac = mac;
  if (confirmed) neighbor.confirmed_ns = now_ns;
  enter(neighbor, confirmed ? NeighborState::reachable : NeighborState::stale, now_ns);
}

// Takes a packet in, or sends it round again if the neighbor has become known since it left the packet path.
void Neighbors::keep(Neighbor& neighbor, rte_mbuf* packet, uint64_t now_ns) {
  if (reach_of(neighbor.state) != Reach::incomplete) return port_.release(packet);
  if (!own_.is_on_link(neighbor.place.first, neighbor.place.second))
    return port_.give_up(packet, DropReason::neighbor_gone, false);
  if (neighbor.state == NeighborState::unresolved) enter(neighbor, NeighborState::incomplete, now_ns);
  if (!room_to_hold(neighbor)) return port_.give_up(packet, DropReason::neighbor_queue_full, false);
  neighbor.held.push_back(packet);
  ++held_;
}

// The oldest of its own makes room: the newest is likeliest to be still of use (RFC 4861 7.2.2). A neighbor
// never pushes out what waits for another.
bool Neighbors::room_to_hold(Neighbor& neighbor) {
  if (neighbor.held.size() < kHeld && held_ < limits_.held_packets) return true;
  if (neighbor.held.empty()) return false;
  port_.give_up(neighbor.held.front(), DropReason::neighbor_queue_full, false);
  neighbor.held.erase(neighbor.held.begin());
  --held_;
  return true;
}

void Neighbors::give_up_held(Neighbor& neighbor, DropReason reason, bool unreachable) {
  held_ -= neighbor.held.size();
  for (rte_mbuf* packet : std::exchange(neighbor.held, {})) port_.give_up(packet, reason, unreachable);
}

}  // namespace sluice::control
