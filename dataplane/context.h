// SPDX-License-Identifier: BSD-3-Clause
//
// What a stage may use beside its batch: the worker's own things, the tables, and the time.
//
// Thread safety: none; a context belongs to one worker.
// Invariants:    `snapshot` does not change during a sweep; stages read `now`, never a clock.
// Owner:         Worker.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/again.h"
#include "dataplane/batch.h"
#include "dataplane/counters.h"
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

struct Context {
  Shared& shared;
  const unsigned worker;
  const Snapshot* snapshot = nullptr;
  uint64_t now_ns = 0;  ///< since the start of time: of the process, or of the capture in a replay
  uint32_t now_s = 0;   ///< the same in whole seconds
  Counters counters{};
  TransmitVectors transmit{};
  Again again{};

  [[nodiscard]] const Port& port(PortIndex index) const { return snapshot->ports[index]; }
  [[nodiscard]] const Domain& domain(DomainId id) const { return snapshot->domains[id]; }
};

/// Drops a packet that is in no lane (a copy, or one from a transmit vector): counts it and frees it.
void discard(Context& context, rte_mbuf* packet, PortIndex port, DropReason reason);

/// Puts a packet that is ready to leave into the vector of `port`; sends the vector first if it is full.
void enqueue(Context& context, PortIndex port, rte_mbuf* packet);

/// Sends every vector: to the driver, or to the worker that owns the port's queue. Ends every sweep.
void flush(Context& context);

/// Sends the packet at `place` round the pipeline once more, or drops it: `loop`, `again_full`.
void go_again(Context& context, const Batch& batch, uint8_t place);

}  // namespace sluice::dataplane
