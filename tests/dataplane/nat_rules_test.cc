// SPDX-License-Identifier: BSD-3-Clause
//
// What the rules of the file cover, and what they leave alone: behaviours B80, B82, B84, and ARP for external
// addresses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kServers =
    "- { name: servers, interface: uplink, static: [{ inside: 192.168.10.30, outside: 203.0.113.30 }] }\n";
constexpr const char* kForwards =
    "port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }, "
    "{ protocol: udp, port: 6000-6009, to: \"192.168.10.21:7000-7009\" }, "
    "{ protocol: tcp, port: 22, to: 192.168.10.22 }]";

// ---- 1:1

TEST(NatStatic, B80_translates_all_protocols_from_inside_and_lets_the_answers_in) {
  Home home(kServers);
  home.goes_out(udp("192.168.10.30:5000", "198.51.100.9:53"),
                udp("203.0.113.30:5000", "198.51.100.9:53").ttl(63));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.30:5000"),
                udp("198.51.100.9:53", "192.168.10.30:5000").ttl(63));
  home.goes_out(tcp("192.168.10.30:5000", "198.51.100.9:80"),
                tcp("203.0.113.30:5000", "198.51.100.9:80").ttl(63));
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.30:5000").flags(0x12),
                tcp("198.51.100.9:80", "192.168.10.30:5000").flags(0x12).ttl(63));
  home.goes_out(echo_request("192.168.10.30", "198.51.100.9", 9),
                echo_request("203.0.113.30", "198.51.100.9", 9).ttl(63));
  home.comes_in(echo_reply("198.51.100.9", "203.0.113.30", 9),
                echo_reply("198.51.100.9", "192.168.10.30", 9).ttl(63));
  for (uint8_t protocol : {uint8_t{47}, uint8_t{50}, uint8_t{132}}) {
    home.goes_out(ip(protocol, "192.168.10.30", "198.51.100.9"),
                  ip(protocol, "203.0.113.30", "198.51.100.9").ttl(63));
    home.comes_in(ip(protocol, "198.51.100.9", "203.0.113.30"),
                  ip(protocol, "198.51.100.9", "192.168.10.30").ttl(63));
  }
}

TEST(NatStatic, B80_lets_all_protocols_in_from_outside_and_the_answers_out) {
  Home home(kServers);
  home.comes_in(udp("198.51.100.9:53", "203.0.113.30:5000"),
                udp("198.51.100.9:53", "192.168.10.30:5000").ttl(63));
  home.goes_out(udp("192.168.10.30:5000", "198.51.100.9:53"),
                udp("203.0.113.30:5000", "198.51.100.9:53").ttl(63));
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.30:5000"),
                tcp("198.51.100.9:80", "192.168.10.30:5000").ttl(63));
  home.goes_out(tcp("192.168.10.30:5000", "198.51.100.9:80").flags(0x12),
                tcp("203.0.113.30:5000", "198.51.100.9:80").flags(0x12).ttl(63));
  home.comes_in(echo_request("198.51.100.9", "203.0.113.30", 9),
                echo_request("198.51.100.9", "192.168.10.30", 9).ttl(63));
  home.goes_out(echo_reply("192.168.10.30", "198.51.100.9", 9),
                echo_reply("203.0.113.30", "198.51.100.9", 9).ttl(63));
  for (uint8_t protocol : {uint8_t{47}, uint8_t{50}, uint8_t{132}}) {
    home.comes_in(ip(protocol, "198.51.100.9", "203.0.113.30"),
                  ip(protocol, "198.51.100.9", "192.168.10.30").ttl(63));
    home.goes_out(ip(protocol, "192.168.10.30", "198.51.100.9"),
                  ip(protocol, "203.0.113.30", "198.51.100.9").ttl(63));
  }
}

TEST(NatStatic, B80_translates_icmp_queries_that_are_no_echo) {
  Home home(kServers);
  const auto timestamp = [](const char* source, const char* destination) {
    return PacketBuilder(1, source, destination).icmp(13, 0, 0x00050001);
  };
  home.comes_in(timestamp("198.51.100.9", "203.0.113.30"),
                timestamp("198.51.100.9", "192.168.10.30").ttl(63));
  home.goes_out(timestamp("192.168.10.30", "198.51.100.9"),
                timestamp("203.0.113.30", "198.51.100.9").ttl(63));
}

