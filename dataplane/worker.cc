// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include <algorithm>

#include "dataplane/sleeper.h"

namespace sluice::dataplane {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Timing every sweep would cost 7 cycles a packet; one in 64 costs less than 1.
constexpr uint64_t kTimedSweeps = 64;

// Turns without work before a worker lies down: some 10 to 100 µs, longer than the gaps in busy traffic.
constexpr unsigned kPatience = 256;

// Turns after the order to stop: at 64 packets a queue, more than any queue holds.
constexpr unsigned kLastTurns = 256;

}  // namespace

Worker::Worker(Shared& shared, unsigned index) : context_{.shared = shared, .worker = index} {}

Worker::~Worker() {
  while (context_.again.size() != 0) rte_pktmbuf_free(context_.again.pop().packet);
}

void Worker::catch_up() {
  adopt_snapshot();
  take_over();
}

unsigned Worker::poll(uint64_t now_ns) {
  adopt_snapshot();
  context_.now_ns = now_ns;
  context_.now_s = static_cast<uint32_t>(now_ns / kNanosecondsPerSecond);
  unsigned packets = 0;
  for (const ReceiveQueue& queue : context_.snapshot->queues[context_.worker]) packets += receive(queue);
  packets += sweep_again();
  packets += take_over();
  publish_if_asked();
  return packets;
}

void Worker::adopt_snapshot() {
  context_.snapshot = context_.shared.snapshot.load(std::memory_order_acquire);
}

unsigned Worker::receive(const ReceiveQueue& queue) {
  const unsigned packets = rte_eth_rx_burst(queue.device, queue.queue, batch_.packet.data(), kBatchSize);
  if (packets == 0) return 0;
  uint64_t bytes = 0;
  for (unsigned i = 0; i < packets; ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(batch_.packet[i], const void*));
    bytes += batch_.packet[i]->pkt_len;
    batch_.ingress[i] = queue.port;
    batch_.passes[i] = 0;
  }
  PortCounters& counters = context_.counters.ports[queue.port];
  counters.received += packets;
  counters.received_bytes += bytes;
  sweep(packets);
  return packets;
}

unsigned Worker::sweep_again() {
  Again& again = context_.again;
  const auto packets = static_cast<unsigned>(std::min<size_t>(again.size(), kBatchSize));
  if (packets == 0) [[likely]]
    return 0;
  for (unsigned i = 0; i < packets; ++i) {
    const Again::Entry entry = again.pop();
    batch_.packet[i] = entry.packet;
    batch_.ingress[i] = entry.ingress;
    batch_.passes[i] = entry.passes;
  }
  sweep(packets);
  return packets;
}

unsigned Worker::take_over() {
  unsigned packets = 0;
  for (unsigned from = 0; from < context_.shared.workers; ++from) {
    if (rte_ring* ring = context_.shared.rings[from][context_.worker]) packets += take_over_from(ring);
  }
  return packets;
}

// Takes all that was there when it looked: control may then close a port two quiescent points after the swap
// that removed it, sure that no ring holds a packet for it.
unsigned Worker::take_over_from(rte_ring* ring) {
  const unsigned waiting = rte_ring_count(ring);
  for (unsigned left = waiting; left != 0;) {
    std::array<rte_mbuf*, kBatchSize> packets;
    const unsigned taken = rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(packets.data()),
                                                     std::min(left, kBatchSize), nullptr);
    context_.counters.taken_over += taken;
    for (unsigned i = 0; i < taken; ++i) enqueue(context_, packets[i]->port, packets[i]);
    flush(context_);
    left -= taken;
  }
  return waiting;
}

void Worker::sweep(unsigned packets) {
  for (Lane& lane : batch_.lanes) lane.count = 0;
  Lane& first = batch_.lane(Stage::parse);
  for (unsigned i = 0; i < packets; ++i) first.push(static_cast<uint8_t>(i));
  context_.counters.packets += packets;
  if (++context_.counters.sweeps % kTimedSweeps == 0) {
    run_stages_timed();
  } else {
    run_stages();
  }
  context_.counters.held = context_.again.size();
}

