// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/thread_sanitizer.h"

#ifdef __SANITIZE_THREAD__

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <string>

namespace sluice::test {
namespace {

// A mempool over a ring, as DPDK's own, but compiled here and so instrumented.
int make(rte_mempool* pool) {
  static unsigned number = 0;
  const std::string name = "visible" + std::to_string(number++);
  pool->pool_data = rte_ring_create(name.c_str(), rte_align32pow2(pool->size + 1), pool->socket_id, 0);
  return pool->pool_data == nullptr ? -ENOMEM : 0;
}

rte_ring* ring(const rte_mempool* pool) {
  return static_cast<rte_ring*>(pool->pool_data);
}
void destroy(rte_mempool* pool) {
  rte_ring_free(ring(pool));
}

int put(rte_mempool* pool, void* const* objects, unsigned count) {
  return rte_ring_enqueue_bulk(ring(pool), objects, count, nullptr) == 0 ? -ENOBUFS : 0;
}

int get(rte_mempool* pool, void** objects, unsigned count) {
  return rte_ring_dequeue_bulk(ring(pool), objects, count, nullptr) == 0 ? -ENOBUFS : 0;
}

unsigned count(const rte_mempool* pool) {
  return rte_ring_count(ring(pool));
}

const rte_mempool_ops kOps = [] {
  rte_mempool_ops ops{};
  std::snprintf(ops.name, sizeof ops.name, "visible");
  ops.alloc = make;
  ops.free = destroy;
  ops.enqueue = put;
  ops.dequeue = get;
  ops.get_count = count;
  return ops;
}();

uint16_t received(uint16_t, uint16_t, rte_mbuf* packets[], uint16_t packet_count, uint16_t, void*) {
  for (uint16_t i = 0; i < packet_count; ++i) taking(packets[i]);
  return packet_count;
}

uint16_t transmitting(uint16_t, uint16_t, rte_mbuf* packets[], uint16_t packet_count, void*) {
  for (uint16_t i = 0; i < packet_count; ++i) giving(packets[i]);
  return packet_count;
}

}  // namespace

void use_visible_pools() {
  rte_mempool_register_ops(&kOps);
  rte_mbuf_set_user_mempool_ops("visible");
}

void show_queues(uint16_t port, uint16_t rx_queues, uint16_t tx_queues) {
  for (uint16_t queue = 0; queue < rx_queues; ++queue)
    rte_eth_add_rx_callback(port, queue, received, nullptr);
  for (uint16_t queue = 0; queue < tx_queues; ++queue)
    rte_eth_add_tx_callback(port, queue, transmitting, nullptr);
}

void giving(void* object) {
  __tsan_release(object);
}
void taking(void* object) {
  __tsan_acquire(object);
}

}  // namespace sluice::test

#endif
