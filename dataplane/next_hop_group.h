// SPDX-License-Identifier: BSD-3-Clause
//
// Equal-cost next hops (RFC 2991, RFC 2992). A flow's hash chooses one of the slots; control gives each
// neighbor as many slots as its weight says, and takes from the others as few as it can when one comes or
// goes.
//
// Thread safety: control alone writes a slot; any worker reads.
// Owner:         control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/adjacency.h"

namespace sluice::dataplane {

/// As many as let 1..64 neighbors with weights be served within a few percent.
inline constexpr unsigned kGroupSlots = 256;
inline constexpr unsigned kMaxGroups = 4096;

struct NextHopGroup {
  std::array<std::atomic<AdjacencyIndex>, kGroupSlots> slots;

  [[nodiscard]] AdjacencyIndex choose(uint64_t hash) const {
    return slots[hash % kGroupSlots].load(std::memory_order_relaxed);
  }
};

}  // namespace sluice::dataplane
