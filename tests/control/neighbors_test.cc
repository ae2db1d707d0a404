// SPDX-License-Identifier: BSD-3-Clause
//
// The life of a neighbor: asked for, known, doubted, forgotten; the packets that wait for it; and what
// happens when there are too many.
#include "control/neighbors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/fake_neighbor_port.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using GivenUp = FakeNeighborPort::GivenUp;

const std::string kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";

TEST_F(NeighborsTest, B44_first_packet_is_held_and_everybody_asked) {
  hold("10.0.0.7", 1);
  EXPECT_EQ(state("10.0.0.7"), "incomplete");
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::incomplete);
  EXPECT_EQ(adjacency("10.0.0.7").interface(), 1);
  EXPECT_EQ(port_.routes.size(), 1u);
  ASSERT_THAT(port_.sent, SizeIs(1));
  EXPECT_EQ(port_.sent[0].second, control::arp_request(lan_.mac, ip4("10.0.0.1"), ip4("10.0.0.7")));
  EXPECT_THAT(port_.released, IsEmpty());
  EXPECT_THAT(port_.given_up, IsEmpty());
}

TEST_F(NeighborsTest, B44_held_packets_go_in_order_when_the_answer_comes) {
  for (uintptr_t packet : {1, 2, 3}) hold("10.0.0.7", packet);
  arp_reply(kA, "10.0.0.7");
  EXPECT_THAT(port_.released, ElementsAre(1, 2, 3));
  EXPECT_EQ(state("10.0.0.7"), "reachable");
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::usable);
  EXPECT_EQ(adjacency("10.0.0.7").mac(), mac(kA));
  EXPECT_EQ(neighbors_.counts().held, 0u);
}

TEST_F(NeighborsTest, B44_asks_three_times_a_second_apart_and_gives_up_a_second_later) {
  hold("10.0.0.7", 1);
  hold("10.0.0.7", 2);
  advance(kSecond - 1);
  EXPECT_THAT(port_.sent, SizeIs(1));
  advance(1);
  EXPECT_THAT(port_.sent, SizeIs(2));
  advance(kSecond);
  EXPECT_THAT(port_.sent, SizeIs(3));
  advance(kSecond - 1);
  EXPECT_THAT(port_.given_up, IsEmpty());
  advance(1);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_failed, true},
                                          GivenUp{2, DropReason::neighbor_failed, true}));
  EXPECT_THAT(port_.sent, SizeIs(3));
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_THAT(port_.routes, IsEmpty());
  EXPECT_THAT(port_.retired, SizeIs(1));
}

TEST_F(NeighborsTest, B44_is_asked_once_a_second_however_many_packets_come) {
  for (int i = 0; i < 100; ++i) {
    hold("10.0.0.7", 1);
    advance(kSecond / 100);
  }
  EXPECT_THAT(port_.sent, SizeIs(2));
}

TEST_F(NeighborsTest, B44_holds_eight_packets_and_drops_the_oldest_first) {
  for (uintptr_t packet = 1; packet <= 10; ++packet) hold("10.0.0.7", packet);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_queue_full, false},
                                          GivenUp{2, DropReason::neighbor_queue_full, false}));
  EXPECT_EQ(find("10.0.0.7")->held, 8u);
  arp_reply(kA, "10.0.0.7");
  EXPECT_THAT(port_.released, ElementsAre(3, 4, 5, 6, 7, 8, 9, 10));
}

TEST_F(NeighborsTest, is_resolved_anew_after_it_failed) {
  hold("10.0.0.7", 1);
  advance(3 * kSecond);
  ASSERT_EQ(state("10.0.0.7"), "none");
  forget();
  hold("10.0.0.7", 2);
  EXPECT_EQ(state("10.0.0.7"), "incomplete");
  EXPECT_THAT(port_.sent, SizeIs(1));
}

