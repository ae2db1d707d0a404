// SPDX-License-Identifier: BSD-3-Clause
//
// What the workers share with control and with each other. It is all there is: a stage that needs anything
// else to be shared belongs on this list first.
//
// Thread safety: the pointers and sizes are fixed before the first worker starts. `snapshot`,
//   `publish_request` and `stop` are written by control; a Post by its worker, but for `wake_fd`, which
//   anybody writes to. Every ring has one producer and one consumer; its name says which.
// Owner:         control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/adjacency.h"
#include "dataplane/counters.h"
#include "dataplane/keyed_hash.h"
#include "dataplane/mac_table.h"
#include "dataplane/next_hop_group.h"
#include "dataplane/punt_reasons.h"
#include "dataplane/route_epochs.h"
#include "dataplane/route_table.h"
#include "dataplane/session_dump.h"
#include "dataplane/snapshot.h"

struct rte_mempool;
struct rte_rcu_qsbr;
struct rte_ring;

namespace sluice::dataplane {

/// Slots of a ring between two workers: 16 bursts; a worker empties its rings on every turn.
inline constexpr unsigned kHandoverSlots = 1024;
/// Slots of a ring between a worker and control, a class each.
inline constexpr unsigned kPuntSlots = 512;

/// Where a worker can be reached, and where it leaves its counters when asked.
struct alignas(64) Post {
  std::atomic<bool> sleeping = false;   ///< somebody who gives it work must write to wake_fd
  int wake_fd = -1;                     ///< an eventfd
  std::atomic<uint64_t> following = 0;  ///< generation of the snapshot whose interrupts it listens to
  std::atomic<uint64_t> published = 0;  ///< the publish_request that `counters` answers
  Counters counters;                    ///< valid while `published` equals the request
  SessionDump sessions;
};

struct Shared {
  std::atomic<const Snapshot*> snapshot = nullptr;
  std::atomic<uint64_t> publish_request = 0;
  std::atomic<bool> stop = false;

  KeyedHash hash{{0, 0}};
  MacTable* macs = nullptr;
  const RouteTable<Ip4>* routes4 = nullptr;
  const RouteTable<Ip6>* routes6 = nullptr;
  const RouteEpochs* epochs = nullptr;
  const AdjacencyWord* adjacencies = nullptr;
  const NextHopGroup* groups = nullptr;
  std::array<AdjacencyUse*, kMaxWorkers> uses{};  ///< by worker, then by adjacency
  std::byte* nat_arena = nullptr;                 ///< see nat_arena.h; null: no NAT
  rte_mempool* pool = nullptr;
  rte_rcu_qsbr* rcu = nullptr;
  unsigned workers = 1;
  std::array<std::array<rte_ring*, kMaxWorkers>, kMaxWorkers> rings{};   ///< from worker, to worker
  std::array<std::array<rte_ring*, kPuntClasses>, kMaxWorkers> punts{};  ///< from worker to control
  std::array<rte_ring*, kMaxWorkers> injections{};                       ///< from control to worker
  std::atomic<bool> control_waits = false;  ///< who gives control work must write to control_fd
  int control_fd = -1;                      ///< an eventfd
  std::array<Post, kMaxWorkers> posts;
};

/// Wakes worker `index` if it sleeps. Call after the work is visible to it.
void wake(Shared& shared, unsigned index);
/// Wakes control if it waits. Call after the work is visible to it.
void wake_control(Shared& shared);

}  // namespace sluice::dataplane
