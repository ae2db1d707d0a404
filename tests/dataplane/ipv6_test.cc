// SPDX-License-Identifier: BSD-3-Clause
//
// What only IPv6 has: extension headers, and neighbor discovery. Behaviours B40, B41 (atomic fragments), B49.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Ipv6 : public RouterTest {};
INSTANTIATE_TEST_SUITE_P(Ways, Ipv6, kWays, way_name);

constexpr uint8_t kHopByHop = 0, kUdp = 17, kRouting = 43, kFragment = 44, kIcmpv6 = 58,
                  kDestinationOptions = 60;

// The packet's payload behind `header`, an extension header of type `type`.
PacketBuilder behind(uint8_t type, Frame header, const PacketBuilder& packet,
                     const char* source = "fd00:10::7", const char* destination = "fd00:20::8") {
  const Frame octets = packet.packet();
  header.insert(header.end(), octets.begin() + 40, octets.end());
  return ip(type, source, destination).data(header);
}

PacketBuilder ann_to_bob() {
  return udp("[fd00:10::7]:5000", "[fd00:20::8]:53");
}

// A routing header with one address, fd00:99::9.
Frame routing(uint8_t type, uint8_t segments_left) {
  return {kUdp, 2, type, segments_left, 0, 0, 0, 0, 0xFD, 0, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
}

// An advertisement with flags of its own.
Frame advertisement(const char* mac, const char* address, const std::string& to_mac, const char* to,
                    uint32_t flags) {
  const Frame usual = neighbor_advertisement(mac, address, to_mac, to);
  return PacketBuilder(kIcmpv6, address, to)
      .icmp(136, 0, flags)
      .data(Frame(usual.begin() + 62, usual.end()))
      .ttl(255)
      .via(mac, to_mac);
}

// ---- B40: the hop limit and extension headers

TEST_P(Ipv6, B40_tells_the_sender_that_the_hop_limit_was_used_up) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    for (const uint8_t hops : {0, 1}) {
      router.send(kAnnHost, ann_to_bob().ttl(hops), queue);
      EXPECT_EQ(router.said(), Said{"a: icmp fd00:10::1 > fd00:10::7 ttl 64 error 3/0 about "
                                    "(udp [fd00:10::7]:5000 > [fd00:20::8]:53 ttl " +
                                    std::to_string(hops) + ")"});
    }
  }
}

TEST_P(Ipv6, B40_refuses_a_route_of_the_senders_and_points_at_the_type_of_its_header) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    for (const char* destination : {"fd00:20::8", "fd00:10::1", "2001:db8:9::9"}) {
      router.send(kAnnHost, behind(kRouting, routing(0, 1), ann_to_bob(), "fd00:10::7", destination), queue);
      const Frames sent = router.sent("a");
      ASSERT_EQ(sent.size(), 1u) << destination;
      const std::string sentence = told(sent.front());
      EXPECT_EQ(sentence.substr(0, sentence.find(" about")),
                "icmp fd00:10::1 > fd00:10::7 ttl 64 error 4/0 pointer 42");
      EXPECT_EQ(router.said(), Said());
    }
  }
  EXPECT_EQ(router.drops("a", DropReason::source_route), 3u * queues().size());
}

TEST_P(Ipv6, B40_refuses_it_behind_other_headers_too) {
  TestRouter router = make();
  const PacketBuilder inner = behind(kRouting, routing(0, 1), ann_to_bob());
  router.send(kAnnHost, behind(kHopByHop, {kRouting, 0, 1, 4, 0, 0, 0, 0}, inner));
  const Said said = router.told("a");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said.front().find("error 4/0 pointer 50"), std::string::npos) << said.front();
}

TEST_P(Ipv6, B40_forwards_a_route_that_is_used_up_or_of_another_type) {
  TestRouter router = make();
  for (const Frame& header : {routing(0, 0), routing(2, 1), routing(3, 1), routing(4, 1), routing(253, 9)}) {
    const auto packet = behind(kRouting, header, ann_to_bob());
    router.send(kAnnHost, packet);
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))}))
        << int{header[2]};
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Ipv6, B40_forwards_headers_that_it_does_not_know) {
  TestRouter router = make();
  for (const uint8_t type : {50, 51, 59, 135, 139, 140, 253, 254, 255, 3, 99}) {
    const auto packet = behind(type, {kUdp, 0, 1, 4, 0, 0, 0, 0}, ann_to_bob());
    router.send(kAnnHost, packet);
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))})) << int{type};
  }
}

