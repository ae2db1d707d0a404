// SPDX-License-Identifier: BSD-3-Clause
//
// A router and three hosts that it knows, for the tests of layer 3:
//
//   Ann  192.168.10.7, fd00:10::7   VLAN 10, access port a          the router is .1, fd00:10::1
//   Bob  192.168.20.8, fd00:20::8   VLAN 20, tagged on trunk t      the router is .1, fd00:20::1
//   Cat  203.0.113.1, 2001:db8::1   routed port w; the way to all   the router is .2, 2001:db8::2
//
// Packets are compared octet by octet: what a builder makes for the next hop is what has to leave.
//
// Thread safety: one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/ip.h"
#include "tests/support/test_switch.h"

namespace sluice::test {

using Said = std::vector<std::string>;
using dataplane::DropReason;

/// Where a host is, and at which interface it finds the router.
struct Host {
  const char* port;
  const char* interface;
  const char* mac;
  int vlan = -1;
};
inline constexpr Host kAnnHost{"a", "lan10", kAnn};
inline constexpr Host kBobHost{"t", "lan20", kBob, 20};
inline constexpr Host kCatHost{"w", "uplink", kCat};

inline constexpr const char* kUplinkMac = "02:00:00:00:71:02";
inline constexpr const char* kTables = "tables: { macs: 256, routes: 1024, neighbors: 256, sessions: 64 }\n";
inline constexpr const char* kLans = R"(
bridges: { lan: { ports: { a: { vlan: 10 }, t: { vlans: [10, 20] } } } }
interfaces:
  lan10: { bridge: lan, vlan: 10, addresses: [192.168.10.1/24, "fd00:10::1/64"] }
  lan20: { bridge: lan, vlan: 20, addresses: [192.168.20.1/24, "fd00:20::1/64"] }
)";
inline constexpr const char* kThreeNeighbors = R"(
neighbors:
  - { address: 192.168.10.7, mac: "02:00:00:00:00:0a", interface: lan10 }
  - { address: "fd00:10::7", mac: "02:00:00:00:00:0a", interface: lan10 }
  - { address: 192.168.20.8, mac: "02:00:00:00:00:0b", interface: lan20 }
  - { address: "fd00:20::8", mac: "02:00:00:00:00:0b", interface: lan20 }
  - { address: 203.0.113.1, mac: "02:00:00:00:00:0c", interface: uplink }
  - { address: "2001:db8::1", mac: "02:00:00:00:00:0c", interface: uplink }
)";
inline constexpr const char* kBothDefaults = R"(
routes:
  - { to: default, via: 203.0.113.1 }
  - { to: default, via: "2001:db8::1" }
)";

/// `uplink`: more keys of the outside interface; `routes`, `neighbors`: whole sections; `more`: at the end.
struct Home {
  std::string uplink = "";
  std::string routes = kBothDefaults;
  std::string neighbors = kThreeNeighbors;
  std::string more = "";
  std::string mtu = "1500";  ///< of all ports

  operator std::string() const {  // NOLINT: it is meant to become its text
    return "ports: { a: {device: \"null\", mtu: " + mtu + "}, t: {device: \"null\", mtu: " + mtu +
           "}, w: {device: \"null\", mtu: " + mtu + "} }\n" + kTables + kLans +
           "  uplink: { port: w, mac: \"" + kUplinkMac +
           "\", addresses: [203.0.113.2/24, \"2001:db8::2/64\"]" + uplink + " }\n" + routes + neighbors +
           more;
  }
};

/// A router that has announced itself, and is quiet.
class TestRouter : public TestSwitch {
 public:
  explicit TestRouter(const std::string& yaml = Home(), Options options = {}) : TestSwitch(yaml, options) {
    pass(2);
    hush();
  }

  /// Forgets what has left so far.
  void hush() {
    for (const auto& [name, port] : runtime().ports()) sent(name);
  }
  /// `packet` as `host` sends it to the router.
  Frame by(const Host& host, PacketBuilder packet) {
    if (host.vlan >= 0) packet.vlan(static_cast<uint16_t>(host.vlan));
    return packet.via(host.mac, mac(host.interface));
  }
  /// `packet` as the router sends it to `host`.
  Frame to(const Host& host, PacketBuilder packet) {
    if (host.vlan >= 0) packet.vlan(static_cast<uint16_t>(host.vlan));
    const Frame frame = packet.via(mac(host.interface), host.mac);
    return padded(frame, frame.size() < 60 ? 60 - frame.size() : 0);
  }
  /// `host` sends `packet` to the router.
  void send(const Host& host, const PacketBuilder& packet, unsigned queue = 0) {
    receive(host.port, by(host, packet), queue);
  }
  /// What left by all ports, in the order of the ports.
  Said said() {
    Said all;
    for (const auto& [name, port] : runtime().ports()) {
      for (const std::string& sentence : told(name)) all.push_back(name + ": " + sentence);
    }
    return all;
  }
  /// Drops for this reason, of all ports.
  uint64_t all_drops(DropReason reason) {
    const dataplane::Counters all = counters();
    return std::accumulate(
        all.ports.begin(), all.ports.end(), uint64_t{0},
        [&](uint64_t sum, const auto& port) { return sum + port.drops[static_cast<size_t>(reason)]; });
  }
};

/// Whether the frames are the same to the octet; if not, what they are.
inline testing::AssertionResult same(const Frames& left, const Frames& expected) {
  if (left == expected) return testing::AssertionSuccess();
  testing::AssertionResult result = testing::AssertionFailure();
  const auto list = [&](const char* what, const Frames& frames) {
    result << "\n" << what << ":";
    for (const Frame& frame : frames)
      result << "\n  " << told_macs(frame) << "  " << told(frame) << "  " << frame.size() << " octets";
  };
  list("what left", left);
  list("what was to leave", expected);
  if (left.size() == expected.size()) {
    for (size_t i = 0; i < left.size(); ++i) {
      const auto [a, b] =
          std::mismatch(left[i].begin(), left[i].end(), expected[i].begin(), expected[i].end());
      if (a != left[i].end() || b != expected[i].end())
        result << "\nframe " << i << " differs from octet " << a - left[i].begin() << " on";
    }
  }
  return result;
}

/// How many workers there are, and how packets lie in memory.
struct Way {
  unsigned workers;
  Buffer buffer;
  friend void PrintTo(const Way& way, std::ostream* out) {
    *out << way.workers << " workers, " << (way.buffer == Buffer::pool ? "pool" : "exact") << " buffers";
  }
};

/// Every test runs on one worker with both kinds of buffers, and on two and on four.
class RouterTest : public testing::TestWithParam<Way> {
 protected:
  static TestRouter make(const std::string& yaml = Home()) {
    return TestRouter(yaml, {.workers = GetParam().workers, .buffer = GetParam().buffer});
  }
  /// The queues of every port: each belongs to another worker.
  static std::vector<unsigned> queues() {
    std::vector<unsigned> all(GetParam().workers);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
};

inline const auto kWays =
    testing::Values(Way{1, Buffer::exact}, Way{1, Buffer::pool}, Way{2, Buffer::exact}, Way{4, Buffer::pool});
inline std::string way_name(const testing::TestParamInfo<Way>& info) {
  return std::to_string(info.param.workers) + (info.param.buffer == Buffer::pool ? "_pool" : "_exact");
}

}  // namespace sluice::test
