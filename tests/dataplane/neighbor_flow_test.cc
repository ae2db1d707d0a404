// SPDX-License-Identifier: BSD-3-Clause
//
// Packets and their neighbors: who is answered, who is learned, what waits and for how long. Behaviours
// B43-B47, with ARP; what neighbor discovery does otherwise is in ipv6_test.cc.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class NeighborFlow : public RouterTest {
 protected:
  /// No neighbor is known.
  static TestRouter strange(const std::string& more = "") {
    return make(Home{.neighbors = "", .more = more});
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, NeighborFlow, kWays, way_name);

const Host kDanHost{"w", "uplink", kDan};
const char* const kAsk = "arp who-has 203.0.113.9 tell 203.0.113.2";

// The i-th packet from Ann to Dan, 203.0.113.9.
PacketBuilder to_dan(uint16_t i = 0) {
  return udp("192.168.10.7:1", "203.0.113.9:2").id(i);
}

Frame reply_of(TestRouter& router, const char* mac, const std::string& address = "203.0.113.9") {
  return arp_reply(mac, address, router.mac("uplink"), "203.0.113.2");
}

std::optional<dataplane::Adjacency> known(TestRouter& router, const char* interface, dataplane::Ip4 address) {
  const control::L3Interface* on = router.runtime().router().interfaces().find(interface);
  return router.runtime().router().neighbors().find(on->index, control::IpAddress(address));
}

constexpr dataplane::Ip4 kDansAddress = 203u << 24 | 113 << 8 | 9;

// ---- B43: whom we answer, and whom we learn from

TEST_P(NeighborFlow, B43_answers_for_its_own_addresses) {
  TestRouter router = strange();
  const std::string mac = router.mac("lan10");
  for (const unsigned queue : queues()) {
    router.hush();
    router.receive("a", arp_request(kAnn, "192.168.10.7", "192.168.10.1"), queue);
    const Frames sent = router.sent("a");
    EXPECT_EQ(told(sent), Said{"arp 192.168.10.1 is-at " + mac});
    EXPECT_EQ(told_macs(sent.at(0)), mac + " > " + kAnn);
    EXPECT_GE(sent.at(0).size(), 60u);
    router.receive("w", arp_request(kDan, "203.0.113.9", "203.0.113.2"), queue);
    EXPECT_EQ(router.told("w"), Said{"arp 203.0.113.2 is-at " + router.mac("uplink")});
  }
}

TEST_P(NeighborFlow, B43_answers_into_the_vlan_that_it_was_asked_from) {
  TestRouter router = strange();
  Frame question = arp_request(kBob, "192.168.20.8", "192.168.20.1");
  const uint8_t tag[] = {0x81, 0x00, 0, 20};
  question.insert(question.begin() + 12, tag, tag + 4);
  router.receive("t", question);
  EXPECT_EQ(router.said(), Said{"t: arp 192.168.20.1 is-at " + router.mac("lan20") + " vlan 20"});
}

TEST_P(NeighborFlow, B43_does_not_answer_for_others_nor_for_its_addresses_on_other_links) {
  TestRouter router = strange();
  for (const char* target : {"192.168.10.2", "192.168.20.1", "203.0.113.2", "8.8.8.8", "192.168.10.255"}) {
    router.receive("a", arp_request(kAnn, "192.168.10.7", target));
    EXPECT_EQ(router.said(), Said{"t: arp who-has " + std::string(target) + " tell 192.168.10.7 vlan 10"})
        << "the switch passes it on, and that is all";
    router.receive("w", arp_request(kDan, "203.0.113.9", target));
    EXPECT_EQ(router.told("w"), target == std::string("203.0.113.2")
                                    ? Said{"arp 203.0.113.2 is-at " + router.mac("uplink")}
                                    : Said{});
  }
}

TEST_P(NeighborFlow, B43_learns_from_whoever_asks_for_it) {
  TestRouter router = strange();
  router.receive("w", arp_request(kDan, "203.0.113.9", "203.0.113.2"));
  router.hush();
  router.send(kAnnHost, to_dan());
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan().ttl(63))}))
      << "without a request of its own";
}

