// SPDX-License-Identifier: BSD-3-Clause
//
// ip_in: the door of the router. Reads the IP header of what was sent to a MAC address of ours, refuses what
// RFC 1812 section 5.2.2 and RFC 8200 refuse, and notes what later stages ask for.
//
// Uses:  packet, tagged, interface
// Sets:  family, flags, protocol, ttl, l3, l4, ip_length, source4, destination4, source_port,
//        destination_port, session, target
// Next:  session, when there are NAT rules; route; punt (ARP, neighbor discovery)
// Drops: not_ip, bad_ip_header, bad_ip_checksum, martian_source, martian_destination, link_local,
//        source_route, tiny_fragment, no_mbuf
#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/ip_header.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::ip_in, Stage::session, Stage::route, Stage::punt, Stage::drop>;

// All headers of a packet, those that an ICMP error quotes too: Ethernet, IP with options, and as much again.
constexpr uint16_t kHeaders = 256;

// A capture or a guest may cut a packet into segments anywhere: then it is copied, so that its headers are in
// one piece. A jumbo's first segment has them as it comes.
bool join(Context& context, rte_mbuf*& packet) {
  if (packet->nb_segs == 1 || packet->data_len >= kHeaders) [[likely]]
    return true;
  rte_mbuf* copy = rte_pktmbuf_copy(packet, context.shared.pool, 0, UINT32_MAX);
  if (copy == nullptr) return false;
  rte_pktmbuf_free(packet);
  packet = copy;
  return true;
}

void admit_ipv4(Context& context, Batch& batch, uint8_t place) {
  const DropReason refused = read_ipv4(batch, place);
  if (refused != DropReason::none) return Next::drop(batch, place, refused);
  const bool stateful = context.snapshot->nat.enabled() && (batch.flags[place] & kIsOurs) == 0;
  if (stateful) {
    Next::send<Stage::session>(batch, place);
  } else {
    Next::send<Stage::route>(batch, place);
  }
}

void admit_ipv6(Context& context, Batch& batch, uint8_t place) {
  const Ipv6Verdict verdict = read_ipv6(context, batch, place);
  if (verdict.drop != DropReason::none) {
    if (!verdict.answer) return Next::drop(batch, place, verdict.drop);
    batch.drop_reason[place] = verdict.drop;
    batch.punt_reason[place] = PuntReason::error;
    batch.error[place] = ErrorKind::source_route_failed;
    batch.error_value[place] = verdict.pointer;
    return Next::send<Stage::punt>(batch, place);
  }
  if (verdict.discovery) {
    batch.punt_reason[place] = PuntReason::nd;
    return Next::send<Stage::punt>(batch, place);
  }
  Next::send<Stage::route>(batch, place);
}

void admit_arp(Batch& batch, uint8_t place) {
  batch.punt_reason[place] = PuntReason::arp;
  Next::send<Stage::punt>(batch, place);
}

void admit(Context& context, Batch& batch, uint8_t place) {
  batch.l3[place] =
      static_cast<uint8_t>(kEthernetHeaderLength + (batch.tagged[place] != 0 ? kVlanTagLength : 0));
  batch.session[place] = kNoSession;
  batch.target[place] = RouteTarget();
  batch.flags[place] = batch.interface[place] == 0 ? kIsOurs : 0;
  switch (ethertype(batch.packet[place], batch.l3[place])) {
    case kEtherTypeIpv4:
      return admit_ipv4(context, batch, place);
    case kEtherTypeIpv6:
      return admit_ipv6(context, batch, place);
    case kEtherTypeArp:
      return admit_arp(batch, place);
    default:
      return Next::drop(batch, place, DropReason::not_ip);
  }
}

}  // namespace

void stages::ip_in(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::ip_in)) {
    if (join(context, batch.packet[place])) [[likely]] {
      admit(context, batch, place);
    } else {
      Next::drop(batch, place, DropReason::no_mbuf);
    }
  }
}

}  // namespace sluice::dataplane
