// SPDX-License-Identifier: BSD-3-Clause
//
// Which route a packet takes, and what its sender is told when it takes none: behaviours B33, B34, B55.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Routes : public RouterTest {};
INSTANTIATE_TEST_SUITE_P(Ways, Routes, kWays, way_name);

// Next hops whose last octet is that of their MAC address.
std::string hops() {
  std::string text = kThreeNeighbors;
  for (const char* hop : {"11", "12", "13", "14"}) {
    text += "  - { address: 203.0.113." + std::string(hop) + ", mac: \"02:00:00:00:00:" + hop +
            "\", interface: uplink }\n";
    text += "  - { address: \"2001:db8::" + std::string(hop) + "\", mac: \"02:00:00:00:00:" + hop +
            "\", interface: uplink }\n";
  }
  return text;
}

struct Step {
  const char* prefix;
  const char* via;
  const char* mac;
};
using Steps = std::vector<Step>;

// The routes without the last `without`.
std::string routes_of(const Steps& steps, size_t without = 0) {
  if (without == steps.size()) return "";
  std::string text = "routes:\n";
  for (size_t i = 0; i + without < steps.size(); ++i)
    text += "  - { to: \"" + std::string(steps[i].prefix) + "\", via: \"" + steps[i].via + "\" }\n";
  return text;
}

std::string home(const std::string& routes) {
  return Home{.routes = routes, .neighbors = hops()};
}

// The MAC address that the one frame went to which left by w; what left if it was not one.
std::string went_to(TestRouter& router) {
  const Frames sent = router.sent("w");
  if (sent.size() != 1) return std::to_string(sent.size()) + " frames";
  return told_macs(sent.front()).substr(std::string("02:00:00:00:00:00 > ").size());
}

std::string way_of(TestRouter& router, const std::string& destination, unsigned queue = 0) {
  const bool ipv6 = destination.find(':') != std::string::npos;
  router.hush();
  router.send(
      kAnnHost,
      ipv6 ? udp("[fd00:10::7]:1", "[" + destination + "]:2") : udp("192.168.10.7:1", destination + ":2"),
      queue);
  return went_to(router);
}

const Steps kIpv4Steps = {
    {"0.0.0.0/0", "203.0.113.1", "02:00:00:00:00:0c"},
    {"198.51.0.0/16", "203.0.113.11", "02:00:00:00:00:11"},
    {"198.51.100.0/24", "203.0.113.12", "02:00:00:00:00:12"},
    {"198.51.100.8/31", "203.0.113.13", "02:00:00:00:00:13"},
    {"198.51.100.9/32", "203.0.113.14", "02:00:00:00:00:14"},
};
const Steps kIpv6Steps = {
    {"::/0", "2001:db8::1", "02:00:00:00:00:0c"},
    {"2001:db8:7::/48", "2001:db8::11", "02:00:00:00:00:11"},
    {"2001:db8:7:1::/64", "2001:db8::12", "02:00:00:00:00:12"},
    {"2001:db8:7:1::8/127", "2001:db8::13", "02:00:00:00:00:13"},
    {"2001:db8:7:1::9/128", "2001:db8::14", "02:00:00:00:00:14"},
};

// ---- B33: the longest match

TEST_P(Routes, B33_takes_the_longest_prefix_that_covers_the_destination) {
  TestRouter router = make(home(routes_of(kIpv4Steps)));
  const std::map<std::string, const char*> all = {
      {"8.8.8.8", "02:00:00:00:00:0c"},       {"198.50.255.255", "02:00:00:00:00:0c"},
      {"198.51.0.0", "02:00:00:00:00:11"},    {"198.51.99.255", "02:00:00:00:00:11"},
      {"198.51.100.0", "02:00:00:00:00:12"},  {"198.51.100.7", "02:00:00:00:00:12"},
      {"198.51.100.8", "02:00:00:00:00:13"},  {"198.51.100.9", "02:00:00:00:00:14"},
      {"198.51.100.10", "02:00:00:00:00:12"}, {"198.51.100.255", "02:00:00:00:00:12"},
      {"198.51.101.0", "02:00:00:00:00:11"},  {"198.51.255.255", "02:00:00:00:00:11"},
      {"198.52.0.0", "02:00:00:00:00:0c"},    {"223.255.255.255", "02:00:00:00:00:0c"},
      {"1.0.0.0", "02:00:00:00:00:0c"},
  };
  for (const unsigned queue : queues()) {
    for (const auto& [destination, mac] : all)
      EXPECT_EQ(way_of(router, destination, queue), mac) << destination;
  }
}