TEST_P(NeighborFlow, B43_does_not_learn_who_is_in_another_network_or_asks_for_another) {
  TestRouter router = strange();
  router.receive("w", arp_request(kDan, "10.9.9.9", "203.0.113.2"));       // another network
  router.receive("w", arp_request(kDan, "0.0.0.0", "203.0.113.2"));        // a probe
  router.receive("w", arp_request(kDan, "203.0.113.255", "203.0.113.2"));  // everybody
  router.receive("w", arp_request(kDan, "203.0.113.0", "203.0.113.2"));    // the network
  router.receive("w", arp_request(kDan, "203.0.113.8", "203.0.113.77"));   // for somebody else
  router.receive("w", reply_of(router, kDan, "203.0.113.7"));              // that nobody asked for
  router.hush();
  EXPECT_EQ(router.runtime().router().neighbors().counts().neighbors, 2u)
      << "the next hops of the two default routes";
}

TEST_P(NeighborFlow, B43_keeps_its_address_when_somebody_else_claims_it) {
  TestRouter router = strange();
  router.receive("w", arp_request(kDan, "203.0.113.2", "203.0.113.2"));
  router.receive("w", arp_reply(kDan, "203.0.113.2", router.mac("uplink"), "203.0.113.2"));
  EXPECT_EQ(router.said(), Said()) << "it does not fight for it, either";
  EXPECT_EQ(router.runtime().router().neighbors().counts().conflicts, 2u);
  router.receive("w", arp_request(kCat, "203.0.113.1", "203.0.113.2"));
  EXPECT_EQ(router.told("w"), Said{"arp 203.0.113.2 is-at " + router.mac("uplink")});
}

TEST_P(NeighborFlow, B43_ignores_arp_that_is_broken_or_claims_an_address_that_no_station_has) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan());
  ASSERT_EQ(router.told("w"), Said{kAsk});
  const Frame good = reply_of(router, kDan);
  for (const auto& [at, octet] : std::vector<std::pair<size_t, uint8_t>>{
           {14, 1}, {15, 6}, {16, 0x86}, {18, 8}, {19, 16}, {21, 3}, {21, 0}, {22, 0x01}}) {
    Frame broken = good;
    broken[at] = octet;
    router.receive("w", broken);
  }
  Frame nobody = good;
  std::fill(nobody.begin() + 22, nobody.begin() + 28, 0);
  router.receive("w", nobody);
  for (size_t length = 14; length < 42; ++length)
    router.receive("w", Frame(good.begin(), good.begin() + static_cast<ptrdiff_t>(length)));
  EXPECT_EQ(router.said(), Said());
  router.receive("w", good);
  EXPECT_EQ(router.told("w").size(), 1u);
}

// ---- B44: the first packets

TEST_P(NeighborFlow, B44_keeps_the_first_packets_and_sends_them_in_order_when_the_answer_comes) {
  TestRouter router = strange();
  for (const unsigned queue : queues()) {
    Frames expected;
    for (uint16_t i = 0; i < 8; ++i) {
      router.send(kAnnHost, to_dan(i), queue);
      expected.push_back(router.to(kDanHost, to_dan(i).ttl(63)));
    }
    const Frames asked = router.sent("w");
    EXPECT_EQ(told(asked), Said{kAsk}) << "once for all of them";
    EXPECT_EQ(told_macs(asked.at(0)), router.mac("uplink") + " > " + kEverybody);
    EXPECT_EQ(router.runtime().books().held, 8u);
    router.pass_ms(300);
    router.receive("w", reply_of(router, kDan), queues().back() - queue);
    EXPECT_TRUE(same(router.sent("w"), expected));
    router.send(kAnnHost, to_dan(9), queue);
    EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan(9).ttl(63))}));
    router.runtime().router().neighbors().clear({});
    router.pass(2);
    router.hush();
  }
}

