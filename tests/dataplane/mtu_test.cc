// SPDX-License-Identifier: BSD-3-Clause
//
// Packets that are larger than the next link takes: behaviours B38 (IPv4) and B39 (IPv6).
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Mtu : public RouterTest {
 protected:
  static TestRouter narrow(const std::string& mtu = "1400") {
    return make(Home{.uplink = ", mtu: " + mtu, .mtu = "9000"});
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, Mtu, kWays, way_name);

PacketBuilder out() {
  return udp("192.168.10.7:5000", "198.51.100.9:53");
}
PacketBuilder out6() {
  return udp("[fd00:10::7]:5000", "[2001:db8:9::9]:53");
}

uint16_t word(const Frame& packet, size_t at) {
  return static_cast<uint16_t>(packet.at(at) << 8 | packet.at(at + 1));
}
size_t header_length(const Frame& packet) {
  return (packet.at(0) & 0xFu) * 4;
}

// The payload of a datagram whose parts `frames` are, in order and without a gap; empty: they are not.
Frame put_together(const Frames& frames) {
  Frame payload;
  for (size_t i = 0; i < frames.size(); ++i) {
    const Frame packet = ip_packet_of(frames[i]);
    const bool more = (word(packet, 6) & 0x2000) != 0;
    const size_t offset = (word(packet, 6) & 0x1FFFu) * 8;
    if (told(frames[i]).find("BAD") != std::string::npos || offset != payload.size()) return {};
    if (more == (i + 1 == frames.size())) return {};
    payload.insert(payload.end(), packet.begin() + static_cast<ptrdiff_t>(header_length(packet)),
                   packet.end());
  }
  return payload;
}

Frame payload_of(const PacketBuilder& packet) {
  const Frame octets = packet.packet();
  return {octets.begin() + static_cast<ptrdiff_t>(header_length(octets)), octets.end()};
}

Frame options_of(const Frame& packet) {
  return {packet.begin() + 20, packet.begin() + static_cast<ptrdiff_t>(header_length(packet))};
}

TEST_P(Mtu, B38_says_which_mtu_the_next_link_has_to_what_may_not_be_fragmented) {
  TestRouter router = narrow();
  for (const unsigned queue : queues()) {
    for (const size_t data : {1373, 1374, 1472, 8972}) {
      router.send(kAnnHost, out().data(data).may_not_fragment(), queue);
      EXPECT_EQ(router.said(), Said{"a: icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/4 mtu 1400 about "
                                    "(udp 192.168.10.7:5000 > 198.51.100.9:53 ttl 64)"})
          << data;
    }
  }
  EXPECT_EQ(router.drops("a", DropReason::fragmentation_needed), 4u * queues().size());
}

TEST_P(Mtu, B38_forwards_whole_what_just_fits) {
  TestRouter router = narrow();
  router.send(kAnnHost, out().data(1372));
  router.send(kAnnHost, out().data(1372).may_not_fragment().id(7));
  EXPECT_TRUE(
      same(router.sent("w"), {router.to(kCatHost, out().data(1372).ttl(63)),
                              router.to(kCatHost, out().data(1372).may_not_fragment().id(7).ttl(63))}));
}

TEST_P(Mtu, B38_does_not_count_what_pads_a_frame_as_too_much) {
  TestRouter router = narrow();
  router.receive("a", padded(router.by(kAnnHost, out().data(1372).may_not_fragment()), 100));
  EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, out().data(1372).may_not_fragment().ttl(63))}));
}

TEST_P(Mtu, B38_cuts_a_datagram_into_parts_of_a_multiple_of_8_octets) {
  TestRouter router = narrow();
  for (const unsigned queue : queues()) {
    router.send(kAnnHost, out().data(1373), queue);
    EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, out().data(1373).ttl(63).part(0, 1376)),
                                        router.to(kCatHost, out().data(1373).ttl(63).part(1376, 5))}));
    router.send(kAnnHost, out().data(4000).tos(0x2E).id(77), queue);
    const auto part = [&](size_t offset, size_t length) {
      return router.to(kCatHost, out().data(4000).tos(0x2E).id(77).ttl(63).part(offset, length));
    };
    EXPECT_TRUE(same(router.sent("w"), {part(0, 1376), part(1376, 1376), part(2752, 1256)}));
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Mtu, B38_the_parts_of_a_datagram_of_any_length_make_it_again) {
  TestRouter router = narrow();
  for (size_t data = 1300; data < 8972; data += 61) {
    router.send(kAnnHost, out().data(data));
    const Frames sent = router.sent("w");
    EXPECT_EQ(sent.size(), data <= 1372 ? 1 : (data + 8 + 1375) / 1376) << data;
    ASSERT_EQ(put_together(sent), payload_of(out().data(data))) << data;
  }
}

