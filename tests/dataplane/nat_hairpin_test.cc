// SPDX-License-Identifier: BSD-3-Clause
//
// Inside hosts that reach each other by their external addresses: behaviour B71.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

constexpr const char* kForwards =
    "port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }, "
    "{ protocol: udp, port: 5353, to: \"192.168.10.20:53\" }]";

TEST(NatHairpin, B71_tcp_to_a_port_forward_has_an_external_source) {
  Home home(masquerade(kForwards));
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:8080"),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").ttl(63));
  home.turns_back(tcp("192.168.10.20:80", "203.0.113.2:5000").flags(0x12),
                  tcp("203.0.113.2:8080", "192.168.10.7:5000").flags(0x12).ttl(63));
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:8080").flags(0x10),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").flags(0x10).ttl(63));
  EXPECT_EQ(home.sessions(), 1u) << "one session holds both translations";
  home.pass(7439);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatHairpin, B71_udp_to_a_port_forward_has_an_external_source) {
  Home home(masquerade(kForwards));
  home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:5353"),
                  udp("203.0.113.2:5000", "192.168.10.20:53").ttl(63));
  home.turns_back(udp("192.168.10.20:53", "203.0.113.2:5000"),
                  udp("203.0.113.2:5353", "192.168.10.7:5000").ttl(63));
}

TEST(NatHairpin, B71_the_source_is_the_mapping_that_the_world_sees) {
  Home home(masquerade(kForwards));
  EXPECT_EQ(home.source_outside(udp("192.168.10.8:5000", "198.51.100.9:53")), "203.0.113.2:5000");
  const std::string seen = home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53"));
  home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:5353"), udp(seen, "192.168.10.20:53").ttl(63));
  home.turns_back(udp("192.168.10.20:53", seen), udp("203.0.113.2:5353", "192.168.10.7:5000").ttl(63));
}

TEST(NatHairpin, B71_a_forwarded_host_reaches_itself) {
  Home home(masquerade(kForwards));
  home.turns_back(tcp("192.168.10.20:5000", "203.0.113.2:8080"),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").ttl(63));
  home.turns_back(tcp("192.168.10.20:80", "203.0.113.2:5000").flags(0x12),
                  tcp("203.0.113.2:8080", "192.168.10.20:5000").flags(0x12).ttl(63));
}

/// Filters hold against the outside: inside hosts reach each other's mappings whatever they let in.
class NatHairpinToMapping : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Filtering, NatHairpinToMapping,
                         testing::Values("endpoint-independent", "address-dependent",
                                         "address-and-port-dependent"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(NatHairpinToMapping, B71_udp_reaches_it_and_is_answered) {
  Home home(masquerade(std::string("filtering: ") + GetParam()));
  home.goes_out(udp("192.168.10.8:6000", "198.51.100.9:53"),
                udp("203.0.113.2:6000", "198.51.100.9:53").ttl(63));
  home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:6000"),
                  udp("203.0.113.2:5000", "192.168.10.8:6000").ttl(63));
  home.turns_back(udp("192.168.10.8:6000", "203.0.113.2:5000"),
                  udp("203.0.113.2:6000", "192.168.10.7:5000").ttl(63));
  // The mapping that it was sent to lives as long as the conversation, though its own session has gone.
  home.pass(200);
  home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:6000"),
                  udp("203.0.113.2:5000", "192.168.10.8:6000").ttl(63));
  home.pass(200);
  home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:6000"),
                  udp("203.0.113.2:5000", "192.168.10.8:6000").ttl(63));
  EXPECT_NE(home.source_outside(udp("192.168.10.9:6000", "198.51.100.9:53")), "203.0.113.2:6000");
}

TEST_P(NatHairpinToMapping, B71_tcp_reaches_it_and_is_answered) {
  Home home(masquerade(std::string("filtering: ") + GetParam()));
  home.goes_out(tcp("192.168.10.8:6000", "198.51.100.9:80"),
                tcp("203.0.113.2:6000", "198.51.100.9:80").ttl(63));
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:6000"),
                  tcp("203.0.113.2:5000", "192.168.10.8:6000").ttl(63));
  home.turns_back(tcp("192.168.10.8:6000", "203.0.113.2:5000").flags(0x12),
                  tcp("203.0.113.2:6000", "192.168.10.7:5000").flags(0x12).ttl(63));
}

