// SPDX-License-Identifier: BSD-3-Clause
//
// The way of a packet through the router: behaviours B27, B30-B32, B52, B53.
#include <rte_mbuf.h>

#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Router : public RouterTest {};
INSTANTIATE_TEST_SUITE_P(Ways, Router, kWays, way_name);

PacketBuilder ann_to_bob() {
  return udp("192.168.10.7:5000", "192.168.20.8:53");
}
PacketBuilder ann_to_bob6() {
  return udp("[fd00:10::7]:5000", "[fd00:20::8]:53");
}

// ---- B27: from and to VLANs and ports

TEST_P(Router, B27_routes_from_an_untagged_vlan_to_a_tagged_one_with_a_new_header_and_one_hop_less) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    router.send(kAnnHost, ann_to_bob().ttl(9), queue);
    router.send(kAnnHost, ann_to_bob6().ttl(9), queue);
    EXPECT_TRUE(same(router.sent("t"),
                     {router.to(kBobHost, ann_to_bob().ttl(8)), router.to(kBobHost, ann_to_bob6().ttl(8))}));
    EXPECT_EQ(router.said(), Said()) << "nothing leaves by another port";
  }
}

TEST_P(Router, B27_routes_from_a_tagged_vlan_to_an_untagged_one) {
  TestRouter router = make();
  router.receive("a", from(kAnn).to(kEverybody));  // the switch learns where Ann is
  router.hush();
  for (const unsigned queue : queues()) {
    router.send(kBobHost, tcp("192.168.20.8:80", "192.168.10.7:9").ttl(255), queue);
    EXPECT_TRUE(
        same(router.sent("a"), {router.to(kAnnHost, tcp("192.168.20.8:80", "192.168.10.7:9").ttl(254))}));
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Router, B27_floods_what_it_routes_into_a_vlan_until_the_station_has_been_heard) {
  TestRouter router = make();
  router.send(kBobHost, udp("192.168.20.8:80", "192.168.10.7:9"));
  EXPECT_EQ(router.said(), (Said{"a: udp 192.168.20.8:80 > 192.168.10.7:9 ttl 63",
                                 "t: udp 192.168.20.8:80 > 192.168.10.7:9 ttl 63 vlan 10"}))
      << "by every member, also by the port it came from: it came in another VLAN";
}

TEST_P(Router, B27_routes_between_a_vlan_and_a_routed_port) {
  TestRouter router = make();
  router.receive("a", from(kAnn).to(kEverybody));
  router.hush();
  const auto out = tcp("192.168.10.7:9", "198.51.100.7:80"), in = tcp("198.51.100.7:80", "192.168.10.7:9");
  for (const unsigned queue : queues()) {
    router.send(kAnnHost, out, queue);
    EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, PacketBuilder(out).ttl(63))}));
    router.send(kCatHost, in, queue);
    EXPECT_TRUE(same(router.sent("a"), {router.to(kAnnHost, PacketBuilder(in).ttl(63))}));
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Router, B27_routes_from_one_vlan_of_a_trunk_to_another_of_the_same_trunk) {
  TestRouter router = make();
  const Host on_trunk{"t", "lan10", kAnn, 10};
  router.send(on_trunk, ann_to_bob());
  EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, ann_to_bob().ttl(63))}));
}

TEST_P(Router, B27_switches_what_is_not_for_its_own_mac_address) {
  TestRouter router = make();
  const Frame frame = ann_to_bob().via(kAnn, kDan);
  router.receive("a", frame);
  EXPECT_EQ(router.said(), Said{"t: udp 192.168.10.7:5000 > 192.168.20.8:53 ttl 64 vlan 10"});
}

TEST_P(Router, B27_takes_nothing_that_is_for_another_station_or_vlan_on_a_routed_port) {
  TestRouter router = make();
  router.receive("w", udp("198.51.100.7:1", "192.168.10.7:9").via(kCat, kDan));
  EXPECT_EQ(router.drops("w", DropReason::not_ours), 1u);
  router.receive("w", udp("198.51.100.7:1", "192.168.10.7:9").via(kCat, router.mac("uplink")).vlan(7));
  EXPECT_EQ(router.drops("w", DropReason::vlan_not_allowed), 1u);
  router.receive("w", from(kCat).to(router.mac("uplink").c_str()));
  EXPECT_EQ(router.drops("w", DropReason::not_ip), 1u);
  EXPECT_EQ(router.said(), Said());
}