TEST_P(Mtu, B38_cuts_for_the_smallest_link_there_is) {
  const std::string yaml = std::string(R"(
ports: { a: {device: "null", mtu: 9000}, w: {device: "null"} }
interfaces:
  lan10: { port: a, mac: "02:00:00:00:10:01", addresses: [192.168.10.1/24] }
  uplink: { port: w, mac: "02:00:00:00:71:02", addresses: [203.0.113.2/24], mtu: 68 }
routes: [{ to: default, via: 203.0.113.1 }]
neighbors:
  - { address: 203.0.113.1, mac: "02:00:00:00:00:0c", interface: uplink }
)") + kTables;
  TestRouter router = make(yaml);
  router.send(kAnnHost, out().data(1472));
  const Frames sent = router.sent("w");
  EXPECT_EQ(sent.size(), 31u);  // of 48 octets
  EXPECT_EQ(put_together(sent), payload_of(out().data(1472)));
  // With the longest header there is room for 8 octets.
  router.send(kAnnHost, out().data(200).options(Frame(40, 1)));
  EXPECT_EQ(put_together(router.sent("w")), payload_of(out().data(200)));
}

TEST_P(Mtu, B38_cuts_a_part_once_more) {
  TestRouter router = narrow();
  const auto part = [](size_t offset, size_t length) { return out().data(6000).part(offset, length); };
  const auto expected = [&](size_t offset, size_t length) {
    return router.to(kCatHost, part(offset, length).ttl(63));
  };
  for (const unsigned queue : queues()) {
    router.send(kAnnHost, part(0, 2960), queue);
    EXPECT_TRUE(same(router.sent("w"), {expected(0, 1376), expected(1376, 1376), expected(2752, 208)}));
    router.send(kAnnHost, part(2960, 2960), queue);
    EXPECT_TRUE(same(router.sent("w"), {expected(2960, 1376), expected(4336, 1376), expected(5712, 208)}))
        << "the last of these is not the last of all";
    router.send(kAnnHost, part(2960, 3048), queue);
    EXPECT_TRUE(same(router.sent("w"), {expected(2960, 1376), expected(4336, 1376), expected(5712, 296)}))
        << "and of these it is";
    router.send(kAnnHost, part(5920, 88), queue);
    EXPECT_TRUE(same(router.sent("w"), {expected(5920, 88)}));
  }
}

TEST_P(Mtu, B38_speaks_of_the_first_part_that_may_not_be_cut_and_not_of_later_ones) {
  TestRouter router = narrow();
  router.send(kAnnHost, out().data(6000).part(2960, 2960).may_not_fragment());
  EXPECT_EQ(router.said(), Said());
  router.send(kAnnHost, out().data(6000).part(0, 2960).may_not_fragment());
  EXPECT_EQ(router.said(), Said{"a: icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/4 mtu 1400 about "
                                "(udp 192.168.10.7:5000 > 198.51.100.9:53 ttl 64 part 0+2960 more)"});
}

struct Options {
  Frame whole, copied;
};

