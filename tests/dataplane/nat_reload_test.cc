// SPDX-License-Identifier: BSD-3-Clause
//
// What a reload keeps of the sessions, and what it ends: behaviour B83.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::IsEmpty;

constexpr uint8_t kSyn = 0x02, kAck = 0x10;

std::string host(int number) {
  return "192.168.10." + std::to_string(number);
}
std::string forward(const std::string& to) {
  return "port-forward: [{ protocol: tcp, port: 8080, to: \"" + to + "\" }]";
}
/// One that says nothing about NAT but changes something else.
Plan otherwise(Plan plan) {
  plan.more = "icmp: { rate-limit: 77/s }\n";
  return plan;
}

void open_udp(Home& home, Here here = Here::current()) {
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63), 0, here);
}
void answer_udp(Home& home, Here here = Here::current()) {
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000"),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63), 0, here);
}

// ---- what lives

TEST(NatReload, B83_that_does_not_touch_nat_keeps_every_session) {
  const Plan plan{.nat = masquerade(forward("192.168.10.20:80"))};
  Home home(plan);
  open_udp(home);
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:8080"),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").ttl(63));
  home.reload(otherwise(plan));
  answer_udp(home);
  home.pass(3);
  EXPECT_EQ(home.sessions(), 3u);
  home.goes_out(tcp("192.168.10.20:80", "198.51.100.9:4000").flags(kSyn | kAck),
                tcp("203.0.113.2:8080", "198.51.100.9:4000").flags(kSyn | kAck).ttl(63));
  home.turns_back(tcp("192.168.10.20:80", "203.0.113.2:5000").flags(kSyn | kAck),
                  tcp("203.0.113.2:8080", "192.168.10.7:5000").flags(kSyn | kAck).ttl(63));
}

TEST(NatReload, B83_keeps_the_sessions_that_its_rules_would_have_opened) {
  Home home(masquerade());
  open_udp(home);
  home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 9),
                echo_request("203.0.113.2", "198.51.100.9", 9).ttl(63));
  home.reload({.nat = masquerade("filtering: address-and-port-dependent, " + forward("192.168.10.20:80"))});
  answer_udp(home);
  home.pass(3);
  EXPECT_EQ(home.sessions(), 2u);
  open_udp(home);
  home.comes_in(echo_reply("198.51.100.9", "203.0.113.2", 9),
                echo_reply("198.51.100.9", "192.168.10.7", 9).ttl(63));
}

TEST(NatReload, B83_keeps_sessions_when_a_rule_is_put_before_theirs) {
  Home home(masquerade());
  open_udp(home);
  home.reload(
      {.nat = "- { name: guests, interface: uplink, source: [192.168.20.0/24], address: [203.0.113.10] }\n" +
              masquerade()});
  answer_udp(home);
  home.pass(3);
  open_udp(home);
  home.pass(299);
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatReload, B83_that_adds_a_pool_address_keeps_every_session_and_its_address) {
  Home home(pool("203.0.113.10-203.0.113.11"));
  std::map<int, std::string> outside;
  for (int i = 2; i < 30; ++i) outside[i] = home.source_outside(udp(host(i) + ":5000", "198.51.100.9:53"));
  home.reload({.nat = pool("203.0.113.10-203.0.113.13")});
  home.pass(2);
  EXPECT_EQ(home.sessions(), outside.size());
  for (const auto& [i, mine] : outside) {
    home.comes_in(udp("198.51.100.9:53", mine), udp("198.51.100.9:53", host(i) + ":5000").ttl(63));
    home.goes_out(udp(host(i) + ":5000", "198.51.100.9:53"), udp(mine, "198.51.100.9:53").ttl(63));
  }
}

TEST(NatReload, B66_a_handshake_across_a_reload_that_touches_nat_opens_the_connection) {
  Home home(masquerade());
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80"),
                tcp("203.0.113.2:5000", "198.51.100.9:80").ttl(63));
  home.reload({.nat = masquerade(forward("192.168.10.20:80"))});
  home.comes_in(tcp("198.51.100.9:80", "203.0.113.2:5000").flags(kSyn | kAck),
                tcp("198.51.100.9:80", "192.168.10.7:5000").flags(kSyn | kAck).ttl(63));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80").flags(kAck),
                tcp("203.0.113.2:5000", "198.51.100.9:80").flags(kAck).ttl(63));
  home.pass(3600);
  EXPECT_EQ(home.sessions(), 1u) << "the SYN ACK was not noticed: the session counts as one that opens";
}