TEST_P(Routes, B33_takes_the_longest_ipv6_prefix_that_covers_the_destination) {
  TestRouter router = make(home(routes_of(kIpv6Steps)));
  const std::map<std::string, const char*> all = {
      {"2a00::1", "02:00:00:00:00:0c"},         {"2001:db8:6:ffff::1", "02:00:00:00:00:0c"},
      {"2001:db8:7::", "02:00:00:00:00:11"},    {"2001:db8:7:2::1", "02:00:00:00:00:11"},
      {"2001:db8:7:1::", "02:00:00:00:00:12"},  {"2001:db8:7:1::7", "02:00:00:00:00:12"},
      {"2001:db8:7:1::8", "02:00:00:00:00:13"}, {"2001:db8:7:1::9", "02:00:00:00:00:14"},
      {"2001:db8:7:1::a", "02:00:00:00:00:12"}, {"2001:db8:8::", "02:00:00:00:00:0c"},
  };
  for (const unsigned queue : queues()) {
    for (const auto& [destination, mac] : all)
      EXPECT_EQ(way_of(router, destination, queue), mac) << destination;
  }
}

TEST_P(Routes, B33_a_route_that_a_reload_removes_leaves_its_packets_to_the_one_that_covers_it) {
  for (const auto& [steps, destination] :
       {std::pair(kIpv4Steps, "198.51.100.9"), std::pair(kIpv6Steps, "2001:db8:7:1::9")}) {
    TestRouter router = make(home(routes_of(steps)));
    for (size_t removed = 0; removed < steps.size(); ++removed) {
      ASSERT_TRUE(router.reload(home(routes_of(steps, removed))).ok());
      EXPECT_EQ(way_of(router, destination), steps[steps.size() - 1 - removed].mac) << removed;
    }
    ASSERT_TRUE(router.reload(home("")).ok());
    EXPECT_EQ(way_of(router, destination), "0 frames");
    EXPECT_EQ(router.drops("a", DropReason::no_route), 1u);
    for (size_t removed = steps.size(); removed-- > 0;) {
      ASSERT_TRUE(router.reload(home(routes_of(steps, removed))).ok());
      EXPECT_EQ(way_of(router, destination), steps[steps.size() - 1 - removed].mac) << "back: " << removed;
    }
  }
}

TEST_P(Routes, B33_both_addresses_of_a_network_of_two_are_hosts) {  // RFC 3021
  TestRouter router = make(R"(
ports: { a: {device: "null"}, w: {device: "null"}, x: {device: "null"} }
interfaces:
  lan10: { port: a, mac: "02:00:00:00:10:01", addresses: [192.168.10.1/24] }
  low: { port: w, mac: "02:00:00:00:71:01", addresses: [203.0.113.0/31] }
  high: { port: x, mac: "02:00:00:00:71:02", addresses: [203.0.113.3/31] }
)" + std::string(kTables));
  router.send(kAnnHost, echo_request("192.168.10.7", "203.0.113.0", 7));
  router.send(kAnnHost, echo_request("192.168.10.7", "203.0.113.3", 8));
  EXPECT_EQ(router.told("a"), Said{"arp who-has 192.168.10.7 tell 192.168.10.1"});
  router.receive("a", arp_reply(kAnn, "192.168.10.7", router.mac("lan10"), "192.168.10.1"));
  EXPECT_EQ(router.told("a"), (Said{"icmp 203.0.113.0 > 192.168.10.7 ttl 64 echo-reply 7/1",
                                    "icmp 203.0.113.3 > 192.168.10.7 ttl 64 echo-reply 8/1"}));
  router.send(kAnnHost, udp("192.168.10.7:1", "203.0.113.1:2"));
  router.send(kAnnHost, udp("192.168.10.7:1", "203.0.113.2:2"));
  EXPECT_EQ(router.said(), (Said{"w: arp who-has 203.0.113.1 tell 203.0.113.0",
                                 "x: arp who-has 203.0.113.2 tell 203.0.113.3"}));
}

