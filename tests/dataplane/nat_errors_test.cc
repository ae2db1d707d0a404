// SPDX-License-Identifier: BSD-3-Clause
//
// ICMP errors about translated packets: behaviours B70, B73. For those between inside hosts see
// nat_hairpin_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

constexpr const char* kServers =
    "- { name: servers, interface: uplink, static: [{ inside: 192.168.10.30, outside: 203.0.113.30 }] }\n";

/// A packet as the inside knows it, and as the outside does: 17 hops further, so that the quote's own TTL
/// and checksum are unlike those that it left with.
struct Pair {
  const char* name;
  PacketBuilder inside, outside;
};

PacketBuilder later(PacketBuilder packet) {
  return packet.ttl(46).id(0x77AA);
}

std::vector<Pair> sent_out() {
  const PacketBuilder small = udp("192.168.10.7:5000", "198.51.100.9:53"),
                      mapped = udp("203.0.113.2:5000", "198.51.100.9:53");
  return {{"udp", small, mapped},
          {"udp_without_checksum", PacketBuilder(small).no_checksum(), PacketBuilder(mapped).no_checksum()},
          {"udp_with_options", PacketBuilder(small).options({0x94, 0x04, 0, 0}),
           PacketBuilder(mapped).options({0x94, 0x04, 0, 0})},
          {"tcp", tcp("192.168.10.7:5000", "198.51.100.9:80"), tcp("203.0.113.2:5000", "198.51.100.9:80")},
          {"echo", echo_request("192.168.10.7", "198.51.100.9", 7),
           echo_request("203.0.113.2", "198.51.100.9", 7)}};
}

/// What every error quotes at least: the IP header, with its options, and 8 octets (RFC 792).
size_t least(const Pair& pair) {
  return std::string(pair.name) == "udp_with_options" ? 32 : 28;
}

class NatErrors : public testing::TestWithParam<Pair> {};

INSTANTIATE_TEST_SUITE_P(About, NatErrors, testing::ValuesIn(sent_out()),
                         [](const auto& info) { return info.param.name; });

TEST_P(NatErrors, B70_from_outside_quote_what_the_inside_host_sent) {
  Home home(masquerade());
  const auto& [name, inside, outside] = GetParam();
  home.goes_out(inside, PacketBuilder(outside).ttl(63));
  const Frame quoted = later(outside).packet(), wanted = later(inside).packet();
  for (const char* reporter : {"198.51.100.9", "192.0.2.99"}) {  // the host itself, and a router before it
    for (size_t octets : {least(GetParam()), least(GetParam()) + 1, size_t{40}, size_t{60}, size_t{200}}) {
      home.comes_in(icmp_error(reporter, "203.0.113.2", 3, 3, quoted, octets),
                    icmp_error(reporter, "192.168.10.7", 3, 3, wanted, octets).ttl(63));
    }
  }
  home.comes_in(icmp_error("192.0.2.99", "203.0.113.2", 11, 0, quoted, least(GetParam())),
                icmp_error("192.0.2.99", "192.168.10.7", 11, 0, wanted, least(GetParam())).ttl(63));
  home.comes_in(icmp_error("192.0.2.99", "203.0.113.2", 3, 4, quoted, least(GetParam()), 1400),
                icmp_error("192.0.2.99", "192.168.10.7", 3, 4, wanted, least(GetParam()), 1400).ttl(63));
  EXPECT_EQ(home.sessions(), 1u);
}

