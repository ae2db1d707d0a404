// SPDX-License-Identifier: BSD-3-Clause
//
// What a worker has counted. Nothing vanishes: of the packets that one worker has seen, at the end of a
// sweep,
//   received + generated + taken_over = transmitted + consumed + Σ drops + handed_over + held.
//
// Thread safety: a worker alone writes its own; others read the copy that it publishes when asked (Worker).
// Owner:         Worker.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/batch.h"
#include "dataplane/mac_table.h"

namespace sluice::dataplane {

struct PortCounters {
  uint64_t received = 0;
  uint64_t received_bytes = 0;  ///< without FCS
  uint64_t transmitted = 0;
  uint64_t transmitted_bytes = 0;  ///< without FCS
  std::array<uint64_t, kDropReasons> drops{};
};

struct StageCounters {
  uint64_t packets = 0;  ///< in the sweeps that were timed
  uint64_t cycles = 0;   ///< of the TSC, likewise
};

struct Counters {
  std::array<PortCounters, kMaxPorts> ports{};
  uint64_t generated = 0;    ///< packets that we made: here, copies of flooded ones
  uint64_t consumed = 0;     ///< packets that ended here because they were for us
  uint64_t handed_over = 0;  ///< put on a ring to another worker
  uint64_t taken_over = 0;   ///< taken from such a ring
  uint64_t held = 0;         ///< waiting in the `again` queue

  uint64_t macs_learned = 0;
  uint64_t macs_moved = 0;
  uint64_t macs_refused = 0;  ///< not learned: the table or a mac-limit is full, or the entry is static
  uint64_t macs_busy = 0;     ///< not learned from this packet: another worker held the bucket

  uint64_t sessions_opened = 0;
  uint64_t sessions_ended = 0;

  uint64_t sweeps = 0;
  uint64_t packets = 0;      ///< swept
  uint64_t busy_cycles = 0;  ///< TSC cycles of turns that found work
  uint64_t idle_cycles = 0;  ///< TSC cycles of turns that found none, asleep or not
  uint64_t sleeps = 0;
  std::array<StageCounters, kStages> stages{};

  void drop(PortIndex port, DropReason reason, uint64_t packets = 1) {
    ports[port].drops[static_cast<size_t>(reason)] += packets;
  }
};
static_assert(std::is_trivially_copyable_v<Counters>);

/// What is missing in one worker's books: 0, or there is a bug.
int64_t unaccounted(const Counters& counters);

/// Adds `from` to `into`, field by field.
void add(Counters& into, const Counters& from);

}  // namespace sluice::dataplane
