// SPDX-License-Identifier: BSD-3-Clause
//
// Mappings, filtering, pools, ports and timeouts: behaviours B60-B65, B69, B73, B74.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

std::string address_of(const std::string& endpoint) {
  return endpoint.substr(0, endpoint.find(':'));
}
int port_of(const std::string& endpoint) {
  return endpoint.find(':') == std::string::npos ? -1 : std::stoi(endpoint.substr(endpoint.find(':') + 1));
}
std::string inside(int host, int port) {
  return "192.168.10." + std::to_string(host) + ":" + std::to_string(port);
}

// ---- mapping

TEST(Nat, B60_two_destinations_see_one_external_address_and_port) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.10:99"),
                udp("203.0.113.2:5000", "198.51.100.10:99").ttl(63));
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:54"),
                udp("203.0.113.2:5000", "198.51.100.9:54").ttl(63));
  home.comes_in(udp("198.51.100.10:99", "203.0.113.2:5000"),
                udp("198.51.100.10:99", "192.168.10.7:5000").ttl(63));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000"),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
}

TEST(Nat, B60_two_destinations_see_one_external_endpoint_even_when_the_port_could_not_be_kept) {
  Home home(masquerade());
  EXPECT_EQ(home.source_outside(udp("192.168.10.8:5000", "198.51.100.9:53")), "203.0.113.2:5000");
  const std::string first = home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53"));
  EXPECT_NE(first, "203.0.113.2:5000");
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.10:53")), first);
  home.comes_in(udp("198.51.100.10:53", first), udp("198.51.100.10:53", "192.168.10.7:5000").ttl(63));
  home.comes_in(udp("198.51.100.9:53", first), udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
}

TEST(Nat, B60_tcp_and_udp_of_one_inside_port_are_mapped_apart) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:53"),
                tcp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  EXPECT_EQ(home.sessions(), 2u);
}

TEST(Nat, B60_an_address_and_port_dependent_mapping_shows_each_destination_another_port) {
  Home home(masquerade("mapping: address-and-port-dependent"));
  std::map<std::string, std::string> seen;
  for (const char* remote : {"198.51.100.9:53", "198.51.100.9:54", "198.51.100.10:53"})
    seen[remote] = home.source_outside(udp("192.168.10.7:5000", remote));
  std::set<std::string> different;
  for (const auto& [remote, source] : seen) {
    different.insert(source);
    home.comes_in(udp(remote, source), udp(remote, "192.168.10.7:5000").ttl(63));
    home.goes_out(udp("192.168.10.7:5000", remote), udp(source, remote).ttl(63));
  }
  EXPECT_EQ(different.size(), 3u);
  home.is_dropped("wan", udp("198.51.100.9:54", seen["198.51.100.9:53"]), DropReason::nat_filtered);
}

// ---- filtering

struct Filter {
  const char* name;
  const char* words;  ///< in the rule
  bool other_port;    ///< the remote host may answer from another port
  bool other_host;    ///< any host may answer
};

class NatFilter : public testing::TestWithParam<Filter> {};

INSTANTIATE_TEST_SUITE_P(
    Kinds, NatFilter,
    testing::Values(Filter{"endpoint_independent", "filtering: endpoint-independent", true, true},
                    Filter{"address_dependent", "filtering: address-dependent", true, false},
                    Filter{"address_and_port_dependent", "filtering: address-and-port-dependent", false,
                           false},
                    Filter{"by_default", "", true, false}),
    [](const auto& info) { return info.param.name; });

TEST_P(NatFilter, B61_decides_who_may_send_to_a_udp_mapping) {
  Home home(masquerade(GetParam().words));
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000"),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
  const auto other_port = udp("198.51.100.9:54", "203.0.113.2:5000");
  const auto other_host = udp("198.51.100.10:53", "203.0.113.2:5000");
  if (GetParam().other_port) {
    home.comes_in(other_port, udp("198.51.100.9:54", "192.168.10.7:5000").ttl(63));
    home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:54"),
                  udp("203.0.113.2:5000", "198.51.100.9:54").ttl(63));
  } else {
    home.is_dropped("wan", other_port, DropReason::nat_filtered);
  }
  if (GetParam().other_host) {
    home.comes_in(other_host, udp("198.51.100.10:53", "192.168.10.7:5000").ttl(63));
  } else {
    home.is_dropped("wan", other_host, DropReason::nat_filtered);
  }
}