TEST(NatReload, B65_the_first_packet_after_a_reload_that_touches_nat_keeps_its_session) {
  Home home(masquerade());
  open_udp(home);
  home.pass(290);
  home.reload({.nat = masquerade(forward("192.168.10.20:80"))});
  open_udp(home);
  home.pass(20);
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatReload, B65_new_timeouts_count_from_the_next_packet) {
  Home home(masquerade());
  open_udp(home);
  home.reload({.nat = masquerade("timeouts: { udp: 2m }")});
  home.pass(1);
  open_udp(home);
  home.pass(119);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

// ---- what dies

TEST(NatReload, B83_that_removes_a_pool_address_ends_its_sessions_alone) {
  Home home(pool("203.0.113.10-203.0.113.13"));
  std::map<int, std::string> outside;
  for (int i = 2; i < 40; ++i) outside[i] = home.source_outside(udp(host(i) + ":5000", "198.51.100.9:53"));
  home.reload({.nat = pool("203.0.113.10-203.0.113.12")});
  home.pass(2);
  size_t lost = 0;
  for (const auto& [i, mine] : outside)
    lost += mine == "203.0.113.13:5000" || mine.starts_with("203.0.113.13:");
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(home.sessions(), outside.size() - lost);
  for (const auto& [i, mine] : outside) {
    if (!mine.starts_with("203.0.113.13:")) {
      home.comes_in(udp("198.51.100.9:53", mine), udp("198.51.100.9:53", host(i) + ":5000").ttl(63));
      home.goes_out(udp(host(i) + ":5000", "198.51.100.9:53"), udp(mine, "198.51.100.9:53").ttl(63));
    } else {
      home.send("wan", udp("198.51.100.9:53", mine));
      EXPECT_THAT(home.sent("lan"), IsEmpty());
      home.forget();
      const std::string next = home.source_outside(udp(host(i) + ":5000", "198.51.100.9:53"));
      EXPECT_NE(next, "");
      EXPECT_FALSE(next.starts_with("203.0.113.13:")) << next;
    }
  }
}

TEST(NatReload, B83_no_packet_leaves_by_a_removed_address_from_that_moment_on) {
  Home home(pool("203.0.113.10"));
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53")), "203.0.113.10:5000");
  home.reload({.nat = pool("203.0.113.11")});
  const auto leaves_rightly = [&](const PacketBuilder& packet) {
    home.send("lan", packet);
    for (const std::string& sentence : home.sent("wan"))
      EXPECT_THAT(sentence, testing::HasSubstr("203.0.113.11:")) << sentence;
    home.forget();
  };
  leaves_rightly(udp("192.168.10.7:5000", "198.51.100.10:53"));  // a new session of a mapping that is there
  leaves_rightly(udp("192.168.10.7:5000", "198.51.100.9:53"));
  home.pass(2);
  leaves_rightly(udp("192.168.10.7:5000", "198.51.100.10:53"));
  leaves_rightly(udp("192.168.10.7:5000", "198.51.100.9:53"));
  home.send("wan", udp("198.51.100.9:53", "203.0.113.10:5000"));
  EXPECT_THAT(home.sent("lan"), IsEmpty());
}

TEST(NatReload, B83_an_address_that_comes_back_has_no_old_sessions) {
  Home home(pool("203.0.113.10", "filtering: endpoint-independent"));
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53")), "203.0.113.10:5000");
  home.reload({.nat = pool("203.0.113.11", "filtering: endpoint-independent")});
  home.pass(2);
  home.reload({.nat = pool("203.0.113.10", "filtering: endpoint-independent")});
  home.is_dropped("wan", udp("198.51.100.9:53", "203.0.113.10:5000"), DropReason::nat_no_mapping);
  EXPECT_EQ(home.source_outside(udp("192.168.10.8:5000", "198.51.100.9:53")), "203.0.113.10:5000");
}

TEST(NatReload, B83_addresses_that_come_and_go_do_not_use_up_their_room) {
  Home home(pool("203.0.113.10"));
  for (int i = 0; i < 200; ++i) {
    const std::string address = "203.0.113." + std::to_string(20 + i);
    home.reload({.nat = pool(address)});
    EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:" + std::to_string(1000 + i))),
              address + ":5000");
    if (HasFailure()) break;
    home.pass(2);
  }
}