// What peer-to-peer programs do when both are behind one NAT and know only their external endpoints (RFC 5128
// section 3.3).
TEST_P(NatHairpinToMapping, B71_two_hosts_that_both_have_a_mapping_talk_by_them) {
  Home home(masquerade(std::string("filtering: ") + GetParam()));
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.goes_out(udp("192.168.10.8:6000", "198.51.100.9:53"),
                udp("203.0.113.2:6000", "198.51.100.9:53").ttl(63));
  for (int i = 0; i < 2; ++i) {
    home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:6000"),
                    udp("203.0.113.2:5000", "192.168.10.8:6000").ttl(63));
    home.turns_back(udp("192.168.10.8:6000", "203.0.113.2:5000"),
                    udp("203.0.113.2:6000", "192.168.10.7:5000").ttl(63));
  }
  EXPECT_EQ(home.sessions(), 3u);
}

TEST(NatHairpin, B71_echo_between_two_hosts_with_addresses_of_their_own) {
  Home home(
      "- { name: servers, interface: uplink, static: [{ inside: 192.168.10.30, outside: 203.0.113.30 }, "
      "{ inside: 192.168.10.31, outside: 203.0.113.31 }] }\n");
  home.turns_back(echo_request("192.168.10.30", "203.0.113.31", 9),
                  echo_request("203.0.113.30", "192.168.10.31", 9).ttl(63));
  home.turns_back(echo_reply("192.168.10.31", "203.0.113.30", 9),
                  echo_reply("203.0.113.31", "192.168.10.30", 9).ttl(63));
  home.turns_back(tcp("192.168.10.30:5000", "203.0.113.31:80"),
                  tcp("203.0.113.30:5000", "192.168.10.31:80").ttl(63));
  home.turns_back(ip(47, "192.168.10.31", "203.0.113.30"), ip(47, "203.0.113.31", "192.168.10.30").ttl(63));
  home.turns_back(ip(47, "192.168.10.30", "203.0.113.31"), ip(47, "203.0.113.30", "192.168.10.31").ttl(63));
}

TEST(NatHairpin, B71_a_host_with_an_address_of_its_own_reaches_itself) {
  Home home(
      "- { name: servers, interface: uplink, static: [{ inside: 192.168.10.30, outside: 203.0.113.30 }] }\n");
  home.turns_back(udp("192.168.10.30:5000", "203.0.113.30:6000"),
                  udp("203.0.113.30:5000", "192.168.10.30:6000").ttl(63));
  home.turns_back(udp("192.168.10.30:6000", "203.0.113.30:5000"),
                  udp("203.0.113.30:6000", "192.168.10.30:5000").ttl(63));
  home.turns_back(udp("192.168.10.30:5000", "203.0.113.30:5000"),
                  udp("203.0.113.30:5000", "192.168.10.30:5000").ttl(63));
  home.turns_back(echo_request("192.168.10.30", "203.0.113.30", 9),
                  echo_request("203.0.113.30", "192.168.10.30", 9).ttl(63));
  home.turns_back(echo_reply("192.168.10.30", "203.0.113.30", 9),
                  echo_reply("203.0.113.30", "192.168.10.30", 9).ttl(63));
}

TEST(NatHairpin, B71_echo_to_a_mapped_identifier) {
  Home home(pool("203.0.113.10", "filtering: endpoint-independent"));
  home.goes_out(echo_request("192.168.10.8", "198.51.100.9", 9),
                echo_request("203.0.113.10", "198.51.100.9", 9).ttl(63));
  // The identifier is the sender's: the answer comes back by it.
  home.send("lan", echo_request("192.168.10.7", "203.0.113.10", 9));
  const Frames first = home.router().sent("lan");
  ASSERT_EQ(first.size(), 1u);
  const auto id = static_cast<uint16_t>(first[0][38] << 8 | first[0][39]);
  EXPECT_NE(id, 9);
  EXPECT_EQ(first[0], home.framed("lan", echo_request("203.0.113.10", "192.168.10.8", id).ttl(63)));
  home.turns_back(echo_reply("192.168.10.8", "203.0.113.10", id),
                  echo_reply("203.0.113.10", "192.168.10.7", 9).ttl(63));
}

