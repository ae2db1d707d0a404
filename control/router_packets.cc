// SPDX-License-Identifier: BSD-3-Clause
//
// The packets that workers hand up, and those that the router sends.
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>

#include "control/router.h"
#include "dataplane/again.h"
#include "dataplane/ring.h"

namespace sluice::control {
namespace {

using dataplane::Arrival;
using dataplane::ArrivalNote;
using dataplane::DropReason;
using dataplane::ErrorKind;
using dataplane::PuntNote;
using dataplane::PuntReason;

// Packets of one ring in one go: a flood of one class does not keep the others waiting.
constexpr unsigned kBurst = 64;
// In a note's mtu, which a packet of ours has no use for: it goes to a link-local address.
constexpr uint16_t kLinkLocalMark = UINT16_MAX;
// Answers to pings that nobody has asked for yet.
constexpr size_t kMaxAsked = 1024;
constexpr uint64_t kAskedFor_ns = 60'000'000'000;  // longer than any ping waits

/// A packet's octets from an offset on, in one piece.
class Bytes {
 public:
  Bytes(const rte_mbuf* packet, unsigned offset) {
    if (packet->nb_segs == 1) {
      const auto* begin = rte_pktmbuf_mtod(packet, const uint8_t*);
      octets_ = Octets(begin, packet->data_len).subspan(std::min<size_t>(offset, packet->data_len));
      return;
    }
    copy_.resize(packet->pkt_len);
    size_t at = 0;
    for (const rte_mbuf* segment = packet; segment != nullptr; segment = segment->next) {
      std::memcpy(copy_.data() + at, rte_pktmbuf_mtod(segment, const uint8_t*), segment->data_len);
      at += segment->data_len;
    }
    octets_ = Octets(copy_).subspan(std::min<size_t>(offset, copy_.size()));
  }
  [[nodiscard]] Octets get() const { return octets_; }

 private:
  std::vector<uint8_t> copy_;
  Octets octets_;
};

IpAddress destination_of(Octets packet, dataplane::Ip4 translated) {
  const auto ipv6 = read<dataplane::Ipv6Header>(packet);
  if (!packet.empty() && packet[0] >> 4 == 6 && ipv6) return dataplane::load_ip6(ipv6->destination.data());
  return translated;
}

}  // namespace

unsigned Router::serve(uint64_t now_ns) {
  now_ns_ = now_ns;
  unsigned packets = 0;
  for (unsigned worker = 0; worker < shared_.workers; ++worker) {
    for (rte_ring* ring : shared_.punts[worker]) {
      std::array<rte_mbuf*, kBurst> burst;
      const unsigned taken =
          rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(burst.data()), kBurst, nullptr);
      book_.taken_over += taken;
      for (unsigned i = 0; i < taken; ++i) take(burst[i], now_ns);
      packets += taken;
    }
  }
  return packets;
}

void Router::take(rte_mbuf* packet, uint64_t now_ns) {
  const PuntNote note = dataplane::punt_note(packet);
  const Bytes bytes(packet, note.l3_offset);
  switch (note.reason) {
    case PuntReason::arp:
      neighbors_.arp(note.interface, bytes.get(), now_ns);
      return finish(packet);
    case PuntReason::nd:
      neighbors_.nd(note.interface, bytes.get(),
                    dataplane::load_source(rte_pktmbuf_mtod(packet, const uint8_t*)), now_ns);
      return finish(packet);
    case PuntReason::echo:
      take_echo(note, bytes.get());
      return finish(packet);
    case PuntReason::resolve:
      return neighbors_.hold(note.adjacency, packet, now_ns);
    case PuntReason::connected:
      return neighbors_.hold(note.egress, destination_of(bytes.get(), note.address4), packet, now_ns);
    case PuntReason::error:
      tell(note, bytes.get(), note.error);
      return drop(packet, note.drop);
  }
}

void Router::take_echo(const PuntNote& note, Octets packet) {
  if (const auto reply = read_echo_reply(packet)) {
    const auto asked = asked_.find({reply->id, reply->sequence});
    if (asked != asked_.end() && asked->second.host == reply->source) asked->second.reply = *reply;
    return;
  }
  if (const auto answer = echo_reply(packet, false, next_id_++)) send_own(*answer, note.interface);
}