TEST_P(Ipv6, B40_forwards_options_and_does_not_judge_them) {
  TestRouter router = make();
  const std::vector<std::pair<uint8_t, Frame>> all = {
      {kHopByHop, {kUdp, 0, 1, 4, 0, 0, 0, 0}},               // padding
      {kHopByHop, {kUdp, 0, 5, 2, 0, 0, 1, 0}},               // router alert
      {kHopByHop, {kUdp, 0, 0xDE, 4, 1, 2, 3, 4}},            // an option that nobody knows
      {kDestinationOptions, {kUdp, 0, 0xDE, 4, 1, 2, 3, 4}},  // and one for the destination
      {kDestinationOptions, {kUdp, 200, 1, 4, 0, 0, 0, 0}},   // longer than the packet
      {kDestinationOptions, {kUdp, 0, 1, 200, 0, 0, 0, 0}},   // an option longer than its header
  };
  for (const auto& [type, header] : all) {
    const auto packet = behind(type, header, ann_to_bob());
    router.send(kAnnHost, packet);
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))})) << int{type};
  }
}

TEST_P(Ipv6, B40_forwards_a_long_chain_of_headers) {
  TestRouter router = make();
  PacketBuilder packet = ann_to_bob();
  for (unsigned count = 1; count < 40; ++count) {
    packet = behind(kDestinationOptions,
                    {count == 1 ? kUdp : kDestinationOptions, 0, 1, 4, 0, 0, 0, static_cast<uint8_t>(count)},
                    packet);
    router.send(kAnnHost, packet);
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))})) << count;
  }
}

TEST_P(Ipv6, B40_forwards_packets_that_end_within_a_header) {
  TestRouter router = make();
  for (const uint8_t type : {kHopByHop, kRouting, kFragment, kDestinationOptions, kIcmpv6, kUdp}) {
    for (const size_t octets : {0, 1, 7}) {
      const auto packet = ip(type, "fd00:10::7", "fd00:20::8").data(octets).no_checksum();
      if (octets < 4 && type == kIcmpv6) continue;  // the builder's own header is 8 octets
      router.send(kAnnHost, packet);
      EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))}))
          << int{type} << " " << octets;
    }
  }
}

TEST_P(Ipv6, B41_forwards_parts_and_atomic_fragments_as_they_are) {
  TestRouter router = make();
  for (const auto& packet : {ann_to_bob().data(1000).part(0, 504), ann_to_bob().data(1000).part(504, 504),
                             ann_to_bob().data(100).part(0, 108)}) {
    router.send(kAnnHost, packet);
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))}));
  }
}

// ---- B49: neighbor discovery, from outside

TEST_P(Ipv6, B49_answers_who_asks_for_its_addresses) {
  TestRouter router = make();
  const std::string mac = router.mac("lan10");
  for (const unsigned queue : queues()) {
    router.receive("a", neighbor_solicitation(kAnn, "fd00:10::7", "fd00:10::1"), queue);
    const Frames sent = router.sent("a");
    EXPECT_EQ(told(sent), Said{"nd fd00:10::1 is-at " + mac});
    EXPECT_EQ(told_macs(sent.at(0)), mac + " > " + kAnn);
    EXPECT_EQ(sent.at(0).at(58), 0xE0) << "a router, asked for, to be believed";
    router.hush();
  }
}

TEST_P(Ipv6, B49_does_not_answer_for_others_nor_for_its_addresses_on_other_links) {
  TestRouter router = make();
  for (const char* target : {"fd00:10::2", "fd00:20::1", "2001:db8::2", "fe80::1", "fd00:10::7"}) {
    router.receive("a", neighbor_solicitation(kAnn, "fd00:10::7", target));
    EXPECT_EQ(router.told("a"), Said()) << target;
  }
}

const char* const kOneLink = R"(
ports: { w: {device: "null"} }
interfaces: { link: { port: w, addresses: ["2001:db8::2/64"], mac: "02:00:00:00:77:01" } }
)";
const char* const kLinkLocal = "fe80::ff:fe00:7701";  // EUI-64 of the MAC address

TEST_P(Ipv6, B49_answers_for_its_link_local_address) {
  TestRouter router = make(std::string(kOneLink) + kTables);
  router.receive("w", neighbor_solicitation(kCat, "fe80::c", kLinkLocal));
  EXPECT_EQ(router.told("w"), Said{"nd " + std::string(kLinkLocal) + " is-at 02:00:00:00:77:01"});
}

