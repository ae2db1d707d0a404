// SPDX-License-Identifier: BSD-3-Clause
//
// From a route's answer to the packet's next stage: for `route`, and for `decide`, which stands between the
// two for what NAT may concern.
//
// Thread safety: none; the batch belongs to one worker.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/ip_header.h"

namespace sluice::dataplane {

/// Drops the packet and lets its sender be told why.
template <class Next>
void refuse(Batch& batch, uint8_t place, DropReason reason, ErrorKind error, uint16_t value = 0) {
  batch.drop_reason[place] = reason;
  batch.punt_reason[place] = PuntReason::error;
  batch.error[place] = error;
  batch.error_value[place] = value;
  Next::template send<Stage::punt>(batch, place);
}

/// Whether the packet is an echo request or reply, which control answers or awaits.
inline bool is_echo(const Batch& batch, uint8_t place) {
  if ((batch.flags[place] & kIsLaterFragment) != 0 || batch.l4[place] >= contiguous(batch, place))
    return false;
  const uint8_t type = *l4_header(batch, place);
  if (batch.family[place] == Family::ipv4)
    return batch.protocol[place] == kProtocolIcmp && (type == icmp::kEcho || type == icmp::kEchoReply);
  return batch.protocol[place] == kProtocolIcmpv6 && (type == icmpv6::kEcho || type == icmpv6::kEchoReply);
}

/// For an address of ours. Nothing but echo is served; UDP is told so (RFC 1122 4.1.3.1), TCP is not: a SYN
/// may come ahead of the mapping that it is for (RFC 5382 REQ-4).
template <class Next>
void deliver(Batch& batch, uint8_t place) {
  if (is_echo(batch, place)) {
    batch.punt_reason[place] = PuntReason::echo;
    return Next::template send<Stage::punt>(batch, place);
  }
  if (batch.protocol[place] != kProtocolUdp) return Next::drop(batch, place, DropReason::no_listener);
  refuse<Next>(batch, place, DropReason::no_listener, ErrorKind::port_unreachable);
}

template <class Next>
void dispatch(Batch& batch, uint8_t place) {
  const RouteKind kind = batch.target[place].kind();
  const bool goes_out = kind == RouteKind::adjacency || kind == RouteKind::connected;
  // An answer of ours from a link-local address goes to whoever asked it, on that link.
  if (goes_out && (batch.flags[place] & (kIsLinkLocal | kIsOurs)) == kIsLinkLocal)
    return Next::drop(batch, place, DropReason::link_local);
  switch (kind) {
    case RouteKind::adjacency:
    case RouteKind::connected:
      return Next::template send<Stage::neighbour>(batch, place);
    case RouteKind::local:
      return deliver<Next>(batch, place);
    case RouteKind::broadcast:
      return Next::drop(batch, place, DropReason::directed_broadcast);
    case RouteKind::martian:
      return Next::drop(batch, place, DropReason::martian_destination);
    case RouteKind::blackhole:
      return Next::drop(batch, place, DropReason::blackhole);
    case RouteKind::unreachable:
      return refuse<Next>(batch, place, DropReason::route_unreachable, ErrorKind::host_unreachable);
    case RouteKind::prohibit:
      return refuse<Next>(batch, place, DropReason::route_prohibit, ErrorKind::prohibited);
    default:
      return refuse<Next>(batch, place, DropReason::no_route, ErrorKind::net_unreachable);
  }
}

/// The interface that a packet with this target leaves by; 0: none.
inline InterfaceIndex egress_of(const Context& context, RouteTarget target) {
  if (target.kind() == RouteKind::connected) return static_cast<InterfaceIndex>(target.index());
  if (target.kind() != RouteKind::adjacency) return 0;
  return context.adjacency(target.index()).interface();
}

}  // namespace sluice::dataplane
