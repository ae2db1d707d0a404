// SPDX-License-Identifier: BSD-3-Clause
//
// What a stage may use beside its batch: the worker's own things, the tables, and the time.
//
// Thread safety: none; a context belongs to one worker.
// Invariants:    `snapshot` and `epoch` do not change during a sweep; stages read `now`, never a clock.
// Owner:         Worker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/again.h"
#include "dataplane/batch.h"
#include "dataplane/counters.h"
#include "dataplane/fragment_ports.h"
#include "dataplane/nat_tables.h"
#include "dataplane/policer.h"
#include "dataplane/shared.h"
#include "dataplane/snapshot.h"

namespace sluice::dataplane {

/// The packets that leave by each port at the end of the sweep.
struct TransmitVectors {
  struct Vector {
    uint16_t count = 0;
    std::array<rte_mbuf*, kBatchSize> packets;
  };
  std::array<Vector, kMaxPorts> vectors;
  std::array<PortIndex, kMaxPorts> dirty;  ///< ports whose vector is not empty
  uint16_t dirty_count = 0;
};

/// What one worker may send to control, by PuntClass: far more than a network needs, far less than control
/// can do. Of errors control's own limit (icmp: rate-limit) decides; this one only bounds the work.
inline constexpr std::array<Policer, kPuntClasses> kPolicers = {
    Policer(2000, 500), Policer(2000, 500), Policer(20'000, 2000), Policer(5000, 500), Policer(20'000, 2000)};

struct Context {
  Shared& shared;
  const unsigned worker;
  const Snapshot* snapshot = nullptr;
  uint64_t now_ns = 0;  ///< since the start of time: of the process, or of the capture in a replay
  uint32_t now_s = 0;   ///< the same in whole seconds
  uint32_t now_ms = 0;  ///< the same in milliseconds, modulo 2^32
  uint32_t epoch = 0;   ///< of the routes, see RouteEpochs
  Counters counters{};
  TransmitVectors transmit{};
  Again again{};
  std::array<Policer, kPuntClasses> policers = kPolicers;
  bool punted = false;  ///< control has work since the last time it was woken
  std::optional<NatTables> nat{};
  FragmentPorts fragments{};

  [[nodiscard]] const Port& port(PortIndex index) const { return snapshot->ports[index]; }
  [[nodiscard]] const Domain& domain(DomainId id) const { return snapshot->domains[id]; }
  [[nodiscard]] Adjacency adjacency(AdjacencyIndex index) const {
    return Adjacency::from_word(shared.adjacencies[index].load(std::memory_order_relaxed));
  }
  /// Lets control know that a stale neighbor is in use. The byte is written once each time control clears it.
  void note_use(AdjacencyIndex index) {
    AdjacencyUse& use = shared.uses[worker][index];
    if (use.load(std::memory_order_relaxed) == 0) use.store(1, std::memory_order_relaxed);
  }
};

/// Drops a packet that is in no lane (a copy, or one from a transmit vector): counts it and frees it.
void discard(Context& context, rte_mbuf* packet, PortIndex port, DropReason reason);

/// Gives control a copy of the frame at `place`, which goes on its own way.
void punt_copy(Context& context, const Batch& batch, uint8_t place);

/// Puts a packet that is ready to leave into the vector of `port`; sends the vector first if it is full.
void enqueue(Context& context, PortIndex port, rte_mbuf* packet);

/// Sends every vector: to the driver, or to the worker that owns the port's queue. Ends every sweep.
void flush(Context& context);

}  // namespace sluice::dataplane
