// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

#include <algorithm>
#include <utility>

#include "dataplane/nat_arena.h"
#include "dataplane/nat_flow.h"
#include "dataplane/punt.h"
#include "dataplane/ring.h"
#include "dataplane/sleeper.h"

namespace sluice::dataplane {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr uint32_t kMillisecondsPerSecond = 1000;

// Lines of sessions that are looked at in one turn: some 20 µs.
constexpr uint64_t kSweptSessions = 4096;

// Timing every sweep would cost 7 cycles a packet; one in 64 costs less than 1.
constexpr uint64_t kTimedSweeps = 64;

// Turns without work before a worker lies down: some 10 to 100 µs, longer than the gaps in busy traffic.
constexpr unsigned kPatience = 256;

// Turns after the order to stop: at 64 packets a queue, more than any queue holds.
constexpr unsigned kLastTurns = 256;

}  // namespace

Worker::Worker(Shared& shared, unsigned index) : context_{.shared = shared, .worker = index} {
  if (shared.nat_arena != nullptr) context_.nat.emplace(NatArena::tables(shared.nat_arena, index));
}

Worker::~Worker() {
  while (context_.again.size() != 0) rte_pktmbuf_free(context_.again.pop().packet);
}

void Worker::catch_up() {
  adopt_snapshot();
  NoTracer nobody;
  take_over(nobody);
  publish_if_asked();
}

unsigned Worker::poll(uint64_t now_ns) {
  NoTracer nobody;
  return turn(now_ns, nobody);
}

unsigned Worker::poll(uint64_t now_ns, Tracer& tracer) {
  return turn(now_ns, tracer);
}

template <class Watch>
unsigned Worker::turn(uint64_t now_ns, Watch& watch) {
  adopt_snapshot();
  context_.now_ns = now_ns;
  context_.now_s = static_cast<uint32_t>(now_ns / kNanosecondsPerSecond);
  context_.now_ms = static_cast<uint32_t>(now_ns / kNanosecondsPerMillisecond);
  if (context_.nat) sweep_sessions();
  // What others give comes first: it is older than what waits in the queues.
  unsigned packets = take_over(watch);
  for (const ReceiveQueue& queue : context_.snapshot->queues[context_.worker]) {
    packets += receive(queue, watch);
    packets += sweep_again(watch);
  }
  packets += sweep_again(watch);
  if (std::exchange(context_.punted, false)) wake_control(context_.shared);
  publish_if_asked();
  return packets;
}

void Worker::adopt_snapshot() {
  context_.snapshot = context_.shared.snapshot.load(std::memory_order_acquire);
}

void Worker::begin_batch() {
  for (Lane& lane : batch_.lanes) lane.count = 0;
}

void Worker::start_at(Stage stage, uint8_t place, PortIndex ingress, uint8_t passes) {
  batch_.ingress[place] = ingress;
  batch_.passes[place] = passes;
  batch_.steered[place] = 0;
  batch_.lane(stage).push(place);
}

template <class Watch>
unsigned Worker::receive(const ReceiveQueue& queue, Watch& watch) {
  const unsigned packets = rte_eth_rx_burst(queue.device, queue.queue, batch_.packet.data(), kBatchSize);
  if (packets == 0) return 0;
  begin_batch();
  uint64_t bytes = 0;
  for (unsigned i = 0; i < packets; ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(batch_.packet[i], const void*));
    bytes += batch_.packet[i]->pkt_len;
    start_at(Stage::parse, static_cast<uint8_t>(i), queue.port, 0);
  }
  PortCounters& counters = context_.counters.ports[queue.port];
  counters.received += packets;
  counters.received_bytes += bytes;
  sweep(packets, watch);
  return packets;
}

