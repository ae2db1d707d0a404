// SPDX-License-Identifier: BSD-3-Clause
//
// Whom we asked for less than a second ago and have forgotten since: a neighbor that comes and goes faster
// than that is still asked for once a second at most (RFC 1122 section 2.3.2.1, RFC 4861 section 7.2.2).
//
// Thread safety: none.
// Invariants:    both members hold the same places.
// Owner:         Neighbors.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace sluice::control {

template <class Place>
class AskedLately {
 public:
  /// `place` must not be asked for before `again_ns`.
  void remember(const Place& place, uint64_t again_ns) {
    const auto [old, is_new] = again_.try_emplace(place, again_ns);
    if (!is_new) order_.erase({old->second, place});
    old->second = again_ns;
    order_.insert({again_ns, place});
  }

  /// From when on `place` may be asked for; 0: now.
  uint64_t recall(const Place& place, uint64_t now_ns) {
    while (!order_.empty() && order_.begin()->first <= now_ns) {
      again_.erase(order_.begin()->second);
      order_.erase(order_.begin());
    }
    const auto found = again_.find(place);
    return found == again_.end() ? 0 : found->second;
  }

 private:
  std::map<Place, uint64_t> again_;
  std::set<std::pair<uint64_t, Place>> order_;
};

}  // namespace sluice::control