void Router::tell(const PuntNote& note, Octets packet, ErrorKind kind) {
  if (note.interface == 0) return;  // our own
  const IcmpErrors::Offence offence{.packet = packet,
                                    .kind = kind,
                                    .mtu = note.mtu,
                                    .pointer = note.pointer,
                                    .link_group = false,
                                    .ingress = interfaces_.find(note.interface)};
  const IcmpErrors::Answer answer = errors_.answer(offence, now_ns_);
  if (!answer.packet.empty()) send_own(answer.packet, note.interface);
}

void Router::finish(rte_mbuf* packet) {
  ++book_.consumed;
  rte_pktmbuf_free(packet);
}

void Router::drop(rte_mbuf* packet, DropReason reason) {
  book_.drop(dataplane::punt_note(packet).ingress, reason);
  rte_pktmbuf_free(packet);
}

void Router::release(rte_mbuf* packet) {
  const PuntNote note = dataplane::punt_note(packet);
  if (note.passes == dataplane::kMaxPasses) return drop(packet, DropReason::loop);
  const auto passes = static_cast<uint8_t>(note.passes + 1);
  const bool own = note.interface == 0;
  if (own && note.reason == PuntReason::connected && note.mtu == kLinkLocalMark)
    return send_on_link(packet, note.egress);
  inject(packet, note.worker,
         {own ? Arrival::own : Arrival::again, passes, note.ingress, note.interface, {}});
}

void Router::give_up(rte_mbuf* packet, DropReason reason, bool unreachable) {
  if (unreachable) {
    const PuntNote note = dataplane::punt_note(packet);
    const Bytes bytes(packet, note.l3_offset);
    tell(note, bytes.get(), ErrorKind::host_unreachable);
  }
  drop(packet, reason);
}

void Router::inject(rte_mbuf* packet, unsigned worker, const ArrivalNote& note) {
  dataplane::arrival_note(packet) = note;
  if (rte_ring_sp_enqueue(shared_.injections[worker], packet) != 0) {
    book_.drop(note.port, DropReason::punt_full);
    rte_pktmbuf_free(packet);
    return;
  }
  ++book_.handed_over;
  dataplane::wake(shared_, worker);
}

// A frame of `head` and `body`, in as many segments as it takes; null if there are no buffers.
rte_mbuf* Router::make_packet(Octets head, Octets body) {
  std::vector<uint8_t> all(head.begin(), head.end());
  all.insert(all.end(), body.begin(), body.end());
  rte_mbuf* packet = nullptr;
  for (size_t at = 0; at < all.size() || packet == nullptr;) {
    rte_mbuf* segment = rte_pktmbuf_alloc(shared_.pool);
    if (segment == nullptr || (packet != nullptr && rte_pktmbuf_chain(packet, segment) != 0)) {
      rte_pktmbuf_free(segment);
      rte_pktmbuf_free(packet);
      return nullptr;
    }
    if (packet == nullptr) packet = segment;
    const auto length =
        static_cast<uint16_t>(std::min<size_t>(all.size() - at, rte_pktmbuf_tailroom(segment)));
    std::memcpy(rte_pktmbuf_append(packet, length), all.data() + at, length);
    at += length;
  }
  return packet;
}

void Router::originate(Octets head, Octets body, Arrival arrival, dataplane::InterfaceIndex interface) {
  ++book_.generated;
  rte_mbuf* packet = make_packet(head, body);
  if (packet == nullptr) return book_.drop(dataplane::kSelfPort, DropReason::no_mbuf);
  inject(packet, 0, {arrival, 0, dataplane::kSelfPort, interface, {}});
}

void Router::send(dataplane::InterfaceIndex interface, std::vector<uint8_t> frame) {
  originate(frame, {}, Arrival::link, interface);
}

// A packet of ours to a link-local address whose neighbor is known now.
void Router::send_on_link(rte_mbuf* packet, dataplane::InterfaceIndex interface) {
  const IpAddress destination = destination_of(Bytes(packet, dataplane::kEthernetHeaderLength).get(), 0);
  const std::optional<dataplane::Adjacency> neighbor = neighbors_.find(interface, destination);
  const L3Interface* link = interfaces_.find(interface);
  if (!neighbor || link == nullptr) return drop(packet, DropReason::interface_gone);
  // No route was asked, so nothing has looked at its length yet.
  if (packet->pkt_len > dataplane::kEthernetHeaderLength + uint32_t{link->mtu})
    return drop(packet, DropReason::fragmentation_needed);
  *rte_pktmbuf_mtod(packet, dataplane::EthernetHeader*) = {
      dataplane::octets(neighbor->mac()), dataplane::octets(link->mac),
      dataplane::BigEndian<uint16_t>(dataplane::kEtherTypeIpv6)};
  inject(packet, 0, {Arrival::link, 0, dataplane::kSelfPort, interface, {}});
}