TEST_P(NatFilter, B61_decides_who_may_open_a_tcp_connection_to_a_mapping) {
  Home home(masquerade(GetParam().words));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80"),
                tcp("203.0.113.2:5000", "198.51.100.9:80").ttl(63));
  const auto other_port = tcp("198.51.100.9:81", "203.0.113.2:5000");
  const auto other_host = tcp("198.51.100.10:80", "203.0.113.2:5000");
  if (GetParam().other_port) {
    home.comes_in(other_port, tcp("198.51.100.9:81", "192.168.10.7:5000").ttl(63));
    home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:81").flags(0x12),
                  tcp("203.0.113.2:5000", "198.51.100.9:81").flags(0x12).ttl(63));
  } else {
    home.is_dropped("wan", other_port, DropReason::nat_filtered);
  }
  if (GetParam().other_host) {
    home.comes_in(other_host, tcp("198.51.100.10:80", "192.168.10.7:5000").ttl(63));
  } else {
    home.is_dropped("wan", other_host, DropReason::nat_filtered);
  }
}

TEST(Nat, B61_a_remote_address_may_answer_no_longer_when_its_last_session_has_gone) {
  Home home(masquerade("timeouts: { udp: 120s }"));
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.pass(100);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.10:53"),
                udp("203.0.113.2:5000", "198.51.100.10:53").ttl(63));
  home.pass(21);
  home.is_dropped("wan", udp("198.51.100.9:53", "203.0.113.2:5000"), DropReason::nat_filtered);
  home.comes_in(udp("198.51.100.10:53", "203.0.113.2:5000"),
                udp("198.51.100.10:53", "192.168.10.7:5000").ttl(63));
}

TEST(Nat, B61_a_port_of_a_pool_address_that_no_mapping_has_is_nobodys) {
  Home home(pool("203.0.113.10"));
  home.is_dropped("wan", udp("198.51.100.9:53", "203.0.113.10:5000"), DropReason::nat_no_mapping);
  home.is_dropped("wan", tcp("198.51.100.9:53", "203.0.113.10:5000"), DropReason::nat_no_mapping);
  home.is_dropped("wan", echo_request("198.51.100.9", "203.0.113.10", 7), DropReason::nat_no_mapping);
  home.is_dropped("lan", udp("192.168.10.7:5000", "203.0.113.10:5000"), DropReason::nat_no_mapping);
}

TEST(Nat, B61_a_port_of_the_interfaces_address_that_no_mapping_has_is_the_routers_own) {
  Home home(masquerade());
  home.answers("wan", udp("198.51.100.9:53", "203.0.113.2:5000"),
               "icmp 203.0.113.2 > 198.51.100.9 ttl 64 error 3/3 about (udp 198.51.100.9:53 > "
               "203.0.113.2:5000 ttl 64)");
  home.answers("wan", echo_request("198.51.100.9", "203.0.113.2", 7),
               "icmp 203.0.113.2 > 198.51.100.9 ttl 64 echo-reply 7/1");
  home.is_dropped("wan", tcp("198.51.100.9:53", "203.0.113.2:5000"), DropReason::no_listener);
}

// ---- pools and ports

TEST(Nat, B62_one_inside_host_has_one_external_address) {
  Home home(pool("203.0.113.10-203.0.113.13"));
  std::set<std::string> used;
  for (int host = 2; host < 40; ++host) {
    std::set<std::string> addresses;
    for (int port : {1000, 5000, 6000, 7000}) {
      addresses.insert(address_of(home.source_outside(udp(inside(host, port), "198.51.100.9:53"))));
      addresses.insert(address_of(home.source_outside(tcp(inside(host, port), "198.51.100.10:80"))));
    }
    addresses.insert(
        home.source_outside(echo_request("192.168.10." + std::to_string(host), "198.51.100.9", 77)));
    EXPECT_EQ(addresses.size(), 1u) << host;
    used.merge(addresses);
  }
  EXPECT_EQ(used, (std::set<std::string>{"203.0.113.10", "203.0.113.11", "203.0.113.12", "203.0.113.13"}));
}