TEST_P(NeighborFlow, B44_keeps_eight_and_drops_the_oldest_first) {
  TestRouter router = strange();
  for (uint16_t i = 0; i < 20; ++i) router.send(kAnnHost, to_dan(i));
  EXPECT_EQ(router.told("w"), Said{kAsk});
  EXPECT_EQ(router.drops("a", DropReason::neighbor_queue_full), 12u);
  router.receive("w", reply_of(router, kDan));
  Frames expected;
  for (uint16_t i = 12; i < 20; ++i) expected.push_back(router.to(kDanHost, to_dan(i).ttl(63)));
  EXPECT_TRUE(same(router.sent("w"), expected));
}

TEST_P(NeighborFlow, B44_a_packet_behind_the_answer_does_not_overtake_those_that_waited) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan(0));
  router.send(kAnnHost, to_dan(1));
  router.hush();
  rte_mbuf* answer = make_packet(reply_of(router, kDan), router.pool(), Buffer::pool);
  ASSERT_TRUE(router.devices().give("w", answer));
  router.receive_burst("a", {router.by(kAnnHost, to_dan(2)), router.by(kAnnHost, to_dan(3))});
  Frames expected;
  for (uint16_t i = 0; i < 4; ++i) expected.push_back(router.to(kDanHost, to_dan(i).ttl(63)));
  EXPECT_TRUE(same(router.sent("w"), expected));
}

TEST_P(NeighborFlow, B44_asks_once_a_second_however_many_packets_come) {
  TestRouter router = strange();
  for (unsigned tenth = 0; tenth < 60; ++tenth) {
    for (const unsigned queue : queues()) router.send(kAnnHost, to_dan(), queue);
    EXPECT_EQ(router.told("w"), tenth % 10 == 0 ? Said{kAsk} : Said{}) << tenth;
    router.pass_ms(100);
  }
}

TEST_P(NeighborFlow, B44_asks_once_a_second_also_for_a_neighbor_that_has_just_been_forgotten) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan());
  router.receive("w", reply_of(router, kDan));
  router.hush();
  router.pass_ms(300);
  EXPECT_EQ(router.runtime().router().neighbors().clear({}), 1u);
  router.send(kAnnHost, to_dan());
  EXPECT_EQ(router.told("w"), Said());
  router.pass_ms(699);
  EXPECT_EQ(router.told("w"), Said());
  router.pass_ms(1);
  EXPECT_EQ(router.told("w"), Said{kAsk});
}

TEST_P(NeighborFlow, B44_gives_up_after_three_requests_and_tells_all_that_waited) {
  TestRouter router = strange();
  router.knows("a", "lan10", kAnn, "192.168.10.7");
  for (uint16_t i = 0; i < 3; ++i) router.send(kAnnHost, to_dan(i));
  EXPECT_EQ(router.told("w"), Said{kAsk});
  router.pass_ms(2999);
  EXPECT_EQ(router.told("w"), (Said{kAsk, kAsk}));
  EXPECT_EQ(router.told("a"), Said());
  router.pass_ms(1);
  const std::string error =
      "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/1 about "
      "(udp 192.168.10.7:1 > 203.0.113.9:2 ttl 64)";
  EXPECT_EQ(router.told("a"), (Said{error, error, error}));
  EXPECT_FALSE(known(router, "uplink", kDansAddress)) << "it does not stay in the table";
}

TEST_P(NeighborFlow, B44_holds_the_packets_of_many_neighbors_at_once) {
  TestRouter router = strange();
  const auto packet = [](unsigned host) {
    return udp("192.168.10.7:1", "203.0.113." + std::to_string(host) + ":2");
  };
  for (unsigned host = 10; host < 40; ++host) router.send(kAnnHost, packet(host));
  EXPECT_EQ(router.told("w").size(), 30u);
  for (unsigned host = 39; host >= 10; --host) {
    const std::string mac = station(host);
    router.receive("w", reply_of(router, mac.c_str(), "203.0.113." + std::to_string(host)));
    EXPECT_TRUE(same(router.sent("w"), {router.to({"w", "uplink", mac.c_str()}, packet(host).ttl(63))}));
  }
}