TEST(NatStatic, B80_wins_over_masquerading_from_inside_too) {
  for (const std::string& nat : {masquerade() + kServers, kServers + masquerade()}) {
    Home home(nat);
    home.goes_out(udp("192.168.10.30:5000", "198.51.100.9:53"),
                  udp("203.0.113.30:5000", "198.51.100.9:53").ttl(63));
    home.goes_out(ip(47, "192.168.10.30", "198.51.100.9"), ip(47, "203.0.113.30", "198.51.100.9").ttl(63));
    home.goes_out(udp("192.168.10.31:5000", "198.51.100.9:53"),
                  udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  }
}

TEST(NatStatic, B80_leaves_its_other_address_and_other_hosts_alone) {
  Home home(kServers);
  home.goes_out(udp("192.168.10.31:5000", "198.51.100.9:53"),
                udp("192.168.10.31:5000", "198.51.100.9:53").ttl(63));
  EXPECT_EQ(home.sessions(), 0u);
  home.is_dropped("wan", tcp("198.51.100.9:53", "203.0.113.2:5000"), DropReason::no_listener);
}

// ---- port forwards

TEST(NatForward, B80_leads_to_the_inside_host_and_its_answers_out) {
  Home home(masquerade(kForwards));
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
  home.goes_out(tcp("192.168.10.20:80", "198.51.100.9:4000").flags(0x12),
                tcp("203.0.113.2:8080", "198.51.100.9:4000").flags(0x12).ttl(63));
  home.comes_in(tcp("198.51.100.9:4001", "203.0.113.2:22"),
                tcp("198.51.100.9:4001", "192.168.10.22:22").ttl(63));
  home.goes_out(tcp("192.168.10.22:22", "198.51.100.9:4001").flags(0x12),
                tcp("203.0.113.2:22", "198.51.100.9:4001").flags(0x12).ttl(63));
}

TEST(NatForward, B80_of_a_range_keeps_the_place_in_the_range) {
  Home home(masquerade(kForwards));
  for (int i = 0; i < 10; ++i) {
    const std::string outside = "203.0.113.2:" + std::to_string(6000 + i),
                      inside = "192.168.10.21:" + std::to_string(7000 + i);
    home.comes_in(udp("198.51.100.9:4000", outside), udp("198.51.100.9:4000", inside).ttl(63));
    home.goes_out(udp(inside, "198.51.100.9:4000"), udp(outside, "198.51.100.9:4000").ttl(63));
    home.goes_out(udp(inside, "198.51.100.10:53"), udp(outside, "198.51.100.10:53").ttl(63));
  }
  for (const char* beside : {"203.0.113.2:5999", "203.0.113.2:6010"}) {
    home.send("wan", udp("198.51.100.9:4000", beside));
    EXPECT_THAT(home.sent("lan"), IsEmpty());
    home.sent("wan");
  }
}

TEST(NatForward, B80_is_of_one_protocol) {
  Home home(masquerade(kForwards));
  home.send("wan", udp("198.51.100.9:4000", "203.0.113.2:8080"));
  home.send("wan", tcp("198.51.100.9:4000", "203.0.113.2:6000"));
  EXPECT_THAT(home.sent("lan"), IsEmpty());
  home.forget();
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:8080", "198.51.100.9:53")), "203.0.113.2:8080");
}

TEST(NatForward, B80_the_hosts_own_traffic_from_that_port_leaves_by_it) {
  Home home(masquerade(kForwards));
  home.goes_out(tcp("192.168.10.20:80", "198.51.100.9:4000"),
                tcp("203.0.113.2:8080", "198.51.100.9:4000").ttl(63));
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080").flags(0x12),
                tcp("198.51.100.9:4000", "192.168.10.20:80").flags(0x12).ttl(63));
  home.goes_out(tcp("192.168.10.20:81", "198.51.100.9:4000"),
                tcp("203.0.113.2:81", "198.51.100.9:4000").ttl(63));
  home.goes_out(udp("192.168.10.20:80", "198.51.100.9:4000"),
                udp("203.0.113.2:80", "198.51.100.9:4000").ttl(63));
}

TEST(NatForward, B80_reserves_the_external_port) {
  Home home(masquerade(kForwards));
  const std::string other = home.source_outside(tcp("192.168.10.7:8080", "198.51.100.9:4000"));
  EXPECT_NE(other, "203.0.113.2:8080");
  EXPECT_NE(other, "");
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
}

