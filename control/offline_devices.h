// SPDX-License-Identifier: BSD-3-Clause
//
// Devices that are not there: every port is a pair of rings for each queue, behind DPDK's own ring driver,
// and whoever drives the pipeline holds their other ends. So packets pass the real receive and transmit calls
// without a device, root or huge pages: for replay, and for tests.
//
// Thread safety: open and close on the control thread; one thread at a time gives to and takes from a queue.
// Owner:         whoever runs the pipeline.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "control/devices.h"

struct rte_mbuf;
struct rte_ring;

namespace sluice::control {

class OfflineDevices : public Devices {
 public:
  absl::StatusOr<Device> open(const config::Port& port, const config::Config& all, const Wish& wish) override;
  absl::Status check(const config::Port&) override { return absl::OkStatus(); }
  bool can_coexist(const config::Port&, const config::Port&) override { return false; }
  void close(const config::Port& port, const Device& device) override;
  bool link_up(const Device&) override { return true; }

  /// The packet arrives at `queue` of `port`. False: its ring is full; the packet is still the caller's.
  bool give(const std::string& port, rte_mbuf* packet, unsigned queue = 0);
  /// The next packet that left by `port`, over whichever queue; null: none.
  rte_mbuf* take(const std::string& port);

  /// use(port, packet) for every packet that left, port by port. It must not call this object.
  template <class Use>
  void take_all(Use use) {
    const std::lock_guard lock(mutex_);
    for (const auto& [port, rings] : ports_) {
      for (rte_ring* ring : rings.out) {
        while (rte_mbuf* packet = dequeue(ring)) use(port, packet);
      }
    }
  }

  /// What so many queues take.
  static uint64_t bytes(uint64_t queues) { return queues * kSlots * sizeof(void*) * 2; }
  /// Slots of rings that are opened from now on; a power of two. One stays empty.
  void set_slots(unsigned slots) { slots_ = slots; }

 private:
  static constexpr unsigned kSlots = 4096;
  struct Rings {
    std::vector<rte_ring*> in, out;
  };
  rte_ring* make_ring();
  static rte_mbuf* dequeue(rte_ring* ring);

  std::mutex mutex_;  ///< traffic may flow while control opens and closes other ports
  std::map<std::string, Rings> ports_;
  unsigned slots_ = kSlots;
};

}  // namespace sluice::control
