// SPDX-License-Identifier: BSD-3-Clause
//
// rewrite: the packet becomes what the next hop shall see: its addresses and ports as its session says, its
// TTL one less (RFC 1812 5.3.1), its checksums adjusted (RFC 1624), a new Ethernet header before it. Before
// this stage no byte of it has changed.
//
// Uses:  packet, family, flags, l3, l4, ip_length, tagged, session, destination, egress_interface
// Sets:  source, tagged, tci, domain, egress, routed; the packet's bytes
// Next:  transmit, by a port of the router's own; bridge_out, into a VLAN
// Drops: no_mbuf
#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/checksum.h"
#include "dataplane/context.h"
#include "dataplane/frame.h"
#include "dataplane/ip_header.h"
#include "dataplane/translate.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::rewrite, Stage::bridge_out, Stage::transmit, Stage::drop>;

// What stood behind the IP packet was padding, and would count against the MTU of the next link.
void trim(Batch& batch, uint8_t place) {
  rte_mbuf* packet = batch.packet[place];
  const uint32_t length = uint32_t{batch.l3[place]} + batch.ip_length[place];
  if (packet->pkt_len <= length) [[likely]]
    return;
  // Padding that fills more than the last segment stays: no driver makes such frames.
  rte_pktmbuf_trim(packet, static_cast<uint16_t>(packet->pkt_len - length));
}

void count_hop(Batch& batch, uint8_t place) {
  if ((batch.flags[place] & kIsOurs) != 0) return;
  if (batch.family[place] == Family::ipv6) {
    --rte_pktmbuf_mtod_offset(batch.packet[place], Ipv6Header*, batch.l3[place])->hop_limit;
    return;
  }
  auto* header = rte_pktmbuf_mtod_offset(batch.packet[place], Ipv4Header*, batch.l3[place]);
  --header->ttl;
  // TTL is the first octet of its 16-bit word: one less there, as the checksum lies in memory.
  constexpr uint16_t kOneHopLess = static_cast<uint16_t>(~BigEndian<uint16_t>(0x0100).wire());
  header->checksum = checksum_after(header->checksum, kOneHopLess);
}

void write_ethernet(Batch& batch, uint8_t place, const Interface& interface) {
  rte_mbuf* packet = batch.packet[place];
  if (batch.tagged[place] != 0) rte_pktmbuf_adj(packet, kVlanTagLength);
  const bool ipv4 = batch.family[place] == Family::ipv4;
  *rte_pktmbuf_mtod(packet, EthernetHeader*) = {octets(batch.destination[place]), octets(interface.mac),
                                                BigEndian<uint16_t>(ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6)};
  batch.source[place] = interface.mac;
  batch.tagged[place] = 0;
  batch.tci[place] = 0;
}

void translate(Context& context, Batch& batch, uint8_t place) {
  if (batch.session[place] == kNoSession) return;
  const SessionHandle handle(batch.session[place]);
  // The sum that is adjusted must be a whole one.
  if (has_partial_checksum(batch.packet[place])) finish_checksum(batch.packet[place], false);
  translate(batch, place, context.nat->sessions[handle.index()], handle.direction());
}

void leave(Context& context, Batch& batch, uint8_t place) {
  const Interface& interface = context.snapshot->interfaces[batch.egress_interface[place]];
  trim(batch, place);
  translate(context, batch, place);
  count_hop(batch, place);
  write_ethernet(batch, place, interface);
  batch.routed[place] = 1;
  batch.domain[place] = interface.domain;
  batch.egress[place] = interface.port;
  if (interface.port == kNoPort) {
    Next::send<Stage::bridge_out>(batch, place);
  } else {
    Next::send<Stage::transmit>(batch, place);
  }
}

}  // namespace

void stages::rewrite(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::rewrite)) {
    if (own(batch.packet[place], 0, 0, context.shared.pool)) [[likely]] {
      leave(context, batch, place);
    } else {
      Next::drop(batch, place, DropReason::no_mbuf);
    }
  }
}

}  // namespace sluice::dataplane