TEST_F(NeighborsTest, packet_that_comes_late_for_a_known_neighbor_goes_at_once) {
  make_reachable("10.0.0.7", kA);
  hold("10.0.0.7", 5);
  hold(find("10.0.0.7")->index, 6);
  EXPECT_THAT(port_.released, ElementsAre(5, 6));
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborsTest, packet_for_a_neighbor_that_is_gone_is_dropped) {
  make_reachable("10.0.0.7", kA);
  const AdjacencyIndex index = find("10.0.0.7")->index;
  neighbors_.clear({});
  hold(index, 5);
  hold(1'000'000u, 6);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{5, DropReason::neighbor_gone, false},
                                          GivenUp{6, DropReason::neighbor_gone, false}));
}

TEST_F(NeighborsTest, packet_for_an_address_that_is_not_on_the_link_is_dropped) {
  for (const char* address : {"10.0.1.7", "10.0.0.1", "10.0.0.0", "10.0.0.255", "2001:db8:1::7"}) {
    forget();
    hold(address, 1);
    EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_gone, false})) << address;
  }
  hold("10.0.0.7", 1, 9);
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborsTest, both_addresses_of_a_31_can_be_neighbors) {
  hold("192.0.2.1", 1, 2);
  EXPECT_EQ(state("192.0.2.1", 2), "incomplete");
}

TEST_F(NeighborsTest, ipv6_neighbor_is_asked_for_and_found) {
  hold("2001:db8::7", 1);
  ASSERT_THAT(port_.sent, SizeIs(1));
  EXPECT_EQ(port_.sent[0].second,
            control::neighbor_solicitation(lan_.mac, ip6("2001:db8::1"), ip6("2001:db8::7")));
  advertise(kA, "2001:db8::7", 0x60);
  EXPECT_EQ(state("2001:db8::7"), "reachable");
  EXPECT_THAT(port_.released, ElementsAre(1));
}

TEST_F(NeighborsTest, B49_ipv6_neighbor_is_asked_three_times_and_given_up) {
  hold("2001:db8::7", 1);
  advance(3 * kSecond);
  EXPECT_THAT(port_.sent, SizeIs(3));
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_failed, true}));
}

TEST_F(NeighborsTest, link_local_neighbor_gets_no_host_route_and_is_asked_from_our_link_local) {
  hold("fe80::7", 1);
  EXPECT_THAT(port_.routes, IsEmpty());
  EXPECT_EQ(port_.sent.at(0).second,
            control::neighbor_solicitation(lan_.mac, ip6("fe80::1"), ip6("fe80::7")));
  advance(3 * kSecond);
  EXPECT_EQ(state("fe80::7"), "none");
}

TEST_F(NeighborsTest, B46_reachable_becomes_stale_after_30_seconds) {
  make_reachable("10.0.0.7", kA);
  advance(30 * kSecond - 1);
  EXPECT_EQ(state("10.0.0.7"), "reachable");
  advance(1);
  EXPECT_EQ(state("10.0.0.7"), "stale");
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::stale);
  EXPECT_EQ(adjacency("10.0.0.7").mac(), mac(kA));
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborsTest, B46_stale_one_that_is_used_is_probed_alone_after_five_seconds) {
  make_reachable("10.0.0.7", kA);
  advance(30 * kSecond);
  use("10.0.0.7");
  advance(kSecond);
  EXPECT_EQ(state("10.0.0.7"), "delay");
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::usable);
  advance(5 * kSecond - 1);
  EXPECT_THAT(port_.sent, IsEmpty());
  advance(1);
  EXPECT_EQ(state("10.0.0.7"), "probe");
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::usable);
  ASSERT_THAT(port_.sent, SizeIs(1));
  EXPECT_EQ(port_.sent[0].second, control::arp_request(lan_.mac, ip4("10.0.0.1"), ip4("10.0.0.7"), mac(kA)));
  arp_reply(kA, "10.0.0.7");
  EXPECT_EQ(state("10.0.0.7"), "reachable");
}

