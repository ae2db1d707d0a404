// SPDX-License-Identifier: BSD-3-Clause
//
// What happens when ports or sessions run out: behaviour B75.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

std::string host(int number) {
  return "192.168.10." + std::to_string(number);
}
PacketBuilder question(int from) {
  return udp(host(from) + ":5000", "198.51.100.9:53");
}
std::string refusal(int to) {
  return "icmp 192.168.10.1 > " + host(to) + " ttl 64 error 3/13 about (udp " + host(to) +
         ":5000 > 198.51.100.9:53 ttl 64)";
}

TEST(NatExhaustion, B75_without_a_port_a_new_flow_is_refused_and_the_old_ones_go_on) {
  Home home(masquerade("ports: 20000-20003"));
  std::vector<std::string> outside;
  for (int i = 2; i < 6; ++i) outside.push_back(home.source_outside(question(i)));
  for (int i = 6; i < 10; ++i) home.answers("lan", question(i), refusal(i));
  EXPECT_EQ(home.dropped("lan", DropReason::nat_exhausted), 4u);
  EXPECT_EQ(home.sessions(), 4u);
  for (int i = 2; i < 6; ++i) {
    const std::string& mine = outside[static_cast<size_t>(i - 2)];
    home.goes_out(question(i), udp(mine, "198.51.100.9:53").ttl(63));
    home.comes_in(udp("198.51.100.9:53", mine), udp("198.51.100.9:53", host(i) + ":5000").ttl(63));
    // A mapping that exists takes new destinations.
    home.goes_out(udp(host(i) + ":5000", "198.51.100.10:53"), udp(mine, "198.51.100.10:53").ttl(63));
  }
  // TCP and echo have ports of their own.
  EXPECT_NE(home.source_outside(tcp(host(7) + ":5000", "198.51.100.9:53")), "");
  home.goes_out(echo_request(host(7), "198.51.100.9", 9),
                echo_request("203.0.113.2", "198.51.100.9", 9).ttl(63));
}

TEST(NatExhaustion, B75_ports_come_back_when_their_sessions_end) {
  Home home(masquerade("ports: 20000-20003, timeouts: { udp: 2m }"));
  for (int round = 0; round < 3; ++round) {
    for (int i = 2; i < 6; ++i) EXPECT_NE(home.source_outside(question(i + 10 * round)), "") << round;
    home.answers("lan", question(8 + 10 * round), refusal(8 + 10 * round));
    home.pass(123);
    EXPECT_EQ(home.sessions(), 0u);
  }
}

TEST(NatExhaustion, B75_a_port_of_a_session_that_is_past_can_be_had_after_a_second) {
  Home home(masquerade("ports: 20000-20000, timeouts: { udp: 2m }"));
  EXPECT_EQ(home.source_outside(question(7)), "203.0.113.2:20000");
  home.pass(119);
  home.answers("lan", question(8), refusal(8));
  home.pass(3);
  EXPECT_EQ(home.source_outside(question(8)), "203.0.113.2:20000");
}

TEST(NatExhaustion, B75_with_a_full_session_table_a_new_flow_is_refused_and_the_old_ones_go_on) {
  Plan plan{
      .nat = masquerade(
          "timeouts: { udp: 2m }, port-forward: [{ protocol: udp, port: 99, to: \"192.168.10.20:99\" }]")};
  plan.tables = "macs: 64, routes: 256, neighbors: 256, sessions: 8";
  Home home(plan);
  size_t refused = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> outside;
    for (int i = 2; i < 30; ++i) {
      if (home.sessions() < home.router().runtime().config().tables.sessions) {
        outside.push_back(home.source_outside(question(i)));
      } else {
        home.answers("lan", question(i), refusal(i));
      }
    }
    EXPECT_GE(outside.size(), 8u);
    refused += 28 - outside.size();
    EXPECT_EQ(home.dropped("lan", DropReason::nat_sessions_full), refused);
    // A known mapping needs a session for a new destination, too.
    ++refused;
    home.answers("lan", udp(host(2) + ":5000", "198.51.100.10:53"),
                 "icmp 192.168.10.1 > 192.168.10.2 ttl 64 error 3/13 about (udp 192.168.10.2:5000 > "
                 "198.51.100.10:53 ttl 64)");
    home.answers("wan", udp("198.51.100.9:4000", "203.0.113.2:99"),
                 "icmp 203.0.113.2 > 198.51.100.9 ttl 64 error 3/13 about (udp 198.51.100.9:4000 > "
                 "203.0.113.2:99 ttl 64)");
    for (size_t i = 0; i < outside.size(); ++i)
      home.comes_in(udp("198.51.100.9:53", outside[i]),
                    udp("198.51.100.9:53", host(static_cast<int>(i) + 2) + ":5000").ttl(63));
    home.router().runtime().clear_sessions({});
    EXPECT_EQ(home.sessions(), 0u);
  }
}

TEST(NatExhaustion, B75_what_was_refused_leaves_nothing_behind) {
  Plan plan{.nat = masquerade("ports: 20000-20015, timeouts: { udp: 2m }")};
  plan.tables = "macs: 64, routes: 256, neighbors: 256, sessions: 8";
  Home home(plan);
  // Eight sessions of one mapping fill the table; the mappings of the others must not stay.
  for (int i = 1; i <= 8; ++i)
    EXPECT_NE(home.source_outside(udp(host(2) + ":5000", "198.51.100." + std::to_string(i) + ":53")), "");
  for (int i = 3; i < 38; ++i) home.answers("lan", question(i), refusal(i));
  home.router().runtime().clear_sessions({});
  std::set<std::string> used;
  for (int i = 3; i < 11; ++i) used.insert(home.source_outside(question(i)));
  EXPECT_EQ(used.size(), 8u);
  EXPECT_FALSE(used.contains(""));
}

TEST(NatExhaustion, B75_of_one_address_of_a_pool_does_not_touch_the_others) {
  Home home(pool("203.0.113.10-203.0.113.11", "ports: 20000-20001"));
  std::map<std::string, int> given;
  int refused = 0;
  for (int i = 2; i < 40; ++i) {
    const std::string outside = home.source_outside(question(i));
    if (outside.empty()) {
      ++refused;
      home.forget();
    } else {
      ++given[outside];
    }
  }
  EXPECT_EQ(given, (std::map<std::string, int>{{"203.0.113.10:20000", 1},
                                               {"203.0.113.10:20001", 1},
                                               {"203.0.113.11:20000", 1},
                                               {"203.0.113.11:20001", 1}}));
  EXPECT_EQ(refused, 34);
}

}  // namespace
}  // namespace sluice::test