TEST_P(Routes, B33_a_reload_may_turn_a_route_to_another_next_hop_between_any_two_packets) {
  TestRouter router = make(home("routes: [{ to: 198.51.100.0/24, via: 203.0.113.11 }]\n"));
  for (unsigned round = 0; round < 20; ++round) {
    const std::string hop = round % 2 == 0 ? "12" : "11";
    ASSERT_TRUE(router.reload(home("routes: [{ to: 198.51.100.0/24, via: 203.0.113." + hop + " }]\n")).ok());
    EXPECT_EQ(way_of(router, "198.51.100.9"), "02:00:00:00:00:" + hop);
  }
}

// ---- B34: what the sender is told

const char* const kAllTypes = R"(
routes:
  - { to: 198.51.100.0/24, type: blackhole }
  - { to: 198.51.101.0/24, type: unreachable }
  - { to: 198.51.102.0/24, type: prohibit }
  - { to: "2001:db8:100::/48", type: blackhole }
  - { to: "2001:db8:101::/48", type: unreachable }
  - { to: "2001:db8:102::/48", type: prohibit }
)";

struct Refusal {
  const char* destination;
  const char* error;  ///< empty: silence
  DropReason reason;
};

TEST_P(Routes, B34_tells_the_sender_why_there_is_no_way) {
  TestRouter router = make(home(kAllTypes));
  const std::vector<Refusal> all = {
      {"198.51.100.9", "", DropReason::blackhole},
      {"198.51.101.9", "3/1", DropReason::route_unreachable},
      {"198.51.102.9", "3/13", DropReason::route_prohibit},
      {"198.51.103.9", "3/0", DropReason::no_route},
      {"192.168.10.1", "3/3", DropReason::no_listener},
  };
  for (const unsigned queue : queues()) {
    for (const Refusal& refusal : all) {
      const uint64_t before = router.drops("a", refusal.reason);
      const std::string destination = refusal.destination + std::string(":53");
      router.send(kAnnHost, udp("192.168.10.7:5000", destination), queue);
      EXPECT_EQ(router.drops("a", refusal.reason), before + 1) << destination;
      const std::string error = "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error " +
                                std::string(refusal.error) + " about (udp 192.168.10.7:5000 > " +
                                destination + " ttl 64)";
      EXPECT_EQ(router.told("a"), *refusal.error == 0 ? Said{} : Said{error}) << destination;
      router.hush();
    }
  }
}

TEST_P(Routes, B34_tells_the_sender_of_ipv6_why_there_is_no_way) {
  TestRouter router = make(home(kAllTypes));
  const std::vector<Refusal> all = {
      {"2001:db8:100::9", "", DropReason::blackhole},
      {"2001:db8:101::9", "1/3", DropReason::route_unreachable},
      {"2001:db8:102::9", "1/1", DropReason::route_prohibit},
      {"2001:db8:103::9", "1/0", DropReason::no_route},
      {"fd00:10::1", "1/4", DropReason::no_listener},
  };
  for (const unsigned queue : queues()) {
    for (const Refusal& refusal : all) {
      const uint64_t before = router.drops("a", refusal.reason);
      const std::string destination = "[" + std::string(refusal.destination) + "]:53";
      router.send(kAnnHost, udp("[fd00:10::7]:5000", destination), queue);
      EXPECT_EQ(router.drops("a", refusal.reason), before + 1) << destination;
      const std::string error = "icmp fd00:10::1 > fd00:10::7 ttl 64 error " + std::string(refusal.error) +
                                " about (udp [fd00:10::7]:5000 > " + destination + " ttl 64)";
      EXPECT_EQ(router.told("a"), *refusal.error == 0 ? Said{} : Said{error}) << destination;
      router.hush();
    }
  }
}

