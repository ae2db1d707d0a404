// SPDX-License-Identifier: BSD-3-Clause
//
// Too many neighbors and too many packets: who gives way to whom (RFC 6583).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/control/fake_neighbor_port.h"

namespace sluice::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using GivenUp = FakeNeighborPort::GivenUp;

const std::string kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";

/// A table of eight neighbors and twelve held packets.
class NeighborLimits : public NeighborsTest {
 protected:
  NeighborLimits() : NeighborsTest({8, 12}) {}
  static std::string host(int number) { return "10.0.0." + std::to_string(number); }
};

TEST_F(NeighborLimits, B47_scan_takes_a_quarter_of_the_table_and_no_more) {
  for (int i = 100; i < 120; ++i) hold(host(i), static_cast<uintptr_t>(i));
  EXPECT_EQ(neighbors_.counts().neighbors, 2u);
  EXPECT_EQ(neighbors_.counts().refused, 18u);
  EXPECT_THAT(port_.given_up, SizeIs(18));
  EXPECT_THAT(port_.given_up, Contains(GivenUp{119, DropReason::neighbor_full, false}));
  EXPECT_THAT(port_.sent, SizeIs(2));
}

TEST_F(NeighborLimits, B47_scan_evicts_no_live_neighbor) {
  for (int i = 2; i < 10; ++i) make_reachable(host(i), kA);
  for (int i = 100; i < 200; ++i) {
    hold(host(i), 1);
    advance(kSecond / 10);
  }
  for (int i = 2; i < 10; ++i) EXPECT_EQ(state(host(i)), "reachable");
}

TEST_F(NeighborLimits, B47_live_neighbor_is_found_during_a_scan) {
  // What was silent for a second makes room for whom nobody has asked yet.
  hold(host(100), 100);
  hold(host(101), 101);
  advance(kSecond - 1);
  hold(host(7), 1);
  EXPECT_EQ(state(host(7)), "none");
  advance(1);
  hold(host(7), 2);
  EXPECT_EQ(state(host(7)), "incomplete");
  EXPECT_EQ(state(host(100)), "none");
  EXPECT_THAT(port_.given_up, Contains(GivenUp{100, DropReason::neighbor_full, false}));
  EXPECT_EQ(state(host(101)), "incomplete");
  arp_reply(kA, host(7));
  EXPECT_THAT(port_.released, ElementsAre(2));
}

TEST_F(NeighborLimits, B44_one_that_made_room_and_comes_back_is_asked_once_a_second_at_most) {
  hold(host(100), 1);
  advance(kSecond / 2);
  hold(host(101), 2);
  advance(kSecond / 10 * 6);
  hold(host(102), 3);  // takes the place of .100, which was asked a tenth of a second ago
  ASSERT_EQ(state(host(100)), "none");
  advance(kSecond / 10 * 5);
  hold(host(100), 4);  // takes the place of .101
  ASSERT_EQ(state(host(101)), "none");
  ASSERT_EQ(state(host(100)), "incomplete");
  advance(kSecond / 10 * 4);
  EXPECT_EQ(neighbors_.counts().requests, 6u) << ".100 thrice, .101 twice, .102 once";
  EXPECT_EQ(port_.shortest_ns, kSecond);
}

TEST_F(NeighborLimits, B47_gateway_is_asked_for_during_a_scan) {
  const auto gateway = neighbors_.pin(1, ip(host(7)), now_);
  hold(host(100), 1);
  hold(host(101), 1);
  hold(*gateway, 2);
  EXPECT_EQ(state(host(7)), "incomplete");
  EXPECT_EQ(state(host(100)), "incomplete");
  EXPECT_EQ(state(host(101)), "incomplete");
  advance(kSecond);
  hold(host(102), 1);
  hold(host(103), 1);
  EXPECT_EQ(state(host(7)), "incomplete");
}

TEST_F(NeighborLimits, full_table_gives_up_its_oldest_stale_neighbor_for_a_new_one) {
  for (int i = 2; i < 10; ++i) {
    make_reachable(host(i), kA);
    advance(kSecond);
  }
  advance(26 * kSecond + kSecond / 2);  // .2 to .6 are stale now
  ASSERT_EQ(state(host(6)), "stale");
  ASSERT_EQ(state(host(7)), "reachable");
  hold(host(50), 1);
  EXPECT_EQ(state(host(2)), "none");
  EXPECT_EQ(state(host(3)), "stale");
  EXPECT_EQ(state(host(50)), "incomplete");
  EXPECT_EQ(neighbors_.counts().evicted, 1u);
}

TEST_F(NeighborLimits, full_table_keeps_a_stale_neighbor_that_is_in_use) {
  for (int i = 2; i < 10; ++i) make_reachable(host(i), kA);
  advance(30 * kSecond);
  use(host(2));
  hold(host(50), 1);
  EXPECT_EQ(state(host(2)), "delay");
  EXPECT_EQ(state(host(3)), "none");
  EXPECT_EQ(state(host(50)), "incomplete");
}