TEST_F(NeighborsTest, B46_one_that_answers_no_probe_goes) {
  make_reachable("10.0.0.7", kA);
  advance(30 * kSecond);
  use("10.0.0.7");
  advance(6 * kSecond);
  ASSERT_EQ(state("10.0.0.7"), "probe");
  advance(2 * kSecond);
  EXPECT_THAT(port_.sent, SizeIs(3));
  advance(kSecond - 1);
  EXPECT_EQ(state("10.0.0.7"), "probe");
  advance(1);
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_THAT(port_.sent, SizeIs(3));
}

TEST_F(NeighborsTest, B49_ipv6_probe_goes_to_the_neighbor_alone) {
  make_reachable("2001:db8::7", kA);
  advance(30 * kSecond);
  use("2001:db8::7");
  advance(6 * kSecond);
  ASSERT_THAT(port_.sent, SizeIs(1));
  EXPECT_EQ(port_.sent[0].second,
            control::neighbor_solicitation(lan_.mac, ip6("2001:db8::1"), ip6("2001:db8::7"), mac(kA)));
}

TEST_F(NeighborsTest, stale_one_that_nobody_uses_is_left_alone_for_20_minutes_and_then_goes) {
  make_reachable("10.0.0.7", kA);
  advance(30 * kSecond + 20 * 60 * kSecond - 1);
  EXPECT_EQ(state("10.0.0.7"), "stale");
  advance(1);
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_THAT(port_.sent, IsEmpty());
  EXPECT_FALSE(neighbors_.next_due());
}

TEST_F(NeighborsTest, use_mark_of_an_earlier_neighbor_is_not_taken_for_the_new_ones) {
  make_reachable("10.0.0.7", kA);
  const AdjacencyIndex index = find("10.0.0.7")->index;
  neighbors_.clear({});
  neighbors_.release_index(index);
  port_.used.insert(index);
  arp_request(kB, "10.0.0.8", "10.0.0.1");
  ASSERT_EQ(find("10.0.0.8")->index, index);
  advance(2 * kSecond);
  EXPECT_EQ(state("10.0.0.8"), "stale");
}

TEST_F(NeighborsTest, index_rests_until_it_is_released) {
  make_reachable("10.0.0.7", kA);
  const AdjacencyIndex index = find("10.0.0.7")->index;
  neighbors_.clear({});
  EXPECT_THAT(port_.retired, ElementsAre(index));
  hold("10.0.0.8", 1);
  EXPECT_NE(find("10.0.0.8")->index, index);
  neighbors_.release_index(index);
  hold("10.0.0.9", 1);
  EXPECT_EQ(find("10.0.0.9")->index, index);
}

TEST_F(NeighborsTest, never_gives_out_index_zero_nor_one_beyond_the_table) {
  for (int i = 2; i < 250; ++i) arp_request(kA, "10.0.0." + std::to_string(i), "10.0.0.1");
  EXPECT_EQ(neighbors_.counts().neighbors, 64u);
  for (const auto& info : neighbors_.list(now_)) {
    EXPECT_GT(info.index, 0u);
    EXPECT_LT(info.index, Neighbors::table_size(64));
  }
}

TEST_F(NeighborsTest, clear_forgets_what_was_learned_and_no_more) {
  make_reachable("10.0.0.7", kA);
  make_reachable("2001:db8::7", kA);
  hold("10.0.0.9", 1);
  neighbors_.set_static(std::vector<control::StaticNeighbor>{{1, ip("10.0.0.8"), mac(kB)}}, now_);
  control::NeighborFilter filter;
  filter.interface = 2;
  EXPECT_EQ(neighbors_.clear(filter), 0u);
  filter.interface = 1;
  filter.address = ip("2001:db8::7");
  EXPECT_EQ(neighbors_.clear(filter), 1u);
  EXPECT_EQ(state("2001:db8::7"), "none");
  EXPECT_EQ(neighbors_.clear({}), 1u);
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_EQ(state("10.0.0.8"), "permanent");
  EXPECT_EQ(state("10.0.0.9"), "incomplete");
}