TEST(NatForward, B80_reserves_its_ports_when_a_range_is_nearly_used_up) {
  Home home(
      masquerade("ports: 6000-6010, port-forward: [{ protocol: udp, port: 6000-6009, to: "
                 "\"192.168.10.21:7000-7009\" }]"));
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:1234", "198.51.100.9:53")), "203.0.113.2:6010");
  EXPECT_EQ(home.source_outside(udp("192.168.10.8:1234", "198.51.100.9:53")), "");
  EXPECT_EQ(home.dropped("lan", DropReason::nat_exhausted), 1u);
  EXPECT_EQ(home.source_outside(udp("192.168.10.21:7004", "198.51.100.9:53")), "203.0.113.2:6004");
}

TEST(NatForward, B80_is_not_subject_to_filtering) {
  Home home(masquerade(std::string("filtering: address-and-port-dependent, ") + kForwards));
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
  home.comes_in(tcp("198.51.100.10:4000", "203.0.113.2:8080"),
                tcp("198.51.100.10:4000", "192.168.10.20:80").ttl(63));
  home.goes_out(tcp("192.168.10.20:80", "198.51.100.10:4000").flags(0x12),
                tcp("203.0.113.2:8080", "198.51.100.10:4000").flags(0x12).ttl(63));
}

TEST(NatForward, B80_needs_no_source) {
  Home home(std::string("- { name: web, interface: uplink, ") + kForwards + " }\n");
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
  home.goes_out(tcp("192.168.10.20:80", "198.51.100.9:4000").flags(0x12),
                tcp("203.0.113.2:8080", "198.51.100.9:4000").flags(0x12).ttl(63));
  home.goes_out(tcp("192.168.10.20:80", "198.51.100.10:4000"),
                tcp("203.0.113.2:8080", "198.51.100.10:4000").ttl(63));
}

TEST(NatForward, B80_leads_in_by_every_address_of_the_pool_or_by_the_one_that_it_names) {
  Home home(pool("203.0.113.10-203.0.113.12",
                 "port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }, "
                 "{ protocol: tcp, port: 8081, to: \"192.168.10.20:81\", address: 203.0.113.11 }]"));
  for (const char* address : {"203.0.113.10", "203.0.113.11", "203.0.113.12"}) {
    const std::string outside = std::string(address) + ":8080";
    home.comes_in(tcp("198.51.100.9:4000", outside), tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
    home.goes_out(tcp("192.168.10.20:80", "198.51.100.9:4000").flags(0x12),
                  tcp(outside, "198.51.100.9:4000").flags(0x12).ttl(63));
    if (HasFailure()) break;
    home.router().runtime().clear_sessions({});  // the next one comes from the same remote port
  }
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.11:8081"),
                tcp("198.51.100.9:4000", "192.168.10.20:81").ttl(63));
  home.is_dropped("wan", tcp("198.51.100.9:4000", "203.0.113.10:8081"), DropReason::nat_no_mapping);
}

TEST(NatForward, B65_a_forwarded_udp_session_is_kept_by_the_inside_host_alone) {
  Home home(masquerade(kForwards));
  home.comes_in(udp("198.51.100.9:4000", "203.0.113.2:6000"),
                udp("198.51.100.9:4000", "192.168.10.21:7000").ttl(63));
  home.pass(299);
  home.goes_out(udp("192.168.10.21:7000", "198.51.100.9:4000"),
                udp("203.0.113.2:6000", "198.51.100.9:4000").ttl(63));
  home.pass(200);
  home.comes_in(udp("198.51.100.9:4000", "203.0.113.2:6000"),
                udp("198.51.100.9:4000", "192.168.10.21:7000").ttl(63));
  home.pass(99);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatForward, B87_the_host_is_seen_by_the_forward_that_leads_to_its_port_though_another_lies_within) {
  Home home(
      masquerade("port-forward: [{ protocol: tcp, port: 8000-8010, to: \"192.168.10.20:80-90\" }, "
                 "{ protocol: tcp, port: 9085, to: \"192.168.10.20:85\" }]"));
  for (const auto& [inside, outside] :
       {std::pair("84", "8004"), std::pair("86", "8006"), std::pair("90", "8010")})
    EXPECT_EQ(home.source_outside(tcp(std::string("192.168.10.20:") + inside, "198.51.100.9:80")),
              std::string("203.0.113.2:") + outside);
  EXPECT_EQ(home.source_outside(tcp("192.168.10.20:91", "198.51.100.9:80")), "203.0.113.2:91");
}

