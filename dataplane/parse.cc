// SPDX-License-Identifier: BSD-3-Clause
//
// parse: reads the Ethernet header and the C-tag, once for all later stages.
//
// Uses:  packet, its first octets
// Sets:  destination, source, tagged, tci
// Next:  bridge_in
// Drops: truncated, no_mbuf
#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::parse, Stage::bridge_in, Stage::drop>;

constexpr unsigned kTaggedHeader = kEthernetHeaderLength + kVlanTagLength;

// No driver splits a header, but a capture or a guest may: such a frame is copied into one piece.
bool join_header(rte_mbuf*& packet, rte_mempool* pool) {
  rte_mbuf* copy = rte_pktmbuf_copy(packet, pool, 0, UINT32_MAX);
  if (copy == nullptr) return false;
  rte_pktmbuf_free(packet);
  packet = copy;
  return true;
}

void read_header(Batch& batch, uint8_t place) {
  const rte_mbuf* packet = batch.packet[place];
  const auto* frame = rte_pktmbuf_mtod(packet, const uint8_t*);
  if (packet->data_len < kEthernetHeaderLength) return Next::drop(batch, place, DropReason::truncated);

  batch.destination[place] = load_destination(frame);
  batch.source[place] = load_source(frame);
  VlanTag tag;
  std::memcpy(&tag.tpid, frame + kEthernetHeaderLength - sizeof tag.tpid, sizeof tag.tpid);
  batch.tagged[place] = tag.tpid == BigEndian<uint16_t>(kEtherTypeVlan);
  batch.tci[place] = 0;
  if (batch.tagged[place]) {
    if (packet->data_len < kTaggedHeader) return Next::drop(batch, place, DropReason::truncated);
    std::memcpy(&tag.tci, frame + kEthernetHeaderLength, sizeof tag.tci);
    batch.tci[place] = tag.tci.host();
  }
  Next::send<Stage::bridge_in>(batch, place);
}

}  // namespace

void stages::parse(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::parse)) {
    rte_mbuf*& packet = batch.packet[place];
    if (packet->data_len < kTaggedHeader && packet->nb_segs > 1) [[unlikely]] {
      if (!join_header(packet, context.shared.pool)) {
        Next::drop(batch, place, DropReason::no_mbuf);
        continue;
      }
    }
    read_header(batch, place);
  }
}

}  // namespace sluice::dataplane