TEST_P(Router, B27_takes_a_priority_tag_off) {
  TestRouter router = make();
  router.receive("w", udp("198.51.100.7:1", "192.168.20.8:9").via(kCat, router.mac("uplink")).vlan(0));
  EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, udp("198.51.100.7:1", "192.168.20.8:9").ttl(63))}));
}

TEST_P(Router, B27_the_priority_of_the_old_tag_does_not_go_into_the_new_header) {
  TestRouter router = make();
  const Host on_trunk{"t", "lan10", kAnn, 10};
  Frame frame = router.by(on_trunk, ann_to_bob());
  frame[14] |= 0xB0;  // PCP 5, DEI
  router.receive("t", frame);
  EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, ann_to_bob().ttl(63))}));
}

TEST_P(Router, B27_a_routed_port_whose_device_has_no_mac_address_gets_one) {
  TestRouter router = make(R"(
ports: { w: {device: "null"}, x: {device: "null"} }
interfaces:
  one: { port: w, addresses: [10.1.0.1/24] }
  two: { port: x, addresses: [10.2.0.1/24] }
neighbors:
  - { address: 10.2.0.9, mac: "02:00:00:00:00:0c", interface: two }
)" + std::string(kTables));
  EXPECT_NE(router.mac("one"), "00:00:00:00:00:00");
  EXPECT_NE(router.mac("one"), router.mac("two"));
  router.send({"w", "one", kAnn}, udp("10.1.0.9:1", "10.2.0.9:2"));
  EXPECT_EQ(router.told("x"), Said{"udp 10.1.0.9:1 > 10.2.0.9:2 ttl 63"});
}

TEST_P(Router, B27_keeps_the_order_of_a_burst) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    Frames burst, expected;
    for (uint16_t i = 0; i < 200; ++i) {
      burst.push_back(router.by(kAnnHost, ann_to_bob().id(i)));
      expected.push_back(router.to(kBobHost, ann_to_bob().id(i).ttl(63)));
    }
    router.receive_burst("a", burst, queue);
    EXPECT_TRUE(same(router.sent("t"), expected));
  }
}

TEST_P(Router, B28_routes_packets_of_every_length) {
  TestRouter router = make(Home{.mtu = "9000"});
  for (const size_t octets : {0, 1, 17, 18, 19, 500, 1472, 1473, 8191, 8972}) {
    router.send(kAnnHost, ann_to_bob().data(octets));
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, ann_to_bob().data(octets).ttl(63))})) << octets;
  }
}

TEST_P(Router, B28_routes_packets_that_lie_in_several_segments) {
  TestRouter router = make(Home{.mtu = "9000"});
  for (const size_t segment : {8, 16, 30, 64, 200, 2000}) {
    for (const auto& packet : {ann_to_bob().data(300), ann_to_bob6().data(300), ann_to_bob().data(8900)}) {
      if (segment < 64 && packet.packet().size() > 1000) continue;  // more than a buffer pool has
      const Frame frame = padded(router.by(kAnnHost, packet), 9);
      router.receive_packet("a", make_segments(frame, segment, router.pool()));
      EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))})) << segment;
    }
  }
}

// ---- B30: headers that are wrong

struct Wrong {
  const char* what;
  PacketBuilder packet;
  DropReason reason;
};

TEST_P(Router, B30_drops_what_has_a_wrong_ipv4_header_in_silence_and_counts_it) {
  const auto good = ann_to_bob;
  const std::vector<Wrong> all = {
      {"version 5", good().poke(0, 0x55), DropReason::bad_ip_header},
      {"version 6", good().poke(0, 0x65), DropReason::bad_ip_header},
      {"version 0", good().poke(0, 0x05), DropReason::bad_ip_header},
      {"a header of 16 octets", good().poke(0, 0x44), DropReason::bad_ip_header},
      {"a header of 0 octets", good().poke(0, 0x40), DropReason::bad_ip_header},
      {"a header behind the packet's end", good().data(0).poke(0, 0x4F), DropReason::bad_ip_header},
      {"longer than the frame", good().poke(3, 47), DropReason::bad_ip_header},
      {"far longer than the frame", good().poke(2, 0xFF), DropReason::bad_ip_header},
      {"shorter than its header", good().poke(3, 19), DropReason::bad_ip_header},
      {"of length 0", good().poke(3, 0), DropReason::bad_ip_header},
      {"a wrong checksum", good().bad_ip_checksum(), DropReason::bad_ip_checksum},
      {"one bit of its source changed", good().poke(15, 6), DropReason::bad_ip_checksum},
      {"its TTL changed", good().poke(8, 63), DropReason::bad_ip_checksum},
      {"options that the checksum does not cover", good().options({1, 1, 1, 0}).poke(21, 7),
       DropReason::bad_ip_checksum},
  };
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    for (const Wrong& wrong : all) {
      const uint64_t before = router.drops("a", wrong.reason);
      router.send(kAnnHost, wrong.packet, queue);
      EXPECT_EQ(router.drops("a", wrong.reason), before + 1) << wrong.what;
      EXPECT_EQ(router.said(), Said()) << wrong.what;
    }
  }
}