TEST(Nat, B63_keeps_a_free_port_and_gives_two_hosts_different_ones) {
  Home home(masquerade());
  std::set<std::string> used = {home.source_outside(udp(inside(2, 5000), "198.51.100.9:53"))};
  EXPECT_EQ(used, (std::set<std::string>{"203.0.113.2:5000"}));
  for (int host = 3; host < 40; ++host) {
    const std::string outside = home.source_outside(udp(inside(host, 5000), "198.51.100.9:53"));
    EXPECT_TRUE(used.insert(outside).second) << outside << " is used twice";
    EXPECT_EQ(address_of(outside), kOutside);
    EXPECT_GE(port_of(outside), 1024);
    home.comes_in(udp("198.51.100.9:53", outside), udp("198.51.100.9:53", inside(host, 5000)).ttl(63));
  }
}

TEST(Nat, B63_two_hosts_never_share_a_port_for_different_destinations_either) {
  Home home(masquerade());
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53")), "203.0.113.2:5000");
  EXPECT_NE(home.source_outside(udp("192.168.10.8:5000", "198.51.100.10:53")), "203.0.113.2:5000");
}

TEST(Nat, B63_keeps_the_class_of_a_port) {
  Home home(masquerade());
  EXPECT_EQ(home.source_outside(udp(inside(2, 500), "198.51.100.9:500")), "203.0.113.2:500");
  for (int host = 3; host < 40; ++host) {
    const int low = port_of(home.source_outside(udp(inside(host, 500), "198.51.100.9:500")));
    EXPECT_GT(low, 0);
    EXPECT_LT(low, 1024) << "of host " << host;
    EXPECT_GE(port_of(home.source_outside(udp(inside(host, 5000), "198.51.100.9:500"))), 1024);
  }
}

TEST(Nat, B63_ports_come_from_the_range_of_the_rule_and_identifiers_do_not) {
  Home home(masquerade("ports: 20000-20015"));
  std::set<std::string> used;
  for (int host = 2; host < 18; ++host) {
    const std::string outside = home.source_outside(tcp(inside(host, 5000), "198.51.100.9:80"));
    EXPECT_TRUE(used.insert(outside).second) << outside;
    EXPECT_GE(port_of(outside), 20000);
    EXPECT_LE(port_of(outside), 20015);
  }
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:20003", "198.51.100.9:53")), "203.0.113.2:20003");
  home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 7),
                echo_request("203.0.113.2", "198.51.100.9", 7).ttl(63));
}

TEST(Nat, B63_a_port_is_free_again_when_its_last_session_has_gone) {
  Home home(masquerade("timeouts: { udp: 120s }"));
  EXPECT_EQ(home.source_outside(udp("192.168.10.7:5000", "198.51.100.9:53")), "203.0.113.2:5000");
  home.pass(123);
  EXPECT_EQ(home.sessions(), 0u);
  EXPECT_EQ(home.source_outside(udp("192.168.10.8:5000", "198.51.100.9:53")), "203.0.113.2:5000");
}

// ---- UDP and ICMP timeouts

void open_udp(Home& home) {
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
}
void answer_udp(Home& home) {
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000"),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63));
}

TEST(Nat, B65_a_udp_session_lives_five_minutes) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  home.pass(299);
  EXPECT_EQ(home.sessions(), 1u);
  answer_udp(home);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
  home.answers("wan", udp("198.51.100.9:53", "203.0.113.2:5000"),
               "icmp 203.0.113.2 > 198.51.100.9 ttl 64 error 3/3 about (udp 198.51.100.9:53 > "
               "203.0.113.2:5000 ttl 64)");
}

TEST(Nat, B65_an_outbound_packet_keeps_a_udp_session) {
  Home home(masquerade());
  open_udp(home);
  home.pass(299);
  open_udp(home);
  home.pass(299);
  answer_udp(home);
}

TEST(Nat, B65_an_inbound_packet_does_not_keep_a_udp_session) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  for (int i = 0; i < 5; ++i) {
    home.pass(59);
    answer_udp(home);
  }
  home.pass(6);
  EXPECT_EQ(home.sessions(), 0u);
}

// Any number of strangers, each with a session of its own.
TEST(Nat, B65_what_strangers_send_keeps_no_mapping) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  for (int i = 0; i < 4; ++i) {
    home.pass(70);
    const std::string stranger = "198.51.100." + std::to_string(10 + i) + ":53";
    for (int packet = 0; packet < 2; ++packet)
      home.comes_in(udp(stranger, "203.0.113.2:5000"), udp(stranger, "192.168.10.7:5000").ttl(63));
  }
  home.pass(22);  // 302 s: the inside host was last heard at 0
  EXPECT_EQ(home.sessions(), 0u);
  const auto refused = [&](const char* stranger) {
    home.answers("wan", udp(std::string(stranger) + ":53", "203.0.113.2:5000"),
                 "icmp 203.0.113.2 > " + std::string(stranger) + " ttl 64 error 3/3 about (udp " + stranger +
                     ":53 > 203.0.113.2:5000 ttl 64)");
  };
  refused("198.51.100.13");
  refused("198.51.100.14");
}