TEST_P(NatErrors, B70_with_a_wrong_checksum_in_the_quoted_header_are_dropped) {
  Home home(masquerade());
  const auto& [name, inside, outside] = GetParam();
  home.goes_out(inside, PacketBuilder(outside).ttl(63));
  const Frame quoted = later(outside).bad_ip_checksum().packet();
  home.is_dropped("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3, quoted, least(GetParam())),
                  DropReason::nat_bad_quote);
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatErrors, B70_from_inside_come_from_the_external_address) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000"),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
  const Frame delivered = udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63).packet();
  const Frame sent = udp("198.51.100.9:53", "203.0.113.2:5000").ttl(63).packet();
  for (const char* reporter : {"192.168.10.7", "192.168.10.9"}) {  // the host itself, and a router before it
    for (size_t octets : {28, 29, 46}) {
      home.goes_out(icmp_error(reporter, "198.51.100.9", 3, 3, delivered, octets),
                    icmp_error("203.0.113.2", "198.51.100.9", 3, 3, sent, octets).ttl(63));
    }
  }
  const Frame bad = udp("198.51.100.9:53", "192.168.10.7:5000").bad_ip_checksum().packet();
  home.is_dropped("lan", icmp_error("192.168.10.7", "198.51.100.9", 3, 3, bad), DropReason::nat_bad_quote);
}

TEST(NatErrors, B70_about_a_whole_tcp_segment_have_its_checksum_right) {
  Home home(masquerade());
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80"),
                tcp("203.0.113.2:5000", "198.51.100.9:80").ttl(63));
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.2:5000").flags(0x12),
                tcp("198.51.100.9:80", "192.168.10.7:5000").flags(0x12).ttl(63));
  for (size_t octets : {28, 36, 38, 40, 58}) {
    home.comes_in(icmp_error("192.0.2.99", "203.0.113.2", 11, 0,
                             tcp("203.0.113.2:5000", "198.51.100.9:80").ttl(1).packet(), octets),
                  icmp_error("192.0.2.99", "192.168.10.7", 11, 0,
                             tcp("192.168.10.7:5000", "198.51.100.9:80").ttl(1).packet(), octets)
                      .ttl(63));
    home.goes_out(icmp_error("192.168.10.7", "198.51.100.9", 3, 3,
                             tcp("198.51.100.9:80", "192.168.10.7:5000").flags(0x12).packet(), octets),
                  icmp_error("203.0.113.2", "198.51.100.9", 3, 3,
                             tcp("198.51.100.9:80", "203.0.113.2:5000").flags(0x12).packet(), octets)
                      .ttl(63));
  }
}

TEST(NatErrors, B70_about_a_port_forward_are_translated_both_ways) {
  Home home(masquerade("port-forward: [{ protocol: udp, port: 5353, to: \"192.168.10.20:53\" }]"));
  home.comes_in(udp("198.51.100.9:4000", "203.0.113.2:5353"),
                udp("198.51.100.9:4000", "192.168.10.20:53").ttl(63));
  home.goes_out(
      icmp_error("192.168.10.20", "198.51.100.9", 3, 3,
                 udp("198.51.100.9:4000", "192.168.10.20:53").packet()),
      icmp_error("203.0.113.2", "198.51.100.9", 3, 3, udp("198.51.100.9:4000", "203.0.113.2:5353").packet())
          .ttl(63));
  home.goes_out(udp("192.168.10.20:53", "198.51.100.9:4000"),
                udp("203.0.113.2:5353", "198.51.100.9:4000").ttl(63));
  home.comes_in(
      icmp_error("192.0.2.99", "203.0.113.2", 11, 0, udp("203.0.113.2:5353", "198.51.100.9:4000").packet()),
      icmp_error("192.0.2.99", "192.168.10.20", 11, 0, udp("192.168.10.20:53", "198.51.100.9:4000").packet())
          .ttl(63));
}

TEST(NatErrors, B70_about_any_protocol_of_a_host_with_its_own_address_are_translated) {
  Home home(kServers);
  for (uint8_t protocol : {uint8_t{47}, uint8_t{50}, uint8_t{132}}) {
    home.goes_out(ip(protocol, "192.168.10.30", "198.51.100.9"),
                  ip(protocol, "203.0.113.30", "198.51.100.9").ttl(63));
    home.comes_in(icmp_error("198.51.100.9", "203.0.113.30", 3, 2,
                             ip(protocol, "203.0.113.30", "198.51.100.9").packet()),
                  icmp_error("198.51.100.9", "192.168.10.30", 3, 2,
                             ip(protocol, "192.168.10.30", "198.51.100.9").packet())
                      .ttl(63));
  }
}

