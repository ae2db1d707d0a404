// SPDX-License-Identifier: BSD-3-Clause
//
// OfflineDevices that also do what devices do to control and to the workers: refuse to open, lose their link,
// coexist, take no packets, disappear, keep a worker waiting.
//
// Thread safety: as OfflineDevices; what is done to a wire may be done while workers run.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "control/offline_devices.h"

struct rte_eth_rxtx_callback;

namespace sluice::test {

class RingDevices final : public control::OfflineDevices {
 public:
  absl::StatusOr<control::Device> open(const config::Port& port, const config::Config& all,
                                       const control::Wish& wish) override;
  bool can_coexist(const config::Port& old_form, const config::Port&) override {
    return coexisting_.contains(old_form.name);
  }
  void close(const config::Port& port, const control::Device& device) override;
  bool link_up(const control::Device& device) override { return !without_link_.contains(device.id); }

  bool give(const std::string& port, rte_mbuf* packet, unsigned queue = 0);
  rte_mbuf* take(const std::string& port);

  void refuse(const std::string& port) { refused_.insert(port); }
  void let_coexist(const std::string& port) { coexisting_.insert(port); }
  void accept(const std::string& port) { refused_.erase(port); }
  void set_link(const std::string& port, bool up);
  void set_needs_linear(bool needs) { needs_linear_ = needs; }

  /// The port's transmit queues take nothing until they do again.
  void block(const std::string& port) { wire(port).blocked = true; }
  void unblock(const std::string& port) { wire(port).blocked = false; }
  /// Somebody pulls the device out, and puts it in again: it takes nothing, gives nothing, and has no link.
  void pull_out(const std::string& port);
  void put_in(const std::string& port);
  /// The worker that next polls `queue` of `port` gets no further, as if another thread had its core, until
  /// it is let go. Returns when it stands there.
  void starve_worker_at(const std::string& port, unsigned queue);
  void let_go(const std::string& port);

  unsigned opened = 0;  ///< calls of open() that succeeded
  unsigned closed = 0;

 private:
  static constexpr unsigned kNoQueue = ~0u;
  /// What happens between a worker and a device.
  struct Wire {
    std::atomic<bool> blocked = false, pulled_out = false, is_starving = false;
    std::atomic<unsigned> starved_queue = kNoQueue;
    std::vector<const rte_eth_rxtx_callback*> receives, transmits;  ///< by queue
  };
  Wire& wire(const std::string& port);
  static uint16_t receive(uint16_t, uint16_t queue, rte_mbuf* packets[], uint16_t count, uint16_t,
                          void* wire);
  static uint16_t transmit(uint16_t, uint16_t, rte_mbuf* packets[], uint16_t count, void* wire);

  std::map<std::string, uint16_t> ids_;
  std::map<uint16_t, control::Device> devices_;
  std::map<uint16_t, std::unique_ptr<Wire>> wires_;
  std::set<std::string> refused_, coexisting_;
  std::set<uint16_t> without_link_;
  bool needs_linear_ = false;
};

}  // namespace sluice::test