TEST_F(NeighborLimits, full_table_of_live_neighbors_refuses_a_new_one) {
  for (int i = 2; i < 10; ++i) make_reachable(host(i), kA);
  hold(host(50), 1);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_full, false}));
  EXPECT_EQ(neighbors_.counts().refused, 1u);
}

TEST_F(NeighborLimits, full_table_keeps_static_and_pinned_neighbors) {
  std::vector<control::StaticNeighbor> statics;
  for (int i = 2; i < 6; ++i) statics.push_back({1, ip(host(i)), mac(kA)});
  neighbors_.set_static(statics, now_);
  for (int i = 6; i < 10; ++i) {
    neighbors_.pin(1, ip(host(i)), now_);
    make_reachable(host(i), kA);
  }
  advance(30 * kSecond);
  ASSERT_EQ(state(host(6)), "stale");
  hold(host(50), 1);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_full, false}));
  EXPECT_FALSE(neighbors_.pin(1, ip(host(60)), now_));
}

TEST_F(NeighborLimits, what_strangers_say_of_themselves_evicts_nobody) {
  for (int i = 2; i < 10; ++i) make_reachable(host(i), kA);
  advance(30 * kSecond);
  arp_request(kB, host(50), "10.0.0.1");
  EXPECT_EQ(state(host(50)), "none");
  EXPECT_THAT(port_.sent, SizeIs(1)) << "it is answered all the same";
  EXPECT_EQ(neighbors_.counts().neighbors, 8u);
}

TEST_F(NeighborLimits, what_the_file_names_goes_before_what_was_found) {
  for (int i = 2; i < 10; ++i) make_reachable(host(i), kA);
  EXPECT_EQ(neighbors_.set_static(std::vector<control::StaticNeighbor>{{1, ip(host(50)), mac(kB)}}, now_),
            0u);
  EXPECT_EQ(state(host(50)), "permanent");
  EXPECT_TRUE(neighbors_.pin(1, ip(host(60)), now_));
  EXPECT_EQ(neighbors_.counts().neighbors, 8u);
}

TEST_F(NeighborLimits, neighbors_together_hold_no_more_packets_than_they_may) {
  for (uintptr_t packet = 1; packet <= 8; ++packet) hold(host(7), packet);
  for (uintptr_t packet = 11; packet <= 16; ++packet) hold(host(8), packet);
  EXPECT_EQ(neighbors_.counts().held, 12u);
  // The newcomers push out their own neighbor's packets, not another's.
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{11, DropReason::neighbor_queue_full, false},
                                          GivenUp{12, DropReason::neighbor_queue_full, false}));
  EXPECT_EQ(find(host(7))->held, 8u);
  const auto gateway = neighbors_.pin(1, ip(host(9)), now_);
  hold(*gateway, 20);
  EXPECT_THAT(port_.given_up, Contains(GivenUp{20, DropReason::neighbor_queue_full, false}));
  EXPECT_EQ(state(host(9)), "incomplete") << "it is asked for all the same";
}

TEST_F(NeighborLimits, indices_that_all_rest_refuse_a_neighbor_and_evict_nobody) {
  // Three more indices than neighbors may be handed out: 1..11 of a table of 12 words.
  for (int i = 2; i < 10; ++i) make_reachable(host(i), kA);
  for (int i = 0; i < 3; ++i) {
    control::NeighborFilter one;
    one.address = ip(host(2 + i));
    ASSERT_EQ(neighbors_.clear(one), 1u);
    arp_request(kA, host(50 + i), "10.0.0.1");
  }
  advance(30 * kSecond);
  forget();
  hold(host(60), 1);
  EXPECT_THAT(port_.given_up, ElementsAre(GivenUp{1, DropReason::neighbor_full, false}));
  EXPECT_THAT(port_.retired, IsEmpty());
}

/// A table of a hundred thousand: nothing may be slower than it has to be.
class ManyNeighbors : public NeighborsTest {
 protected:
  ManyNeighbors() : NeighborsTest({100'000, 100'000}) {}
};

TEST_F(ManyNeighbors, all_come_and_go_in_their_time) {
  lan_.ipv4 = {{ip4("10.0.0.1"), 8}};
  configure();
  for (uint32_t i = 0; i < 25'000; ++i) {
    const IpAddress address = ip4("10.1.0.0") + i;
    neighbors_.hold(1, address, reinterpret_cast<rte_mbuf*>(uintptr_t{1} + i), now_);
  }
  EXPECT_EQ(neighbors_.counts().incomplete, 25'000u);
  EXPECT_THAT(port_.given_up, IsEmpty());
  advance(3 * kSecond);
  EXPECT_EQ(port_.given_up.size(), 25'000u);
  EXPECT_EQ(neighbors_.counts().neighbors, 0u);
  EXPECT_FALSE(neighbors_.next_due());
}

}  // namespace
}  // namespace sluice::test