TEST_F(NeighborsTest, B44_one_that_was_cleared_is_still_asked_once_a_second_at_most) {
  hold("10.0.0.7", 1);
  arp_reply(kA, "10.0.0.7");
  neighbors_.clear({});
  forget();
  hold("10.0.0.7", 2);
  advance(kSecond - 1);
  EXPECT_THAT(port_.sent, IsEmpty());
  advance(1);
  EXPECT_THAT(port_.sent, SizeIs(1));
  advance(3 * kSecond - 1);
  EXPECT_THAT(port_.given_up, IsEmpty());
  advance(1);
  EXPECT_THAT(port_.given_up, SizeIs(1));
}

TEST_F(NeighborsTest, list_says_what_there_is_to_know) {
  make_reachable("10.0.0.7", kA);
  hold("10.0.0.8", 1);
  advance(2 * kSecond);
  const auto list = neighbors_.list(now_);
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].address, ip("10.0.0.7"));
  EXPECT_EQ(list[0].interface, 1);
  EXPECT_EQ(list[0].mac, mac(kA));
  EXPECT_EQ(list[0].age_ns, 2 * kSecond);
  EXPECT_FALSE(list[0].is_static);
  EXPECT_EQ(list[1].mac, std::nullopt);
  EXPECT_EQ(list[1].held, 1u);
  EXPECT_EQ(neighbors_.find(1, ip("10.0.0.7"))->mac(), mac(kA));
  EXPECT_FALSE(neighbors_.find(1, ip("10.0.0.9")));
}

// Static neighbors and those that routes name.

TEST_F(NeighborsTest, B46_static_neighbor_is_usable_at_once_and_for_ever) {
  neighbors_.set_static(std::vector<control::StaticNeighbor>{{1, ip("10.0.0.7"), mac(kA)}}, now_);
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::usable);
  advance(3600 * kSecond);
  EXPECT_EQ(state("10.0.0.7"), "permanent");
  EXPECT_TRUE(find("10.0.0.7")->is_static);
  EXPECT_THAT(port_.sent, IsEmpty());
}

TEST_F(NeighborsTest, B46_static_neighbor_is_never_overwritten) {
  neighbors_.set_static(
      std::vector<control::StaticNeighbor>{{1, ip("10.0.0.7"), mac(kA)}, {1, ip("2001:db8::7"), mac(kA)}},
      now_);
  arp_reply(kB, "10.0.0.7");
  arp_request(kB, "10.0.0.7", "10.0.0.7");
  arp_request(kB, "10.0.0.7", "10.0.0.1");
  advertise(kB, "2001:db8::7", 0x60);
  solicit(kB, "2001:db8::7", "2001:db8::1");
  for (const char* address : {"10.0.0.7", "2001:db8::7"}) {
    EXPECT_EQ(adjacency(address).mac(), mac(kA));
    EXPECT_EQ(state(address), "permanent");
  }
}

TEST_F(NeighborsTest, static_neighbor_lets_go_what_waited_for_it) {
  hold("10.0.0.7", 1);
  EXPECT_EQ(neighbors_.set_static(std::vector<control::StaticNeighbor>{{1, ip("10.0.0.7"), mac(kA)}}, now_),
            0u);
  EXPECT_THAT(port_.released, ElementsAre(1));
}

TEST_F(NeighborsTest, static_neighbor_goes_with_its_line) {
  neighbors_.set_static(std::vector<control::StaticNeighbor>{{1, ip("10.0.0.7"), mac(kA)}}, now_);
  neighbors_.set_static({}, now_);
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_THAT(port_.routes, IsEmpty());
}

TEST_F(NeighborsTest, static_neighbor_outside_its_network_is_counted_as_lost) {
  EXPECT_EQ(neighbors_.set_static(std::vector<control::StaticNeighbor>{{1, ip("10.9.0.7"), mac(kA)}}, now_),
            1u);
}

TEST_F(NeighborsTest, pinned_neighbor_is_asked_for_when_the_first_packet_comes) {
  const auto index = neighbors_.pin(1, ip("10.0.0.7"), now_);
  ASSERT_TRUE(index);
  EXPECT_EQ(state("10.0.0.7"), "unresolved");
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::incomplete);
  EXPECT_THAT(port_.sent, IsEmpty());
  hold(*index, 1);
  EXPECT_THAT(port_.sent, SizeIs(1));
  arp_reply(kA, "10.0.0.7");
  EXPECT_THAT(port_.released, ElementsAre(1));
}

