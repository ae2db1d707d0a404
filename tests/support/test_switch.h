// SPDX-License-Identifier: BSD-3-Clause
//
// A switch from a YAML text, its workers stepped by the test on virtual time, its ports in the test's hands.
// When it goes, it has checked that nothing vanished and that every buffer came back.
//
// Thread safety: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/runtime.h"
#include "tests/support/frame.h"
#include "tests/support/ip.h"
#include "tests/support/packets.h"
#include "tests/support/ring_devices.h"

namespace sluice::test {

/// Parses `yaml`; a test with a wrong configuration ends there.
config::Config parse_or_die(const std::string& yaml);

class TestSwitch {
 public:
  struct Options {
    unsigned workers = 1;
    Buffer buffer = Buffer::exact;
    unsigned ring_slots = 4096;
    bool needs_linear = false;
  };

  explicit TestSwitch(const std::string& yaml) : TestSwitch(yaml, Options()) {}
  TestSwitch(const std::string& yaml, Options options);
  ~TestSwitch();

  /// `frame` arrives at `port`, and every worker makes a turn.
  void receive(const std::string& port, const Frame& frame, unsigned queue = 0);
  /// All of `frames` arrive as one burst.
  void receive_burst(const std::string& port, const Frames& frames, unsigned queue = 0);
  /// A packet that the test made itself.
  void receive_packet(const std::string& port, rte_mbuf* packet, unsigned queue = 0);
  void turn();
  /// Virtual time passes; control does what is due every second, and the router's timers fire at their time.
  void pass(unsigned seconds);
  /// As pass(), without the work of every second.
  void pass_ms(unsigned milliseconds);
  /// As pass_ms(), while the control thread does nothing at all.
  void pass_without_control(unsigned milliseconds);
  /// Turns of this worker until it has nothing left; the others and control do nothing.
  void turn_of(unsigned worker);

  /// What left by `port` since it was last asked, in order.
  Frames sent(const std::string& port);
  /// The same as sentences.
  std::vector<std::string> told(const std::string& port) { return test::told(sent(port)); }

  /// The MAC address of a layer 3 interface, "02:…".
  [[nodiscard]] std::string mac(const std::string& interface);
  /// The router learns that `address`, a host on the link of `interface`, has `mac`: the host at `port` asks
  /// for the router's address there, as a host does before it sends. What left by `port` is forgotten.
  void knows(const std::string& port, const std::string& interface, const std::string& mac,
             const std::string& address, std::optional<uint16_t> vlan = std::nullopt);

  [[nodiscard]] uint64_t drops(const std::string& port, dataplane::DropReason reason);
  [[nodiscard]] dataplane::Counters counters() { return runtime_->books().total; }
  /// "02:…" of every learned or static entry, with the port behind: "02:00:00:00:00:0a lan vlan 1 on a".
  [[nodiscard]] std::vector<std::string> macs(const control::MacFilter& filter = {});

  absl::Status reload(const std::string& yaml);
  control::Runtime& runtime() { return *runtime_; }
  RingDevices& devices() { return devices_; }
  rte_mempool* pool() { return runtime_->pool(); }

 private:
  Options options_;
  RingDevices devices_;
  std::unique_ptr<control::Runtime> runtime_;
  uint64_t now_ns_ = 0;
};

}  // namespace sluice::test
