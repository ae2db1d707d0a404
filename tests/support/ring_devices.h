// SPDX-License-Identifier: BSD-3-Clause
//
// Devices whose other end a test holds: every port is a pair of rings for each queue, behind DPDK's own ring
// driver, so that the packets pass through the real receive and transmit calls.
//
// Thread safety: open and close on the control thread; one thread at a time gives to and takes from a queue.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "control/devices.h"

struct rte_mbuf;
struct rte_ring;

namespace sluice::test {

class RingDevices final : public control::Devices {
 public:
  absl::StatusOr<control::Device> open(const config::Port& port, const config::Config& all,
                                       const control::Wish& wish) override;
  absl::Status check(const config::Port&) override { return absl::OkStatus(); }
  bool can_coexist(const config::Port& old_form, const config::Port&) override {
    return coexisting_.contains(old_form.name);
  }
  void close(const config::Port& port, const control::Device& device) override;
  bool link_up(const control::Device& device) override;

  /// The packet arrives at `queue` of `port`. False: its ring is full; the packet is still the caller's.
  bool give(const std::string& port, rte_mbuf* packet, unsigned queue = 0);
  /// The next packet that left by `port`, over whichever queue; null: none.
  rte_mbuf* take(const std::string& port);

  void refuse(const std::string& port) { refused_.insert(port); }
  void let_coexist(const std::string& port) { coexisting_.insert(port); }
  void accept(const std::string& port) { refused_.erase(port); }
  void set_link(const std::string& port, bool up);
  void set_needs_linear(bool needs) { needs_linear_ = needs; }
  /// Slots of rings that are opened from now on; a power of two. One stays empty.
  void set_slots(unsigned slots) { slots_ = slots; }

  unsigned opened = 0;  ///< calls of open() that succeeded
  unsigned closed = 0;

 private:
  struct Rings {
    uint16_t id = 0;
    bool link_up = true;
    std::vector<rte_ring*> in, out;
  };
  rte_ring* make_ring();

  std::mutex mutex_;  ///< traffic may flow while control opens and closes other ports
  std::map<std::string, Rings> ports_;
  std::set<std::string> refused_, coexisting_;
  unsigned slots_ = 4096;
  bool needs_linear_ = false;
};

}  // namespace sluice::test