TEST_P(NeighborFlow, B44_its_own_answers_wait_for_a_neighbor_too) {
  TestRouter router = strange();
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7));
  EXPECT_EQ(router.told("a"), Said{"arp who-has 192.168.10.7 tell 192.168.10.1"});
  router.receive("a", arp_reply(kAnn, "192.168.10.7", router.mac("lan10"), "192.168.10.1"));
  EXPECT_EQ(router.told("a"), Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 echo-reply 7/1"});
}

TEST_P(NeighborFlow, B44_a_link_that_goes_takes_what_waits_for_it_along) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan());
  const std::string without = std::string(R"(
ports: { a: {device: "null"}, t: {device: "null"}, w: {device: "null"} }
)") + kTables + kLans;
  ASSERT_TRUE(router.reload(without).ok());
  router.turn();
  EXPECT_EQ(router.runtime().books().held, 0u);
  EXPECT_EQ(router.drops("a", DropReason::neighbor_gone), 1u);
}

TEST_P(NeighborFlow, B44_what_waits_survives_a_reload) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan(1));
  std::string more = Home{.neighbors = ""};
  more.insert(more.find("203.0.113.2/24"), "198.51.100.1/24, ");
  ASSERT_TRUE(router.reload(more).ok());
  router.turn();
  router.hush();
  router.send(kAnnHost, to_dan(2));
  router.receive("w", reply_of(router, kDan));
  EXPECT_TRUE(same(router.sent("w"),
                   {router.to(kDanHost, to_dan(1).ttl(63)), router.to(kDanHost, to_dan(2).ttl(63))}));
}

TEST_P(NeighborFlow, B44_a_static_neighbor_that_a_reload_adds_gets_what_waited_for_it) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan(1));
  router.hush();
  ASSERT_TRUE(router
                  .reload(Home{.neighbors = "neighbors: [{ address: 203.0.113.9, mac: \"02:00:00:00:00:0d\", "
                                            "interface: uplink }]\n"})
                  .ok());
  router.turn();
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan(1).ttl(63))}));
  ASSERT_TRUE(router.reload(Home{.neighbors = ""}).ok());
  router.pass_ms(1000);  // since the last request
  router.send(kAnnHost, to_dan(2));
  EXPECT_EQ(router.told("w"), Said{kAsk}) << "and without it there is nobody again";
}

// ---- B45: announcements

TEST_P(NeighborFlow, B45_an_announcement_moves_a_neighbor_that_is_known) {
  TestRouter router = strange();
  router.knows("w", "uplink", kCat, "203.0.113.9");
  router.send(kAnnHost, to_dan());
  EXPECT_TRUE(same(router.sent("w"), {router.to({"w", "uplink", kCat}, to_dan().ttl(63))}));
  router.receive("w", arp_request(kDan, "203.0.113.9", "203.0.113.9"));
  router.send(kAnnHost, to_dan());
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan().ttl(63))}));
  Frame announced = arp_reply(kBob, "203.0.113.9", kEverybody, "203.0.113.9");  // the other form
  router.receive("w", announced);
  router.send(kAnnHost, to_dan());
  EXPECT_TRUE(same(router.sent("w"), {router.to({"w", "uplink", kBob}, to_dan().ttl(63))}));
}

TEST_P(NeighborFlow, B45_an_announcement_makes_no_new_neighbor) {
  TestRouter router = strange();
  router.receive("w", arp_request(kDan, "203.0.113.9", "203.0.113.9"));
  router.receive("w", arp_reply(kDan, "203.0.113.9", kEverybody, "203.0.113.9"));
  EXPECT_FALSE(known(router, "uplink", kDansAddress));
  router.send(kAnnHost, to_dan());
  EXPECT_EQ(router.told("w"), Said{kAsk});
}

