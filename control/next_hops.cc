// SPDX-License-Identifier: BSD-3-Clause
#include "control/next_hops.h"

#include <algorithm>
#include <numeric>

namespace sluice::control {
namespace {

using dataplane::AdjacencyIndex;
using dataplane::kGroupSlots;

// Slots of each hop: its weight's part, the largest remainders rounded up.
std::map<AdjacencyIndex, uint32_t> quotas(const HopSet& hops, uint32_t slots) {
  const uint64_t sum =
      std::accumulate(hops.begin(), hops.end(), uint64_t{0},
                      [](uint64_t total, const WeightedHop& hop) { return total + hop.weight; });
  std::map<AdjacencyIndex, uint32_t> quota;
  std::vector<std::pair<uint64_t, AdjacencyIndex>> remainders;
  uint32_t given = 0;
  for (const WeightedHop& hop : hops) {
    const uint64_t exact = uint64_t{hop.weight} * slots;
    quota[hop.adjacency] = static_cast<uint32_t>(exact / sum);
    given += quota[hop.adjacency];
    remainders.emplace_back(exact % sum, hop.adjacency);
  }
  std::sort(remainders.rbegin(), remainders.rend());
  for (size_t i = 0; given < slots; ++i, ++given) ++quota[remainders[i].second];
  return quota;
}

}  // namespace

void share_slots(const HopSet& hops, std::vector<AdjacencyIndex>& slots) {
  std::map<AdjacencyIndex, uint32_t> left = quotas(hops, static_cast<uint32_t>(slots.size()));
  std::vector<AdjacencyIndex*> open;
  for (AdjacencyIndex& slot : slots) {
    const auto quota = left.find(slot);
    if (quota != left.end() && quota->second != 0) {
      --quota->second;
    } else {
      open.push_back(&slot);
    }
  }
  auto next = left.begin();
  for (AdjacencyIndex* slot : open) {
    // In turn, so that the new owner of a block of slots is not one neighbor alone.
    do {
      if (++next == left.end()) next = left.begin();
    } while (next->second == 0);
    *slot = next->first;
    --next->second;
  }
}

dataplane::RouteTarget NextHops::target(const HopSet& hops) {
  using dataplane::RouteKind;
  using dataplane::RouteTarget;
  if (hops.size() == 1) return RouteTarget(RouteKind::adjacency, hops.front().adjacency);
  if (const auto known = known_.find(hops); known != known_.end())
    return RouteTarget(RouteKind::group, known->second);
  uint32_t group = fresh_;
  if (!free_.empty()) {
    group = free_.back();
    free_.pop_back();
  } else if (fresh_ == dataplane::kMaxGroups) {
    return RouteTarget(RouteKind::unreachable);
  } else {
    ++fresh_;
  }
  fill(group, hops, most_similar(hops));
  known_.emplace(hops, group);
  return RouteTarget(RouteKind::group, group);
}

// A route whose set changes gets another group: it begins as the one that has most neighbors in common.
const HopSet* NextHops::most_similar(const HopSet& hops) const {
  const HopSet* best = nullptr;
  size_t most = 0;
  for (const auto& [known, group] : known_) {
    const auto shared = std::count_if(known.begin(), known.end(), [&](const WeightedHop& hop) {
      return std::any_of(hops.begin(), hops.end(),
                         [&](const WeightedHop& other) { return other.adjacency == hop.adjacency; });
    });
    if (static_cast<size_t>(shared) <= most) continue;
    most = static_cast<size_t>(shared);
    best = &known;
  }
  return best;
}

void NextHops::fill(uint32_t group, const HopSet& hops, const HopSet* similar) {
  std::vector<AdjacencyIndex> slots(kGroupSlots, 0);
  if (similar != nullptr) {
    const auto& from = groups_[known_.at(*similar)].slots;
    for (size_t i = 0; i < slots.size(); ++i) slots[i] = from[i].load(std::memory_order_relaxed);
  }
  share_slots(hops, slots);
  for (size_t i = 0; i < slots.size(); ++i)
    groups_[group].slots[i].store(slots[i], std::memory_order_relaxed);
}

void NextHops::retain(const std::vector<HopSet>& used) {
  for (auto item = known_.begin(); item != known_.end();) {
    if (std::find(used.begin(), used.end(), item->first) != used.end()) {
      ++item;
      continue;
    }
    free_.push_back(item->second);
    item = known_.erase(item);
  }
}

}  // namespace sluice::control
