// SPDX-License-Identifier: BSD-3-Clause
//
// What the router says and believes in ARP and neighbor discovery, and what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/fake_neighbor_port.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const std::string kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";

class NeighborInput : public NeighborsTest {
 protected:
  /// Empty, or the only frame that was sent.
  Bytes only_frame() {
    EXPECT_LE(port_.sent.size(), 1u);
    return port_.sent.empty() ? Bytes() : port_.sent[0].second;
  }
};

// ARP.

TEST_F(NeighborInput, B43_request_for_our_address_is_answered) {
  arp_request(kA, "10.0.0.7", "10.0.0.1");
  const control::Arp request{control::ArpOperation::request, mac(kA), ip4("10.0.0.7"), 0, 0};
  EXPECT_THAT(port_.sent, ElementsAre(Pair(1, control::arp_reply(lan_.mac, ip4("10.0.0.1"), request))));
}

TEST_F(NeighborInput, B43_request_for_any_other_address_is_not_answered) {
  for (const char* target : {"10.0.0.9", "10.0.0.255", "192.0.2.0", "0.0.0.0"})
    arp_request(kA, "10.0.0.7", target);
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_EQ(state("10.0.0.7"), "none");
}

TEST_F(NeighborInput, B43_reply_is_not_answered) {
  arp_reply(kA, "10.0.0.7");
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborInput, request_makes_its_sender_a_stale_neighbor) {
  arp_request(kA, "10.0.0.7", "10.0.0.1");
  EXPECT_EQ(state("10.0.0.7"), "stale");
  EXPECT_EQ(adjacency("10.0.0.7").mac(), mac(kA));
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::stale);
}

TEST_F(NeighborInput, B43_sender_in_another_network_is_answered_but_not_learned) {
  arp_request(kA, "10.0.9.7", "10.0.0.1");
  EXPECT_THAT(port_.sent, SizeIs(1));
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, B43_senders_that_are_no_host_are_not_learned) {
  for (const char* sender : {"10.0.0.0", "10.0.0.255"}) arp_request(kA, sender, "10.0.0.1");
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, probe_for_our_address_is_answered_and_teaches_nothing) {
  arp_request(kA, "0.0.0.0", "10.0.0.1");
  EXPECT_THAT(port_.sent, SizeIs(1));
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, B45_gratuitous_arp_updates_a_neighbor) {
  make_reachable("10.0.0.7", kA);
  arp_request(kB, "10.0.0.7", "10.0.0.7");
  EXPECT_EQ(adjacency("10.0.0.7").mac(), mac(kB));
  EXPECT_EQ(state("10.0.0.7"), "stale") << "nothing says yet that it hears us";
  arp(2, kA, "10.0.0.7", "10.0.0.7");
  EXPECT_EQ(adjacency("10.0.0.7").mac(), mac(kA));
}

TEST_F(NeighborInput, B45_gratuitous_arp_makes_no_neighbor) {
  arp_request(kA, "10.0.0.7", "10.0.0.7");
  arp(2, kA, "10.0.0.7", "10.0.0.7");
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, reply_that_nobody_asked_for_makes_no_neighbor) {
  arp_reply(kA, "10.0.0.7");
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, reply_that_nobody_asked_for_confirms_nothing) {
  arp_request(kA, "10.0.0.7", "10.0.0.1");
  arp_reply(kA, "10.0.0.7");
  EXPECT_EQ(state("10.0.0.7"), "stale");
}

TEST_F(NeighborInput, announcement_of_whom_we_ask_for_lets_the_packets_go_but_confirms_nothing) {
  hold("10.0.0.7", 1);
  arp_request(kA, "10.0.0.7", "10.0.0.7");
  EXPECT_THAT(port_.released, ElementsAre(1));
  EXPECT_EQ(state("10.0.0.7"), "stale");
}

TEST_F(NeighborInput, request_of_a_reachable_neighbor_with_its_known_mac_changes_nothing) {
  make_reachable("10.0.0.7", kA);
  arp_request(kA, "10.0.0.7", "10.0.0.1");
  EXPECT_EQ(state("10.0.0.7"), "reachable");
}