TEST_P(NeighborFlow, B45_announces_its_addresses_when_they_are_new) {
  TestSwitch router(Home{.neighbors = ""}, {.workers = GetParam().workers});
  router.turn();
  const Frames first = router.sent("a");
  ASSERT_FALSE(first.empty());
  EXPECT_EQ(told(first.front()), "arp who-has 192.168.10.1 tell 192.168.10.1");
  EXPECT_EQ(told_macs(first.front()), router.mac("lan10") + " > " + kEverybody);
  router.pass(2);
  for (const char* port : {"a", "t", "w"}) router.sent(port);
  ASSERT_TRUE(router.reload(Home{.neighbors = ""}).ok());
  router.pass(2);
  for (const char* port : {"a", "t", "w"}) EXPECT_EQ(router.told(port), Said()) << "nothing is new";
  std::string more = Home{.neighbors = ""};
  more.insert(more.find("203.0.113.2/24"), "198.51.100.1/24, ");
  ASSERT_TRUE(router.reload(more).ok());
  router.turn();
  EXPECT_EQ(router.told("w"), Said{"arp who-has 198.51.100.1 tell 198.51.100.1"});
  EXPECT_EQ(router.told("a"), Said());
}

TEST_P(NeighborFlow, B45_announces_all_addresses_of_a_link_once_more_when_told_to) {
  TestRouter router = strange();
  router.runtime().router().neighbors().announce(router.runtime().router().interfaces().index("uplink"));
  router.turn();
  const Said said = router.told("w");
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0], "arp who-has 203.0.113.2 tell 203.0.113.2");
  EXPECT_EQ(said[1], "nd 2001:db8::2 is-at " + router.mac("uplink"));
}

// ---- B46: age

TEST_P(NeighborFlow, B46_asks_a_neighbor_that_is_used_whether_it_is_still_there_and_sends_meanwhile) {
  TestRouter router = strange();
  router.send(kAnnHost, to_dan());
  router.receive("w", reply_of(router, kDan));
  router.hush();
  router.pass(30);  // confirmed for so long
  router.send(kAnnHost, to_dan(), queues().back());
  EXPECT_EQ(router.told("w").size(), 1u) << "not asked yet";
  router.pass(1);  // control sees that it is used
  router.pass_ms(4999);
  EXPECT_EQ(router.told("w"), Said());
  router.pass_ms(1);
  const Frames probe = router.sent("w");
  EXPECT_EQ(told(probe), Said{kAsk});
  EXPECT_EQ(told_macs(probe.at(0)), router.mac("uplink") + " > " + kDan) << "only the neighbor is asked";
  router.send(kAnnHost, to_dan());
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan().ttl(63))}));
  router.receive("w", reply_of(router, kDan));
  router.pass(29);
  EXPECT_EQ(router.told("w"), Said());
  router.send(kAnnHost, to_dan());
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan().ttl(63))}));
}

TEST_P(NeighborFlow, B46_forgets_a_neighbor_that_does_not_answer_three_probes) {
  TestRouter router = strange();
  router.knows("w", "uplink", kDan, "203.0.113.9");
  router.send(kAnnHost, to_dan());
  router.hush();
  router.pass(6);  // seen to be used, and five seconds of delay
  EXPECT_EQ(router.told("w"), Said{kAsk});
  router.pass(2);
  EXPECT_EQ(router.told("w"), (Said{kAsk, kAsk}));
  EXPECT_TRUE(known(router, "uplink", kDansAddress));
  router.pass(1);
  EXPECT_FALSE(known(router, "uplink", kDansAddress));
  router.send(kAnnHost, to_dan());
  const Frames asked = router.sent("w");
  ASSERT_EQ(told(asked), Said{kAsk});
  EXPECT_EQ(told_macs(asked[0]), router.mac("uplink") + " > " + kEverybody) << "all are asked again";
}

TEST_P(NeighborFlow, B46_does_not_ask_after_a_neighbor_that_nobody_uses) {
  TestRouter router = strange();
  router.knows("w", "uplink", kDan, "203.0.113.9");
  router.pass(100);
  EXPECT_EQ(router.told("w"), Said());
  EXPECT_TRUE(known(router, "uplink", kDansAddress));
}

