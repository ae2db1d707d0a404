// SPDX-License-Identifier: BSD-3-Clause
#include "control/offline_pipeline.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "control/buffers.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;
constexpr unsigned kFewestBuffers = 4096;
constexpr unsigned kBuffersAFrame = 8;  // of 2 KiB, and copies for floods

Runtime::Options runtime_options(const OfflineOptions& options) {
  Runtime::Options made{.mode = Runtime::Mode::stepped, .cpus = {}, .seed = {options.seed, 1}};
  for (unsigned worker = 0; worker < options.workers; ++worker) made.cpus.workers.push_back(worker);
  return made;
}

// The file as it is without its devices.
config::Config adapted(config::Config config, const OfflineOptions& options) {
  for (config::Port& port : config.ports) {
    port.device = config::Port::Device::null;
    port.rx_queues.reset();
    port.tx_queues.reset();
  }
  if (!config.dpdk.mbufs) config.dpdk.mbufs = std::max(kFewestBuffers, options.burst * kBuffersAFrame);
  return config;
}

// A copy in buffers of the pool; null: there are not enough.
rte_mbuf* packet_of(std::span<const uint8_t> frame, rte_mempool* pool) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool);
  rte_mbuf* last = packet;
  while (packet != nullptr) {
    const auto size = static_cast<uint16_t>(std::min<size_t>(frame.size(), rte_pktmbuf_tailroom(last)));
    std::memcpy(rte_pktmbuf_mtod(last, void*), frame.data(), size);
    last->data_len = size;
    packet->pkt_len += size;
    frame = frame.subspan(size);
    if (frame.empty()) return packet;
    last->next = rte_pktmbuf_alloc(pool);
    if (last->next == nullptr) break;
    last = last->next;
    ++packet->nb_segs;
  }
  rte_pktmbuf_free(packet);
  return nullptr;
}

}  // namespace

EalOptions offline_eal(const config::Config& config, const OfflineOptions& options) {
  EalOptions eal;
  eal.dpdk = config.dpdk;
  eal.dpdk.hugepages = config::Dpdk::Hugepages::never;
  eal.cpus = {.workers = {0}, .control = available_cpus(), .shared = true};
  eal.memory_bytes = mbuf_bytes(mbuf_count(adapted(config, options), options.workers)) +
                     handover_bytes(options.workers) +
                     OfflineDevices::bytes(config.ports.size() * 2 * options.workers);
  return eal;
}

OfflinePipeline::OfflinePipeline(OfflineOptions options, Sent sent)
    : options_(options), sent_(std::move(sent)), runtime_(devices_, runtime_options(options)) {}

absl::Status OfflinePipeline::start(config::Config config) {
  const absl::Status status = runtime_.start(adapted(std::move(config), options_));
  if (status.ok()) turn();
  return status;
}

absl::Status OfflinePipeline::reload(config::Config config) {
  const absl::Status status = runtime_.apply(adapted(std::move(config), options_));
  if (status.ok()) turn();
  return status;
}

absl::Status OfflinePipeline::receive(const std::string& port, std::span<const uint8_t> frame) {
  rte_mbuf* packet = packet_of(frame, runtime_.pool());
  if (packet != nullptr && devices_.give(port, packet, queue_)) return absl::OkStatus();
  rte_pktmbuf_free(packet);
  return machine_error("there are too few packet buffers for the burst (dpdk: mbufs)");
}

void OfflinePipeline::turn() {
  while (runtime_.step(now_ns_) != 0) continue;
  queue_ = (queue_ + 1) % options_.workers;
  collect();
}

void OfflinePipeline::pass_until(uint64_t end_ns) {
  while (true) {
    const uint64_t next_second_ns = second_ns_ + kSecond_ns;
    const uint64_t due_ns = std::min(runtime_.router().next_due().value_or(UINT64_MAX), next_second_ns);
    if (due_ns > end_ns) break;
    now_ns_ = std::max(now_ns_, due_ns);
    turn();
    if (due_ns != next_second_ns) continue;
    runtime_.age_macs();
    second_ns_ = next_second_ns;
  }
  now_ns_ = std::max(now_ns_, end_ns);
}

void OfflinePipeline::collect() {
  devices_.take_all([this](const std::string& port, rte_mbuf* packet) {
    scratch_.resize(packet->pkt_len);
    const void* octets = rte_pktmbuf_read(packet, 0, packet->pkt_len, scratch_.data());
    sent_(port, {static_cast<const uint8_t*>(octets), packet->pkt_len});
    rte_pktmbuf_free(packet);
  });
}

void OfflinePipeline::end() {
  turn();
  runtime_.router().drop_all(dataplane::DropReason::end_of_replay);
  turn();
}

}  // namespace sluice::control