TEST_F(NeighborInput, request_for_somebody_else_updates_a_neighbor_that_moved) {
  make_reachable("10.0.0.7", kA);
  arp_request(kB, "10.0.0.7", "10.0.0.9");
  EXPECT_EQ(adjacency("10.0.0.7").mac(), mac(kB));
}

TEST_F(NeighborInput, B43_claim_to_our_address_is_ignored_and_logged_once_in_ten_seconds) {
  for (int i = 0; i < 5; ++i) arp_request(kA, "10.0.0.1", "10.0.0.1");
  arp_reply(kA, "10.0.0.1", "10.0.0.9");
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
  EXPECT_EQ(neighbors_.counts().conflicts, 6u);
  EXPECT_EQ(neighbors_.own().conflicts_logged(), 1u);
  advance(10 * kSecond);
  arp_request(kA, "10.0.0.1", "10.0.0.1");
  EXPECT_EQ(neighbors_.own().conflicts_logged(), 2u);
}

TEST_F(NeighborInput, our_own_frame_that_comes_back_is_no_claim) {
  arp_request("02:00:00:00:00:01", "10.0.0.1", "10.0.0.1");
  EXPECT_EQ(neighbors_.counts().conflicts, 0u);
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborInput, mac_that_is_a_group_is_believed_by_nobody) {
  arp_request("03:00:00:00:00:0a", "10.0.0.7", "10.0.0.1");
  arp_request("ff:ff:ff:ff:ff:ff", "10.0.0.7", "10.0.0.1");
  arp_request("00:00:00:00:00:00", "10.0.0.7", "10.0.0.1");
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
  EXPECT_EQ(neighbors_.counts().ignored, 3u);
}

TEST_F(NeighborInput, packets_of_an_interface_that_is_gone_are_ignored) {
  arp(1, kA, "10.0.0.7", "10.0.0.1", 9);
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborInput, addresses_of_nat_rules_are_answered_for_and_are_nobody_elses) {
  neighbors_.set_answered({{1, ip4("10.0.0.100"), ip4("10.0.0.101")}});
  EXPECT_THAT(port_.sent, SizeIs(2)) << "announced";
  forget();
  for (const char* target : {"10.0.0.99", "10.0.0.100", "10.0.0.101", "10.0.0.102"})
    arp_request(kA, "10.0.0.7", target);
  EXPECT_THAT(port_.sent, SizeIs(2));
  forget();
  hold("10.0.0.100", 1);
  arp_request(kA, "10.0.0.100", "10.0.0.100");
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_EQ(neighbors_.counts().conflicts, 1u);
  neighbors_.set_answered({{1, ip4("10.0.0.100"), ip4("10.0.0.101")}});
  EXPECT_THAT(port_.sent, IsEmpty()) << "nothing is new";
}

// Neighbor discovery.

TEST_F(NeighborInput, B49_solicitation_for_our_address_is_answered_and_makes_a_stale_neighbor) {
  solicit(kA, "2001:db8::7", "2001:db8::1");
  const control::Nd question{control::Nd::Kind::solicitation, ip6("2001:db8::7"), {}, ip6("2001:db8::1")};
  EXPECT_EQ(only_frame(), control::neighbor_advertisement(lan_.mac, question, mac(kA)));
  EXPECT_EQ(state("2001:db8::7"), "stale");
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kA));
}

TEST_F(NeighborInput, solicitation_for_our_link_local_address_is_answered) {
  solicit(kA, "fe80::7", "fe80::1");
  EXPECT_THAT(port_.sent, SizeIs(1));
}

