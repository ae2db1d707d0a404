// SPDX-License-Identifier: BSD-3-Clause
//
// replicate: floods a frame to every other member port of its VLAN (IEEE 802.1Q-2018 clause 8.6.1), once
// each.
//
// The members fall into those that take the frame untagged and those that take it tagged. Each of the two
// forms is written once, then cloned: a clone shares the bytes, so no byte is written after the first clone
// is made.
//
// Uses:  packet, ingress, routed, domain, tagged, tci
// Sets:  nothing; the copies go straight into the transmit vectors
// Next:  -
// Drops: no_other_port, and for single copies no_mbuf, too_big
#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/frame.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::replicate, Stage::drop>;

/// The receivers of one form of the frame.
struct Receivers {
  explicit Receivers(uint16_t leaving_vid) : vid(leaving_vid) {}
  uint16_t vid;  ///< 0: untagged
  uint16_t count = 0;
  std::array<PortIndex, kMaxPorts> ports;
};

void sort_members(const Context& context, const Batch& batch, uint8_t place, Receivers& untagged,
                  Receivers& tagged) {
  const Domain& domain = context.domain(batch.domain[place]);
  for (uint32_t i = 0; i < domain.members; ++i) {
    const Member& member = context.snapshot->members[domain.first_member + i];
    if (member.port == batch.ingress[place] && batch.routed[place] == 0) continue;
    Receivers& form = member.vid == 0 ? untagged : tagged;
    form.ports[form.count++] = member.port;
  }
}

void discard_copies(Context& context, const Receivers& receivers) {
  for (uint16_t i = 0; i < receivers.count; ++i) {
    context.counters.drop(receivers.ports[i], DropReason::no_mbuf);
  }
}

void send_copy(Context& context, PortIndex port, rte_mbuf* copy) {
  if (copy == nullptr) {
    context.counters.drop(port, DropReason::no_mbuf);
  } else if (!fits(copy, context.port(port).mtu)) {
    discard(context, copy, port, DropReason::too_big);
  } else {
    enqueue(context, port, copy);
  }
}

// Gives `frame` away: to the last receiver itself, to the others as clones.
void send_form(Context& context, rte_mbuf* frame, Tagging tagging, const Receivers& receivers) {
  if (receivers.count == 0) return;
  // The copies share one frame, so no single driver can be asked to finish its checksum.
  static constexpr Port kNoOffload{};
  if (!dress(frame, tagging, receivers.vid, kNoOffload, context.shared.pool)) {
    rte_pktmbuf_free(frame);
    return discard_copies(context, receivers);
  }
  const auto last = static_cast<uint16_t>(receivers.count - 1);
  for (uint16_t i = 0; i < last; ++i) {
    send_copy(context, receivers.ports[i], rte_pktmbuf_clone(frame, context.shared.pool));
  }
  send_copy(context, receivers.ports[last], frame);
}

void flood(Context& context, Batch& batch, uint8_t place) {
  Receivers untagged(0);
  Receivers tagged(context.domain(batch.domain[place]).vid);
  sort_members(context, batch, place, untagged, tagged);
  const uint32_t copies = uint32_t{untagged.count} + tagged.count;
  if (copies == 0) return Next::drop(batch, place, DropReason::no_other_port);
  context.counters.generated += copies - 1;

  const Tagging tagging{batch.tagged[place] != 0, batch.tci[place]};
  rte_mbuf* frame = batch.packet[place];
  if (untagged.count != 0 && tagged.count != 0) {
    rte_mbuf* second = rte_pktmbuf_copy(frame, context.shared.pool, 0, UINT32_MAX);
    if (second == nullptr) {
      discard_copies(context, tagged);
    } else {
      send_form(context, second, tagging, tagged);
    }
    tagged.count = 0;
  }
  send_form(context, frame, tagging, untagged.count != 0 ? untagged : tagged);
}

}  // namespace

void stages::replicate(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::replicate)) flood(context, batch, place);
}

}  // namespace sluice::dataplane