TEST(NatReload, B83_that_removes_all_rules_ends_every_session) {
  Home home(masquerade());
  open_udp(home);
  home.reload({.nat = ""});
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("192.168.10.7:5000", "198.51.100.9:53").ttl(63));
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
  home.reload({.nat = masquerade()});
  open_udp(home);
}

TEST(NatReload, B83_that_removes_a_port_forward_ends_its_sessions) {
  Home home(masquerade(forward("192.168.10.20:80")));
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
  home.turns_back(tcp("192.168.10.7:5000", "203.0.113.2:8080"),
                  tcp("203.0.113.2:5000", "192.168.10.20:80").ttl(63));
  open_udp(home);
  home.reload({.nat = masquerade()});
  home.send("wan", tcp("198.51.100.9:4000", "203.0.113.2:8080").flags(kAck));
  EXPECT_THAT(home.sent("lan"), IsEmpty());
  home.pass(2);
  EXPECT_EQ(home.sessions(), 1u);
  answer_udp(home);
}

TEST(NatReload, B83_that_leads_a_port_forward_elsewhere_ends_its_sessions) {
  Home home(masquerade(forward("192.168.10.20:80")));
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.20:80").ttl(63));
  home.reload({.nat = masquerade(forward("192.168.10.21:80"))});
  home.send("wan", tcp("198.51.100.9:4000", "203.0.113.2:8080").flags(kAck));
  EXPECT_THAT(home.sent("lan"), IsEmpty());
  home.comes_in(tcp("198.51.100.9:4000", "203.0.113.2:8080"),
                tcp("198.51.100.9:4000", "192.168.10.21:80").ttl(63));
}

TEST(NatReload, B83_that_exempts_a_destination_ends_its_sessions) {
  Home home(masquerade());
  open_udp(home);
  home.reload({.nat = masquerade("exempt: [198.51.100.0/24]")});
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("192.168.10.7:5000", "198.51.100.9:53").ttl(63));
}

TEST(NatReload, B83_that_gives_the_interface_another_address_ends_the_sessions_of_the_old_one) {
  Home home(masquerade());
  open_udp(home);
  Plan plan{.nat = masquerade()};
  plan.outside = "addresses: [203.0.113.77/24]";
  home.reload(plan);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.77:5000", "198.51.100.9:53").ttl(63));
}

// ---- routes

TEST(NatRoutes, B83_a_session_follows_a_route_to_another_gateway) {
  Plan plan{.nat = masquerade()};
  Home home(plan);
  open_udp(home);
  plan.routes = "{ to: default, via: 203.0.113.9 }";
  home.reload(plan);
  answer_udp(home);
  home.gateways["wan"] = "203.0.113.9";
  open_udp(home);
  answer_udp(home);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 1u);
  plan.routes = "{ to: default, via: 203.0.113.1 }, { to: 198.51.100.9/32, via: 203.0.113.9 }";
  home.reload(plan);
  open_udp(home);
  plan.routes = "{ to: default, via: 203.0.113.1 }";
  home.reload(plan);
  home.gateways["wan"] = "203.0.113.1";
  open_udp(home);
  answer_udp(home);
}

TEST(NatRoutes, B83_a_route_elsewhere_is_not_noticed) {
  Plan plan{.nat = masquerade()};
  Home home(plan);
  open_udp(home);
  plan.routes = "{ to: default, via: 203.0.113.1 }, { to: 192.0.2.0/24, via: 203.0.113.9 }";
  home.reload(plan);
  open_udp(home);
  answer_udp(home);
}

