// SPDX-License-Identifier: BSD-3-Clause
//
// B50: how equal-cost next hops share the slots of their group.
#include "control/next_hops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace sluice::control {
namespace {

using dataplane::AdjacencyIndex;
using Slots = std::vector<AdjacencyIndex>;

std::map<AdjacencyIndex, int> counts(const Slots& slots) {
  std::map<AdjacencyIndex, int> count;
  for (const AdjacencyIndex slot : slots) ++count[slot];
  return count;
}

Slots shared(const HopSet& hops) {
  Slots slots(256, 0);
  share_slots(hops, slots);
  return slots;
}

TEST(NextHops, share_by_weight_to_within_one_slot) {
  EXPECT_EQ(counts(shared({{1, 1}, {2, 1}})), (std::map<AdjacencyIndex, int>{{1, 128}, {2, 128}}));
  EXPECT_EQ(counts(shared({{1, 3}, {2, 1}})), (std::map<AdjacencyIndex, int>{{1, 192}, {2, 64}}));
  const auto thirds = counts(shared({{1, 1}, {2, 1}, {3, 1}}));
  for (const AdjacencyIndex hop : {1, 2, 3}) EXPECT_NEAR(thirds.at(hop), 256 / 3, 1);
}

TEST(NextHops, one_that_goes_gives_away_its_own_slots_alone) {
  Slots slots = shared({{1, 1}, {2, 1}, {3, 1}, {4, 1}});
  const Slots before = slots;
  share_slots({{1, 1}, {2, 1}, {4, 1}}, slots);
  for (size_t i = 0; i < slots.size(); ++i) {
    if (before[i] == 3) continue;
    EXPECT_EQ(slots[i], before[i]) << i;
  }
  for (const AdjacencyIndex hop : {1, 2, 4}) EXPECT_NEAR(counts(slots).at(hop), 256 / 3, 1);
}

TEST(NextHops, one_that_comes_takes_no_more_than_its_share) {
  Slots slots = shared({{1, 1}, {2, 1}});
  const Slots before = slots;
  share_slots({{1, 1}, {2, 1}, {3, 2}}, slots);
  size_t changed = 0;
  for (size_t i = 0; i < slots.size(); ++i) changed += slots[i] != before[i];
  EXPECT_EQ(changed, 128u);
  EXPECT_EQ(counts(slots).at(3), 128);
}

TEST(NextHops, one_neighbor_needs_no_group) {
  std::vector<dataplane::NextHopGroup> groups(2);
  NextHops hops(groups.data());
  EXPECT_EQ(hops.target({{7, 5}}), dataplane::RouteTarget(dataplane::RouteKind::adjacency, 7));
}

TEST(NextHops, the_same_set_is_the_same_group_until_nobody_uses_it) {
  std::vector<dataplane::NextHopGroup> groups(4);
  NextHops hops(groups.data());
  const HopSet pair = {{1, 1}, {2, 1}}, other = {{3, 1}, {4, 1}};
  const auto first = hops.target(pair);
  EXPECT_EQ(hops.target(pair), first);
  const auto second = hops.target(other);
  EXPECT_NE(second, first);
  hops.retain({other});
  EXPECT_EQ(hops.target({{5, 1}, {6, 1}}), first) << "its place is free again";
  EXPECT_EQ(hops.target(other), second);
}

TEST(NextHops, a_set_that_changes_begins_as_the_one_before) {
  std::vector<dataplane::NextHopGroup> groups(4);
  NextHops hops(groups.data());
  const auto slots = [&](dataplane::RouteTarget target) {
    Slots copy;
    for (const auto& slot : groups[target.index()].slots) copy.push_back(slot);
    return copy;
  };
  const Slots before = slots(hops.target({{1, 1}, {2, 1}, {3, 1}}));
  const Slots after = slots(hops.target({{1, 1}, {3, 1}}));
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == 2) continue;
    EXPECT_EQ(after[i], before[i]) << i;
  }
}

}  // namespace
}  // namespace sluice::control