TEST_F(NeighborsTest, pinned_neighbor_keeps_its_index_when_it_fails) {
  const auto index = neighbors_.pin(1, ip("10.0.0.7"), now_);
  hold(*index, 1);
  advance(3 * kSecond);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_failed, true}));
  EXPECT_EQ(state("10.0.0.7"), "unresolved");
  EXPECT_EQ(find("10.0.0.7")->index, *index);
  EXPECT_THAT(port_.retired, IsEmpty());
  forget();
  hold(*index, 2);
  EXPECT_THAT(port_.sent, SizeIs(1));
}

TEST_F(NeighborsTest, pinned_neighbor_goes_with_the_last_route_that_names_it) {
  const auto index = neighbors_.pin(1, ip("10.0.0.7"), now_);
  EXPECT_EQ(neighbors_.pin(1, ip("10.0.0.7"), now_), index);
  neighbors_.unpin(*index);
  EXPECT_EQ(state("10.0.0.7"), "unresolved");
  neighbors_.unpin(*index);
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_THAT(port_.retired, ElementsAre(*index));
}

TEST_F(NeighborsTest, pinned_neighbor_that_is_known_stays_as_an_ordinary_one) {
  const auto index = neighbors_.pin(1, ip("10.0.0.7"), now_);
  hold(*index, 1);
  arp_reply(kA, "10.0.0.7");
  neighbors_.unpin(*index);
  EXPECT_EQ(state("10.0.0.7"), "reachable");
  advance(30 * kSecond + 1200 * kSecond);
  EXPECT_EQ(state("10.0.0.7"), "none");
}

TEST_F(NeighborsTest, pinned_neighbor_that_is_stale_is_never_too_old) {
  neighbors_.pin(1, ip("10.0.0.7"), now_);
  make_reachable("10.0.0.7", kA);
  advance(3600 * kSecond);
  EXPECT_EQ(state("10.0.0.7"), "stale");
}

TEST_F(NeighborsTest, neighbor_outside_the_network_cannot_be_pinned) {
  EXPECT_FALSE(neighbors_.pin(1, ip("10.9.0.7"), now_));
}

TEST_F(NeighborsTest, reload_takes_the_neighbors_of_what_is_gone_and_leaves_the_others) {
  make_reachable("10.0.0.7", kA);
  make_reachable("2001:db8::7", kA);
  hold("192.0.2.1", 4, 2);
  lan_.ipv4 = {{ip4("10.1.0.1"), 24}};
  neighbors_.set_interfaces(std::vector{lan_}, now_);
  EXPECT_EQ(state("10.0.0.7"), "none");
  EXPECT_EQ(state("2001:db8::7"), "reachable");
  EXPECT_EQ(state("192.0.2.1", 2), "none");
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{4, DropReason::neighbor_gone, false}));
}

TEST_F(NeighborsTest, reload_takes_the_neighbor_whose_address_becomes_ours) {
  make_reachable("10.0.0.7", kA);
  lan_.ipv4.push_back({ip4("10.0.0.7"), 24});
  configure();
  EXPECT_EQ(state("10.0.0.7"), "none");
}

TEST_F(NeighborsTest, pinned_neighbor_of_a_network_that_is_gone_waits_for_its_routes_and_takes_no_packet) {
  const auto index = neighbors_.pin(1, ip("10.0.0.7"), now_);
  make_reachable("10.0.0.7", kA);
  lan_.ipv4.clear();
  configure();
  EXPECT_EQ(adjacency("10.0.0.7").reach(), Reach::incomplete);
  hold(*index, 3);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{3, DropReason::neighbor_gone, false}));
  neighbors_.unpin(*index);
  EXPECT_EQ(state("10.0.0.7"), "none");
}

}  // namespace
}  // namespace sluice::test
