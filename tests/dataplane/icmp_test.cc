// SPDX-License-Identifier: BSD-3-Clause
//
// What the router says by ICMP, and when it holds its tongue: behaviours B35-B37, B39, B40, B42.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Icmp : public RouterTest {
 protected:
  /// Nothing has a route: every packet that is not for us has an error coming.
  static TestRouter nowhere(const std::string& limits = "") {
    return make(Home{.routes = "", .more = limits, .mtu = "9000"});
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, Icmp, kWays, way_name);

const char* const kFar = "198.51.100.9";
const char* const kFar6 = "2001:db8:9::9";

PacketBuilder to_nowhere() {
  return udp("192.168.10.7:5000", "198.51.100.9:53");
}
PacketBuilder to_nowhere6() {
  return udp("[fd00:10::7]:5000", "[2001:db8:9::9]:53");
}

// ---- B35: no error about ...

TEST_P(Icmp, B35_says_nothing_about_errors) {
  TestRouter router = nowhere();
  const Frame quoted = udp("198.51.100.9:53", "192.168.10.7:5000").packet();
  for (const unsigned queue : queues()) {
    for (const uint8_t type : {3, 4, 5, 11, 12}) {
      router.send(kAnnHost, icmp_error("192.168.10.7", kFar, type, 0, quoted), queue);
      router.send(kAnnHost, icmp_error("192.168.10.7", "192.168.20.8", type, 0, quoted).ttl(1), queue);
      router.send(kAnnHost, icmp_error("192.168.10.7", "192.168.10.1", type, 0, quoted), queue);
      EXPECT_EQ(router.said(), Said()) << int{type};
    }
  }
  EXPECT_EQ(router.drops("a", DropReason::no_route), 5u * queues().size());
}

TEST_P(Icmp, B35_says_nothing_about_ipv6_errors_and_redirects) {
  TestRouter router = nowhere();
  const Frame quoted = udp("[2001:db8:9::9]:53", "[fd00:10::7]:5000").packet();
  for (const uint8_t type : {1, 2, 3, 4, 100, 127}) {
    router.send(kAnnHost, icmp_error("fd00:10::7", kFar6, type, 0, quoted, 48));
    router.send(kAnnHost, icmp_error("fd00:10::7", "fd00:20::8", type, 0, quoted, 48).ttl(1));
    EXPECT_EQ(router.said(), Said()) << int{type};
  }
}

TEST_P(Icmp, B35_does_say_something_about_queries) {
  TestRouter router = nowhere();
  router.send(kAnnHost, echo_request("192.168.10.7", kFar, 7));
  router.send(kAnnHost, echo_reply("192.168.10.7", kFar, 7));
  router.send(kAnnHost, echo_request("fd00:10::7", kFar6, 7));
  EXPECT_EQ(router.told("a"), (Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/0 about "
                                    "(icmp 192.168.10.7 > 198.51.100.9 ttl 64 echo 7/1)",
                                    "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/0 about "
                                    "(icmp 192.168.10.7 > 198.51.100.9 ttl 64 echo-reply 7/1)",
                                    "icmp fd00:10::1 > fd00:10::7 ttl 64 error 1/0 about "
                                    "(icmp fd00:10::7 > 2001:db8:9::9 ttl 64 echo 7/1)"}));
}