TEST_P(Router, B30_leaves_the_sum_of_the_header_to_a_driver_that_has_found_it_good) {
  TestRouter router = make();
  const auto arrives = [&](const PacketBuilder& packet, uint64_t verdict) {
    rte_mbuf* received = make_packet(router.by(kAnnHost, packet), router.pool(), GetParam().buffer);
    received->ol_flags |= verdict;
    router.receive_packet("a", received);
    return router.sent("t").size();
  };
  EXPECT_EQ(arrives(ann_to_bob().bad_ip_checksum(), RTE_MBUF_F_RX_IP_CKSUM_GOOD), 1u);
  for (const uint64_t verdict : std::vector<uint64_t>{
           RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN, RTE_MBUF_F_RX_IP_CKSUM_BAD, RTE_MBUF_F_RX_IP_CKSUM_NONE}) {
    EXPECT_EQ(arrives(ann_to_bob().bad_ip_checksum(), verdict), 0u);
    EXPECT_EQ(arrives(ann_to_bob(), verdict), 1u) << "we look for ourselves";
  }
  EXPECT_EQ(router.drops("a", DropReason::bad_ip_checksum), 3u);
}

TEST_P(Router, B30_drops_what_has_a_wrong_ipv6_header) {
  const std::vector<Wrong> all = {
      {"version 4", ann_to_bob6().poke(0, 0x40), DropReason::bad_ip_header},
      {"version 7", ann_to_bob6().poke(0, 0x70), DropReason::bad_ip_header},
      {"longer than the frame", ann_to_bob6().poke(5, 27), DropReason::bad_ip_header},
      {"far longer than the frame", ann_to_bob6().poke(4, 0xFF), DropReason::bad_ip_header},
  };
  TestRouter router = make();
  for (const Wrong& wrong : all) {
    const uint64_t before = router.drops("a", wrong.reason);
    router.send(kAnnHost, wrong.packet);
    EXPECT_EQ(router.drops("a", wrong.reason), before + 1) << wrong.what;
    EXPECT_EQ(router.said(), Said()) << wrong.what;
  }
}

TEST_P(Router, B30_drops_packets_that_are_cut_off_anywhere) {
  TestRouter router = make();
  for (const PacketBuilder& packet : {ann_to_bob(), ann_to_bob6(), ann_to_bob().options({7, 3, 4, 0})}) {
    const Frame whole = router.by(kAnnHost, packet);
    for (size_t length = 14; length < whole.size(); ++length)
      router.receive("a", Frame(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)));
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Router, B30_leaves_out_what_pads_a_frame) {
  TestRouter router = make();
  for (const auto& packet : {ann_to_bob(), ann_to_bob6()}) {
    for (const size_t padding : {1, 6, 40, 1000}) {
      Frame frame = padded(router.by(kAnnHost, packet), padding);
      std::fill(frame.end() - static_cast<ptrdiff_t>(padding), frame.end(), 0xAA);
      router.receive("a", frame);
      EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))})) << padding;
    }
  }
}

TEST_P(Router, B30_pads_a_short_packet_with_zeroes_and_not_with_what_came) {
  TestRouter router = make();
  router.receive("a", from(kAnn).to(kEverybody));
  router.hush();
  const auto packet = udp("198.51.100.7:1", "192.168.10.7:9").data(0);
  Frame frame = padded(router.by(kCatHost, packet), 18);
  std::fill(frame.end() - 18, frame.end(), 0xAA);
  router.receive("w", frame);
  EXPECT_TRUE(same(router.sent("a"), {router.to(kAnnHost, PacketBuilder(packet).ttl(63))}));
}

