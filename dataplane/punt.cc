// SPDX-License-Identifier: BSD-3-Clause
//
// punt: hands to control what it has to see: what concerns addresses and neighbors, what waits for a
// neighbor, and what ends in an ICMP error. Each kind has a ring and a policer of its own.
//
// Uses:  packet, ingress, passes, interface, l3, punt_reason, error, error_value, drop_reason, target,
//        egress_interface, destination4
// Sets:  nothing; the packets go into the rings
// Next:  drop
// Drops: punt_policed, punt_full; and its own reason for a packet whose sender will not be told
#include "dataplane/punt.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::punt, Stage::drop>;

PuntClass class_of(PuntReason reason) {
  switch (reason) {
    case PuntReason::arp:
      return PuntClass::arp;
    case PuntReason::nd:
      return PuntClass::nd;
    case PuntReason::echo:
      return PuntClass::echo;
    case PuntReason::resolve:
    case PuntReason::connected:
      return PuntClass::resolve;
    case PuntReason::error:
      return PuntClass::error;
  }
  return PuntClass::error;
}

PuntNote note_of(const Context& context, const Batch& batch, uint8_t place) {
  PuntNote note{};
  note.reason = batch.punt_reason[place];
  note.error = batch.error[place];
  note.drop = note.reason == PuntReason::error ? batch.drop_reason[place] : DropReason::neighbor_failed;
  note.passes = batch.passes[place];
  note.worker = static_cast<uint8_t>(context.worker);
  note.l3_offset = batch.l3[place];
  note.ingress = batch.ingress[place];
  note.interface = batch.interface[place];
  note.egress = batch.egress_interface[place];
  note.mtu = note.pointer = batch.error_value[place];
  note.adjacency = batch.target[place].index();
  note.address4 = batch.destination4[place];
  return note;
}

// False: the packet is still the caller's, and `why` says what it ends of.
bool hand_over(Context& context, rte_mbuf* packet, const PuntNote& note, DropReason& why) {
  const auto kind = static_cast<size_t>(class_of(note.reason));
  why = DropReason::punt_policed;
  if (!context.policers[kind].pass(context.now_ns)) return false;
  punt_note(packet) = note;
  why = DropReason::punt_full;
  if (rte_ring_sp_enqueue(context.shared.punts[context.worker][kind], packet) != 0) return false;
  ++context.counters.handed_over;
  context.punted = true;
  return true;
}

void punt(Context& context, Batch& batch, uint8_t place) {
  const PuntNote note = note_of(context, batch, place);
  DropReason why;
  if (hand_over(context, batch.packet[place], note, why)) return;
  Next::drop(batch, place, note.reason == PuntReason::error ? note.drop : why);
}

}  // namespace

void stages::punt(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::punt)) sluice::dataplane::punt(context, batch, place);
}

void punt_copy(Context& context, const Batch& batch, uint8_t place) {
  rte_mbuf* copy = rte_pktmbuf_copy(batch.packet[place], context.shared.pool, 0, UINT32_MAX);
  ++context.counters.generated;
  if (copy == nullptr) return context.counters.drop(batch.ingress[place], DropReason::no_mbuf);
  DropReason why;
  if (!hand_over(context, copy, note_of(context, batch, place), why)) {
    discard(context, copy, batch.ingress[place], why);
  }
}

}  // namespace sluice::dataplane
