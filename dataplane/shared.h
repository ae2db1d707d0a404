// SPDX-License-Identifier: BSD-3-Clause
//
// What the workers share with control and with each other. It is all there is: a stage that needs anything
// else to be shared belongs on this list first.
//
// Thread safety: the pointers and sizes are fixed before the first worker starts. `snapshot`,
// `publish_request`
//   and `stop` are written by control; a Post by its worker, but for `wake_fd`, which anybody writes to.
//   rings[from][to] has one producer, worker `from`, and one consumer, worker `to`.
// Owner:         control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/counters.h"
#include "dataplane/mac_table.h"
#include "dataplane/snapshot.h"

struct rte_mempool;
struct rte_rcu_qsbr;
struct rte_ring;

namespace sluice::dataplane {

/// Slots of a ring between two workers: 16 bursts; a worker empties its rings on every turn.
inline constexpr unsigned kHandoverSlots = 1024;

/// Where a worker can be reached, and where it leaves its counters when asked.
struct alignas(64) Post {
  std::atomic<bool> sleeping = false;   ///< somebody who gives it work must write to wake_fd
  int wake_fd = -1;                     ///< an eventfd
  std::atomic<uint64_t> following = 0;  ///< generation of the snapshot whose interrupts it listens to
  std::atomic<uint64_t> published = 0;  ///< the publish_request that `counters` answers
  Counters counters;                    ///< valid while `published` equals the request
};

struct Shared {
  std::atomic<const Snapshot*> snapshot = nullptr;
  std::atomic<uint64_t> publish_request = 0;
  std::atomic<bool> stop = false;

  MacTable* macs = nullptr;
  rte_mempool* pool = nullptr;
  rte_rcu_qsbr* rcu = nullptr;
  unsigned workers = 1;
  std::array<std::array<rte_ring*, kMaxWorkers>, kMaxWorkers> rings{};
  std::array<Post, kMaxWorkers> posts;
};

/// Wakes worker `index` if it sleeps. Call after the work is visible to it.
void wake(Shared& shared, unsigned index);

}  // namespace sluice::dataplane
