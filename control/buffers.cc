// SPDX-License-Identifier: BSD-3-Clause
#include "control/buffers.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_ring.h>

#include <algorithm>
#include <bit>

#include "control/router.h"
#include "dataplane/counters.h"
#include "dataplane/mac_table.h"
#include "dataplane/punt.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"

namespace sluice::control {
namespace {

constexpr uint32_t kLeast = 16384;
// Packets that a worker may hold in its mempool cache, a batch, and the copies it makes of it.
constexpr uint32_t kPerWorker = 1024;
// What may wait on its way to control and back, and for neighbors.
constexpr uint32_t kPerPunter = dataplane::kPuntSlots * (dataplane::kPuntClasses + 1);
constexpr unsigned kCache = 256;          // buffers that a worker keeps without asking the others
constexpr uint32_t kPerQueue = 2048;      // receive and transmit descriptors
constexpr uint32_t kPerRingQueue = 4096;  // what a peer may have sent

constexpr uint32_t kElement = sizeof(rte_mbuf) + dataplane::kPrivateArea + kBufferRoom;

uint32_t queues(const config::Port& port, unsigned workers) {
  if (port.device == config::Port::Device::null) return 0;
  return port.rx_queues.value_or(static_cast<uint16_t>(workers));
}

}  // namespace

uint32_t mbuf_count(const config::Config& config, unsigned workers) {
  if (config.dpdk.mbufs) return *config.dpdk.mbufs;
  uint32_t needed = workers * (kPerWorker + kPerPunter) + workers * (workers - 1) * dataplane::kHandoverSlots;
  for (const config::Port& port : config.ports) {
    const bool ring = port.device == config::Port::Device::ring;
    needed += queues(port, workers) * (ring ? kPerRingQueue : kPerQueue);
  }  // A mempool wastes least when it holds one less than a power of two.
  return std::bit_ceil(std::max(needed, kLeast)) - 1;
}

uint64_t mbuf_bytes(uint32_t count) {
  rte_mempool_objsz size{};
  return uint64_t{count} * rte_mempool_calc_obj_size(kElement, 0, &size);
}

rte_mempool* make_pool(uint32_t count) {
  // Without huge pages DPDK would keep every buffer within one page of 4 KiB, for devices that we then cannot
  // have.
  const unsigned flags = rte_eal_has_hugepages() != 0 ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
  rte_mempool* pool = rte_mempool_create_empty("packets", count, kElement, kCache,
                                               sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY, flags);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private room{};
  room.mbuf_data_room_size = kBufferRoom;
  room.mbuf_priv_size = dataplane::kPrivateArea;
  rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr);
  rte_pktmbuf_pool_init(pool, &room);
  if (rte_mempool_populate_default(pool) < 0) {
    rte_mempool_free(pool);
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  return pool;
}

uint64_t handover_bytes(unsigned workers) {
  const auto one = static_cast<uint64_t>(rte_ring_get_memsize(dataplane::kHandoverSlots));
  const auto punt = static_cast<uint64_t>(rte_ring_get_memsize(dataplane::kPuntSlots));
  return uint64_t{workers} * ((workers - 1) * one + (dataplane::kPuntClasses + 1) * punt);
}

std::vector<Item> memory_plan(const config::Config& config, unsigned workers) {
  const uint32_t mbufs = mbuf_count(config, workers);
  return {
      {"packet buffers", mbufs, mbuf_bytes(mbufs)},
      {"macs", config.tables.macs, dataplane::MacTable::memory_bytes(config.tables.macs)},
      {"routes", config.tables.routes, Router::route_bytes(config), true},
      {"neighbors", config.tables.neighbors, Router::memory_bytes(config, workers), true},
      {"sessions", config.tables.sessions, Router::session_bytes(config, workers), true},
      {"workers", workers,
       workers * (sizeof(dataplane::Worker) + sizeof(dataplane::Post)) + handover_bytes(workers)},
  };
}

}  // namespace sluice::control
