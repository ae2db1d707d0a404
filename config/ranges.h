// SPDX-License-Identifier: BSD-3-Clause
//
// Disjoint ranges, each with an owner: who has this address, which forward has that port.
//
// Thread safety: none; each use has its own.
// Invariants:    no two ranges overlap.
#pragma once

#include <iterator>
#include <map>
#include <utility>

namespace sluice::config {

template <class Bound, class Owner>
class Ranges {
 public:
  /// \return the owner of a range that overlaps `first`..`last`, bounds included; the last such one.
  const Owner* find(const Bound& first, const Bound& last) const {
    const auto behind = ranges_.upper_bound(last);
    if (behind == ranges_.begin()) return nullptr;
    // Of the ranges that begin no later than `last` the last one ends last, as they are disjoint.
    const Range& range = std::prev(behind)->second;
    return range.last < first ? nullptr : &range.owner;
  }

  /// REQUIRES: first <= last, and find(first, last) gives nothing.
  void add(const Bound& first, const Bound& last, Owner owner) {
    ranges_.emplace(first, Range{last, std::move(owner)});
  }

 private:
  struct Range {
    Bound last;
    Owner owner;
  };
  std::map<Bound, Range> ranges_;  ///< by their first
};

}  // namespace sluice::config
