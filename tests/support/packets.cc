// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/packets.h"

#include <rte_mbuf.h>

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "control/eal.h"
#include "tests/support/thread_sanitizer.h"

namespace sluice::test {
namespace {

void free_block(void* block, void* shared_info) {
  std::free(block);
  delete static_cast<rte_mbuf_ext_shared_info*>(shared_info);
}

void attach_block(rte_mbuf* packet, const Frame& frame) {
  // DPDK wants a length, even for nothing.
  const auto length = static_cast<uint16_t>(std::max<size_t>(frame.size(), 1));
  void* block = std::malloc(length);
  std::memcpy(block, frame.data(), frame.size());
  auto* shared = new rte_mbuf_ext_shared_info{};
  shared->free_cb = free_block;
  shared->fcb_opaque = shared;
  rte_mbuf_ext_refcnt_set(shared, 1);
  rte_pktmbuf_attach_extbuf(packet, block, RTE_BAD_IOVA, length, shared);
  packet->data_off = 0;
  packet->data_len = static_cast<uint16_t>(frame.size());
  packet->pkt_len = static_cast<uint32_t>(frame.size());
}

}  // namespace

rte_mbuf* make_packet(const Frame& frame, rte_mempool* pool, Buffer buffer) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool);
  if (packet == nullptr) return nullptr;
  const bool fits = frame.size() <= rte_pktmbuf_tailroom(packet);
  if (buffer == Buffer::pool && !fits) {
    rte_pktmbuf_free(packet);
    return make_segments(frame, 2000, pool);
  }
  if (buffer == Buffer::exact) {
    attach_block(packet, frame);
  } else {
    std::memcpy(rte_pktmbuf_append(packet, static_cast<uint16_t>(frame.size())), frame.data(), frame.size());
  }
  return packet;
}

rte_mbuf* make_segments(const Frame& frame, size_t length, rte_mempool* pool) {
  rte_mbuf* packet = nullptr;
  for (size_t at = 0; at < frame.size(); at += length) {
    const size_t size = std::min(length, frame.size() - at);
    rte_mbuf* segment = rte_pktmbuf_alloc(pool);
    std::memcpy(rte_pktmbuf_append(segment, static_cast<uint16_t>(size)), frame.data() + at, size);
    if (packet == nullptr) {
      packet = segment;
    } else {
      rte_pktmbuf_chain(packet, segment);
    }
  }
  return packet;
}

Frame octets(const rte_mbuf* packet) {
  Frame frame;
  for (const rte_mbuf* segment = packet; segment != nullptr; segment = segment->next) {
    const auto* data = rte_pktmbuf_mtod(segment, const uint8_t*);
    frame.insert(frame.end(), data, data + segment->data_len);
  }
  return frame;
}

void start_dpdk() {
  static const bool started = [] {
    control::EalOptions options;
    options.dpdk.hugepages = config::Dpdk::Hugepages::never;
    options.cpus = {.workers = {0}, .control = control::available_cpus(), .shared = true};
    options.memory_bytes = 192 << 20;
    const absl::Status status = control::start_eal(options);
    if (!status.ok()) {
      std::cerr << status.message() << '\n';
      std::exit(1);
    }
    use_visible_pools();
    return true;
  }();
  static_cast<void>(started);
}

}  // namespace sluice::test