TEST_P(Icmp, B35_speaks_of_the_first_part_of_a_datagram_alone) {
  TestRouter router = nowhere();
  for (const auto& whole : {to_nowhere().data(100), to_nowhere6().data(100)}) {
    router.send(kAnnHost, PacketBuilder(whole).part(0, 48));
    EXPECT_EQ(router.told("a").size(), 1u);
    router.send(kAnnHost, PacketBuilder(whole).part(48, 32));
    router.send(kAnnHost, PacketBuilder(whole).part(80, 100));
    router.send(kAnnHost, PacketBuilder(whole).part(48, 100).ttl(1));
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Icmp, B35_says_nothing_about_what_went_to_everybody) {
  TestRouter router = nowhere();
  for (const char* destination :
       {"224.0.0.9", "239.1.2.3", "255.255.255.255", "192.168.10.255", "192.168.20.255"}) {
    router.send(kAnnHost, udp("192.168.10.7:1", destination + std::string(":2")));
    router.send(kAnnHost, udp("192.168.10.7:1", destination + std::string(":2")).ttl(1));
    router.send(kAnnHost, udp("192.168.10.7:1", destination + std::string(":2")).ttl(0));
    EXPECT_EQ(router.said(), Said()) << destination;
  }
  for (const char* destination : {"ff02::9", "ff0e::9"}) {
    router.send(kAnnHost, udp("[fd00:10::7]:1", "[" + std::string(destination) + "]:2"));
    router.send(kAnnHost, udp("[fd00:10::7]:1", "[" + std::string(destination) + "]:2").ttl(1));
    EXPECT_EQ(router.said(), Said()) << destination;
  }
}

TEST_P(Icmp, B35_says_nothing_about_a_packet_in_a_frame_to_everybody) {
  TestRouter router = nowhere();
  const std::string gateway = "198.51.100.7";
  for (const char* mac : {kEverybody, kSomeGroup}) {
    router.receive("w", udp(gateway + ":1", "192.168.20.99:2").ttl(1).via(kCat, mac));
    router.receive("w", udp(gateway + ":1", "203.0.113.2:53").via(kCat, mac));
    router.receive("w", udp(gateway + ":1", "10.9.9.9:53").via(kCat, mac));
  }
  EXPECT_EQ(router.drops("w", DropReason::group_not_routed), 6u);
  EXPECT_EQ(router.said(), Said());
  // In a VLAN such a frame is switched to the others, and no more than that.
  router.receive("a", udp("192.168.10.7:1", "192.168.10.1:53").via(kAnn, kEverybody));
  EXPECT_EQ(router.said(), Said{"t: udp 192.168.10.7:1 > 192.168.10.1:53 ttl 64 vlan 10"});
}

TEST_P(Icmp, B35_says_nothing_to_a_source_that_is_no_single_host) {
  TestRouter router = nowhere();
  for (const char* source : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.5", "192.168.10.255",
                             "192.168.10.0", "203.0.113.255", "240.1.1.1"}) {
    router.send(kAnnHost, udp(source + std::string(":1"), "198.51.100.9:2"));
    router.send(kAnnHost, udp(source + std::string(":1"), "192.168.20.8:2").ttl(1));
    router.send(kAnnHost, udp(source + std::string(":1"), "192.168.10.1:2"));
    EXPECT_EQ(router.said(), Said()) << source;
  }
  for (const char* source : {"::", "::1", "ff02::1"}) {
    router.send(kAnnHost, udp("[" + std::string(source) + "]:1", "[2001:db8:9::9]:2"));
    router.send(kAnnHost, udp("[" + std::string(source) + "]:1", "[fd00:10::1]:2"));
    EXPECT_EQ(router.said(), Said()) << source;
  }
}

TEST_P(Icmp, B35_says_nothing_about_its_own_packets) {
  TestRouter router = nowhere();
  // The answer to this echo has no way back.
  router.send(kCatHost, echo_request("10.9.9.9", "203.0.113.2", 7));
  EXPECT_EQ(router.said(), Said());
  EXPECT_EQ(router.all_drops(DropReason::no_route), 1u);
}

// ---- B36: how often

