// SPDX-License-Identifier: BSD-3-Clause
//
// neighbour: what holds for the hop that the packet is about to make: its TTL (RFC 1812 5.3.1), the MTU of
// the link (RFC 1191, RFC 8201), and whether the neighbor's MAC address is known (RFC 826, RFC 4861).
//
// Uses:  target, ttl, flags, ip_length, destination4
// Sets:  egress_interface, destination (the neighbor's MAC)
// Next:  rewrite; punt, for what has to wait and for what is refused
// Drops: neighbor_gone, interface_gone, no_mbuf, again_full; by way of punt ttl_expired, fragmentation_needed
#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/dispatch.h"
#include "dataplane/fragment.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::neighbour, Stage::rewrite, Stage::punt, Stage::drop>;

void wait(Batch& batch, uint8_t place, PuntReason reason) {
  batch.punt_reason[place] = reason;
  Next::send<Stage::punt>(batch, place);
}

// The packet's parts go round once more, each as a packet of its own.
void split(Context& context, Batch& batch, uint8_t place, uint16_t mtu) {
  const DropReason failed = fragment(context, batch, place, mtu);
  if (failed != DropReason::none) Next::drop(batch, place, failed);
}

void send_to(Context& context, Batch& batch, uint8_t place, const Adjacency& adjacency) {
  switch (adjacency.reach()) {
    case Reach::unused:
      return Next::drop(batch, place, DropReason::neighbor_gone);
    case Reach::incomplete:
      return wait(batch, place, PuntReason::resolve);
    case Reach::stale:
      context.note_use(batch.target[place].index());
      break;
    case Reach::usable:
      break;
  }
  batch.destination[place] = adjacency.mac();
  Next::send<Stage::rewrite>(batch, place);
}

void pass_on(Context& context, Batch& batch, uint8_t place) {
  const RouteTarget target = batch.target[place];
  const bool known = target.kind() == RouteKind::adjacency;
  const Adjacency adjacency = known ? context.adjacency(target.index()) : Adjacency();
  const auto egress = known ? adjacency.interface() : static_cast<InterfaceIndex>(target.index());
  batch.egress_interface[place] = egress;
  const bool ours = (batch.flags[place] & kIsOurs) != 0;
  if (!ours && batch.ttl[place] <= 1)
    return refuse<Next>(batch, place, DropReason::ttl_expired, ErrorKind::time_exceeded);
  if (known && adjacency.reach() == Reach::unused) return Next::drop(batch, place, DropReason::neighbor_gone);
  if (egress >= context.snapshot->interfaces.size() || context.snapshot->interfaces[egress].mac == 0)
    return Next::drop(batch, place, DropReason::interface_gone);
  const uint16_t mtu = context.snapshot->interfaces[egress].mtu;
  if (batch.ip_length[place] > mtu) [[unlikely]] {
    if ((batch.flags[place] & kMayNotFragment) == 0) return split(context, batch, place, mtu);
    return refuse<Next>(batch, place, DropReason::fragmentation_needed, ErrorKind::packet_too_big, mtu);
  }
  if (!known) return wait(batch, place, PuntReason::connected);
  send_to(context, batch, place, adjacency);
}

}  // namespace

void stages::neighbour(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::neighbour)) pass_on(context, batch, place);
}

}  // namespace sluice::dataplane