// What was there when it looked.
template <class Watch>
unsigned Worker::sweep_again(Watch& watch) {
  Again& again = context_.again;
  const auto waiting = static_cast<unsigned>(again.size());
  for (unsigned left = waiting; left != 0;) {
    const unsigned packets = std::min(left, kBatchSize);
    begin_batch();
    for (unsigned i = 0; i < packets; ++i) {
      const Again::Entry entry = again.pop();
      batch_.packet[i] = entry.packet;
      batch_.interface[i] = 0;
      batch_.tagged[i] = 0;
      start_at(entry.own ? Stage::ip_in : Stage::parse, static_cast<uint8_t>(i), entry.ingress, entry.passes);
    }
    sweep(packets, watch);
    left -= packets;
  }
  return waiting;
}

template <class Watch>
unsigned Worker::take_over(Watch& watch) {
  unsigned packets = take_over_from(context_.shared.injections[context_.worker], watch);
  for (unsigned from = 0; from < context_.shared.workers; ++from) {
    packets += take_over_from(context_.shared.rings[from][context_.worker], watch);
  }
  return packets;
}

// Takes all that was there when it looked: control may then close a port two quiescent points after the swap
// that removed it, sure that no ring holds a packet for it.
template <class Watch>
unsigned Worker::take_over_from(rte_ring* ring, Watch& watch) {
  const unsigned waiting = waiting_on(ring);
  for (unsigned left = waiting; left != 0;) {
    std::array<rte_mbuf*, kBatchSize> packets;
    const unsigned taken = rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(packets.data()),
                                                     std::min(left, kBatchSize), nullptr);
    context_.counters.taken_over += taken;
    begin_batch();
    sweep(admit_arrivals(packets.data(), taken), watch);
    left -= taken;
  }
  return waiting;
}

// Those that are ready to leave go straight to their ports; the others become a batch. Returns how many.
unsigned Worker::admit_arrivals(rte_mbuf* const* packets, unsigned count) {
  uint8_t admitted = 0;
  for (unsigned i = 0; i < count; ++i) {
    const ArrivalNote& note = arrival_note(packets[i]);
    if (note.arrival == Arrival::transmit) {
      enqueue(context_, note.port, packets[i]);
    } else {
      batch_.packet[admitted] = packets[i];
      admit_arrival(admitted++);
    }
  }
  return admitted;
}

void Worker::admit_arrival(uint8_t place) {
  const ArrivalNote& note = arrival_note(batch_.packet[place]);
  switch (note.arrival) {
    case Arrival::steered:
      start_at(Stage::parse, place, note.port, note.passes);
      batch_.steered[place] = static_cast<uint8_t>(note.steer.flags | kWasSteered);
      return;
    case Arrival::again:
      return start_at(Stage::parse, place, note.port, note.passes);
    case Arrival::own:
      batch_.interface[place] = 0;
      batch_.tagged[place] = 0;
      return start_at(Stage::ip_in, place, kSelfPort, note.passes);
    default:
      return admit_link_frame(place, note.interface);
  }
}

void Worker::admit_link_frame(uint8_t place, InterfaceIndex index) {
  const auto& interfaces = context_.snapshot->interfaces;
  const Interface interface = index < interfaces.size() ? interfaces[index] : Interface();
  if (interface.mac == 0) {
    batch_.drop_reason[place] = DropReason::interface_gone;
    return start_at(Stage::drop, place, kSelfPort, 0);
  }
  const auto* frame = rte_pktmbuf_mtod(batch_.packet[place], const uint8_t*);
  batch_.destination[place] = load_destination(frame);
  batch_.source[place] = load_source(frame);
  batch_.tagged[place] = 0;
  batch_.tci[place] = 0;
  batch_.routed[place] = 1;
  batch_.domain[place] = interface.domain;
  batch_.egress[place] = interface.port;
  start_at(interface.port == kNoPort ? Stage::bridge_out : Stage::transmit, place, kSelfPort, 0);
}

template <class Watch>
void Worker::sweep(unsigned packets, Watch& watch) {
  context_.epoch = context_.shared.epochs->now();
  context_.counters.packets += packets;
  if (++context_.counters.sweeps % kTimedSweeps == 0 && std::is_same_v<Watch, NoTracer>) {
    run_stages_timed();
  } else {
    run_stages(watch);
  }
  context_.counters.held = context_.again.size();
}

