// SPDX-License-Identifier: BSD-3-Clause
//
// A batch: the packets of one sweep, and what the stages have found out about each so far.
//
// The findings stand beside the packet pointers, one array a field, so that a stage touches only the fields
// it uses and the whole stays in the L1 cache. Packets never move: what travels from stage to stage is a
// packet's one-byte place in the batch, from lane to lane.
//
// Thread safety: none; a batch belongs to one worker.
// Invariants:    a place stands in at most one lane; lanes only fill ahead of the stage that runs.
// Owner:         Worker.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/drop_reasons.h"
#include "dataplane/ethernet.h"
#include "dataplane/stages.h"

struct rte_mbuf;

namespace sluice::dataplane {

inline constexpr unsigned kBatchSize = 64;

/// A port's place in the snapshot. Stable while the port exists; see Snapshot::ports.
using PortIndex = uint16_t;
/// A filtering database: one VLAN of one bridge (IEEE 802.1Q-2018 clause 8.8.8, "FID"). 0: none.
using DomainId = uint16_t;

/// The places of the packets that wait for one stage, in order of arrival.
struct Lane {
  uint8_t count = 0;
  std::array<uint8_t, kBatchSize> places;

  void push(uint8_t place) { places[count++] = place; }
  [[nodiscard]] const uint8_t* begin() const { return places.data(); }
  [[nodiscard]] const uint8_t* end() const { return places.data() + count; }
  [[nodiscard]] bool empty() const { return count == 0; }
};

struct alignas(64) Batch {
  template <class T>
  using Field = std::array<T, kBatchSize>;

  // Set on receipt.
  Field<rte_mbuf*> packet;
  Field<PortIndex> ingress;
  Field<uint8_t> passes;  ///< how often it went round the `again` queue

  // Set by parse.
  Field<Mac48> destination;
  Field<Mac48> source;
  Field<uint16_t> tci;    ///< of the C-tag, host order; 0 when there is none
  Field<uint8_t> tagged;  ///< 1: a C-tag is there, if only a priority tag

  // Set by bridge_in.
  Field<DomainId> domain;
  Field<PortIndex> egress;

  // Set with the edge to drop.
  Field<DropReason> drop_reason;

  std::array<Lane, kStages> lanes;

  Lane& lane(Stage stage) { return lanes[static_cast<size_t>(stage)]; }
  [[nodiscard]] uint16_t vid(uint8_t place) const { return tci[place] & kVidMask; }
};
static_assert(sizeof(Batch) <= 4096, "a batch must leave most of a 32 KiB L1 cache to headers and tables");
static_assert(std::is_standard_layout_v<Batch>);

/// The edges out of a stage. Sending along an edge that is not declared here, or backwards, does not compile.
template <Stage From, Stage... To>
struct Edges {
  static_assert(((To > From) && ...), "a packet only moves forward");

  template <Stage Next>
  static void send(Batch& batch, uint8_t place) {
    static_assert(((Next == To) || ...), "declare the edge before using it");
    batch.lane(Next).push(place);
  }

  static void drop(Batch& batch, uint8_t place, DropReason reason) {
    batch.drop_reason[place] = reason;
    send<Stage::drop>(batch, place);
  }
};

}  // namespace sluice::dataplane