TEST(Nat, B65_an_answer_to_a_stranger_keeps_the_mapping) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  home.pass(200);
  home.comes_in(udp("198.51.100.10:53", "203.0.113.2:5000"),
                udp("198.51.100.10:53", "192.168.10.7:5000").ttl(63));
  home.pass(50);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.10:53"),
                udp("203.0.113.2:5000", "198.51.100.10:53").ttl(63));
  home.pass(295);  // since the answer
  home.comes_in(udp("198.51.100.11:53", "203.0.113.2:5000"),
                udp("198.51.100.11:53", "192.168.10.7:5000").ttl(63));
  home.pass(7);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, B65_an_error_about_what_a_stranger_sent_is_no_answer) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  home.pass(200);
  const auto inward = [](const char* to) { return udp("198.51.100.10:53", to); };
  home.comes_in(inward("203.0.113.2:5000"), inward("192.168.10.7:5000").ttl(63));
  home.goes_out(
      icmp_error("192.168.10.7", "198.51.100.10", 3, 3, inward("192.168.10.7:5000").ttl(63).packet()),
      icmp_error("203.0.113.2", "198.51.100.10", 3, 3, inward("203.0.113.2:5000").ttl(63).packet()).ttl(63));
  home.pass(102);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, B65_connection_attempts_of_strangers_keep_no_mapping) {
  Home home(masquerade("filtering: endpoint-independent, timeouts: { tcp-transitory: 4m }"));
  home.goes_out(tcp("192.168.10.7:5000", "198.51.100.9:80").flags(0x02),
                tcp("203.0.113.2:5000", "198.51.100.9:80").flags(0x02).ttl(63));
  home.pass(200);
  home.comes_in(tcp("198.51.100.10:80", "203.0.113.2:5000").flags(0x02),
                tcp("198.51.100.10:80", "192.168.10.7:5000").flags(0x02).ttl(63));
  home.pass(42);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, B65_the_port_of_a_mapping_that_strangers_used_is_free_for_another_host) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  home.pass(250);
  home.comes_in(udp("198.51.100.10:53", "203.0.113.2:5000"),
                udp("198.51.100.10:53", "192.168.10.7:5000").ttl(63));
  home.pass(52);
  home.goes_out(udp("192.168.10.8:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.comes_in(udp("198.51.100.10:53", "203.0.113.2:5000"),
                udp("198.51.100.10:53", "192.168.10.8:5000").ttl(63));
}

TEST(Nat, B65_a_strangers_session_ends_with_the_mapping_not_with_the_next_sweep) {
  Home home(masquerade("filtering: endpoint-independent"));
  open_udp(home);
  home.comes_in(udp("198.51.100.10:53", "203.0.113.2:5000"),
                udp("198.51.100.10:53", "192.168.10.7:5000").ttl(63));
  EXPECT_EQ(home.router().runtime().clear_sessions({.source = 0xC0A80A07}), 1u);
  EXPECT_EQ(home.sessions(), 1u);
  home.answers("wan", udp("198.51.100.10:53", "203.0.113.2:5000"),
               "icmp 203.0.113.2 > 198.51.100.10 ttl 64 error 3/3 about (udp 198.51.100.10:53 > "
               "203.0.113.2:5000 ttl 64)");
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, sessions_are_found_and_ended_by_source_destination_and_protocol) {
  constexpr uint32_t kAnn = 0xC0A80A07, kDns = 0xC6336409;
  Home home(masquerade());
  for (const char* source : {"192.168.10.7", "192.168.10.8"}) {
    for (const char* destination : {"198.51.100.9", "198.51.100.10"}) {
      home.send("lan", udp(std::string(source) + ":5000", std::string(destination) + ":53"));
      home.send("lan", tcp(std::string(source) + ":5000", std::string(destination) + ":53"));
    }
  }
  auto& runtime = home.router().runtime();
  EXPECT_EQ(runtime.sessions({}).size(), 8u);
  EXPECT_EQ(runtime.sessions({.source = kAnn}).size(), 4u);
  EXPECT_EQ(runtime.sessions({.destination = kDns}).size(), 4u);
  EXPECT_EQ(runtime.sessions({.protocol = 6}).size(), 4u);
  EXPECT_EQ(runtime.sessions({.protocol = 1}).size(), 0u);
  const auto one = runtime.sessions({.source = kAnn, .destination = kDns, .protocol = 17});
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].session.arriving(0), (dataplane::Flow{kAnn, kDns, 5000, 53, 17}));
  EXPECT_EQ(runtime.clear_sessions({.destination = kDns, .protocol = 17}), 2u);
  EXPECT_EQ(runtime.sessions({.protocol = 17}).size(), 2u);
  EXPECT_EQ(runtime.sessions({.destination = kDns}).size(), 2u);
}