TEST(NatForward, B87_a_host_that_two_uplinks_lead_to_is_seen_by_the_forward_of_the_one_it_leaves_by) {
  Plan plan{.nat =
                "- { name: a, interface: uplink, source: [192.168.10.0/24], address: interface, "
                "port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }] }\n"
                "- { name: b, interface: backup, source: [192.168.10.0/24], address: interface, "
                "port-forward: [{ protocol: tcp, port: 8081, to: \"192.168.10.20:80\" }] }\n"};
  plan.routes = "{ to: default, via: 203.0.113.1 }, { to: 192.0.2.0/24, via: 198.18.0.1 }";
  Home home(plan);
  home.passes("lan", tcp("192.168.10.20:80", "198.51.100.9:80"), "wan",
              tcp("203.0.113.2:8080", "198.51.100.9:80").ttl(63));
  home.passes("lan", tcp("192.168.10.20:80", "192.0.2.9:80"), "alt",
              tcp("198.18.0.2:8081", "192.0.2.9:80").ttl(63));
}

// ---- what is not translated

TEST(NatExempt, B82_exempt_destinations_are_routed_untranslated_and_answer) {
  Home home(masquerade("exempt: [10.0.0.0/8]"));
  home.goes_out(udp("192.168.10.7:5000", "10.1.2.3:53"), udp("192.168.10.7:5000", "10.1.2.3:53").ttl(63));
  home.comes_in(udp("10.1.2.3:53", "192.168.10.7:5000"), udp("10.1.2.3:53", "192.168.10.7:5000").ttl(63));
  home.comes_in(tcp("10.1.2.3:53", "192.168.10.8:5000"), tcp("10.1.2.3:53", "192.168.10.8:5000").ttl(63));
  home.goes_out(ip(47, "192.168.10.7", "10.1.2.3"), ip(47, "192.168.10.7", "10.1.2.3").ttl(63));
  home.goes_out(udp("192.168.10.7:5000", "10.1.2.3:53").data(100).part(64, 40),
                udp("192.168.10.7:5000", "10.1.2.3:53").data(100).part(64, 40).ttl(63));
  EXPECT_EQ(home.sessions(), 0u);
  home.goes_out(udp("192.168.10.7:5000", "11.1.2.3:53"), udp("203.0.113.2:5000", "11.1.2.3:53").ttl(63));
}

TEST(NatExempt, B82_sources_that_no_rule_covers_are_routed_untranslated_and_answered) {
  Home home(masquerade());
  home.passes("dmz", udp("192.168.20.7:5000", "198.51.100.9:53"), "wan",
              udp("192.168.20.7:5000", "198.51.100.9:53").ttl(63));
  home.passes("wan", udp("198.51.100.9:53", "192.168.20.7:5000"), "dmz",
              udp("198.51.100.9:53", "192.168.20.7:5000").ttl(63));
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatExempt, B82_what_stays_inside_is_not_translated) {
  Home home(masquerade());
  home.passes("lan", udp("192.168.10.7:5000", "192.168.20.7:53"), "dmz",
              udp("192.168.10.7:5000", "192.168.20.7:53").ttl(63));
  home.passes("dmz", udp("192.168.20.7:53", "192.168.10.7:5000"), "lan",
              udp("192.168.20.7:53", "192.168.10.7:5000").ttl(63));
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatExempt, B82_traffic_to_the_router_itself_is_not_translated) {
  Home home(masquerade());
  for (const char* own : {"192.168.10.1", "192.168.20.1", "203.0.113.2", "198.18.0.2"}) {
    home.answers("lan", echo_request("192.168.10.7", own, 9),
                 std::string("icmp ") + own + " > 192.168.10.7 ttl 64 echo-reply 9/1");
    home.answers("lan", udp("192.168.10.7:5000", std::string(own) + ":53"),
                 std::string("icmp ") + own +
                     " > 192.168.10.7 ttl 64 error 3/3 about (udp 192.168.10.7:5000 > " + own +
                     ":53 ttl 64)");
  }
  home.answers("wan", echo_request("198.51.100.9", "203.0.113.2", 9),
               "icmp 203.0.113.2 > 198.51.100.9 ttl 64 echo-reply 9/1");
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatUntranslated, B82_an_inside_address_cannot_be_reached_from_outside_as_it_is) {
  Home home(masquerade(std::string("exempt: [10.0.0.0/8], ") + kForwards) + kServers);
  for (const char* inside :
       {"192.168.10.7:5000", "192.168.10.20:80", "192.168.10.30:80", "192.168.10.1:53", "192.168.10.99:80"}) {
    home.is_dropped("wan", udp("198.51.100.9:53", inside), DropReason::nat_untranslated);
    home.is_dropped("wan", tcp("198.51.100.9:53", inside), DropReason::nat_untranslated);
  }
  home.is_dropped("wan", echo_request("198.51.100.9", "192.168.10.1", 9), DropReason::nat_untranslated);
  home.is_dropped("wan", ip(47, "198.51.100.9", "192.168.10.7"), DropReason::nat_untranslated);
  home.is_dropped("wan", udp("198.51.100.9:53", "192.168.10.7:5000").data(100).part(64, 40),
                  DropReason::nat_untranslated);
  home.is_dropped(
      "wan",
      icmp_error("198.51.100.9", "192.168.10.7", 3, 3, udp("192.168.10.7:1", "198.51.100.9:2").packet()),
      DropReason::nat_untranslated);
  home.answers("wan", echo_request("10.1.2.3", "192.168.10.1", 9),
               "icmp 192.168.10.1 > 10.1.2.3 ttl 64 echo-reply 9/1");
  home.passes("wan", udp("198.51.100.9:53", "192.168.20.7:53"), "dmz",
              udp("198.51.100.9:53", "192.168.20.7:53").ttl(63));
}

