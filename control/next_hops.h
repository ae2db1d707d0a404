// SPDX-License-Identifier: BSD-3-Clause
//
// The next hops of configured routes: one neighbor is its adjacency, several are a group. Routes that share
// their next hops share the group.
//
// Thread safety: the control thread alone; workers read the groups.
// Owner:         Router.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "dataplane/next_hop_group.h"
#include "dataplane/route_target.h"

namespace sluice::control {

/// A neighbor and its share.
struct WeightedHop {
  dataplane::AdjacencyIndex adjacency;
  uint32_t weight;
  auto operator<=>(const WeightedHop&) const = default;
};
using HopSet = std::vector<WeightedHop>;  ///< sorted, each neighbor once

/// Gives `slots` to the hops by weight, to within one slot, and takes a slot from a neighbor only if it has
/// too many: one that goes gives away its own alone (RFC 2992).
void share_slots(const HopSet& hops, std::vector<dataplane::AdjacencyIndex>& slots);

class NextHops {
 public:
  explicit NextHops(dataplane::NextHopGroup* groups) : groups_(groups) {}

  /// Where a route by these hops leads: the group of a similar set decides who keeps which slots. More than
  /// kMaxGroups different sets: unreachable.
  dataplane::RouteTarget target(const HopSet& hops);
  /// Forgets the groups that are not among `used`. No worker may be reading them any more.
  void retain(const std::vector<HopSet>& used);

 private:
  void fill(uint32_t group, const HopSet& hops, const HopSet* similar);
  [[nodiscard]] const HopSet* most_similar(const HopSet& hops) const;

  dataplane::NextHopGroup* groups_;
  std::map<HopSet, uint32_t> known_;
  std::vector<uint32_t> free_;
  uint32_t fresh_ = 0;
};

}  // namespace sluice::control