TEST_P(Icmp, B36_sends_a_burst_and_then_as_many_as_the_rate_says) {
  TestRouter router = nowhere("icmp: { rate-limit: 10/s, burst: 3 }\n");
  const auto ask = [&](unsigned times) {
    for (unsigned i = 0; i < times; ++i) router.send(kAnnHost, to_nowhere(), i % queues().size());
    return router.told("a").size();
  };
  EXPECT_EQ(ask(20), 3u);
  router.pass_ms(99);
  EXPECT_EQ(ask(5), 0u);
  router.pass_ms(1);
  EXPECT_EQ(ask(5), 1u) << "a tenth of a second earns one";
  router.pass_ms(150);
  EXPECT_EQ(ask(5), 1u);
  router.pass_ms(50);
  EXPECT_EQ(ask(5), 1u) << "the half that was over has been kept";
  router.pass(60);
  EXPECT_EQ(ask(20), 3u) << "and no more than the burst";
  EXPECT_EQ(router.drops("a", DropReason::no_route), 60u) << "whether told or not";
}

TEST_P(Icmp, B36_counts_the_errors_of_both_families_and_of_all_kinds_together) {
  TestRouter router = nowhere("icmp: { rate-limit: 1/s, burst: 4 }\n");
  router.send(kAnnHost, to_nowhere());
  router.send(kAnnHost, to_nowhere6());
  router.send(kAnnHost, udp("192.168.10.7:1", "192.168.10.1:2"));
  router.send(kAnnHost, udp("[fd00:10::7]:1", "[fd00:20::8]:2").ttl(1));
  EXPECT_EQ(router.told("a").size(), 4u);
  router.send(kAnnHost, to_nowhere6());
  router.send(kAnnHost, udp("192.168.10.7:1", "192.168.20.8:2").ttl(1));
  EXPECT_EQ(router.said(), Said());
}

TEST_P(Icmp, B36_does_not_count_echo_replies_nor_what_it_keeps_to_itself) {
  TestRouter router = nowhere("icmp: { rate-limit: 1/s, burst: 1 }\n");
  for (uint16_t i = 0; i < 10; ++i) {
    router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7, i));
    router.send(kAnnHost, to_nowhere().data(100).part(48, 16));        // a later fragment
    router.send(kAnnHost, udp("192.168.20.255:1", "198.51.100.9:2"));  // from everybody
    router.send(kAnnHost, udp("192.168.20.0:1", "198.51.100.9:2"));
  }
  EXPECT_EQ(router.told("a").size(), 10u);
  router.send(kAnnHost, to_nowhere());
  EXPECT_EQ(router.told("a").size(), 1u) << "the one token is still there";
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 8));
  EXPECT_EQ(router.told("a").size(), 1u) << "an echo needs none";
}

TEST_P(Icmp, B36_takes_new_limits_from_a_reload) {
  TestRouter router = nowhere("icmp: { rate-limit: 1/s, burst: 1 }\n");
  ASSERT_TRUE(
      router.reload(Home{.routes = "", .more = "icmp: { rate-limit: 100/s, burst: 50 }\n", .mtu = "9000"})
          .ok());
  router.pass(1);
  for (unsigned i = 0; i < 60; ++i) router.send(kAnnHost, to_nowhere());
  EXPECT_EQ(router.told("a").size(), 50u);
}

// ---- B37: how much is quoted

TEST_P(Icmp, B37_quotes_as_much_as_fits_into_576_octets) {
  TestRouter router = nowhere();
  for (const size_t data : {0, 1, 18, 519, 520, 521, 1400, 8900}) {
    const auto packet = to_nowhere().data(data);
    router.send(kAnnHost, packet);
    const Frames sent = router.sent("a");
    ASSERT_EQ(sent.size(), 1u);
    const Frame error = ip_packet_of(sent.front()), whole = packet.packet();
    const size_t quoted = std::min<size_t>(whole.size(), 576 - 28);
    ASSERT_EQ(error.size(), 28 + quoted) << data;
    EXPECT_TRUE(std::equal(error.begin() + 28, error.end(), whole.begin())) << data;
    EXPECT_EQ(told(sent.front()),
              "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/0 about "
              "(udp 192.168.10.7:5000 > 198.51.100.9:53 ttl 64)");
  }
}