TEST_P(Ipv6, B42_answers_an_echo_to_its_link_local_address) {
  TestRouter router = make(std::string(kOneLink) + kTables);
  const Host cat{"w", "link", kCat};
  router.knows("w", "link", kCat, "fe80::c");
  router.send(cat, echo_request("fe80::c", kLinkLocal, 5));
  EXPECT_EQ(router.told("w"), Said{"icmp " + std::string(kLinkLocal) + " > fe80::c ttl 64 echo-reply 5/1"});
  router.send(cat, echo_request("fe80::d", kLinkLocal, 5));
  EXPECT_EQ(router.told("w"), Said{"nd who-has fe80::d from " + std::string(kLinkLocal)})
      << "on the link that the question came from";
}

TEST_P(Ipv6, B49_does_not_use_an_address_that_somebody_else_had_first) {
  TestSwitch router(std::string(kOneLink) + kTables, {.workers = GetParam().workers});
  router.turn();
  router.sent("w");
  router.receive("w", advertisement(kDan, "2001:db8::2", "33:33:00:00:00:01", "ff02::1", 0x20000000));
  router.pass(2);
  EXPECT_EQ(router.told("w"), Said{"nd " + std::string(kLinkLocal) + " is-at 02:00:00:00:77:01"})
      << "only the other address is announced";
  router.receive("w", neighbor_solicitation(kCat, "2001:db8::c", "2001:db8::2"));
  EXPECT_EQ(router.told("w"), Said());
}

TEST_P(Ipv6, B49_asks_a_neighbor_that_is_used_whether_it_is_still_there) {
  TestRouter router = make();
  router.knows("w", "uplink", kDan, "2001:db8::9");
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8::9]:2"), queues().back());
  router.hush();
  router.pass(6);
  const Frames probe = router.sent("w");
  ASSERT_EQ(told(probe), Said{"nd who-has 2001:db8::9 from 2001:db8::2"});
  EXPECT_EQ(told_macs(probe[0]), router.mac("uplink") + " > " + kDan) << "only the neighbor is asked";
  router.receive("w", neighbor_advertisement(kDan, "2001:db8::9", router.mac("uplink"), "2001:db8::2"));
  router.pass(20);
  EXPECT_EQ(router.told("w"), Said());
}

TEST_P(Ipv6, B49_believes_another_mac_address_only_from_who_insists) {
  TestRouter router = make();
  router.knows("w", "uplink", kDan, "2001:db8::9");
  const auto advertised = [&](uint32_t flags) {
    return advertisement(kBob, "2001:db8::9", router.mac("uplink"), "2001:db8::2", flags);
  };
  const auto now_at = [&] {
    router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8::9]:2"));
    return told_macs(router.sent("w").at(0)).substr(20);
  };
  router.receive("w", advertised(0x40000000));  // solicited
  EXPECT_EQ(now_at(), kDan);
  router.receive("w", advertised(0x20000000));  // override
  EXPECT_EQ(now_at(), kBob);
}

TEST_P(Ipv6, B49_tells_all_nodes_when_somebody_without_an_address_asks) {
  TestRouter router = make();
  const std::string mac = router.mac("uplink");
  Frame probe = PacketBuilder(kIcmpv6, "::", "ff02::1:ff00:2")
                    .icmp(135, 0, 0)
                    .data(Frame{0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2})
                    .ttl(255)
                    .via(kCat, "33:33:ff:00:00:02");
  router.receive("w", probe);
  const Frames sent = router.sent("w");
  EXPECT_EQ(told(sent), Said{"nd 2001:db8::2 is-at " + mac});
  EXPECT_EQ(told_macs(sent.at(0)), mac + " > 33:33:00:00:00:01");
  EXPECT_EQ(sent.at(0).at(58), 0xA0) << "a router, to be believed; nobody is answered";
}

TEST_P(Ipv6, B49_ignores_discovery_that_came_from_another_link_or_is_broken) {
  TestRouter router = make();
  Frame far = neighbor_solicitation(kCat, "2001:db8::9", "2001:db8::2");
  far[21] = 254;  // a router has forwarded it
  Frame broken = neighbor_solicitation(kCat, "2001:db8::9", "2001:db8::2");
  broken[57] ^= 1;
  Frame of_no_length = neighbor_solicitation(kCat, "2001:db8::9", "2001:db8::2");
  of_no_length[79] = 0;
  for (const Frame& frame : {far, broken, of_no_length}) router.receive("w", frame);
  EXPECT_EQ(router.said(), Said());
  EXPECT_EQ(router.runtime().router().neighbors().counts().ignored, 3u);
}