// The pipeline finds the way and writes the addresses of the Ethernet header. No table can find a link-local
// address: it is on `interface`, and waits here until its neighbor is known.
void Router::send_own(Octets packet, dataplane::InterfaceIndex interface) {
  std::vector<uint8_t> head;
  const bool ipv4 = packet[0] >> 4 == 4;
  const uint16_t type = ipv4 ? dataplane::kEtherTypeIpv4 : dataplane::kEtherTypeIpv6;
  const IpAddress destination = ipv4 ? IpAddress() : destination_of(packet, 0);
  if (!is_link_local(destination)) {
    append_ethernet(head, 0, 0, type);
    return originate(head, packet, Arrival::own, 0);
  }
  append_ethernet(head, 0, 0, type);
  ++book_.generated;
  rte_mbuf* made = make_packet(head, packet);
  if (made == nullptr) return book_.drop(dataplane::kSelfPort, DropReason::no_mbuf);
  PuntNote note{};
  note.reason = PuntReason::connected;
  note.l3_offset = dataplane::kEthernetHeaderLength;
  note.ingress = dataplane::kSelfPort;
  note.egress = interface;
  note.mtu = kLinkLocalMark;
  dataplane::punt_note(made) = note;
  neighbors_.hold(interface, destination, made, now_ns_);
}

bool Router::ping(const IpAddress& destination, const EchoId& id, uint16_t data_length) {
  const dataplane::InterfaceIndex interface = egress_of(destination);
  const std::optional<IpAddress> source = neighbors_.own().source_for(interface, destination);
  if (interface == 0 || !source) return false;
  std::erase_if(asked_, [&](const auto& old) { return now_ns_ - old.second.at_ns > kAskedFor_ns; });
  if (asked_.size() >= kMaxAsked) return false;
  asked_[id] = {destination, now_ns_, std::nullopt};
  send_own(echo_request(*source, destination, id.first, id.second, data_length, next_id_++), interface);
  return true;
}

std::optional<Echo> Router::take_reply(const EchoId& id) {
  const auto found = asked_.find(id);
  if (found == asked_.end() || !found->second.reply) return std::nullopt;
  const Echo echo = *found->second.reply;
  asked_.erase(found);
  return echo;
}

dataplane::InterfaceIndex Router::egress_of(const IpAddress& destination) const {
  using dataplane::RouteKind;
  const dataplane::RouteTarget target = destination.is_ipv4() ? rib4_.table().look_up(destination.ip4())
                                                              : rib6_.table().look_up(destination.ip6());
  const auto interface_of = [&](dataplane::AdjacencyIndex index) {
    return dataplane::Adjacency::from_word(words_[index].load(std::memory_order_relaxed)).interface();
  };
  switch (target.kind()) {
    case RouteKind::connected:
      return static_cast<dataplane::InterfaceIndex>(target.index());
    case RouteKind::adjacency:
      return interface_of(target.index());
    case RouteKind::group:
      return interface_of(groups_[target.index()].slots[0]);
    default:
      return 0;
  }
}

uint64_t Router::held() const {
  uint64_t packets = 0;
  for (unsigned worker = 0; worker < shared_.workers; ++worker) {
    packets += dataplane::waiting_on(shared_.injections[worker]);
    for (const rte_ring* ring : shared_.punts[worker]) packets += dataplane::waiting_on(ring);
  }
  return packets + neighbors_.counts().held;
}

void Router::drop_all(DropReason reason) {
  neighbors_.drop_held(reason);
  for (unsigned worker = 0; worker < shared_.workers; ++worker) {
    for (rte_ring* ring : shared_.punts[worker]) {
      void* packet = nullptr;
      while (rte_ring_dequeue(ring, &packet) == 0) {
        ++book_.taken_over;
        drop(static_cast<rte_mbuf*>(packet), reason);
      }
    }
  }
}

}  // namespace sluice::control