TEST(NatErrors, B70_neither_end_nor_keep_a_session) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80"),
                tcp("203.0.113.2:5000", "198.51.100.9:80").ttl(63));
  const auto complain = [&] {
    for (uint8_t code = 0; code < 16; ++code) {
      home.comes_in(icmp_error("198.51.100.9", "203.0.113.2", 3, code,
                               udp("203.0.113.2:5000", "198.51.100.9:53").packet()),
                    icmp_error("198.51.100.9", "192.168.10.7", 3, code,
                               udp("192.168.10.7:5000", "198.51.100.9:53").packet())
                        .ttl(63));
      home.comes_in(icmp_error("198.51.100.9", "203.0.113.2", 3, code,
                               tcp("203.0.113.2:5000", "198.51.100.9:80").packet()),
                    icmp_error("198.51.100.9", "192.168.10.7", 3, code,
                               tcp("192.168.10.7:5000", "198.51.100.9:80").packet())
                        .ttl(63));
      home.goes_out(icmp_error("192.168.10.7", "198.51.100.9", 3, code,
                               udp("198.51.100.9:53", "192.168.10.7:5000").packet()),
                    icmp_error("203.0.113.2", "198.51.100.9", 3, code,
                               udp("198.51.100.9:53", "203.0.113.2:5000").packet())
                        .ttl(63));
    }
  };
  complain();
  EXPECT_EQ(home.sessions(), 2u);
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.2:5000").flags(0x12),
                tcp("198.51.100.9:80", "192.168.10.7:5000").flags(0x12).ttl(63));
  home.pass(299);
  complain();
  home.pass(2);
  EXPECT_EQ(home.sessions(), 1u) << "the errors kept the UDP session";
}