// ---- B31: time to live

TEST_P(Router, B31_tells_the_sender_from_the_ingress_interface_that_the_ttl_was_used_up) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    for (const uint8_t ttl : {0, 1}) {
      router.hush();
      router.send(kAnnHost, ann_to_bob().ttl(ttl), queue);
      EXPECT_EQ(router.told("a"), Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 11/0 about "
                                       "(udp 192.168.10.7:5000 > 192.168.20.8:53 ttl " +
                                       std::to_string(ttl) + ")"});
      router.send(kCatHost, udp("198.51.100.7:1", "192.168.20.8:9").ttl(ttl), queue);
      EXPECT_EQ(router.told("w"), Said{"icmp 203.0.113.2 > 198.51.100.7 ttl 64 error 11/0 about "
                                       "(udp 198.51.100.7:1 > 192.168.20.8:9 ttl " +
                                       std::to_string(ttl) + ")"});
    }
  }
  EXPECT_EQ(router.drops("a", DropReason::ttl_expired), 2u * queues().size());
}

TEST_P(Router, B31_forwards_a_ttl_of_two_as_one) {
  TestRouter router = make();
  router.send(kAnnHost, ann_to_bob().ttl(2));
  router.send(kAnnHost, ann_to_bob6().ttl(2));
  EXPECT_TRUE(same(router.sent("t"),
                   {router.to(kBobHost, ann_to_bob().ttl(1)), router.to(kBobHost, ann_to_bob6().ttl(1))}));
}

TEST_P(Router, B31_takes_what_is_for_itself_with_a_ttl_of_one) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    router.hush();
    router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7).ttl(1), queue);
    router.send(kAnnHost, echo_request("fd00:10::7", "fd00:10::1", 7).ttl(1), queue);
    EXPECT_EQ(router.told("a"), (Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 echo-reply 7/1",
                                      "icmp fd00:10::1 > fd00:10::7 ttl 64 echo-reply 7/1"}));
  }
}

TEST_P(Router, B31_of_several_addresses_the_error_comes_from_the_one_in_the_senders_network) {
  TestRouter router = make(R"(
ports: { w: {device: "null"} }
interfaces:
  one: { port: w, mac: "02:00:00:00:71:02", addresses: [10.1.0.1/24, 10.2.0.1/24, 10.3.0.1/24] }
neighbors:
  - { address: 10.2.0.9, mac: "02:00:00:00:00:0c", interface: one }
)" + std::string(kTables));
  const Host host{"w", "one", kCat};
  router.send(host, udp("10.2.0.9:1", "10.3.0.9:2").ttl(1));
  EXPECT_EQ(router.told("w"),
            Said{"icmp 10.2.0.1 > 10.2.0.9 ttl 64 error 11/0 about (udp 10.2.0.9:1 > 10.3.0.9:2 ttl 1)"});
}

// ---- B32: the checksum

TEST_P(Router, B32_adjusts_every_checksum_that_a_header_can_have) {
  TestRouter router = make();
  constexpr unsigned kBurst = 64;
  for (unsigned first = 0; first < 0x10000; first += kBurst) {
    Frames burst, expected;
    for (unsigned id = first; id < first + kBurst; ++id) {
      burst.push_back(router.by(kAnnHost, ann_to_bob().id(static_cast<uint16_t>(id))));
      expected.push_back(router.to(kBobHost, ann_to_bob().id(static_cast<uint16_t>(id)).ttl(63)));
    }
    router.receive_burst("a", burst, queues().back());
    ASSERT_TRUE(same(router.sent("t"), expected)) << "identifications from " << first;
  }
}

// The identification that gives the header of `packet` the checksum `wanted`.
PacketBuilder with_checksum(const PacketBuilder& packet, uint16_t wanted) {
  for (unsigned id = 0; id < 0x10000; ++id) {
    PacketBuilder candidate = PacketBuilder(packet).id(static_cast<uint16_t>(id));
    const Frame octets = candidate.packet();
    if ((octets[10] << 8 | octets[11]) == wanted) return candidate;
  }
  throw std::logic_error("no identification gives this checksum");
}