TEST_P(Routes, B34_an_unserved_port_of_any_own_address_answers_from_that_address) {
  TestRouter router = make();
  router.send(kAnnHost, udp("192.168.10.7:5000", "203.0.113.2:53"));
  router.send(kAnnHost, udp("192.168.10.7:5000", "192.168.20.1:53").ttl(1));
  EXPECT_EQ(router.told("a"), (Said{"icmp 203.0.113.2 > 192.168.10.7 ttl 64 error 3/3 about "
                                    "(udp 192.168.10.7:5000 > 203.0.113.2:53 ttl 64)",
                                    "icmp 192.168.20.1 > 192.168.10.7 ttl 64 error 3/3 about "
                                    "(udp 192.168.10.7:5000 > 192.168.20.1:53 ttl 1)"}));
}

TEST_P(Routes, B34_is_silent_to_what_is_neither_udp_nor_echo) {
  TestRouter router = make();
  router.send(kAnnHost, tcp("192.168.10.7:5000", "192.168.10.1:22"));
  router.send(kAnnHost, tcp("[fd00:10::7]:5000", "[fd00:10::1]:22"));
  router.send(kAnnHost, ip(47, "192.168.10.7", "192.168.10.1"));
  EXPECT_EQ(router.drops("a", DropReason::no_listener), 3u);
  EXPECT_EQ(router.said(), Said());
}

TEST_P(Routes, B34_tells_three_seconds_after_the_first_packet_that_the_neighbor_did_not_answer) {
  TestRouter router = make();
  const std::string request = "arp who-has 192.168.20.9 tell 192.168.20.1 vlan 20";
  for (const unsigned queue : queues()) {
    router.hush();
    router.send(kAnnHost, udp("192.168.10.7:1", "192.168.20.9:2"), queue);
    EXPECT_EQ(router.said(), Said{"t: " + request});
    for (unsigned second = 1; second < 3; ++second) {
      router.pass_ms(999);
      EXPECT_EQ(router.said(), Said()) << second;
      router.pass_ms(1);
      EXPECT_EQ(router.said(), Said{"t: " + request}) << second;
    }
    router.pass_ms(999);
    EXPECT_EQ(router.said(), Said());
    router.pass_ms(1);
    EXPECT_EQ(router.told("a"), Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/1 about "
                                     "(udp 192.168.10.7:1 > 192.168.20.9:2 ttl 64)"});
    EXPECT_EQ(router.drops("a", DropReason::neighbor_failed), queue + 1);
    router.pass(10);
    EXPECT_EQ(router.told("t"), Said()) << "nobody asks any more";
  }
}

TEST_P(Routes, B34_tells_that_an_ipv6_neighbor_did_not_answer) {
  TestRouter router = make();
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[fd00:20::9]:2"));
  const Said request = {"t: nd who-has fd00:20::9 from fd00:20::1 vlan 20"};
  EXPECT_EQ(router.said(), request);
  router.pass_ms(1000);
  EXPECT_EQ(router.said(), request);
  router.pass_ms(1000);
  EXPECT_EQ(router.said(), request);
  router.pass_ms(1000);
  EXPECT_EQ(router.told("a"), Said{"icmp fd00:10::1 > fd00:10::7 ttl 64 error 1/3 about "
                                   "(udp [fd00:10::7]:1 > [fd00:20::9]:2 ttl 64)"});
}

TEST_P(Routes, B34_a_next_hop_that_does_not_answer_is_as_a_neighbor_that_does_not) {
  TestRouter router = make(home("routes: [{ to: 198.51.100.0/24, via: 203.0.113.99 }]\n"));
  for (unsigned round = 0; round < 2; ++round) {  // a route keeps its next hop: it is asked for again
    router.send(kAnnHost, udp("192.168.10.7:1", "198.51.100.1:2"));
    EXPECT_EQ(router.said(), Said{"w: arp who-has 203.0.113.99 tell 203.0.113.2"});
    router.pass_ms(2999);
    EXPECT_EQ(router.told("w").size(), 2u);
    router.pass_ms(1);
    EXPECT_EQ(router.told("a"), Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/1 about "
                                     "(udp 192.168.10.7:1 > 198.51.100.1:2 ttl 64)"});
  }
}

// ---- B55: which of several routes for one prefix

