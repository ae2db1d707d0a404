// SPDX-License-Identifier: BSD-3-Clause
//
// The packet path as the neighbors see it, in memory: what they sent, what they told it, and what became of
// the packets that they held. And the world of their tests: a router, two networks, some hosts.
//
// Thread safety: none.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "control/checksums.h"
#include "control/neighbors.h"
#include "tests/control/hex.h"

namespace sluice::test {

using control::IpAddress;
using control::L3Interface;
using control::Neighbors;
using control::NeighborState;
using dataplane::Adjacency;
using dataplane::AdjacencyIndex;
using dataplane::DropReason;
using dataplane::InterfaceIndex;
using dataplane::Reach;

constexpr uint64_t kSecond = 1'000'000'000;

class FakeNeighborPort : public control::NeighborPort {
 public:
  struct GivenUp {
    uintptr_t packet;
    DropReason reason;
    bool unreachable;
    bool operator==(const GivenUp&) const = default;
  };

  void send(InterfaceIndex interface, std::vector<uint8_t> frame) override {
    const auto before = sent_ns.find(frame);
    if (before != sent_ns.end()) shortest_ns = std::min(shortest_ns, *clock - before->second);
    sent_ns[frame] = *clock;
    sent.emplace_back(interface, std::move(frame));
  }
  void set_adjacency(AdjacencyIndex index, Adjacency adjacency) override { adjacencies[index] = adjacency; }
  bool take_use(AdjacencyIndex index) override { return used.erase(index) != 0; }
  void add_host_route(InterfaceIndex interface, const IpAddress& address, AdjacencyIndex index) override {
    EXPECT_NE(adjacencies[index].reach(), Reach::unused) << "a route to a neighbor that is not there yet";
    EXPECT_TRUE(routes.emplace(std::pair(interface, address), index).second);
  }
  void remove_host_route(InterfaceIndex interface, const IpAddress& address) override {
    EXPECT_EQ(routes.erase({interface, address}), 1u);
  }
  void retire_index(AdjacencyIndex index) override {
    EXPECT_EQ(adjacencies[index].reach(), Reach::unused);
    retired.push_back(index);
  }
  void release(rte_mbuf* packet) override { released.push_back(reinterpret_cast<uintptr_t>(packet)); }
  void give_up(rte_mbuf* packet, DropReason reason, bool unreachable) override {
    given_up.push_back({reinterpret_cast<uintptr_t>(packet), reason, unreachable});
  }

  std::vector<std::pair<InterfaceIndex, Bytes>> sent;
  std::map<AdjacencyIndex, Adjacency> adjacencies;
  const uint64_t* clock = nullptr;
  std::map<Bytes, uint64_t> sent_ns;    ///< when each frame was sent last
  uint64_t shortest_ns = ~uint64_t{0};  ///< between two that are the same
  std::set<AdjacencyIndex> used;        ///< stale ones that a worker sent to
  std::map<std::pair<InterfaceIndex, IpAddress>, AdjacencyIndex> routes;
  std::vector<AdjacencyIndex> retired;
  std::vector<uintptr_t> released;
  std::vector<GivenUp> given_up;
};

/// A router with `lan` (1: 10.0.0.1/24, 2001:db8::1/64) and `wan` (2: 192.0.2.1/31).
class NeighborsTest : public testing::Test {
 protected:
  explicit NeighborsTest(control::NeighborLimits limits = {64, 64}) : neighbors_(limits, port_) {
    lan_.name = "lan";
    lan_.index = 1;
    lan_.mac = mac("02:00:00:00:00:01");
    lan_.ipv4 = {{ip4("10.0.0.1"), 24}};
    lan_.ipv6 = {{ip6("2001:db8::1"), 64}, {ip6("fe80::1"), 64}};
    wan_.name = "wan";
    wan_.index = 2;
    wan_.mac = mac("02:00:00:00:00:02");
    wan_.ipv4 = {{ip4("192.0.2.0"), 31}};
    port_.clock = &now_;
    configure();
    advance(kSecond);  // past duplicate detection
    forget();
  }

  void configure() { neighbors_.set_interfaces(std::vector{lan_, wan_}, now_); }
  void forget() {
    port_.sent.clear();
    port_.released.clear();
    port_.given_up.clear();
    port_.retired.clear();
  }