TEST_P(Mtu, B38_copies_an_option_into_later_parts_if_its_flag_says_so) {
  const std::vector<Options> all = {
      {{0x94, 4, 0, 0}, {0x94, 4, 0, 0}},                          // router alert: copied
      {{7, 7, 4, 0, 0, 0, 0, 0}, {}},                              // record route: not
      {{7, 7, 4, 0, 0, 0, 0, 1, 0x94, 4, 0, 0}, {0x94, 4, 0, 0}},  // the second of two
      {{0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0}, {0x94, 4, 0, 0}},  // the first of two
      {{0x82, 5, 1, 2, 3, 7, 3, 4, 0x94, 4, 0, 0}, {0x82, 5, 1, 2, 3, 0x94, 4, 0, 0, 0, 0, 0}},
      {{1, 1, 1, 1}, {}},      // padding
      {{0, 0, 0, 0}, {}},      // the end
      {{0x94, 0, 0, 0}, {}},   // of no length
      {{0x94, 40, 0, 0}, {}},  // behind the header's end
      {{1, 1, 1, 0x94}, {}},   // cut off
  };
  TestRouter router = narrow();
  for (const Options& options : all) {
    const auto packet = [&] { return out().data(4000).options(options.whole); };
    router.send(kAnnHost, packet());
    const Frames sent = router.sent("w");
    ASSERT_GE(sent.size(), 3u);
    EXPECT_EQ(put_together(sent), payload_of(packet()));
    for (size_t i = 0; i < sent.size(); ++i) {
      const Frame part = ip_packet_of(sent[i]);
      EXPECT_LE(part.size(), 1400u);
      EXPECT_EQ(options_of(part), i == 0 ? options.whole : options.copied)
          << int{options.whole[0]} << " part " << i;
      EXPECT_EQ(word(part, 4), 0x1234);
      EXPECT_EQ(part.at(8), 63);
    }
  }
}

TEST_P(Mtu, B38_the_parts_wait_for_a_neighbor_together) {
  TestRouter router = make(Home{.uplink = ", mtu: 1400", .neighbors = "", .mtu = "9000"});
  router.send(kAnnHost, out().data(4000));
  EXPECT_EQ(router.said(), Said{"w: arp who-has 203.0.113.1 tell 203.0.113.2"});
  router.receive("w", arp_reply(kCat, "203.0.113.1", router.mac("uplink"), "203.0.113.2"));
  EXPECT_EQ(put_together(router.sent("w")), payload_of(out().data(4000)));
}

TEST_P(Mtu, B38_cuts_what_goes_into_a_vlan) {
  std::string yaml = Home{.mtu = "9000"};
  const std::string lan20 = "lan20: { bridge: lan, vlan: 20, ";
  yaml.insert(yaml.find(lan20) + lan20.size(), "mtu: 1300, ");
  TestRouter router = make(yaml);
  router.send(kCatHost, udp("198.51.100.9:1", "192.168.20.8:2").data(2000));
  const auto part = [&](size_t offset, size_t length) {
    return router.to(kBobHost,
                     udp("198.51.100.9:1", "192.168.20.8:2").data(2000).ttl(63).part(offset, length));
  };
  EXPECT_TRUE(same(router.sent("t"), {part(0, 1280), part(1280, 728)}));
  // And out of it: the tag goes with the first header.
  router.send(kBobHost, udp("192.168.20.8:2", "192.168.10.7:1").data(2000));
  EXPECT_EQ(router.told("a"), Said{"udp 192.168.20.8:2 > 192.168.10.7:1 ttl 63"});
}

TEST_P(Mtu, B38_cuts_a_tagged_frame) {
  TestRouter router = narrow();
  const auto packet = [] { return udp("192.168.20.8:2", "198.51.100.9:1").data(2000); };
  router.send(kBobHost, packet());
  EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, packet().ttl(63).part(0, 1376)),
                                      router.to(kCatHost, packet().ttl(63).part(1376, 632))}));
}

TEST_P(Mtu, B38_cuts_an_echo_reply_of_its_own) {
  TestRouter router = narrow();
  router.send(kCatHost, echo_request("198.51.100.9", "203.0.113.2", 7).data(3000));
  const Frames sent = router.sent("w");
  EXPECT_EQ(sent.size(), 3u);
  Frame expected = payload_of(echo_reply("203.0.113.2", "198.51.100.9", 7).data(3000));
  EXPECT_EQ(put_together(sent), expected);
  EXPECT_EQ(told(sent).at(0), "icmp 203.0.113.2 > 198.51.100.9 ttl 64 part 0+1376 more echo-reply 7/1");
}

TEST_P(Mtu, B38_cuts_every_packet_of_a_burst) {
  TestRouter router = narrow();
  for (const unsigned queue : queues()) {
    Frames burst;
    for (uint16_t id = 0; id < 20; ++id) burst.push_back(router.by(kAnnHost, out().data(2000).id(id)));
    router.receive_burst("a", burst, queue);
    const Frames sent = router.sent("w");
    ASSERT_EQ(sent.size(), 40u);
    for (size_t i = 0; i < 40; i += 2) {
      const auto id = static_cast<uint16_t>(i / 2);
      EXPECT_TRUE(same({sent[i], sent[i + 1]},
                       {router.to(kCatHost, out().data(2000).id(id).ttl(63).part(0, 1376)),
                        router.to(kCatHost, out().data(2000).id(id).ttl(63).part(1376, 632))}));
    }
  }
}