TEST_F(NeighborInput, B49_solicitation_for_any_other_address_is_not_answered) {
  solicit(kA, "2001:db8::7", "2001:db8::9");
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, solicitation_from_another_network_is_answered_but_not_learned) {
  solicit(kA, "2001:db8:9::7", "2001:db8::1");
  EXPECT_THAT(port_.sent, SizeIs(1));
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, solicitation_without_a_mac_is_answered_to_its_frames_source) {
  const Bytes frame =
      control::neighbor_solicitation(mac(kA), ip6("2001:db8::7"), ip6("2001:db8::1"), lan_.mac);
  give_nd(without_option(frame));
  ASSERT_FALSE(only_frame().empty());
  EXPECT_EQ(dataplane::load_destination(only_frame().data()), mac(kA));
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, B49_detection_of_duplicates_of_our_address_is_answered_to_everybody) {
  solicit(kA, "::", "2001:db8::1");
  ASSERT_FALSE(only_frame().empty());
  EXPECT_EQ(dataplane::load_destination(only_frame().data()), mac("33:33:00:00:00:01"));
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

TEST_F(NeighborInput, advertisement_that_nobody_asked_for_makes_no_neighbor) {
  advertise(kA, "2001:db8::7", 0x20, "ff02::1");
  advertise(kA, "2001:db8::7", 0x60);
  EXPECT_THAT(neighbors_.list(now_), IsEmpty());
}

// RFC 4861 section 7.2.5 and appendix C, line by line.

TEST_F(NeighborInput, B49_incomplete_and_solicited_becomes_reachable) {
  hold("2001:db8::7", 1);
  advertise(kA, "2001:db8::7", 0x40);
  EXPECT_EQ(state("2001:db8::7"), "reachable");
}

TEST_F(NeighborInput, B49_incomplete_and_unsolicited_becomes_stale) {
  hold("2001:db8::7", 1);
  advertise(kA, "2001:db8::7", 0x00);
  EXPECT_EQ(state("2001:db8::7"), "stale");
  EXPECT_THAT(port_.released, ElementsAre(1));
}

TEST_F(NeighborInput, B49_incomplete_and_no_mac_stays_incomplete) {
  hold("2001:db8::7", 1);
  advertise("", "2001:db8::7", 0x60);
  EXPECT_EQ(state("2001:db8::7"), "incomplete");
}

TEST_F(NeighborInput, B49_other_mac_without_override_makes_a_reachable_neighbor_stale_and_is_not_believed) {
  make_reachable("2001:db8::7", kA);
  advertise(kB, "2001:db8::7", 0x40);
  EXPECT_EQ(state("2001:db8::7"), "stale");
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kA));
}

TEST_F(NeighborInput, B49_other_mac_without_override_leaves_a_neighbor_that_is_probed_alone) {
  make_reachable("2001:db8::7", kA);
  advance(30 * kSecond);
  use("2001:db8::7");
  advance(6 * kSecond);
  advertise(kB, "2001:db8::7", 0x40);
  EXPECT_EQ(state("2001:db8::7"), "probe");
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kA));
}

TEST_F(NeighborInput, B49_other_mac_with_override_is_believed) {
  make_reachable("2001:db8::7", kA);
  advertise(kB, "2001:db8::7", 0x20);
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kB));
  EXPECT_EQ(state("2001:db8::7"), "stale");
  advertise(kA, "2001:db8::7", 0x60);
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kA));
  EXPECT_EQ(state("2001:db8::7"), "reachable");
}

TEST_F(NeighborInput, B49_same_mac_unsolicited_changes_nothing) {
  make_reachable("2001:db8::7", kA);
  advertise(kA, "2001:db8::7", 0x20, "ff02::1");
  EXPECT_EQ(state("2001:db8::7"), "reachable");
}

TEST_F(NeighborInput, B49_solicited_answer_without_a_mac_confirms_a_probe) {
  make_reachable("2001:db8::7", kA);
  advance(30 * kSecond);
  use("2001:db8::7");
  advance(6 * kSecond);
  advertise("", "2001:db8::7", 0x60);
  EXPECT_EQ(state("2001:db8::7"), "reachable");
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kA));
}

