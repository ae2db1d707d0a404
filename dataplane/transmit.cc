// SPDX-License-Identifier: BSD-3-Clause
//
// transmit: gives the frame the form in which its port sends it, and collects it for the end of the sweep.
//
// Uses:  packet, egress, domain, tagged, tci
// Sets:  nothing; the packets go into the transmit vectors
// Next:  -
// Drops: too_big, no_mbuf; when the vectors are sent transmit_full, steer_full, port_gone
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/frame.h"
#include "dataplane/punt.h"
#include "dataplane/tap.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::transmit, Stage::drop>;
using Vector = TransmitVectors::Vector;

void discard_from(Context& context, const Vector& vector, uint16_t first, PortIndex port, DropReason reason) {
  if (first == vector.count) [[likely]]
    return;
  context.counters.drop(port, reason, vector.count - first);
  for (uint16_t i = first; i < vector.count; ++i) rte_pktmbuf_free(vector.packets[i]);
}

// Only frames for drivers that take one segment a packet are touched here; the rest pass.
void make_linear(Context& context, Vector& vector, PortIndex port) {
  uint16_t kept = 0;
  for (uint16_t i = 0; i < vector.count; ++i) {
    if (linearise(vector.packets[i], context.shared.pool)) {
      vector.packets[kept++] = vector.packets[i];
    } else {
      discard(context, vector.packets[i], port, DropReason::no_mbuf);
    }
  }
  vector.count = kept;
}

void send_to_driver(Context& context, Vector& vector, PortIndex index) {
  const Port& port = context.port(index);
  if (port.needs_linear) make_linear(context, vector, index);
  std::array<uint32_t, kBatchSize> lengths;  // the driver may free a packet as soon as it has it
  for (uint16_t i = 0; i < vector.count; ++i) lengths[i] = vector.packets[i]->pkt_len;
  const auto queue = static_cast<uint16_t>(context.worker);
  rte_mbuf** packets = vector.packets.data();
  const uint16_t sent = port.tap ? send_to_tap(port.tap_descriptors[queue], packets, vector.count)
                                 : rte_eth_tx_burst(port.device, queue, packets, vector.count);
  PortCounters& counters = context.counters.ports[index];
  counters.transmitted += sent;
  for (uint16_t i = 0; i < sent; ++i) counters.transmitted_bytes += lengths[i];
  discard_from(context, vector, sent, index, DropReason::transmit_full);
}

// A port with fewer transmit queues than there are workers: worker q alone uses queue q, the others give it
// their packets.
void send_to_owner(Context& context, const Vector& vector, PortIndex index) {
  const unsigned owner = context.worker % context.port(index).transmit_queues;
  for (uint16_t i = 0; i < vector.count; ++i)
    arrival_note(vector.packets[i]) = {Arrival::transmit, 0, index, 0, {}};
  rte_ring* ring = context.shared.rings[context.worker][owner];
  const unsigned taken = rte_ring_sp_enqueue_burst(
      ring, reinterpret_cast<void* const*>(vector.packets.data()), vector.count, nullptr);
  context.counters.handed_over += taken;
  if (taken != 0) wake(context.shared, owner);
  discard_from(context, vector, static_cast<uint16_t>(taken), index, DropReason::steer_full);
}

void send(Context& context, PortIndex index) {
  Vector& vector = context.transmit.vectors[index];
  const bool exists = index < context.snapshot->ports.size() && context.port(index).transmit_queues != 0;
  if (!exists) {
    discard_from(context, vector, 0, index, DropReason::port_gone);
  } else if (context.worker < context.port(index).transmit_queues) {
    send_to_driver(context, vector, index);
  } else {
    send_to_owner(context, vector, index);
  }
  vector.count = 0;
}

}  // namespace

void stages::transmit(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::transmit)) {
    const PortIndex egress = batch.egress[place];
    const Port& port = context.port(egress);
    const DomainId id = batch.domain[place];
    const Tagging tagging{batch.tagged[place] != 0, batch.tci[place]};
    const uint16_t vid = egress_tag(port, id, context.domain(id)).vid;
    if (!dress(batch.packet[place], tagging, vid, port, context.shared.pool)) {
      Next::drop(batch, place, DropReason::no_mbuf);
    } else if (!fits(batch.packet[place], port.mtu)) {
      Next::drop(batch, place, DropReason::too_big);
    } else {
      enqueue(context, egress, batch.packet[place]);
    }
  }
}

void enqueue(Context& context, PortIndex port, rte_mbuf* packet) {
  Vector& vector = context.transmit.vectors[port];
  if (vector.count == kBatchSize) {
    send(context, port);
  } else if (vector.count == 0) {
    context.transmit.dirty[context.transmit.dirty_count++] = port;
  }
  vector.packets[vector.count++] = packet;
}

void flush(Context& context) {
  for (uint16_t i = 0; i < context.transmit.dirty_count; ++i) send(context, context.transmit.dirty[i]);
  context.transmit.dirty_count = 0;
}

}  // namespace sluice::dataplane
