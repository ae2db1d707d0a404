// SPDX-License-Identifier: BSD-3-Clause
//
// How many packet buffers (mbufs) a configuration needs, and what they and the tables cost: the same
// arithmetic for `sluice check`, which prints it, and for `sluice run`, which allocates it.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"

struct rte_mempool;

namespace sluice::control {

/// Octets of one mbuf's data: headroom and one full frame of 1500 octets with two tags; larger frames take
/// several.
inline constexpr uint32_t kBufferRoom = 2176;

/// What dpdk: mbufs says, or: full queues of every port, what workers keep at hand, and 16383 at least, so
/// that ports can be added later.
uint32_t mbuf_count(const config::Config& config, unsigned workers);
uint64_t mbuf_bytes(uint32_t count);

/// Makes the pool; null when the memory cannot be had.
rte_mempool* make_pool(uint32_t count);

/// Octets of the rings between the workers, and between them and control.
uint64_t handover_bytes(unsigned workers);

/// A line of the plan.
struct Item {
  std::string what;
  uint64_t capacity;
  uint64_t bytes;
  bool grows = false;  ///< only address space is taken at start, and memory as entries come
};

/// Everything that is allocated at start, by size.
std::vector<Item> memory_plan(const config::Config& config, unsigned workers);

}  // namespace sluice::control