TEST_F(NeighborInput, B49_solicitation_from_another_mac_makes_its_sender_stale) {
  make_reachable("2001:db8::7", kA);
  solicit(kB, "2001:db8::7", "2001:db8::1");
  EXPECT_EQ(state("2001:db8::7"), "stale");
  EXPECT_EQ(adjacency("2001:db8::7").mac(), mac(kB));
}

TEST_F(NeighborInput, claim_to_our_ipv6_address_is_ignored_and_counted) {
  advertise(kA, "2001:db8::1", 0x20, "ff02::1");
  solicit(kA, "2001:db8::1", "2001:db8::1");
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_EQ(neighbors_.counts().conflicts, 2u);
}

// New addresses.

TEST_F(NeighborInput, B45_new_ipv4_address_is_announced_once_and_the_old_ones_are_not) {
  lan_.ipv4.push_back({ip4("10.0.5.1"), 24});
  configure();
  EXPECT_EQ(only_frame(), control::arp_announcement(lan_.mac, ip4("10.0.5.1")));
  advance(60 * kSecond);
  EXPECT_THAT(port_.sent, SizeIs(1));
}

TEST_F(NeighborInput, B49_new_ipv6_address_is_probed_and_announced_a_second_later) {
  lan_.ipv6.push_back({ip6("2001:db8:5::1"), 64});
  configure();
  EXPECT_EQ(only_frame(), control::duplicate_probe(lan_.mac, ip6("2001:db8:5::1")));
  forget();
  advance(kSecond - 1);
  EXPECT_THAT(port_.sent, IsEmpty());
  advance(1);
  EXPECT_EQ(only_frame(), control::unsolicited_advertisement(lan_.mac, ip6("2001:db8:5::1")));
}

TEST_F(NeighborInput, addresses_are_announced_anew_with_a_new_mac) {
  lan_.mac = mac("02:00:00:00:00:99");
  lan_.ipv6.clear();
  configure();
  EXPECT_EQ(only_frame(), control::arp_announcement(lan_.mac, ip4("10.0.0.1")));
}

TEST_F(NeighborInput, addresses_are_announced_again_on_demand) {
  neighbors_.announce(1);
  EXPECT_THAT(port_.sent, SizeIs(3));
}

TEST_F(NeighborInput, B49_tentative_address_is_answered_for_without_override) {
  lan_.ipv6.push_back({ip6("2001:db8:5::1"), 64});
  configure();
  forget();
  solicit(kA, "2001:db8:5::7", "2001:db8:5::1");
  EXPECT_EQ(only_frame().at(58), 0xC0);
}

TEST_F(NeighborInput, B49_duplicate_that_shows_itself_takes_the_address_from_us) {
  lan_.ipv6.push_back({ip6("2001:db8:5::1"), 64});
  lan_.ipv6.push_back({ip6("2001:db8:6::1"), 64});
  configure();
  forget();
  advertise(kA, "2001:db8:5::1", 0x20, "ff02::1");
  solicit(kA, "::", "2001:db8:6::1");
  advance(2 * kSecond);
  EXPECT_THAT(port_.sent, IsEmpty()) << "neither is announced";
  solicit(kB, "2001:db8:5::7", "2001:db8:5::1");
  solicit(kB, "2001:db8:6::7", "2001:db8:6::1");
  EXPECT_THAT(port_.sent, IsEmpty()) << "nor answered for";
  EXPECT_EQ(neighbors_.own().conflicts_logged(), 2u);
}

TEST_F(NeighborInput, survives_any_octets) {
  const Bytes request = control::arp_request(mac(kA), ip4("10.0.0.7"), ip4("10.0.0.1"));
  batter(Bytes(request.begin() + 14, request.end()),
         [&](const Bytes& octets) { neighbors_.arp(1, octets, now_); });
  const Bytes question = control::neighbor_solicitation(mac(kA), ip6("2001:db8::7"), ip6("2001:db8::1"));
  batter(Bytes(question.begin() + 14, question.end()),
         [&](const Bytes& octets) { neighbors_.nd(1, octets, mac(kA), now_); });
}

}  // namespace
}  // namespace sluice::test