TEST_P(Routes, B55_a_connected_network_wins_over_a_route_of_the_same_prefix) {
  TestRouter router = make(home(R"(
routes:
  - { to: 192.168.20.0/24, via: 203.0.113.11 }
  - { to: "fd00:20::/64", type: blackhole }
)"));
  router.send(kAnnHost, udp("192.168.10.7:1", "192.168.20.8:2"));
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[fd00:20::8]:2"));
  EXPECT_EQ(router.said(), (Said{"t: udp 192.168.10.7:1 > 192.168.20.8:2 ttl 63 vlan 20",
                                 "t: udp [fd00:10::7]:1 > [fd00:20::8]:2 ttl 63 vlan 20"}));
  router.hush();
  router.send(kAnnHost, udp("192.168.10.7:1", "192.168.20.9:2"));
  EXPECT_EQ(router.said(), Said{"t: arp who-has 192.168.20.9 tell 192.168.20.1 vlan 20"});
}

TEST_P(Routes, B55_a_connected_network_that_is_taken_away_leaves_its_prefix_to_the_route) {
  const std::string both = home("routes: [{ to: 192.168.20.0/24, via: 203.0.113.11 }]\n");
  std::string without = both;
  const std::string address = "192.168.20.1/24, ";
  without.erase(without.find(address), address.size());
  const std::string neighbor =
      "  - { address: 192.168.20.8, mac: \"02:00:00:00:00:0b\", interface: lan20 }\n";
  without.erase(without.find(neighbor), neighbor.size());
  TestRouter router = make(both);
  EXPECT_EQ(way_of(router, "192.168.20.8"), "0 frames");
  ASSERT_TRUE(router.reload(without).ok());
  EXPECT_EQ(way_of(router, "192.168.20.8"), "02:00:00:00:00:11");
  ASSERT_TRUE(router.reload(both).ok());
  EXPECT_EQ(way_of(router, "192.168.20.8"), "0 frames");
}

TEST_P(Routes, B55_a_route_within_a_connected_network_is_longer_and_wins) {
  TestRouter router = make(home(R"(
routes:
  - { to: 192.168.20.8/32, type: blackhole }
  - { to: 192.168.20.128/25, type: prohibit }
)"));
  router.send(kAnnHost, udp("192.168.10.7:1", "192.168.20.8:2"));
  EXPECT_EQ(router.drops("a", DropReason::blackhole), 1u) << "though the neighbor is known";
  EXPECT_EQ(router.said(), Said());
  router.send(kAnnHost, udp("192.168.10.7:1", "192.168.20.200:2"));
  EXPECT_EQ(router.drops("a", DropReason::route_prohibit), 1u);
}

TEST_P(Routes, B55_our_own_address_wins_over_every_route) {
  TestRouter router = make(home("routes: [{ to: 192.168.20.1/32, type: blackhole }]\n"));
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.20.1", 7));
  EXPECT_EQ(router.told("a"), Said{"icmp 192.168.20.1 > 192.168.10.7 ttl 64 echo-reply 7/1"});
}

TEST_P(Routes, B55_a_route_change_between_bursts_loses_nothing) {
  TestRouter router = make(home("routes: [{ to: default, via: 203.0.113.11 }]\n"));
  unsigned sent = 0;
  for (unsigned round = 0; round < 30; ++round) {
    for (const unsigned queue : queues()) {
      Frames burst;
      for (uint16_t i = 0; i < 32; ++i)
        burst.push_back(router.by(kAnnHost, udp("192.168.10.7:1", "198.51.100.9:2").id(i)));
      router.receive_burst("a", burst, queue);
      sent += 32;
    }
    const std::string hop = std::to_string(11 + round % 4);
    ASSERT_TRUE(router
                    .reload(home("routes: [{ to: default, via: 203.0.113." + hop + " }, { to: 198.51.100." +
                                 std::to_string(round) + "/32, type: blackhole }]\n"))
                    .ok());
    sent -= static_cast<unsigned>(router.sent("w").size());
  }
  EXPECT_EQ(sent, 32u * queues().size()) << "only those to the address that a route had taken away";
}

}  // namespace
}  // namespace sluice::test
