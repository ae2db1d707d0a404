// SPDX-License-Identifier: BSD-3-Clause
//
// The neighbors as the packet path sees them: for each the MAC address that its packets are sent to, the
// interface that they leave by, and whether it is known at all.
//
// An adjacency is one atomic word, so a reader sees all of it or none: no sequence count is needed.
//
// Thread safety: control alone writes; any worker reads at any time.
// Invariants:    the interface of an adjacency does not change while a route or a session may name it.
// Owner:         control; the table is made once at start.
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/ethernet.h"

namespace sluice::dataplane {

/// An interface's place in the snapshot; 0: none.
using InterfaceIndex = uint16_t;
inline constexpr unsigned kMaxInterfaces = 1024;  ///< indices 1..1023
/// A neighbor's place in the table.
using AdjacencyIndex = uint32_t;

/// What a packet to the neighbor meets.
enum class Reach : uint8_t {
  unused,      ///< there is no such neighbor (any more)
  incomplete,  ///< its MAC address is being asked for: the packet waits
  usable,      ///< known
  stale,       ///< known, but not confirmed of late: send, and let control know that it is used
};

class Adjacency {
 public:
  constexpr Adjacency() = default;
  constexpr Adjacency(Reach reach, InterfaceIndex interface, Mac48 mac)
      : word_(mac | uint64_t{interface} << 48 | uint64_t(reach) << 60) {}
  static constexpr Adjacency from_word(uint64_t word) {
    Adjacency adjacency;
    adjacency.word_ = word;
    return adjacency;
  }
  [[nodiscard]] constexpr Mac48 mac() const { return word_ & kMacMask; }
  [[nodiscard]] constexpr InterfaceIndex interface() const { return word_ >> 48 & 0xFFF; }
  [[nodiscard]] constexpr Reach reach() const { return static_cast<Reach>(word_ >> 60); }
  [[nodiscard]] constexpr uint64_t word() const { return word_; }

 private:
  uint64_t word_ = 0;
};

/// The table: one word an adjacency.
using AdjacencyWord = std::atomic<uint64_t>;

/// Which stale neighbors a worker sent to: one byte an adjacency, in memory that this worker alone writes 1
/// to, and control 0.
using AdjacencyUse = std::atomic<uint8_t>;

}  // namespace sluice::dataplane
