// SPDX-License-Identifier: BSD-3-Clause
//
// Datagrams in parts through NAT: behaviour B72, and B38 behind NAT.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

constexpr const char* kServers =
    "- { name: servers, interface: uplink, static: [{ inside: 192.168.10.30, outside: 203.0.113.30 }] }\n";

/// The parts of a datagram of 1500 octets behind the IP header.
std::vector<PacketBuilder> parts(const PacketBuilder& whole) {
  std::vector<PacketBuilder> all;
  for (size_t offset : {0, 512, 1024}) all.push_back(PacketBuilder(whole).part(offset, 512));
  return all;
}
PacketBuilder big(PacketBuilder packet) {
  return packet.data(1400);
}
PacketBuilder hop(PacketBuilder packet) {
  return packet.ttl(63);
}

const PacketBuilder kOut = big(udp("192.168.10.7:5000", "198.51.100.9:53")),
                    kOutside = big(udp("203.0.113.2:5000", "198.51.100.9:53")).ttl(63),
                    kIn = big(udp("198.51.100.9:53", "203.0.113.2:5000")),
                    kInside = big(udp("198.51.100.9:53", "192.168.10.7:5000")).ttl(63);

TEST(NatFragments, B72_are_translated_in_order_both_ways) {
  Home home(masquerade());
  const auto out = parts(kOut), outside = parts(kOutside), in = parts(kIn), inside = parts(kInside);
  for (size_t i = 0; i < out.size(); ++i) home.goes_out(out[i], outside[i]);
  for (size_t i = 0; i < in.size(); ++i) home.comes_in(in[i], inside[i]);
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatFragments, B72_are_translated_in_one_burst) {
  Home home(masquerade());
  Frames burst;
  for (const PacketBuilder& part : parts(kOut)) burst.push_back(home.arriving("lan", part));
  home.router().receive_burst("lan", burst);
  home.expect("wan", home.all_framed("wan", parts(kOutside)));
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatFragments, B72_of_tcp_and_echo_are_translated_too) {
  Home home(masquerade());
  const auto tcp_out = parts(big(tcp("192.168.10.7:5000", "198.51.100.9:80"))),
             tcp_outside = parts(hop(big(tcp("203.0.113.2:5000", "198.51.100.9:80"))));
  for (size_t i = 0; i < tcp_out.size(); ++i) home.goes_out(tcp_out[i], tcp_outside[i]);
  const auto tcp_in = parts(big(tcp("198.51.100.9:80", "203.0.113.2:5000")).flags(0x12)),
             tcp_inside = parts(hop(big(tcp("198.51.100.9:80", "192.168.10.7:5000")).flags(0x12)));
  for (size_t i = 0; i < tcp_in.size(); ++i) home.comes_in(tcp_in[i], tcp_inside[i]);
  const auto out = parts(big(echo_request("192.168.10.7", "198.51.100.9", 9))),
             outside = parts(hop(big(echo_request("203.0.113.2", "198.51.100.9", 9))));
  for (size_t i = 0; i < out.size(); ++i) home.goes_out(out[i], outside[i]);
  const auto in = parts(big(echo_reply("198.51.100.9", "203.0.113.2", 9))),
             inside = parts(hop(big(echo_reply("198.51.100.9", "192.168.10.7", 9))));
  for (size_t i = 0; i < in.size(); ++i) home.comes_in(in[i], inside[i]);
}

TEST(NatFragments, B72_of_several_datagrams_at_once_are_told_apart) {
  Home home(masquerade());
  const auto whole = [](int host, int id) {
    return big(udp("192.168.10." + std::to_string(host) + ":" + std::to_string(5000 + host),
                   "198.51.100.9:53"))
        .id(static_cast<uint16_t>(id));
  };
  const auto translated = [](int host, int id) {
    return big(udp("203.0.113.2:" + std::to_string(5000 + host), "198.51.100.9:53"))
        .id(static_cast<uint16_t>(id))
        .ttl(63);
  };
  for (size_t part : {0u, 1u, 2u}) {
    for (int host : {7, 8}) {
      for (int id : {1, 2, 3}) home.goes_out(parts(whole(host, id))[part], parts(translated(host, id))[part]);
    }
  }
}

TEST(NatFragments, B72_that_come_before_their_first_are_dropped) {
  Home home(masquerade());
  const auto out = parts(kOut), outside = parts(kOutside), in = parts(kIn), inside = parts(kInside);
  home.is_dropped("lan", out[1], DropReason::nat_fragment_unknown);
  home.goes_out(out[0], outside[0]);
  home.goes_out(out[2], outside[2]);
  home.goes_out(out[1], outside[1]);
  home.send("wan", in[2]);
  home.expect("", {});
  home.comes_in(in[0], inside[0]);
  home.comes_in(in[2], inside[2]);
}

TEST(NatFragments, B72_unknown_ones_never_leave_with_a_private_source) {
  Home home(masquerade() + kServers);
  for (const auto& packet :
       {udp("192.168.10.7:5000", "198.51.100.9:53"), tcp("192.168.10.7:5000", "198.51.100.9:53"),
        echo_request("192.168.10.7", "198.51.100.9", 9)}) {
    home.is_dropped("lan", parts(big(packet))[1], DropReason::nat_fragment_unknown);
  }
  home.send("lan", parts(big(ip(47, "192.168.10.7", "198.51.100.9")))[1]);
  home.expect("", {});
}

TEST(NatFragments, B72_of_echo_without_a_first_are_not_those_of_identifier_0) {
  Home home(masquerade());
  home.goes_out(echo_request("192.168.10.7", "198.51.100.9", 0),
                echo_request("203.0.113.2", "198.51.100.9", 0).ttl(63));
  home.send("lan", parts(big(echo_request("192.168.10.7", "198.51.100.9", 9)))[1]);
  home.expect("", {});
  home.send("wan", parts(big(echo_reply("198.51.100.9", "203.0.113.2", 9)))[1]);
  home.expect("", {});
}