TEST_P(NeighborFlow, B46_nobody_overwrites_a_static_neighbor) {
  TestRouter router = make();
  for (const Frame& frame :
       {arp_request(kDan, "203.0.113.1", "203.0.113.1"), reply_of(router, kDan, "203.0.113.1"),
        arp_request(kDan, "203.0.113.1", "203.0.113.2"),
        neighbor_solicitation(kDan, "2001:db8::1", "2001:db8::2"),
        neighbor_advertisement(kDan, "2001:db8::1", router.mac("uplink"), "2001:db8::2")}) {
    router.receive("w", frame);
    router.hush();
    router.send(kAnnHost, udp("192.168.10.7:1", "198.51.100.9:2"));
    router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8:9::9]:2"));
    EXPECT_TRUE(
        same(router.sent("w"), {router.to(kCatHost, udp("192.168.10.7:1", "198.51.100.9:2").ttl(63)),
                                router.to(kCatHost, udp("[fd00:10::7]:1", "[2001:db8:9::9]:2").ttl(63))}));
  }
  router.pass(4000);
  router.send(kAnnHost, udp("192.168.10.7:1", "198.51.100.9:2"));
  EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, udp("192.168.10.7:1", "198.51.100.9:2").ttl(63))}))
      << "it has no age, and is never asked";
}

TEST_P(NeighborFlow, B46_a_reload_that_says_another_mac_address_of_a_static_neighbor_is_followed) {
  TestRouter router = make();
  std::string moved = Home();
  const std::string old = "203.0.113.1, mac: \"02:00:00:00:00:0c\"";
  moved.replace(moved.find(old), old.size(), "203.0.113.1, mac: \"02:00:00:00:00:0d\"");
  ASSERT_TRUE(router.reload(moved).ok());
  router.send(kAnnHost, udp("192.168.10.7:1", "198.51.100.9:2"));
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, udp("192.168.10.7:1", "198.51.100.9:2").ttl(63))}));
}

// ---- B47: a scan

TEST_P(NeighborFlow, B47_a_scan_of_the_whole_network_takes_no_live_neighbor_away) {
  std::string yaml = Home{.neighbors = ""};
  const std::string full = "neighbors: 256";
  yaml.replace(yaml.find(full), full.size(), "neighbors: 64");
  TestRouter router = make(yaml);
  for (unsigned host = 200; host < 240; ++host)
    router.knows("w", "uplink", station(host), "203.0.113." + std::to_string(host));
  for (unsigned round = 0; round < 5; ++round) {
    for (unsigned host = 3; host < 200; ++host)
      router.send(kAnnHost, udp("192.168.10.7:1", "203.0.113." + std::to_string(host) + ":2"),
                  host % queues().size());
    EXPECT_LE(router.runtime().router().neighbors().counts().incomplete, 16u) << "a quarter of the table";
    router.hush();
    for (unsigned host = 200; host < 240; ++host) {
      const std::string mac = station(host);
      const auto packet = udp("192.168.10.7:1", "203.0.113." + std::to_string(host) + ":2");
      router.send(kAnnHost, packet);
      ASSERT_TRUE(
          same(router.sent("w"), {router.to({"w", "uplink", mac.c_str()}, PacketBuilder(packet).ttl(63))}))
          << host << " in round " << round;
    }
    router.pass_ms(1000);
    router.hush();
  }
  EXPECT_GT(router.all_drops(DropReason::neighbor_full), 500u);
}

TEST_P(NeighborFlow, B47_a_host_that_is_there_is_found_during_a_scan) {
  std::string yaml = Home{.neighbors = ""};
  const std::string full = "neighbors: 256";
  yaml.replace(yaml.find(full), full.size(), "neighbors: 64");
  TestRouter router = make(yaml);
  for (unsigned host = 30; host < 130; ++host)
    router.send(kAnnHost, udp("192.168.10.7:1", "203.0.113." + std::to_string(host) + ":2"));
  router.pass_ms(1000);
  router.hush();
  router.send(kAnnHost, to_dan());
  EXPECT_EQ(router.told("w"), Said{kAsk}) << "one that has been silent for a second has made room";
  router.receive("w", reply_of(router, kDan));
  EXPECT_TRUE(same(router.sent("w"), {router.to(kDanHost, to_dan().ttl(63))}));
}

// ---- whoever comes next to a port is somebody else