// What NAT cannot translate must not leave, nor come in, with the addresses of the other side.
TEST(NatErrors, B70_about_what_cannot_be_read_are_dropped) {
  Home home(masquerade());
  const auto leaving = [] { return udp("203.0.113.2:5000", "198.51.100.9:53"); };
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"), leaving().ttl(63));
  const auto query = PacketBuilder(1, "203.0.113.2", "198.51.100.9");
  const std::map<std::string, Frame> quotes = {
      {"an error", PacketBuilder(query).icmp(3, 1, 0).packet()},
      {"a query that is no echo", PacketBuilder(query).icmp(13, 0, 0x00050001).packet()},
      {"another version", leaving().poke(0, 0x65).packet()},
      {"a header that is too short", leaving().poke(0, 0x44).packet()},
      {"a header that is longer than the quote", leaving().poke(0, 0x46).packet()},
      {"a later part", leaving().data(100).part(16, 40).packet()},
  };
  for (const auto& [what, quote] : quotes) {
    SCOPED_TRACE(what);
    home.is_dropped("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3, quote),
                    DropReason::nat_untranslatable);
    home.is_dropped("lan", icmp_error("192.168.10.7", "198.51.100.9", 3, 3, quote),
                    DropReason::nat_untranslatable);
  }
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatErrors, B70_about_nothing_that_left_are_dropped) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  // Another remote port, another protocol, a port that is not mapped, a quote in the wrong direction.
  for (const PacketBuilder& quoted :
       {udp("203.0.113.2:5000", "198.51.100.9:54"), tcp("203.0.113.2:5000", "198.51.100.9:53"),
        udp("203.0.113.2:5001", "198.51.100.9:53"), udp("198.51.100.9:53", "203.0.113.2:5000"),
        udp("192.168.10.7:5000", "198.51.100.9:53")}) {
    home.send("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3, quoted.packet()));
    home.expect("", {});
  }
  home.is_dropped(
      "lan",
      icmp_error("192.168.10.7", "198.51.100.9", 3, 3, udp("198.51.100.9:99", "192.168.10.7:5000").packet()),
      DropReason::nat_no_session);
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatErrors, B70_do_not_open_sessions_by_way_of_a_port_forward) {
  Home home(masquerade("port-forward: [{ protocol: udp, port: 5353, to: \"192.168.10.20:53\" }]"));
  home.send("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3,
                              udp("203.0.113.2:5353", "198.51.100.9:4000").packet()));
  home.expect("", {});
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatErrors, B70_that_quote_too_little_or_no_first_part_are_dropped) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  const Frame quoted = udp("203.0.113.2:5000", "198.51.100.9:53").packet();
  for (size_t octets = 0; octets < 28; ++octets) {
    home.send("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3, quoted, octets));
    home.expect("", {});
  }
  const Frame part = udp("203.0.113.2:5000", "198.51.100.9:53").data(100).part(64, 40).packet();
  home.send("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3, part));
  home.expect("", {});
}

// They have no identifier, and the one of an echo may well be 0.
TEST(NatErrors, B70_that_quote_nothing_are_not_taken_for_an_echo_with_identifier_0) {
  Home home(masquerade());
  home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 0),
                echo_request("203.0.113.2", "198.51.100.9", 0).ttl(63));
  home.comes_in(echo_reply("198.51.100.9", "203.0.113.2", 0),
                echo_reply("198.51.100.9", "192.168.10.7", 0).ttl(63));
  const Frame part = udp("203.0.113.2:5000", "198.51.100.9:53").data(100).part(64, 40).packet();
  home.send("wan", icmp_error("198.51.100.9", "203.0.113.2", 3, 3, part));
  home.expect("", {});
  home.send("wan", PacketBuilder(1, "198.51.100.9", "203.0.113.2").icmp(13, 0, 0x00050001));
  home.expect("", {});
  const Frame inside = udp("192.168.10.7:5000", "198.51.100.9:53").data(100).part(64, 40).packet();
  home.send("lan", icmp_error("192.168.10.7", "198.51.100.9", 3, 3, inside));
  home.expect("", {});
}

TEST(NatErrors, B70_about_the_first_part_of_a_datagram_are_translated) {
  Home home(masquerade());
  const auto inside = udp("192.168.10.7:5000", "198.51.100.9:53").data(1000),
             outside = udp("203.0.113.2:5000", "198.51.100.9:53").data(1000);
  home.goes_out(PacketBuilder(inside).part(0, 512), PacketBuilder(outside).part(0, 512).ttl(63));
  home.comes_in(
      icmp_error("192.0.2.99", "203.0.113.2", 11, 1, PacketBuilder(outside).part(0, 512).packet()),
      icmp_error("192.0.2.99", "192.168.10.7", 11, 1, PacketBuilder(inside).part(0, 512).packet()).ttl(63));
}

TEST(NatErrors, B73_expire_like_any_packet_and_are_not_answered) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.is_dropped(
      "wan",
      icmp_error("198.51.100.9", "203.0.113.2", 3, 3, udp("203.0.113.2:5000", "198.51.100.9:53").packet())
          .ttl(1),
      DropReason::ttl_expired);
}

TEST(NatErrors, B70_do_not_decide_about_a_session_when_rules_have_changed) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  // The way there is another one now: the session's next packet would end it, an error must not.
  Plan moved{.nat = masquerade(), .routes = "{ to: default, via: 198.18.0.1 }"};
  home.reload(moved);
  home.send("lan", icmp_error("192.168.10.7", "198.51.100.9", 3, 3,
                              udp("198.51.100.9:53", "192.168.10.7:5000").packet()));
  home.forget();
  EXPECT_EQ(home.sessions(), 1u);
  home.reload(Plan{.nat = masquerade()});
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000"),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
}

}  // namespace
}  // namespace sluice::test