// The first of them finds the mapping, and with its session ends the expired one that was its last user.
TEST(Nat, B65_a_burst_from_outside_after_the_mapping_has_expired_opens_nothing) {
  Home home(masquerade());
  for (int port = 6000; port < 7000; ++port)
    home.source_outside(udp("192.168.10.8:" + std::to_string(port), "198.51.100.9:53"));
  open_udp(home);
  home.pass(299);
  home.router().pass_ms(999);
  home.router().pass_ms(1);  // it has expired, and is not swept yet
  const Frame answer = home.arriving("wan", udp("198.51.100.9:53", "203.0.113.2:5000"));
  const uint64_t before = home.router().drops("wan", DropReason::nat_no_mapping);
  home.router().receive_burst("wan", {answer, answer, answer});
  EXPECT_EQ(home.sent("lan"), std::vector<std::string>());
  EXPECT_EQ(home.router().drops("wan", DropReason::nat_no_mapping), before + 3);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, B65_timeouts_are_those_of_the_rule) {
  Home home(masquerade("timeouts: { udp: 2m, icmp: 100s }"));
  open_udp(home);
  home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 7),
                echo_request("203.0.113.2", "198.51.100.9", 7).ttl(63));
  home.pass(99);
  EXPECT_EQ(home.sessions(), 2u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(18);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, B69_echo_identifiers_are_mapped_and_kept_while_they_are_free) {
  Home home(masquerade());
  home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 7, 3),
                echo_request("203.0.113.2", "198.51.100.9", 7, 3).ttl(63));
  home.comes_in(echo_reply("198.51.100.9", "203.0.113.2", 7, 3),
                echo_reply("198.51.100.9", "192.168.10.7", 7, 3).ttl(63));
  // The same identifier of another host becomes another one, for both of its destinations.
  home.send("lan", echo_request("192.168.10.8", "198.51.100.9", 7, 4));
  const Frames first = home.router().sent("wan");
  ASSERT_EQ(first.size(), 1u);
  const auto id = static_cast<uint16_t>(first[0][38] << 8 | first[0][39]);
  EXPECT_NE(id, 7);
  EXPECT_EQ(first[0], home.framed("wan", echo_request("203.0.113.2", "198.51.100.9", id, 4).ttl(63)));
  home.goes_out(echo_request("192.168.10.8", "198.51.100.10", 7, 5),
                echo_request("203.0.113.2", "198.51.100.10", id, 5).ttl(63));
  home.comes_in(echo_reply("198.51.100.9", "203.0.113.2", id, 4),
                echo_reply("198.51.100.9", "192.168.10.8", 7, 4).ttl(63));
  home.comes_in(echo_reply("198.51.100.10", "203.0.113.2", id, 5),
                echo_reply("198.51.100.10", "192.168.10.8", 7, 5).ttl(63));
}

TEST(Nat, B69_an_echo_session_lives_sixty_seconds_after_the_last_request) {
  Home home(masquerade());
  const auto ask = [&] {
    home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 7),
                  echo_request("203.0.113.2", "198.51.100.9", 7).ttl(63));
  };
  ask();
  home.pass(59);
  home.comes_in(echo_reply("198.51.100.9", "203.0.113.2", 7),
                echo_reply("198.51.100.9", "192.168.10.7", 7).ttl(63));
  ask();
  home.pass(59);
  EXPECT_EQ(home.sessions(), 1u);
  home.pass(2);
  EXPECT_EQ(home.sessions(), 0u);
}

TEST(Nat, B69_an_echo_reply_that_nobody_asked_for_opens_nothing) {
  Home home(masquerade());
  home.is_dropped("lan", echo_reply("192.168.10.7", "198.51.100.9", 7), DropReason::nat_no_session);
  EXPECT_EQ(home.sessions(), 0u);
}