TEST(NatRoutes, B83_a_session_outlives_the_want_of_a_route) {
  Plan plan{.nat = masquerade()};
  Home home(plan);
  open_udp(home);
  plan.routes = "";
  home.reload(plan);
  home.answers("lan", udp("192.168.10.7:5000", "198.51.100.9:53"),
               "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/0 about (udp 192.168.10.7:5000 > "
               "198.51.100.9:53 ttl 64)");
  answer_udp(home);
  plan.routes = "{ to: default, via: 203.0.113.1 }";
  home.reload(plan);
  open_udp(home);
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatRoutes, B83_a_route_to_another_outside_interface_takes_its_address) {
  Plan plan{.nat = masquerade() +
                   "- { name: other, interface: backup, source: [192.168.10.0/24], address: interface }\n"};
  Home home(plan);
  open_udp(home);
  plan.routes = "{ to: default, via: 198.18.0.1 }";
  home.reload(plan);
  home.send("lan", udp("192.168.10.7:5000", "198.51.100.9:53"));
  home.forget();  // the packet that finds its session at an end may be lost
  home.passes("lan", udp("192.168.10.7:5000", "198.51.100.9:53"), "alt",
              udp("198.18.0.2:5000", "198.51.100.9:53").ttl(63));
  home.passes("alt", udp("198.51.100.9:53", "198.18.0.2:5000"), "lan",
              udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
}

// The first of them ends the session; the others must not end it again.
TEST(NatRoutes, B83_many_packets_at_once_of_a_session_that_has_lost_its_way_end_it_once) {
  Plan plan{.nat = masquerade() +
                   "- { name: other, interface: backup, source: [192.168.10.0/24], address: interface }\n"};
  Home home(plan);
  open_udp(home);
  plan.routes = "{ to: default, via: 198.18.0.1 }";
  home.reload(plan);
  const PacketBuilder packet = udp("192.168.10.7:5000", "198.51.100.9:53");
  home.router().receive_burst("lan", Frames(5, home.arriving("lan", packet)));
  home.expect("", {});
  EXPECT_EQ(home.sessions(), 0u);
  home.pass(2);
  EXPECT_EQ(home.router().counters().sessions_ended, 1u);
  for (const std::string port : {"5001", "5002", "5003", "5004"}) {
    home.passes("lan", udp("192.168.10.7:" + port, "198.51.100.9:53"), "alt",
                udp("198.18.0.2:" + port, "198.51.100.9:53").ttl(63));
  }
  for (const std::string port : {"5001", "5002", "5003", "5004"}) {
    home.passes("alt", udp("198.51.100.9:53", "198.18.0.2:" + port), "lan",
                udp("198.51.100.9:53", "192.168.10.7:" + port).ttl(63));
  }
}

// The mapping lives on, with the session to .10; who may answer .9's does not.
TEST(NatRoutes, B83_a_session_that_has_lost_its_way_lets_no_answer_in) {
  Plan plan{.nat = masquerade()};
  Home home(plan);
  open_udp(home);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.10:53"),
                udp("203.0.113.2:5000", "198.51.100.10:53").ttl(63));
  plan.routes = "{ to: default, via: 198.18.0.1 }";
  home.reload(plan);
  home.is_dropped("lan", udp("192.168.10.7:5000", "198.51.100.9:53"), DropReason::nat_session_stale);
  home.is_dropped("wan", udp("198.51.100.9:53", "203.0.113.2:5000"), DropReason::nat_filtered);
}

TEST(NatRoutes, B83_a_route_to_an_interface_without_rules_leaves_untranslated) {
  Plan plan{.nat = masquerade()};
  Home home(plan);
  open_udp(home);
  plan.routes = "{ to: default, via: 198.18.0.1 }";
  home.reload(plan);
  home.send("lan", udp("192.168.10.7:5000", "198.51.100.9:53"));
  home.forget();
  home.passes("lan", udp("192.168.10.7:5000", "198.51.100.9:53"), "alt",
              udp("192.168.10.7:5000", "198.51.100.9:53").ttl(63));
}

}  // namespace
}  // namespace sluice::test