TEST(NatUntranslated, B82_a_session_does_not_open_the_inside_address_either) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.is_dropped("wan", udp("198.51.100.9:53", "192.168.10.7:5000"), DropReason::nat_untranslated);
}

TEST(NatUntranslated, B84_what_masquerading_cannot_translate_never_leaves) {
  Home home(masquerade(kForwards));
  for (uint8_t protocol : {uint8_t{47}, uint8_t{50}, uint8_t{132}, uint8_t{4}})
    home.is_dropped("lan", ip(protocol, "192.168.10.7", "198.51.100.9"), DropReason::nat_untranslatable);
  home.is_dropped("lan", ip(47, "192.168.10.20", "198.51.100.9"), DropReason::nat_untranslatable);
  home.is_dropped("lan", PacketBuilder(1, "192.168.10.7", "198.51.100.9").icmp(13, 0, 0x00050001),
                  DropReason::nat_untranslatable);
  home.is_dropped("lan", PacketBuilder(1, "192.168.10.7", "198.51.100.9").icmp(10, 0, 0),
                  DropReason::nat_untranslatable);
  // A header that is cut off has no ports.
  home.is_dropped("lan", udp("192.168.10.7:5000", "198.51.100.9:53").part(0, 7),
                  DropReason::nat_untranslatable);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatUntranslated, a_packet_that_comes_by_another_interface_than_its_sessions_is_dropped) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.is_dropped("alt", udp("198.51.100.9:53", "203.0.113.2:5000"), DropReason::nat_wrong_interface);
  home.is_dropped("dmz", udp("192.168.10.7:5000", "198.51.100.9:53"), DropReason::nat_wrong_interface);
}

// ---- several rules