TEST_P(Icmp, B37_quotes_as_much_as_fits_into_1280_octets_of_ipv6) {
  TestRouter router = nowhere();
  for (const size_t data : {0, 18, 1183, 1184, 1185, 8900}) {
    const auto packet = to_nowhere6().data(data);
    router.send(kAnnHost, packet);
    const Frames sent = router.sent("a");
    ASSERT_EQ(sent.size(), 1u);
    const Frame error = ip_packet_of(sent.front()), whole = packet.packet();
    const size_t quoted = std::min<size_t>(whole.size(), 1280 - 48);
    ASSERT_EQ(error.size(), 48 + quoted) << data;
    EXPECT_TRUE(std::equal(error.begin() + 48, error.end(), whole.begin())) << data;
  }
}

TEST_P(Icmp, B37_does_not_quote_what_pads_the_frame) {
  TestRouter router = nowhere();
  const auto packet = to_nowhere().data(3);
  router.receive("a", padded(router.by(kAnnHost, packet), 15));
  const Frames sent = router.sent("a");
  ASSERT_EQ(sent.size(), 1u);
  const Frame whole = packet.packet();
  EXPECT_EQ(ip_packet_of(sent.front()).size(), 28 + whole.size());
}

TEST_P(Icmp, B37_quotes_the_options_of_a_packet_too) {
  TestRouter router = nowhere();
  const auto packet = to_nowhere().options(Frame(40, 1));
  router.send(kAnnHost, packet);
  const Frames sent = router.sent("a");
  ASSERT_EQ(sent.size(), 1u);
  const Frame error = ip_packet_of(sent.front());
  EXPECT_EQ(Frame(error.begin() + 28, error.end()), packet.packet());
}

TEST_P(Icmp, B31_an_error_has_precedence_6_and_so_is_not_lost_among_the_data) {
  TestRouter router = nowhere();
  router.send(kAnnHost, to_nowhere().tos(0x20));
  const Frames sent = router.sent("a");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().at(15), 0xC0);
}

// ---- B42: echo

TEST_P(Icmp, B42_returns_the_identifier_the_sequence_and_the_data_of_an_echo) {
  TestRouter router = make(Home{.mtu = "9000"});
  uint16_t sequence = 0;
  for (const unsigned queue : queues()) {
    for (const size_t data : {0, 1, 7, 56, 1472, 1473, 8000}) {
      const auto request = echo_request("192.168.10.7", "192.168.10.1", 0xBEEF, ++sequence).data(data);
      router.send(kAnnHost, request, queue);
      const Frames sent = router.sent("a");
      ASSERT_EQ(sent.size(), 1u);
      EXPECT_EQ(told(sent),
                Said{"icmp 192.168.10.1 > 192.168.10.7 ttl 64 echo-reply 48879/" + std::to_string(sequence)});
      const Frame answer = ip_packet_of(sent.front()), asked = request.packet();
      ASSERT_EQ(answer.size(), asked.size());
      EXPECT_TRUE(std::equal(answer.begin() + 24, answer.end(), asked.begin() + 24));
    }
  }
}

TEST_P(Icmp, B42_returns_the_identifier_the_sequence_and_the_data_of_an_ipv6_echo) {
  TestRouter router = make(Home{.mtu = "9000"});
  for (const unsigned queue : queues()) {
    for (const size_t data : {0, 1, 56, 1452, 8000}) {
      const auto request = echo_request("fd00:10::7", "fd00:10::1", 0xBEEF, 3).data(data);
      router.send(kAnnHost, request, queue);
      const Frames sent = router.sent("a");
      ASSERT_EQ(told(sent), Said{"icmp fd00:10::1 > fd00:10::7 ttl 64 echo-reply 48879/3"});
      const Frame answer = ip_packet_of(sent.front()), asked = request.packet();
      ASSERT_EQ(answer.size(), asked.size());
      EXPECT_TRUE(std::equal(answer.begin() + 44, answer.end(), asked.begin() + 44));
    }
  }
}