TEST(NatHairpin, B71_the_internal_source_of_an_error_is_hidden) {
  Home home(masquerade(kForwards));
  home.turns_back(udp("192.168.10.7:5000", "203.0.113.2:5353"),
                  udp("203.0.113.2:5000", "192.168.10.20:53").ttl(63));
  const auto refused = udp("203.0.113.2:5000", "192.168.10.20:53").ttl(63);
  const auto sent = udp("192.168.10.7:5000", "203.0.113.2:5353").ttl(63);
  home.turns_back(icmp_error("192.168.10.20", "203.0.113.2", 3, 3, refused.packet()),
                  icmp_error("203.0.113.2", "192.168.10.7", 3, 3, sent.packet()).ttl(63));
  // An error about an answer, the other way round.
  const auto answer = udp("203.0.113.2:5353", "192.168.10.7:5000").ttl(63);
  const auto answered = udp("192.168.10.20:53", "203.0.113.2:5000").ttl(63);
  home.turns_back(icmp_error("192.168.10.7", "203.0.113.2", 3, 3, answer.packet(), 46),
                  icmp_error("203.0.113.2", "192.168.10.20", 3, 3, answered.packet(), 46).ttl(63));
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatHairpin, B71_an_expired_ttl_is_told_to_the_sender_with_its_own_header) {
  Home home(masquerade(kForwards));
  home.answers("lan", udp("192.168.10.7:5000", "203.0.113.2:5353").ttl(1),
               "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 11/0 about (udp 192.168.10.7:5000 > "
               "203.0.113.2:5353 ttl 1)");
}

TEST(NatHairpin, B71_can_be_switched_off) {
  Home home(masquerade(std::string("hairpinning: false, ") + kForwards));
  home.is_dropped("lan", tcp("192.168.10.7:5000", "203.0.113.2:8080"), DropReason::nat_hairpin_off);
  home.comes_in(tcp("198.51.100.9:5000", "203.0.113.2:8080"),
                tcp("198.51.100.9:5000", "192.168.10.20:80").ttl(63));
}

TEST(NatHairpin, B71_a_host_that_no_rule_covers_reaches_a_port_forward_and_is_answered_by_it) {
  Home home(masquerade(kForwards));
  home.passes("dmz", tcp("192.168.20.7:5000", "203.0.113.2:8080"), "lan",
              tcp("192.168.20.7:5000", "192.168.10.20:80").ttl(63));
  home.passes("lan", tcp("192.168.10.20:80", "192.168.20.7:5000").flags(0x12), "dmz",
              tcp("203.0.113.2:8080", "192.168.20.7:5000").flags(0x12).ttl(63));
}

TEST(NatHairpin, B71_a_port_that_nothing_is_mapped_to_is_the_routers_own) {
  Home home(masquerade(kForwards));
  home.answers("lan", udp("192.168.10.7:5000", "203.0.113.2:7000"),
               "icmp 203.0.113.2 > 192.168.10.7 ttl 64 error 3/3 about (udp 192.168.10.7:5000 > "
               "203.0.113.2:7000 ttl 64)");
  home.answers("lan", echo_request("192.168.10.7", "203.0.113.2", 9),
               "icmp 203.0.113.2 > 192.168.10.7 ttl 64 echo-reply 9/1");
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatHairpin, B71_has_an_external_source_though_the_inside_is_exempt) {
  Home home(masquerade(std::string("exempt: [192.168.0.0/16], ") + kForwards));
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:8080"),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").ttl(63));
  home.turns_back(tcp("192.168.10.20:80", "203.0.113.2:5000").flags(0x12),
                  tcp("203.0.113.2:8080", "192.168.10.7:5000").flags(0x12).ttl(63));
  // Rules that change keep it.
  home.reload(Plan{.nat = masquerade(std::string("exempt: [192.168.0.0/16, 10.0.0.0/8], ") + kForwards)});
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:8080").flags(0x10),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").flags(0x10).ttl(63));
  EXPECT_EQ(home.sessions(), 1u);
}

}  // namespace
}  // namespace sluice::test