TEST_P(Ipv6, B49_asks_the_solicited_node_group_and_sends_what_waited) {
  TestRouter router = make();
  const auto packet = [](uint16_t i) { return udp("[fd00:10::7]:1", "[2001:db8::9]:2").data(i); };
  for (const unsigned queue : queues()) {
    for (uint16_t i = 20; i < 24; ++i) router.send(kAnnHost, packet(i), queue);
    const Frames asked = router.sent("w");
    ASSERT_EQ(told(asked), Said{"nd who-has 2001:db8::9 from 2001:db8::2"});
    EXPECT_EQ(told_macs(asked[0]), router.mac("uplink") + " > 33:33:ff:00:00:09");
    router.receive("w", neighbor_advertisement(kDan, "2001:db8::9", router.mac("uplink"), "2001:db8::2"));
    const Host dan{"w", "uplink", kDan};
    EXPECT_TRUE(
        same(router.sent("w"), {router.to(dan, packet(20).ttl(63)), router.to(dan, packet(21).ttl(63)),
                                router.to(dan, packet(22).ttl(63)), router.to(dan, packet(23).ttl(63))}));
    router.send(kAnnHost, packet(30), queue);
    EXPECT_TRUE(same(router.sent("w"), {router.to(dan, packet(30).ttl(63))}));
    EXPECT_EQ(router.runtime().router().neighbors().clear({}), 1u);
    router.pass(2);
    router.hush();
  }
}

TEST_P(Ipv6, B49_reaches_the_world_through_a_link_local_next_hop) {
  TestRouter router =
      make(Home{.routes = "routes: [{ to: default, via: { address: \"fe80::c\", interface: uplink } }]\n",
                .neighbors = kThreeNeighbors});
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8:9::9]:2"));
  const Said asked = router.told("w");
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].substr(0, 30), "nd who-has fe80::c from fe80::") << "from a link-local address, too";
  const std::string own = asked[0].substr(asked[0].find("from ") + 5);
  router.receive("w", neighbor_advertisement(kCat, "fe80::c", router.mac("uplink"), own));
  EXPECT_TRUE(
      same(router.sent("w"), {router.to(kCatHost, udp("[fd00:10::7]:1", "[2001:db8:9::9]:2").ttl(63))}));
  for (const unsigned queue : queues()) {
    router.send(kAnnHost, ann_to_bob(), queue);
    router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8:7::9]:2"), queue);
    EXPECT_TRUE(
        same(router.sent("w"), {router.to(kCatHost, udp("[fd00:10::7]:1", "[2001:db8:7::9]:2").ttl(63))}));
  }
}

TEST_P(Ipv6, B49_learns_from_a_solicitation_and_not_from_an_advertisement_that_nobody_asked_for) {
  TestRouter router = make();
  router.receive("w", neighbor_advertisement(kDan, "2001:db8::9", router.mac("uplink"), "2001:db8::2"));
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8::9]:2"));
  EXPECT_EQ(router.told("w"), Said{"nd who-has 2001:db8::9 from 2001:db8::2"});
  router.knows("w", "uplink", kDan, "2001:db8::a");
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[2001:db8::a]:2"));
  EXPECT_TRUE(same(router.sent("w"),
                   {router.to({"w", "uplink", kDan}, udp("[fd00:10::7]:1", "[2001:db8::a]:2").ttl(63))}));
}

TEST_P(Ipv6, B49_probes_its_addresses_and_announces_them_a_second_later) {
  TestSwitch router(Home(), {.workers = GetParam().workers, .buffer = GetParam().buffer});
  router.turn();
  const Said at_once = router.told("w");
  ASSERT_EQ(at_once.size(), 3u);
  EXPECT_EQ(at_once[0], "arp who-has 203.0.113.2 tell 203.0.113.2");
  EXPECT_EQ(at_once[1], "nd who-has 2001:db8::2 from ::");
  EXPECT_EQ(at_once[2].substr(0, 17), "nd who-has fe80::");
  router.pass_ms(999);
  EXPECT_EQ(router.told("w"), Said());
  router.pass_ms(1);
  const Said then = router.told("w");
  ASSERT_EQ(then.size(), 2u);
  EXPECT_EQ(then[0], "nd 2001:db8::2 is-at " + router.mac("uplink"));
  EXPECT_EQ(then[1].substr(0, 9), "nd fe80::");
}

}  // namespace
}  // namespace sluice::test