TEST_P(Icmp, B42_answers_from_the_address_that_was_probed) {
  TestRouter router = make();
  for (const char* own : {"192.168.10.1", "192.168.20.1", "203.0.113.2"}) {
    router.send(kAnnHost, echo_request("192.168.10.7", own, 7));
    EXPECT_EQ(router.told("a"), Said{std::string("icmp ") + own + " > 192.168.10.7 ttl 64 echo-reply 7/1"});
  }
  for (const char* own : {"fd00:10::1", "fd00:20::1", "2001:db8::2"}) {
    router.send(kAnnHost, echo_request("fd00:10::7", own, 7));
    EXPECT_EQ(router.told("a"), Said{std::string("icmp ") + own + " > fd00:10::7 ttl 64 echo-reply 7/1"});
  }
}

TEST_P(Icmp, B42_answers_hosts_that_are_far_away) {
  TestRouter router = make();
  router.send(kCatHost, echo_request("198.51.100.9", "192.168.10.1", 7));
  EXPECT_TRUE(router.said() == Said{"w: icmp 192.168.10.1 > 198.51.100.9 ttl 64 echo-reply 7/1"});
}

TEST_P(Icmp, B42_answers_in_the_class_of_the_request) {
  TestRouter router = make();
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7).tos(0xB9));
  const Frames sent = router.sent("a");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().at(15), 0xB9);
}

TEST_P(Icmp, B42_does_not_answer_what_is_broken_in_parts_or_for_many) {
  TestRouter router = make();
  // Of the datagram in two parts the second is zeroes, so that the checksum of the first is right by itself.
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7).poke(30, 0x77));  // checksum
  router.send(kAnnHost, echo_request("fd00:10::7", "fd00:10::1", 7).poke(60, 0x77));      // checksum
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7).data(Frame(40)).part(0, 24));
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7).data(Frame(40)).part(24, 24));
  router.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7).icmp(8, 1, 7));  // code
  router.receive("w", echo_request("203.0.113.1", "203.0.113.255", 7).via(kCat, kEverybody));
  router.receive("w", echo_request("203.0.113.1", "203.0.113.2", 7).via(kCat, kEverybody));
  router.send(kCatHost, echo_request("203.0.113.1", "203.0.113.255", 7));
  router.send(kCatHost, echo_request("203.0.113.1", "224.0.0.1", 7));
  router.send(kCatHost, echo_request("2001:db8::1", "ff02::1", 7));
  EXPECT_EQ(router.said(), Said());
}

TEST_P(Icmp, B42_answers_each_of_a_burst_in_order) {
  TestRouter router = make();
  for (const unsigned queue : queues()) {
    Frames burst;
    Said expected;
    for (uint16_t i = 0; i < 60; ++i) {
      burst.push_back(router.by(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 9, i)));
      expected.push_back("icmp 192.168.10.1 > 192.168.10.7 ttl 64 echo-reply 9/" + std::to_string(i));
    }
    router.receive_burst("a", burst, queue);
    EXPECT_EQ(router.told("a"), expected);
  }
}

TEST_P(Icmp, only_the_host_that_was_asked_answers_a_ping) {
  TestRouter router = make(Home());
  const control::IpAddress cat(dataplane::Ip4{203u << 24 | 113 << 8 | 1});
  for (uint16_t id = 0; id < 1100; ++id) router.send(kAnnHost, echo_reply("192.168.10.7", "203.0.113.2", id));
  ASSERT_TRUE(router.runtime().router().ping(cat, {9, 1}, 0));
  router.hush();
  router.send(kAnnHost, echo_reply("192.168.10.7", "203.0.113.2", 9));
  EXPECT_FALSE(router.runtime().router().take_reply({9, 1})) << "from another host";
  router.pass(1);
  router.send(kCatHost, echo_reply("203.0.113.1", "203.0.113.2", 9));
  EXPECT_TRUE(router.runtime().router().take_reply({9, 1}));
  EXPECT_FALSE(router.runtime().router().take_reply({9, 1})) << "once";
}

}  // namespace
}  // namespace sluice::test