// ---- B39: IPv6

TEST_P(Mtu, B39_says_that_an_ipv6_packet_is_too_big_and_never_cuts_it) {
  TestRouter router = narrow();
  for (const unsigned queue : queues()) {
    for (const size_t data : {1353, 1452, 8900}) {
      router.send(kAnnHost, out6().data(data), queue);
      EXPECT_EQ(router.said(), Said{"a: icmp fd00:10::1 > fd00:10::7 ttl 64 error 2/0 mtu 1400 about "
                                    "(udp [fd00:10::7]:5000 > [2001:db8:9::9]:53 ttl 64)"})
          << data;
    }
    router.send(kAnnHost, out6().data(1352), queue);
    EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, out6().data(1352).ttl(63))}));
  }
}

TEST_P(Mtu, B39_never_names_an_mtu_below_1280) {
  TestRouter router = narrow("1280");
  router.send(kAnnHost, out6().data(1233));
  EXPECT_EQ(router.told("a"), Said{"icmp fd00:10::1 > fd00:10::7 ttl 64 error 2/0 mtu 1280 about "
                                   "(udp [fd00:10::7]:5000 > [2001:db8:9::9]:53 ttl 64)"});
  router.send(kAnnHost, out6().data(1232));
  EXPECT_EQ(router.told("w").size(), 1u);
}

TEST_P(Mtu, B39_a_part_that_its_sender_cut_is_not_cut_again) {
  TestRouter router = narrow();
  router.send(kAnnHost, out6().data(4000).part(0, 1400));
  EXPECT_EQ(router.said(), Said{"a: icmp fd00:10::1 > fd00:10::7 ttl 64 error 2/0 mtu 1400 about "
                                "(udp [fd00:10::7]:5000 > [2001:db8:9::9]:53 ttl 64 part 0+1400 more)"});
  router.send(kAnnHost, out6().data(4000).part(0, 1352));
  router.send(kAnnHost, out6().data(4000).part(1352, 1352));
  EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, out6().data(4000).part(0, 1352).ttl(63)),
                                      router.to(kCatHost, out6().data(4000).part(1352, 1352).ttl(63))}));
}

TEST_P(Mtu, B39_the_hop_limit_comes_before_the_size) {
  TestRouter router = narrow();
  router.send(kAnnHost, out6().data(1452).ttl(1));
  router.send(kAnnHost, out().data(1472).ttl(1).may_not_fragment());
  EXPECT_EQ(router.told("a"), (Said{"icmp fd00:10::1 > fd00:10::7 ttl 64 error 3/0 about "
                                    "(udp [fd00:10::7]:5000 > [2001:db8:9::9]:53 ttl 1)",
                                    "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 11/0 about "
                                    "(udp 192.168.10.7:5000 > 198.51.100.9:53 ttl 1)"}));
}

TEST_P(Mtu, B39_an_answer_to_a_link_local_address_is_no_larger_than_the_interface_s_mtu) {
  TestRouter router = narrow();
  const std::string own = "fe80::ff:fe00:7102";  // EUI-64 of kUplinkMac
  router.knows("w", "uplink", kCat, "fe80::c");
  router.send(kCatHost, echo_request("fe80::c", own, 5).data(1353));
  EXPECT_EQ(router.said(), Said());
  EXPECT_EQ(router.all_drops(DropReason::fragmentation_needed), 1u);
  router.send(kCatHost, echo_request("fe80::c", own, 5).data(1352));
  EXPECT_EQ(router.said(), Said{"w: icmp " + own + " > fe80::c ttl 64 echo-reply 5/1"});
}

TEST_P(Mtu, B38_a_burst_of_large_packets_is_cut_without_loss) {
  TestRouter router = make(Home{.uplink = ", mtu: 1300", .mtu = "9000"});
  Frames burst;
  for (uint16_t i = 0; i < 48; ++i) burst.push_back(router.by(kAnnHost, out().data(8900).id(i)));
  router.receive_burst("a", burst);
  EXPECT_EQ(router.sent("w").size(), 48u * 7);
  EXPECT_EQ(router.all_drops(DropReason::again_full), 0u);
}

}  // namespace
}  // namespace sluice::test