// Every line once a second, some in each turn: a turn stays short however many sessions there are.
void Worker::sweep_sessions() {
  NatTables& nat = *context_.nat;
  const uint32_t elapsed_ms = context_.now_ms - last_sweep_ms_;
  last_sweep_ms_ = context_.now_ms;
  // In thousandths of a line, so that short turns add up.
  const uint64_t all = uint64_t{nat.sessions.capacity()} * kMillisecondsPerSecond;
  const uint64_t due = uint64_t{nat.sessions.capacity()} * std::min(elapsed_ms, kMillisecondsPerSecond);
  sessions_to_sweep_ = std::min(all, sessions_to_sweep_ + due);
  // New rules: what they do not cover any more should go at once.
  if (std::exchange(swept_under_, context_.snapshot->nat.generation) != context_.snapshot->nat.generation)
    sessions_to_sweep_ = all;
  const auto budget =
      static_cast<uint32_t>(std::min(sessions_to_sweep_ / kMillisecondsPerSecond, kSweptSessions));
  if (budget == 0) return;
  sessions_to_sweep_ -= uint64_t{budget} * kMillisecondsPerSecond;
  const uint32_t generation = context_.snapshot->nat.generation;
  const auto has_lost_its_rule = [&](const Session& session) {
    if (session.rules_stamp == generation) [[likely]]
      return false;
    auto& line = const_cast<Session&>(session);  // the table's, and this worker's
    if (!still_holds(context_, line)) return true;
    line.rules_stamp = generation;
    return false;
  };
  nat.sweep(context_.now_ms, budget, has_lost_its_rule);
  context_.counters.sessions_ended = nat.ended;
}

void Worker::answer_dump() {
  SessionDump& dump = context_.shared.posts[context_.worker].sessions;
  const uint64_t asked = dump.asked.load(std::memory_order_acquire);
  if (asked == dump.answered.load(std::memory_order_relaxed)) [[likely]]
    return;
  dump.count = 0;
  dump.now_ms = context_.now_ms;
  SessionTable& sessions = context_.nat->sessions;
  sessions.for_each(dump.cursor, SessionDump::kLines, [&](SessionIndex index, const Session& session) {
    if (is_past(session.deadline_ms, context_.now_ms) || !dump.filter.matches(session)) return;
    if (dump.order == SessionDump::Order::copy) {
      dump.sessions[dump.count++] = session;
    } else {
      context_.nat->end(index);
      ++dump.count;
    }
  });
  context_.counters.sessions_ended = context_.nat->ended;
  dump.answered.store(asked, std::memory_order_release);
}

void Worker::run_stages(NoTracer&) {
  for (size_t stage = 0; stage < kStages; ++stage) {
    if (!batch_.lanes[stage].empty()) kStageFunctions[stage](context_, batch_);
  }
  flush(context_);
}

void Worker::run_stages(Tracer& tracer) {
  tracer.begin(context_, batch_);
  for (size_t stage = 0; stage < kStages; ++stage) {
    if (batch_.lanes[stage].empty()) continue;
    tracer.before(static_cast<Stage>(stage), context_, batch_);
    kStageFunctions[stage](context_, batch_);
    tracer.after(static_cast<Stage>(stage), context_, batch_);
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
  if (context_.nat) answer_dump();
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
  const Post& post = shared.posts[context_.worker];
  if (post.sessions.asked != post.sessions.answered) return true;
  // After a long sleep: more than one turn sweeps.
  if (sessions_to_sweep_ >= uint64_t{kSweptSessions} * kMillisecondsPerSecond) return true;
  if (waiting_on(shared.injections[context_.worker]) != 0) return true;
  for (unsigned from = 0; from < shared.workers; ++from) {
    if (waiting_on(shared.rings[from][context_.worker]) != 0) return true;
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
