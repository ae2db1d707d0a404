// SPDX-License-Identifier: BSD-3-Clause
//
// Frames as DPDK packets, and back.
//
// Thread safety: as the pool's.
#pragma once

#include "tests/support/frame.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::test {

/// How a frame lies in memory.
enum class Buffer {
  pool,   ///< in a buffer of the pool, with head- and tailroom, as from a driver
  exact,  ///< in a heap block of exactly its size, so that AddressSanitizer sees one octet too far
};

/// Null: the pool is empty.
rte_mbuf* make_packet(const Frame& frame, rte_mempool* pool, Buffer buffer);

/// The frame cut into segments of `length` octets. REQUIRES: the pool has enough buffers.
rte_mbuf* make_segments(const Frame& frame, size_t length, rte_mempool* pool);

/// The octets of all segments.
Frame octets(const rte_mbuf* packet);

/// Initialises DPDK for this process, once, without huge pages and without devices.
void start_dpdk();

}  // namespace sluice::test
