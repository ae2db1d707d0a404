// SPDX-License-Identifier: BSD-3-Clause
//
// A dataplane whose two workers have threads, on whichever cores there are.
//
// Thread safety: one control thread; give() and take() from any.
#pragma once

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/support/test_switch.h"

namespace sluice::test {

class ThreadedSwitch {
 public:
  /// `idle`: sleep | spin.
  explicit ThreadedSwitch(const std::string& yaml, std::string idle = "spin") : idle_(std::move(idle)) {
    start_dpdk();
    const std::vector<unsigned> cpus = control::available_cpus();
    const control::CpuPlan plan{.workers = {cpus.front(), cpus.back()}, .control = cpus, .shared = true};
    runtime_ = std::make_unique<control::Runtime>(devices_, control::Runtime::Options{.cpus = plan});
    const absl::Status status = runtime_->start(config(yaml));
    EXPECT_TRUE(status.ok()) << status.message();
  }

  config::Config config(const std::string& yaml) const {
    config::Config config = parse_or_die("workers: { cores: [0, 1], idle: " + idle_ + " }\n" + yaml);
    config.dpdk.mbufs = 16383;
    return config;
  }
  /// False: there is no buffer, or no room.
  bool give(const std::string& port, const Frame& frame, unsigned queue) {
    rte_mbuf* packet = make_packet(frame, runtime_->pool(), Buffer::pool);
    if (packet != nullptr && devices_.give(port, packet, queue)) return true;
    rte_pktmbuf_free(packet);
    return false;
  }
  /// The next frame that leaves by the port; empty: none does.
  Frame take(const std::string& port) {
    for (unsigned tries = 0; tries < 200'000; ++tries, usleep(20)) {
      if (rte_mbuf* packet = devices_.take(port)) return octets_of(packet);
    }
    return {};
  }
  /// Forgets what has left by the port.
  unsigned drain(const std::string& port) {
    unsigned packets = 0;
    for (; rte_mbuf* packet = devices_.take(port); ++packets) rte_pktmbuf_free(packet);
    return packets;
  }
  uint64_t drops(const std::string& port, dataplane::DropReason reason) {
    const dataplane::PortIndex index = runtime_->ports().at(port).index;
    return runtime_->books().total.ports[index].drops[static_cast<size_t>(reason)];
  }

  control::Runtime& runtime() { return *runtime_; }
  RingDevices& devices() { return devices_; }

 private:
  static Frame octets_of(rte_mbuf* packet) {
    Frame frame = octets(packet);
    rte_pktmbuf_free(packet);
    return frame;
  }

  std::string idle_;
  RingDevices devices_;
  std::unique_ptr<control::Runtime> runtime_;
};

}  // namespace sluice::test