TEST(NatFragments, B72_are_awaited_for_less_than_half_a_minute) {
  Home home(masquerade());
  const auto out = parts(kOut), outside = parts(kOutside);
  home.goes_out(out[0], outside[0]);
  home.pass(29);
  home.goes_out(out[1], outside[1]);
  home.pass(2);
  home.is_dropped("lan", out[2], DropReason::nat_fragment_unknown);
}

TEST(NatFragments, B72_reach_a_port_forward_and_its_answers_return) {
  Home home(masquerade("port-forward: [{ protocol: udp, port: 5353, to: \"192.168.10.20:53\" }]"));
  const auto in = parts(big(udp("198.51.100.9:4000", "203.0.113.2:5353"))),
             inside = parts(hop(big(udp("198.51.100.9:4000", "192.168.10.20:53"))));
  for (size_t i = 0; i < in.size(); ++i) home.comes_in(in[i], inside[i]);
  const auto out = parts(big(udp("192.168.10.20:53", "198.51.100.9:4000"))),
             outside = parts(hop(big(udp("203.0.113.2:5353", "198.51.100.9:4000"))));
  for (size_t i = 0; i < out.size(); ++i) home.goes_out(out[i], outside[i]);
  const auto there = parts(big(udp("192.168.10.7:5000", "203.0.113.2:5353"))),
             back = parts(hop(big(udp("203.0.113.2:5000", "192.168.10.20:53"))));
  for (size_t i = 0; i < there.size(); ++i) home.turns_back(there[i], back[i]);
}

TEST(NatFragments, B72_of_a_host_with_its_own_address_are_translated) {
  Home home(kServers);
  for (const auto& [inside, outside] :
       {std::pair(udp("192.168.10.30:5000", "198.51.100.9:53"), udp("203.0.113.30:5000", "198.51.100.9:53")),
        std::pair(ip(47, "192.168.10.30", "198.51.100.9"), ip(47, "203.0.113.30", "198.51.100.9"))}) {
    const auto out = parts(big(inside)), as = parts(hop(big(outside)));
    for (size_t i = 0; i < out.size(); ++i) home.goes_out(out[i], as[i]);
  }
  const auto in = parts(big(ip(47, "198.51.100.9", "203.0.113.30"))),
             inside = parts(hop(big(ip(47, "198.51.100.9", "192.168.10.30"))));
  for (size_t i = 0; i < in.size(); ++i) home.comes_in(in[i], inside[i]);
}

TEST(NatFragments, B38_what_is_too_large_for_the_outside_is_cut_and_translated) {
  Plan plan{.nat = masquerade()};
  plan.outside = "addresses: [203.0.113.2/24], mtu: 576";
  Home home(plan);
  home.send("lan", udp("192.168.10.7:5000", "198.51.100.9:53").data(1000));
  const auto whole = udp("203.0.113.2:5000", "198.51.100.9:53").data(1000).ttl(63);
  const std::vector<PacketBuilder> cut = {PacketBuilder(whole).part(0, 552),
                                          PacketBuilder(whole).part(552, 456)};
  home.expect("wan", home.all_framed("wan", cut));
  // The parts of what came in parts.
  home.send("lan", PacketBuilder(kOut).part(0, 1024).id(9));
  home.expect("wan", home.all_framed("wan", {PacketBuilder(kOutside).part(0, 552).id(9),
                                             PacketBuilder(kOutside).part(552, 472).id(9)}));
  home.send("lan", PacketBuilder(kOut).part(1024, 1024).id(9));
  home.expect("wan", home.all_framed("wan", {PacketBuilder(kOutside).part(1024, 1024).id(9)}));
  home.answers("lan", udp("192.168.10.7:5000", "198.51.100.9:53").data(1000).may_not_fragment(),
               "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/4 mtu 576 about (udp 192.168.10.7:5000 > "
               "198.51.100.9:53 ttl 64)");
  EXPECT_EQ(home.sessions(), 1u);
}

TEST(NatFragments, B38_what_is_too_large_for_the_inside_is_cut_and_translated) {
  Plan plan{.nat = masquerade()};
  plan.inside = "addresses: [192.168.10.1/24], mtu: 576";
  Home home(plan);
  home.goes_out(udp("192.168.10.7:5000", "198.51.100.9:53"),
                udp("203.0.113.2:5000", "198.51.100.9:53").ttl(63));
  home.send("wan", kIn);
  home.expect("lan", home.all_framed(
                         "lan", {PacketBuilder(kInside).part(0, 552), PacketBuilder(kInside).part(552, 552),
                                 PacketBuilder(kInside).part(1104, 552)}));
  home.answers("wan", PacketBuilder(kIn).may_not_fragment(),
               "icmp 203.0.113.2 > 198.51.100.9 ttl 64 error 3/4 mtu 576 about (udp 198.51.100.9:53 > "
               "203.0.113.2:5000 ttl 64)");
}

TEST(NatFragments, a_later_part_opens_no_session_that_its_first_part_may_not) {
  Home home(masquerade("port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }]"));
  const PacketBuilder ack = tcp("198.51.100.9:5000", "203.0.113.2:8080").flags(0x10).data(100).id(7);
  home.is_dropped("wan", PacketBuilder(ack).part(0, 64), DropReason::nat_no_session);
  home.is_dropped("wan", PacketBuilder(ack).part(64, 56), DropReason::nat_no_session);
  EXPECT_EQ(home.sessions(), 0u);
}

}  // namespace
}  // namespace sluice::test