TEST_P(Router, B32_is_right_where_the_sum_wraps) {
  TestRouter router = make();
  // Before or after one hop less the checksum is 0x0000, or next to it.
  for (const unsigned before : {0x0000, 0x0001, 0xFEFE, 0xFEFF, 0xFF00, 0xFF01, 0xFFFE}) {
    const PacketBuilder packet = with_checksum(ann_to_bob(), static_cast<uint16_t>(before));
    router.send(kAnnHost, packet);
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))})) << before;
  }
}

TEST_P(Router, B32_takes_the_other_zero_of_ones_complement_as_a_checksum) {
  TestRouter router = make();
  const PacketBuilder packet = with_checksum(ann_to_bob(), 0x0000);
  router.send(kAnnHost, PacketBuilder(packet).poke(10, 0xFF).poke(11, 0xFF));
  EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, PacketBuilder(packet).ttl(63))}));
}

// ---- B52: what is never routed

TEST_P(Router, B52_drops_sources_that_no_sender_has) {
  TestRouter router = make();
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "224.0.0.1", "239.1.1.1",
                             "240.0.0.1", "255.255.255.255"}) {
    router.hush();
    const uint64_t before = router.drops("a", DropReason::martian_source);
    router.send(kAnnHost, udp(source + std::string(":1"), "192.168.20.8:2"));
    router.send(kAnnHost, udp(source + std::string(":1"), "192.168.20.8:2").ttl(1));
    router.send(kAnnHost, echo_request(source, "192.168.10.1", 7));
    EXPECT_EQ(router.drops("a", DropReason::martian_source), before + 3) << source;
    EXPECT_EQ(router.said(), Said()) << source;
  }
  for (const char* source : {"::1", "::", "ff02::1", "ff0e::7"}) {
    const uint64_t before = router.drops("a", DropReason::martian_source);
    router.send(kAnnHost, udp("[" + std::string(source) + "]:1", "[fd00:20::8]:2"));
    EXPECT_EQ(router.drops("a", DropReason::martian_source), before + 1) << source;
    EXPECT_EQ(router.said(), Said()) << source;
  }
}

TEST_P(Router, B52_drops_destinations_that_are_never_routed) {
  TestRouter router = make();
  for (const char* destination :
       {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"}) {
    const uint64_t before = router.drops("a", DropReason::martian_destination);
    router.send(kAnnHost, udp("192.168.10.7:1", destination + std::string(":2")));
    EXPECT_EQ(router.drops("a", DropReason::martian_destination), before + 1) << destination;
    EXPECT_EQ(router.said(), Said()) << destination;
  }
  for (const char* destination : {"::", "::1"}) {
    const uint64_t before = router.drops("a", DropReason::martian_destination);
    router.send(kAnnHost, udp("[fd00:10::7]:1", "[" + std::string(destination) + "]:2"));
    EXPECT_EQ(router.drops("a", DropReason::martian_destination), before + 1) << destination;
    EXPECT_EQ(router.said(), Said()) << destination;
  }
  const uint64_t before = router.drops("a", DropReason::martian_destination);
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[ff0e::7]:2"));  // to our MAC address, but a group
  EXPECT_EQ(router.drops("a", DropReason::martian_destination), before + 1);
  EXPECT_EQ(router.said(), Said());
}

TEST_P(Router, B52_forwards_no_directed_broadcast) {
  TestRouter router = make();
  for (const char* destination : {"192.168.20.255", "192.168.20.0", "192.168.10.255", "203.0.113.255"}) {
    const uint64_t before = router.drops("a", DropReason::directed_broadcast);
    router.send(kAnnHost, udp("192.168.10.7:1", destination + std::string(":2")));
    router.send(kAnnHost, echo_request("192.168.10.7", destination, 7));
    EXPECT_EQ(router.drops("a", DropReason::directed_broadcast), before + 2) << destination;
    EXPECT_EQ(router.said(), Said()) << destination;
  }
}

TEST_P(Router, B52_forwards_what_looks_like_a_broadcast_address_and_is_none) {
  TestRouter router = make();
  router.send(kAnnHost, udp("192.168.10.7:1", "198.51.100.255:2"));
  router.send(kAnnHost, udp("192.168.10.7:1", "198.51.100.0:2"));
  EXPECT_EQ(router.told("w"), (Said{"udp 192.168.10.7:1 > 198.51.100.255:2 ttl 63",
                                    "udp 192.168.10.7:1 > 198.51.100.0:2 ttl 63"}));
}

TEST_P(Router, B52_drops_packets_that_bring_their_own_route) {
  const std::vector<Frame> all = {
      {0x83, 7, 4, 203, 0, 113, 1, 0},              // loose
      {0x89, 7, 4, 203, 0, 113, 1, 0},              // strict
      {1, 1, 1, 0x83, 7, 4, 203, 0, 113, 1, 0, 0},  // behind padding
      {7, 7, 4, 0, 0, 0, 0, 0x89, 3, 4, 0, 0},      // behind a record of the route
      {0x83, 3, 4, 0},                              // used up
  };
  TestRouter router = make();
  for (const Frame& options : all) {
    const uint64_t before = router.drops("a", DropReason::source_route);
    router.send(kAnnHost, ann_to_bob().options(options));
    EXPECT_EQ(router.drops("a", DropReason::source_route), before + 1) << int{options[0]};
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Router, B52_carries_all_other_options_as_they_are) {
  const std::vector<Frame> all = {
      {7, 7, 4, 0, 0, 0, 0, 0},     // record route
      {0x44, 8, 5, 0, 0, 0, 0, 0},  // timestamp
      {0x94, 4, 0, 0},              // router alert
      {1, 1, 1, 1},                 // padding alone
      {0, 0x83, 7, 4},              // what looks like a route stands behind the end
      {0x86, 4, 0x83, 0x89},        // and here within another option
      {7, 0, 0x83, 4},              // an option of length 0
      {7, 1, 0x83, 4},              // an option of length 1
      {1, 1, 1, 0x94},              // an option that is cut off
      {7, 200, 4, 0},               // one that says it is longer than the header
      Frame(40, 1),                 // as much as fits
  };
  TestRouter router = make();
  for (const Frame& options : all) {
    router.send(kAnnHost, ann_to_bob().options(options));
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, ann_to_bob().options(options).ttl(63))}))
        << int{options[0]};
  }
}

