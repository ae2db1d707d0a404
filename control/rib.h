// SPDX-License-Identifier: BSD-3-Clause
//
// The routes of one family, where each comes from, and which of those for the same prefix is in force.
//
// Thread safety: the control thread alone; workers read the table that it writes.
// Invariants:    the table holds, for each prefix, the target of the origin that ranks first; the epochs are
//                moved on after each change of it.
// Owner:         Router.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "control/route_table_writer.h"
#include "dataplane/route_target.h"

namespace sluice::control {

/// Where a route comes from; the first in this order wins.
enum class RouteOrigin : uint8_t {
  own,         ///< our addresses, broadcast addresses, what is never routed
  connected,   ///< networks of interfaces
  configured,  ///< `routes` of the file
  neighbor,    ///< a host on a connected network
};
inline constexpr size_t kRouteOrigins = 4;

template <class Address>
class Rib {
 public:
  using Target = dataplane::RouteTarget;
  using Prefix = std::pair<Address, uint8_t>;
  /// Called after each change of what is in force.
  using Changed = std::function<void(const Address&, uint8_t)>;

  Rib(std::unique_ptr<RouteTableWriter<Address>> writer, Changed changed)
      : writer_(std::move(writer)), changed_(std::move(changed)) {}

  [[nodiscard]] const RouteTableWriter<Address>& writer() const { return *writer_; }
  [[nodiscard]] const dataplane::RouteTable<Address>& table() const { return writer_->table(); }

  /// False: the table is full, and nothing has changed.
  bool set(const Prefix& prefix, RouteOrigin origin, Target target) {
    Candidates& candidates = routes_[prefix];
    const std::optional<Target> before = best(candidates);
    const auto old = std::exchange(candidates[static_cast<size_t>(origin)], target);
    if (put(prefix, before, best(candidates))) return true;
    candidates[static_cast<size_t>(origin)] = old;
    if (!best(candidates)) routes_.erase(prefix);
    return false;
  }

  void clear(const Prefix& prefix, RouteOrigin origin) {
    const auto found = routes_.find(prefix);
    if (found == routes_.end()) return;
    const std::optional<Target> before = best(found->second);
    found->second[static_cast<size_t>(origin)].reset();
    const std::optional<Target> after = best(found->second);
    if (!after) routes_.erase(found);
    put(prefix, before, after);
  }

  /// All routes of an origin become these. `remove_only`: takes away what is not among them, adds nothing.
  /// Returns how many found no room.
  size_t replace(RouteOrigin origin, const std::map<Prefix, Target>& wanted, bool remove_only) {
    std::set<Prefix> gone;
    for (const auto& [prefix, candidates] : routes_) {
      if (candidates[static_cast<size_t>(origin)] && !wanted.contains(prefix)) gone.insert(prefix);
    }
    for (const Prefix& prefix : gone) clear(prefix, origin);
    size_t refused = 0;
    for (const auto& [prefix, target] : wanted) {
      if (!remove_only && !set(prefix, origin, target)) ++refused;
    }
    return refused;
  }

 private:
  using Candidates = std::array<std::optional<Target>, kRouteOrigins>;

  static std::optional<Target> best(const Candidates& candidates) {
    for (const auto& candidate : candidates) {
      if (candidate) return candidate;
    }
    return std::nullopt;
  }

  bool put(const Prefix& prefix, const std::optional<Target>& before, const std::optional<Target>& after) {
    if (before == after) return true;
    if (!after) {
      writer_->remove(prefix.first, prefix.second);
    } else if (writer_->add(prefix.first, prefix.second, *after) == RouteAdded::full) {
      return false;
    }
    changed_(prefix.first, prefix.second);
    return true;
  }

  std::unique_ptr<RouteTableWriter<Address>> writer_;
  Changed changed_;
  std::map<Prefix, Candidates> routes_;
};

}  // namespace sluice::control