TEST(NatRules, match_in_the_order_of_the_file) {
  Home home(
      "- { name: a, interface: uplink, source: [192.168.10.7/32, 192.168.10.9/32], address: [203.0.113.10] "
      "}\n"
      "- { name: b, interface: uplink, source: [192.168.10.0/24], address: [203.0.113.11] }\n"
      "- { name: c, interface: uplink, source: [192.168.0.0/16], address: interface }\n");
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53")), "203.0.113.10:5000");
  EXPECT_EQ(home.source_outside(udp("192.168.10.8:5000", "198.51.100.9:53")), "203.0.113.11:5000");
  EXPECT_EQ(home.source_outside(udp("192.168.10.9:5001", "198.51.100.9:53")), "203.0.113.10:5001");
  home.passes("dmz", udp("192.168.20.7:5000", "198.51.100.9:53"), "wan",
              udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
}

TEST(NatRules, are_those_of_the_interface_that_the_route_leads_to) {
  Plan plan{.nat =
                "- { name: a, interface: uplink, source: [192.168.10.0/24], address: interface }\n"
                "- { name: b, interface: backup, source: [192.168.10.0/24], address: interface }\n"};
  plan.routes = "{ to: default, via: 203.0.113.1 }, { to: 192.0.2.0/24, via: 198.18.0.1 }";
  Home home(plan);
  home.passes("lan", udp("192.168.10.7:5000", "198.51.100.9:53"), "wan",
              udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.passes("lan", udp("192.168.10.7:5000", "192.0.2.9:53"), "alt",
              udp("198.18.0.2:5000", "192.0.2.9:53").ttl(63));
  home.passes("alt", udp("192.0.2.9:53", "198.18.0.2:5000"), "lan",
              udp("192.0.2.9:53", "192.168.10.7:5000").ttl(63));
  home.passes("wan", udp("198.51.100.9:53", "203.0.113.2:5000"), "lan",
              udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
  home.is_dropped("alt", udp("192.0.2.9:53", "192.168.10.7:5000"), DropReason::nat_untranslated);
}

// ---- ARP

TEST(NatRules, open_nothing_for_what_no_route_leads_to) {
  Home home(Plan{.nat = masquerade(),
                 .routes = "{ to: 10.0.0.0/8, via: 203.0.113.1 }, { to: 10.1.0.0/16, type: blackhole }, "
                           "{ to: 10.2.0.0/16, type: unreachable }, { to: 10.3.0.0/16, type: prohibit }"});
  home.is_dropped("lan", udp("192.168.10.7:5000", "10.1.0.9:53"), DropReason::blackhole);
  home.is_dropped("lan", udp("192.168.10.7:5000", "240.0.0.9:53"), DropReason::martian_destination);
  home.is_dropped("lan", udp("192.168.10.7:5000", "192.168.20.255:53"), DropReason::directed_broadcast);
  for (const auto& [destination, error] : std::map<std::string, std::string>{
           {"10.2.0.9", "3/1"}, {"10.3.0.9", "3/13"}, {"198.51.100.9", "3/0"}}) {
    home.answers("lan", udp("192.168.10.7:5000", destination + ":53"),
                 "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error " + error +
                     " about (udp 192.168.10.7:5000 > " + destination + ":53 ttl 64)");
  }
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(NatArp, answers_for_pool_static_and_forward_addresses_of_the_subnet) {
  Home home(pool("203.0.113.10-203.0.113.12, 192.0.2.10") + kServers);
  for (const char* address :
       {"203.0.113.2", "203.0.113.10", "203.0.113.11", "203.0.113.12", "203.0.113.30"}) {
    home.router().receive("wan", arp_request(mac_of("203.0.113.1"), "203.0.113.1", address));
    EXPECT_THAT(home.sent("wan"),
                ElementsAre(std::string("arp ") + address + " is-at " + mac_of("203.0.113.2")));
  }
  for (const char* address : {"203.0.113.13", "203.0.113.31", "192.0.2.10"}) {
    home.router().receive("wan", arp_request(mac_of("203.0.113.1"), "203.0.113.1", address));
    EXPECT_THAT(home.sent("wan"), IsEmpty()) << address;
  }
  home.router().receive("lan", arp_request(mac_of("192.168.10.7"), "192.168.10.7", "203.0.113.10"));
  EXPECT_THAT(home.sent("lan"), IsEmpty());
}

TEST(NatArp, answers_for_a_pool_only_as_long_as_it_is_in_the_file) {
  Home home(pool("203.0.113.10"));
  home.reload({.nat = pool("203.0.113.11")});
  home.sent("wan");
  home.router().receive("wan", arp_request(mac_of("203.0.113.1"), "203.0.113.1", "203.0.113.10"));
  EXPECT_THAT(home.sent("wan"), IsEmpty());
  home.router().receive("wan", arp_request(mac_of("203.0.113.1"), "203.0.113.1", "203.0.113.11"));
  EXPECT_THAT(home.sent("wan"), ElementsAre("arp 203.0.113.11 is-at " + mac_of("203.0.113.2")));
}

TEST(NatUntranslated, B82_nobody_outside_opens_a_way_in_by_the_name_of_a_host_inside) {
  Home home(masquerade());
  // The answer to this would leave as 203.0.113.2:22, and open that port to 203.0.113.9.
  home.gateways.erase("wan");
  home.is_dropped("wan", tcp("192.168.10.20:22", "203.0.113.9:9"), DropReason::nat_untranslated);
  home.is_dropped("wan", udp("192.168.10.20:22", "203.0.113.9:9"), DropReason::nat_untranslated);
  EXPECT_EQ(home.sessions(), 0u);
  home.answers("wan", udp("203.0.113.9:5000", "203.0.113.2:22"),
               "icmp 203.0.113.2 > 203.0.113.9 ttl 64 error 3/3 about (udp 203.0.113.9:5000 > "
               "203.0.113.2:22 ttl 64)");
}

}  // namespace
}  // namespace sluice::test