void Worker::run_stages() {
  for (size_t stage = 0; stage < kStages; ++stage) {
    if (!batch_.lanes[stage].empty()) kStageFunctions[stage](context_, batch_);
  }
  flush(context_);
}

void Worker::run_stages_timed() {
  uint64_t before = rte_rdtsc();
  const auto lap = [&](Stage stage) {
    const uint64_t now = rte_rdtsc();
    context_.counters.stages[static_cast<size_t>(stage)].cycles += now - before;
    before = now;
  };
  for (size_t stage = 0; stage < kStages; ++stage) {
    if (batch_.lanes[stage].empty()) continue;
    context_.counters.stages[stage].packets += batch_.lanes[stage].count;
    kStageFunctions[stage](context_, batch_);
    lap(static_cast<Stage>(stage));
  }
  flush(context_);
  lap(Stage::transmit);  // what the drivers take belongs to it
}

void Worker::publish_if_asked() {
  Post& post = context_.shared.posts[context_.worker];
  const uint64_t asked = context_.shared.publish_request.load(std::memory_order_acquire);
  if (asked == post.published.load(std::memory_order_relaxed)) [[likely]]
    return;
  post.counters = context_.counters;
  post.published.store(asked, std::memory_order_release);
}

bool Worker::has_work_waiting() const {
  const Shared& shared = context_.shared;
  if (shared.stop || shared.snapshot != context_.snapshot || context_.again.size() != 0) return true;
  if (shared.publish_request != shared.posts[context_.worker].published) return true;
  for (unsigned from = 0; from < shared.workers; ++from) {
    const rte_ring* ring = shared.rings[from][context_.worker];
    if (ring != nullptr && rte_ring_count(ring) != 0) return true;
  }
  return false;
}

void Worker::run(const Clock& clock, Idle idle) {
  rte_rcu_qsbr* rcu = context_.shared.rcu;
  const unsigned self = context_.worker;
  Sleeper sleeper(context_.shared.posts[self]);
  rte_rcu_qsbr_thread_register(rcu, self);
  rte_rcu_qsbr_thread_online(rcu, self);
  unsigned quiet = 0;  // turns without work, in a row
  uint64_t turn_began = rte_rdtsc();
  while (!context_.shared.stop.load(std::memory_order_relaxed)) {
    const unsigned packets = poll(clock.ns(turn_began));
    // The interrupts of a port that is about to close are let go before control hears that we have moved on.
    sleeper.follow(*context_.snapshot, self);
    context_.shared.posts[self].following.store(context_.snapshot->generation, std::memory_order_release);
    rte_rcu_qsbr_quiescent(rcu, self);
    quiet = packets == 0 ? quiet + 1 : 0;
    if (packets != 0) {
      sleeper.get_up();
    } else if (idle == Idle::sleep && quiet >= kPatience) {
      // The turn that comes between lying down and waiting sees what arrived before we could be woken.
      if (sleeper.is_down() && !has_work_waiting()) doze(sleeper);
      sleeper.lie_down();
    }
    const uint64_t now = rte_rdtsc();
    (packets == 0 ? context_.counters.idle_cycles : context_.counters.busy_cycles) += now - turn_began;
    turn_began = now;
  }
  // What has arrived is still forwarded, unless it never ends.
  for (unsigned turn = 0; turn < kLastTurns && poll(clock.ns(rte_rdtsc())) != 0; ++turn) {
  }
  sleeper.forget_all();
  rte_rcu_qsbr_thread_offline(rcu, self);
  rte_rcu_qsbr_thread_unregister(rcu, self);
}

void Worker::doze(Sleeper& sleeper) {
  rte_rcu_qsbr* rcu = context_.shared.rcu;
  ++context_.counters.sleeps;
  rte_rcu_qsbr_thread_offline(rcu, context_.worker);
  sleeper.wait();
  rte_rcu_qsbr_thread_online(rcu, context_.worker);
}

}  // namespace sluice::dataplane
