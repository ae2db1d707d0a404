// SPDX-License-Identifier: BSD-3-Clause
//
// The real pipeline on virtual time, its ports in the fuzzer's hands; every packet that arrives lies in a
// heap block of exactly its size, each segment of a chained one likewise.
//
// Thread safety: one thread.
#pragma once

#include <memory>
#include <vector>

#include "control/runtime.h"
#include "tests/fuzz/plan.h"
#include "tests/fuzz/segments.h"
#include "tests/support/ring_devices.h"

struct rte_mbuf;

namespace sluice::fuzz {

class World {
 public:
  World(unsigned workers, uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void arrive(const Packet& packet, Random& random);
  /// The workers and control work until they are quiet.
  void turn();
  /// Virtual time goes on: timers fire, and the work of every second is done.
  void pass_ms(unsigned milliseconds);
  /// Another configuration is put in force.
  void reload(Variant variant);
  /// What waits for something is dropped.
  void drop_all();
  /// use(port, frame) for everything that left.
  template <class Use>
  void leave(Use use) {
    devices_.take_all([&](const std::string& port, rte_mbuf* packet) {
      use(port_name(port), octets_of(packet));
      release(packet);
    });
  }

  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] unsigned workers() const { return workers_; }
  control::Runtime& runtime() { return *runtime_; }

 private:
  static PortName port_name(const std::string& name);
  Octets octets_of(rte_mbuf* packet);
  static void release(rte_mbuf* packet);
  rte_mbuf* make_chain(const Frame& frame, Random& random);

  unsigned workers_;
  Plan plan_;
  test::RingDevices devices_;
  std::unique_ptr<control::Runtime> runtime_;
  Frame scratch_;
  uint64_t now_ns_ = 0, second_ns_ = 0;
};

}  // namespace sluice::fuzz
