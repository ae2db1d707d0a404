// SPDX-License-Identifier: BSD-3-Clause
//
// What others say in ARP and neighbor discovery: who asks for us, who answers us, who has moved.
#include "control/neighbors.h"

namespace sluice::control {

using dataplane::InterfaceIndex;
using dataplane::Mac48;

// Not our own frames come back, nor an address that no station has.
bool Neighbors::may_speak(InterfaceIndex interface, Mac48 mac) {
  const L3Interface* on = own_.interface(interface);
  if (on != nullptr && mac == on->mac) return false;
  if (on != nullptr && mac != 0 && !dataplane::is_group(mac)) return true;
  ++counts_.ignored;
  return false;
}

void Neighbors::arp(InterfaceIndex interface, Octets packet, uint64_t now_ns) {
  const auto arp = read_arp(packet);
  if (!arp) {
    ++counts_.ignored;
    return;
  }
  if (!may_speak(interface, arp->sender_mac)) return;
  const Place sender{interface, arp->sender};
  if (own_.is_own(interface, arp->sender)) {
    ++counts_.ignored;
    return own_.conflict(interface, arp->sender, arp->sender_mac, now_ns);
  }
  const bool for_us = own_.answers(interface, arp->target);
  // B43: a sender in another network is not learned, and neither is 0.0.0.0, a probe (RFC 5227 section 1.1).
  if (own_.is_on_link(interface, arp->sender)) hear_arp(sender, *arp, for_us, now_ns);
  if (for_us && arp->operation == ArpOperation::request)
    answer(interface, arp_reply(own_.interface(interface)->mac, arp->target, *arp));
}

// RFC 826: whoever is known is updated by all that he says; whoever asks for us is about to be talked to.
// An announcement has himself as the target, so it makes no new neighbor (B45).
void Neighbors::hear_arp(const Place& sender, const Arp& arp, bool for_us, uint64_t now_ns) {
  Neighbor* neighbor = at(sender);
  const bool asked = neighbor != nullptr && (neighbor->state == NeighborState::incomplete ||
                                             neighbor->state == NeighborState::probe);
  if (asked && for_us && arp.operation == ArpOperation::reply)
    return learn(*neighbor, arp.sender_mac, true, now_ns);
  hear(sender, arp.sender_mac, for_us && arp.operation == ArpOperation::request, now_ns);
}

// Nobody is evicted for it: strangers could do that to each other without end.
void Neighbors::hear(const Place& place, Mac48 mac, bool create, uint64_t now_ns) {
  Neighbor* neighbor = at(place);
  if (neighbor == nullptr && create && !is_full() && has_index()) neighbor = make(place, now_ns);
  if (neighbor != nullptr) learn(*neighbor, mac, false, now_ns);
}

void Neighbors::nd(InterfaceIndex interface, Octets packet, Mac48 link_source, uint64_t now_ns) {
  const auto nd = read_nd(packet);
  if (!nd) {
    ++counts_.ignored;
    return;
  }
  if (!may_speak(interface, link_source) || (nd->mac && !may_speak(interface, *nd->mac))) return;
  if (nd->kind == Nd::Kind::solicitation) return solicited(interface, *nd, link_source, now_ns);
  advertised(interface, *nd, link_source, now_ns);
}

void Neighbors::solicited(InterfaceIndex interface, const Nd& nd, Mac48 link_source, uint64_t now_ns) {
  const bool nobody = dataplane::is_unspecified(nd.source);
  if (!own_.answers(interface, nd.target)) return;
  const bool tentative = own_.is_tentative(interface, nd.target);
  // RFC 4862 5.4.3: two that probe for one address at the same time both lose it.
  if (nobody && tentative) return own_.conflict(interface, nd.target, link_source, now_ns);
  if (own_.is_own(interface, nd.source)) {
    ++counts_.ignored;
    return own_.conflict(interface, nd.source, link_source, now_ns);
  }
  if (nd.mac && own_.is_on_link(interface, nd.source)) hear({interface, nd.source}, *nd.mac, true, now_ns);
  answer(interface,
         neighbor_advertisement(own_.interface(interface)->mac, nd, nd.mac.value_or(link_source), tentative));
}

void Neighbors::advertised(InterfaceIndex interface, const Nd& nd, Mac48 link_source, uint64_t now_ns) {
  if (own_.is_own(interface, nd.target)) {
    ++counts_.ignored;
    return own_.conflict(interface, nd.target, nd.mac.value_or(link_source), now_ns);
  }
  Neighbor* neighbor = at({interface, nd.target});
  if (neighbor == nullptr || !own_.is_on_link(interface, nd.target)) return;
  update(*neighbor, nd, now_ns);
}

// RFC 4861 section 7.2.5.
void Neighbors::update(Neighbor& neighbor, const Nd& nd, uint64_t now_ns) {
  const bool known = neighbor.mac != 0;
  if (!known && !nd.mac) return;
  const Mac48 mac = nd.mac.value_or(neighbor.mac);
  if (known && mac != neighbor.mac && !nd.override_) {
    // Two answer for one address, and this one does not insist: find out which is still there.
    if (neighbor.state == NeighborState::reachable) enter(neighbor, NeighborState::stale, now_ns);
    return;
  }
  learn(neighbor, mac, nd.solicited, now_ns);
}

void Neighbors::answer(InterfaceIndex interface, std::vector<uint8_t> frame) {
  ++counts_.answers;
  port_.send(interface, std::move(frame));
}

}  // namespace sluice::control
