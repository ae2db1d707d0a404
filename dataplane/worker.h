// SPDX-License-Identifier: BSD-3-Clause
//
// A worker: the loop that takes bursts from its receive queues and sweeps each through the stages.
//
// Thread safety: one thread at a time calls poll() or run(). Everything else that is shared is in Shared.
// Invariants:    no packet stays in a lane or a transmit vector past the end of poll().
// Owner:         control, which also gives it its thread.
#pragma once

#include <cstdint>

#include "dataplane/batch.h"
#include "dataplane/clock.h"
#include "dataplane/context.h"
#include "dataplane/shared.h"
#include "dataplane/tracer.h"

struct rte_ring;

namespace sluice::dataplane {

class Sleeper;

/// What a worker does when nothing arrives.
enum class Idle : uint8_t {
  spin,   ///< polls on: least latency, a whole core
  sleep,  ///< waits for an interrupt, or looks once a millisecond at ports that have none
};

class Worker {
 public:
  Worker(Shared& shared, unsigned index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// One turn: a burst from each receive queue, the `again` queue, the rings from other workers.
  /// `now_ns` must not run backwards. Returns how many packets there were.
  unsigned poll(uint64_t now_ns);
  /// The same while `tracer` looks on.
  unsigned poll(uint64_t now_ns, Tracer& tracer);

  /// Adopts the snapshot in force and sends what other workers gave it; receives nothing.
  void catch_up();

  /// Turns until Shared::stop. Registers the thread with the RCU state; the thread must be known to EAL.
  void run(const Clock& clock, Idle idle);

  /// Valid while no other thread is in poll() or run().
  [[nodiscard]] Counters& counters() { return context_.counters; }
  [[nodiscard]] Context& context() { return context_; }

 private:
  void adopt_snapshot();
  // Twice each: with a Tracer, and with NoTracer.
  template <class Watch>
  unsigned turn(uint64_t now_ns, Watch& watch);
  template <class Watch>
  unsigned receive(const ReceiveQueue& queue, Watch& watch);
  template <class Watch>
  unsigned sweep_again(Watch& watch);
  template <class Watch>
  unsigned take_over(Watch& watch);
  template <class Watch>
  unsigned take_over_from(rte_ring* ring, Watch& watch);
  template <class Watch>
  void sweep(unsigned packets, Watch& watch);
  unsigned admit_arrivals(rte_mbuf* const* packets, unsigned count);
  void admit_arrival(uint8_t place);
  void admit_link_frame(uint8_t place, InterfaceIndex interface);
  void begin_batch();
  void start_at(Stage stage, uint8_t place, PortIndex ingress, uint8_t passes);
  void sweep_sessions();
  void answer_dump();
  void run_stages(NoTracer& nobody);
  void run_stages(Tracer& tracer);
  void run_stages_timed();
  void publish_if_asked();
  [[nodiscard]] bool has_work_waiting() const;
  void doze(Sleeper& sleeper);

  Context context_;
  Batch batch_;
  uint32_t swept_under_ = 0;        ///< generation of the rules
  uint32_t last_sweep_ms_ = 0;      ///< of the sessions
  uint64_t sessions_to_sweep_ = 0;  ///< thousandths of lines that are due
};

}  // namespace sluice::dataplane