  /// Does all that falls due in `ns`, each at its time.
  void advance(uint64_t ns) {
    const uint64_t end = now_ + ns;
    for (auto due = neighbors_.next_due(); due && *due <= end; due = neighbors_.next_due()) {
      ASSERT_GE(*due, now_);
      now_ = *due;
      neighbors_.advance(now_);
    }
    now_ = end;
  }

  void hold(const std::string& address, uintptr_t packet, InterfaceIndex interface = 1) {
    neighbors_.hold(interface, ip(address), reinterpret_cast<rte_mbuf*>(packet), now_);
  }
  void hold(AdjacencyIndex index, uintptr_t packet) {
    neighbors_.hold(index, reinterpret_cast<rte_mbuf*>(packet), now_);
  }

  void arp(uint16_t operation, const std::string& sender_mac, const std::string& sender,
           const std::string& target, InterfaceIndex interface = 1) {
    const control::Arp message{control::ArpOperation::request, mac(sender_mac), ip4(sender), 0, ip4(target)};
    Bytes frame = control::arp_request(message.sender_mac, message.sender, message.target);
    frame[21] = static_cast<uint8_t>(operation);
    neighbors_.arp(interface, Bytes(frame.begin() + 14, frame.end()), now_);
  }
  void arp_request(const std::string& from, const std::string& sender, const std::string& target) {
    arp(1, from, sender, target);
  }
  void arp_reply(const std::string& from, const std::string& sender, const std::string& target = "10.0.0.1") {
    arp(2, from, sender, target);
  }

  /// An advertisement from `address`; `flags`: 0x40 solicited, 0x20 override. An empty `from`: no option.
  void advertise(const std::string& from, const std::string& address, uint8_t flags,
                 const std::string& to = "2001:db8::1") {
    const control::Nd question{control::Nd::Kind::solicitation, ip6(to), {}, ip6(address)};
    Bytes frame =
        control::neighbor_advertisement(mac(from.empty() ? "02:00:00:00:00:77" : from), question, 0);
    frame[58] = flags;
    if (from.empty()) {
      frame = without_option(frame);
    }
    give_nd(std::move(frame));
  }
  /// An ND frame without its option.
  static Bytes without_option(const Bytes& frame) {
    Bytes shorter(frame.begin(), frame.begin() + 78);
    shorter[19] = 24;
    return shorter;
  }
  void solicit(const std::string& from, const std::string& source, const std::string& target) {
    give_nd(source == "::" ? control::duplicate_probe(mac(from), ip6(target))
                           : control::neighbor_solicitation(mac(from), ip6(source), ip6(target)));
  }
  void give_nd(Bytes frame) {
    dataplane::Ipv6Header header;
    std::memcpy(&header, frame.data() + 14, sizeof header);
    frame[56] = frame[57] = 0;
    const control::Octets message = control::Octets(frame).subspan(54);
    const uint16_t sum = control::InternetChecksum()
                             .add_pseudo_header(header, static_cast<uint32_t>(message.size()), 58)
                             .add(message)
                             .value();
    std::memcpy(frame.data() + 56, &sum, sizeof sum);
    neighbors_.nd(1, Bytes(frame.begin() + 14, frame.end()), dataplane::load_source(frame.data()), now_);
  }

  /// "incomplete", "reachable", ...; "none" if there is no such neighbor.
  std::string state(const std::string& address, InterfaceIndex interface = 1) const {
    const auto info = find(address, interface);
    return info ? std::string(control::state_text(info->state)) : "none";
  }
  std::optional<control::NeighborInfo> find(const std::string& address, InterfaceIndex interface = 1) const {
    for (const auto& info : neighbors_.list(now_))
      if (info.interface == interface && info.address == ip(address)) return info;
    return std::nullopt;
  }
  Adjacency adjacency(const std::string& address) {
    const auto info = find(address);
    return info ? port_.adjacencies[info->index] : Adjacency();
  }
  void use(const std::string& address) { port_.used.insert(find(address)->index); }
  size_t sent_since(size_t before) const { return port_.sent.size() - before; }

  void make_reachable(const std::string& address, const std::string& from) {
    hold(address, 1);
    if (ip(address).is_ipv4()) {
      arp_reply(from, address);
    } else {
      advertise(from, address, 0x60);
    }
    ASSERT_EQ(state(address), "reachable");
    forget();
  }

  L3Interface lan_, wan_;
  uint64_t now_ = 1'000 * kSecond;
  FakeNeighborPort port_;
  Neighbors neighbors_;
};

}  // namespace sluice::test
