// SPDX-License-Identifier: BSD-3-Clause
//
// How much waits on a ring between two threads. DPDK's own rte_ring_count() reads both ends without atomics,
// which is a data race by the language's rules.
//
// Thread safety: any thread; the answer may be old by the time it is read.
#pragma once

#include <rte_ring.h>

namespace sluice::dataplane {

/// Packets on the ring; 0 for none.
inline unsigned waiting_on(const rte_ring* ring) {
  if (ring == nullptr) return 0;
  const uint32_t given = __atomic_load_n(&ring->prod.tail, __ATOMIC_ACQUIRE);
  const uint32_t taken = __atomic_load_n(&ring->cons.tail, __ATOMIC_RELAXED);
  const uint32_t count = (given - taken) & ring->mask;
  return count > ring->capacity ? ring->capacity : count;
}

}  // namespace sluice::dataplane