TEST_P(Router, B49_keeps_link_local_addresses_on_their_link) {
  TestRouter router = make();
  router.send(kAnnHost, udp("[fe80::7]:1", "[fd00:20::8]:2"));
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[fe80::8]:2"));
  router.send(kAnnHost, udp("[fe80::7]:1", "[2001:db8:9::1]:2").ttl(1));
  EXPECT_EQ(router.drops("a", DropReason::link_local), 3u);
  EXPECT_EQ(router.said(), Said());
}

// ---- B53: what a router does not touch

TEST_P(Router, B53_leaves_dscp_and_ecn_as_they_are) {
  TestRouter router = make();
  for (unsigned tos = 0; tos < 256; ++tos) {
    const auto octet = static_cast<uint8_t>(tos);
    router.send(kAnnHost, ann_to_bob().tos(octet));
    router.send(kAnnHost, ann_to_bob6().tos(octet).poke(2, 0xAB).poke(3, octet));  // and a flow label
    const Frames expected = {
        router.to(kBobHost, ann_to_bob().tos(octet).ttl(63)),
        router.to(kBobHost, ann_to_bob6().tos(octet).poke(2, 0xAB).poke(3, octet).ttl(63))};
    EXPECT_TRUE(same(router.sent("t"), expected)) << tos;
  }
}

TEST_P(Router, B53_leaves_the_payload_of_any_protocol_as_it_is) {
  TestRouter router = make();
  for (const uint8_t protocol : {0, 2, 4, 41, 47, 50, 51, 89, 132, 255}) {
    const auto packet = [&] { return ip(protocol, "192.168.10.7", "192.168.20.8").data(99); };
    router.send(kAnnHost, packet());
    EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, packet().ttl(63))})) << int{protocol};
  }
}

TEST_P(Router, B53_repairs_no_checksum_of_others) {
  TestRouter router = make();
  const auto broken = [] { return ann_to_bob().poke(26, 0x12).poke(27, 0x34); };
  router.send(kAnnHost, broken());
  router.send(kAnnHost, ann_to_bob().no_checksum());
  EXPECT_TRUE(same(router.sent("t"), {router.to(kBobHost, broken().ttl(63)),
                                      router.to(kBobHost, ann_to_bob().no_checksum().ttl(63))}));
}

}  // namespace
}  // namespace sluice::test