// ---- headers

TEST(Nat, B73_takes_one_from_the_ttl_both_ways) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53").ttl(2),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(1));
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53").ttl(255),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(254));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000").ttl(2),
                udp("198.51.100.9:53", "192.168.10.7:5000").ttl(1));
}

TEST(Nat, B73_tells_the_inside_about_an_expired_ttl_with_its_own_header) {
  Home home(masquerade());
  const std::string told =
      "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 11/0 about (udp 192.168.10.7:5000 > 198.51.100.9:53 ttl "
      "1)";
  home.answers("lan", udp("192.168.10.7:5000", "198.51.100.9:53").ttl(1), told);
  open_udp(home);
  home.answers("lan", udp("192.168.10.7:5000", "198.51.100.9:53").ttl(1), told);
}

TEST(Nat, B73_tells_the_outside_about_an_expired_ttl_with_the_external_header) {
  Home home(masquerade());
  open_udp(home);
  home.answers("wan", udp("198.51.100.9:53", "203.0.113.2:5000").ttl(1),
               "icmp 203.0.113.2 > 198.51.100.9 ttl 64 error 11/0 about (udp 198.51.100.9:53 > "
               "203.0.113.2:5000 ttl 1)");
}

TEST(Nat, B53_leaves_tos_and_identification_and_df_as_they_are) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53").tos(0xB9).id(0xBEEF).may_not_fragment(),
                udp("203.0.113.2:5000", "198.51.100.9:53").tos(0xB9).id(0xBEEF).may_not_fragment().ttl(63));
}

TEST(Nat, translates_a_packet_with_ip_options) {
  Home home(masquerade());
  const Frame router_alert = {0x94, 0x04, 0x00, 0x00};
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53").options(router_alert),
                udp("203.0.113.2:5000", "198.51.100.9:53").options(router_alert).ttl(63));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000").options(router_alert),
                udp("198.51.100.9:53", "192.168.10.7:5000").options(router_alert).ttl(63));
}

TEST(Nat, B74_a_udp_checksum_of_zero_stays_zero) {
  Home home(masquerade());
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53").no_checksum(),
                udp("203.0.113.2:5000", "198.51.100.9:53").no_checksum().ttl(63));
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000").no_checksum(),
                udp("198.51.100.9:53", "192.168.10.7:5000").no_checksum().ttl(63));
}

bool has_checksum_ffff(const PacketBuilder& udp_packet) {
  const Frame packet = udp_packet.packet();
  return packet[26] == 0xFF && packet[27] == 0xFF;
}

// Two octets of data for which `make` has a UDP checksum that computes to 0, and so is sent as FFFF.
template <class Make>
Frame data_for_ffff(Make make) {
  for (unsigned number = 0; number < 65536; ++number) {
    const Frame data = {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
    if (has_checksum_ffff(make(data))) return data;
  }
  ADD_FAILURE() << "no data has this checksum";
  return {0, 0};
}

TEST(Nat, B74_a_udp_checksum_that_becomes_zero_is_sent_as_ffff) {
  Home home(masquerade());
  const auto leaving = [](const Frame& data) {
    return udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63).data(data);
  };
  const Frame out = data_for_ffff(leaving);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53").data(out), leaving(out));
  const auto arriving = [](const Frame& data) {
    return udp("198.51.100.9:53", "192.168.10.7:5000").ttl(63).data(data);
  };
  const Frame in = data_for_ffff(arriving);
  home.comes_in(udp("198.51.100.9:53", "203.0.113.2:5000").data(in), arriving(in));
}

TEST(Nat, B74_a_udp_checksum_of_ffff_is_one_like_any_other) {
  Home home(masquerade());
  const auto arriving = [](const Frame& data) {
    return udp("192.168.10.7:5000", "198.51.100.9:53").data(data);
  };
  const Frame data = data_for_ffff(arriving);
  home.goes_out(arriving(data), udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63).data(data));
}

TEST(Nat, B32_every_value_of_a_checksum_is_adjusted_rightly) {
  Home home(masquerade());
  for (unsigned number = 0; number < 65536; number += 37) {
    const Frame data = {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number), 1};
    home.goes_out(
        udp("192.168.10.7:5000", "198.51.100.9:53").data(data).id(static_cast<uint16_t>(number)),
        udp("203.0.113.2:5000", "198.51.100.9:53").data(data).id(static_cast<uint16_t>(number)).ttl(63));
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace sluice::test