// Cat, Ann and Bob have answered once; the file says nothing of them.
void introduce(TestRouter& router) {
  router.receive("w", arp_request(kCat, "203.0.113.1", "203.0.113.2"));
  router.receive("a", arp_request(kAnn, "192.168.10.7", "192.168.10.1"));
  Frame question = arp_request(kBob, "192.168.20.8", "192.168.20.1");
  const uint8_t tag[] = {0x81, 0x00, 0, 20};
  question.insert(question.begin() + 12, tag, tag + 4);
  router.receive("t", question);
  router.hush();
}
const char* const kAskForCat = "w: arp who-has 203.0.113.1 tell 203.0.113.2";
const char* const kAskForAnn = "arp who-has 192.168.10.7 tell 192.168.10.1";
const PacketBuilder kToAnn = udp("192.168.20.8:1", "192.168.10.7:2");

TEST_P(NeighborFlow, B10_after_a_link_was_down_the_neighbors_there_are_asked_for_anew) {
  TestRouter router = strange();
  introduce(router);
  router.devices().set_link("w", false);
  router.runtime().watch_links();
  router.devices().set_link("w", true);
  router.runtime().watch_links();
  router.send(kAnnHost, udp("192.168.10.7:1", "8.8.8.8:2"));
  EXPECT_EQ(router.said(), Said{kAskForCat});
  router.send(kBobHost, kToAnn);
  EXPECT_EQ(router.told("a"), Said{"udp 192.168.20.8:1 > 192.168.10.7:2 ttl 63"}) << "not behind that port";
}

TEST_P(NeighborFlow, B10_the_same_for_a_port_of_a_bridge) {
  TestRouter router = strange();
  introduce(router);
  router.devices().set_link("a", false);
  router.runtime().watch_links();
  router.devices().set_link("a", true);
  router.runtime().watch_links();
  router.send(kBobHost, kToAnn);
  EXPECT_EQ(router.told("a"), Said{kAskForAnn});
  router.hush();
  router.send(kCatHost, udp("203.0.113.1:1", "192.168.20.8:2"));
  EXPECT_EQ(router.told("t"), Said{"udp 203.0.113.1:1 > 192.168.20.8:2 ttl 63 vlan 20"});
}

TEST_P(NeighborFlow, B10_the_same_after_a_reload_that_opened_the_port_anew) {
  TestRouter router = strange();
  introduce(router);
  std::string yaml = Home{.neighbors = ""};
  const std::string port = "w: {device: \"null\", mtu: 1500";
  yaml.replace(yaml.find(port), port.size(), "w: {device: \"null\", mtu: 1501");
  ASSERT_TRUE(router.reload(yaml).ok());
  router.hush();
  router.send(kAnnHost, udp("192.168.10.7:1", "8.8.8.8:2"));
  EXPECT_EQ(router.said(), Said{kAskForCat});
}

TEST_P(NeighborFlow, a_packet_that_waited_may_find_the_port_that_it_came_by_gone) {
  TestRouter router = strange();
  router.send(kCatHost, udp("203.0.113.1:1", "192.168.10.7:2"));
  EXPECT_EQ(router.told("a"), Said{kAskForAnn});
  const std::string without_w = "ports: { a: {device: \"null\"}, t: {device: \"null\"} }\n";
  ASSERT_TRUE(router.reload(without_w + kTables + kLans).ok());
  router.hush();
  router.receive("a", arp_reply(kAnn, "192.168.10.7", router.mac("lan10"), "192.168.10.1"));
  EXPECT_EQ(router.told("a"), Said{});
  EXPECT_EQ(router.all_drops(DropReason::no_bridge), 1u);
}

TEST_P(NeighborFlow, B10_static_neighbors_stay_when_a_link_goes) {
  TestRouter router = make();
  router.devices().set_link("w", false);
  router.runtime().watch_links();
  router.devices().set_link("w", true);
  router.runtime().watch_links();
  router.send(kAnnHost, udp("192.168.10.7:1", "8.8.8.8:2"));
  EXPECT_EQ(router.said(), Said{"w: udp 192.168.10.7:1 > 8.8.8.8:2 ttl 63"});
}

}  // namespace
}  // namespace sluice::test
