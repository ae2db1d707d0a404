// SPDX-License-Identifier: BSD-3-Clause
//
// The one writer of a route table: it keeps the exact prefixes, spreads them over the entries that workers
// read, and takes them back.
//
// Theory of operation. Beside every entry stands, for control alone, the length of the prefix that it came
// from. A new route overwrites what came from shorter ones; a removed route leaves its entries to the longest
// prefix that covers it. A change has two parts. One gives or takes groups and changes no answer; the other
// stores answers, one store for each address that has a new one. So a reader finds the old or the new answer.
// A group stands where a route ends in its octet, or where routes part: two a route at most.
//
// Thread safety: the control thread alone, while workers look up in table().
// Invariants:    an entry holds the target of the longest prefix of length 1 or more that covers it, or 0.
//   Every group has a route that ends in it or two groups below it. A group that was taken out is not touched
//   until every worker has passed a quiescent state.
// Owner:         Runtime; it outlives every snapshot that points at table().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "control/reclaimer.h"
#include "dataplane/route_table.h"

namespace sluice::control {

enum class RouteAdded : uint8_t {
  added,     ///< a new route
  replaced,  ///< the route was there; it has this target now
  full,      ///< no room; nothing has changed
};

template <class Address>
class RouteTableWriter {
 public:
  using Table = dataplane::RouteTable<Address>;
  using RouteTarget = dataplane::RouteTarget;

  static constexpr uint32_t kMaxRoutes = 1u << 24;

  /// Room for `capacity` routes, whatever they are, 1..kMaxRoutes. `first_bits`: 24, or 16 for a small table:
  /// it takes 256 KiB instead of 64 MiB when it is full of short prefixes, and one look-up step more. Takes
  /// address space at once and memory only as routes come. Null: the address space cannot be had.
  /// `reclaimer` must outlive it.
  static std::unique_ptr<RouteTableWriter> create(uint32_t capacity, Reclaimer& reclaimer,
                                                  unsigned first_bits = 24);
  /// Octets of address space that create() takes, and about the most memory that the table can come to use.
  static uint64_t memory_bytes(uint32_t capacity, unsigned first_bits = 24);

  /// What workers read.
  [[nodiscard]] const Table& table() const { return *table_; }

  /// Adds a route or gives it a new target. Bits of `prefix` beyond `length` do not matter. `full`: there are
  /// `capacity` routes; or no group is left, because more of them than the reserve (one for each 8 routes of
  /// capacity, and 1024) wait for workers: that passes by itself. Those whose workers have passed by now are
  /// taken back first. REQUIRES: length <= Table::kMaxLength, target.kind() is not none.
  RouteAdded add(const Address& prefix, unsigned length, RouteTarget target);

  /// False: there is no such route.
  bool remove(const Address& prefix, unsigned length);

  /// The target of exactly this prefix.
  [[nodiscard]] std::optional<RouteTarget> find(const Address& prefix, unsigned length) const;

  /// Calls `visit(prefix, length, target)` for every route, in no order.
  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [route, target] : routes_) visit(route.prefix, unsigned{route.length}, target);
  }

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(routes_.size()); }
  [[nodiscard]] uint32_t capacity() const { return capacity_; }

  /// Takes back the groups that no worker can be reading any more; add() does so too.
  void reclaim();
  [[nodiscard]] uint32_t groups_used() const { return used_; }
  [[nodiscard]] uint32_t groups_waiting() const { return static_cast<uint32_t>(waiting_.size()); }

  ~RouteTableWriter();
  RouteTableWriter(const RouteTableWriter&) = delete;
  RouteTableWriter& operator=(const RouteTableWriter&) = delete;

 private:
  using Entry = typename Table::Entry;
  using Head = typename Table::Head;

  struct Route {
    Address prefix;
    uint8_t length;
    friend bool operator==(const Route&, const Route&) = default;
    template <class State>
    friend State AbslHashValue(State state, const Route& route) {
      if constexpr (std::is_integral_v<Address>)
        return State::combine(std::move(state), route.prefix, route.length);
      else
        return State::combine(std::move(state), route.prefix.high, route.prefix.low, route.length);
    }
  };

  /// What control knows of a group.
  struct Record {
    uint16_t routes;    ///< that end in it
    uint16_t children;  ///< groups that its entries name
    uint8_t level;
    uint8_t otherwise_length;  ///< of the prefix that the head's `otherwise` came from
  };

  /// Where an entry and the length of its prefix are.
  struct Slot {
    Entry* entry;
    uint8_t* length;
  };

  /// A slot, and the group that it names if the way goes through it.
  struct Step {
    Slot slot;
    unsigned next;  ///< the level of a group in this slot that skips nothing
    uint32_t group;
  };

  /// How a prefix runs through the table, as far as there are groups on its path.
  struct Way {
    std::array<Step, dataplane::kOctets<Address>> through;
    unsigned count = 0;    ///< steps in `through`
    Step last;             ///< the slot behind them; its group, if any, lies off the path or beyond the end
    unsigned parting = 0;  ///< the octet in which that group's path leaves the prefix, or ends it
  };

  /// What the entries in a route's range become, but for those that came from a longer prefix than it.
  struct Change {
    uint32_t bits;
    uint8_t length;   ///< of the prefix that `bits` come from
    uint8_t longest;  ///< the route's own
    [[nodiscard]] bool takes(uint8_t of) const { return of <= longest; }
  };

  struct Retired {
    uint32_t group;
    uint64_t mark;
  };

  /// Offsets in the one mapping that holds everything.
  struct Layout {
    Layout(uint32_t capacity, unsigned first_bits);
    uint32_t groups;
    size_t groups_at, heads_at, first_lengths_at, group_lengths_at, records_at, octets;
  };

  RouteTableWriter(const Layout& layout, void* mapping, uint32_t capacity, unsigned first_bits,
                   Reclaimer& reclaimer);

  static Route route(const Address& prefix, unsigned length);
  [[nodiscard]] Slot first_slot(const Address& prefix) const;
  [[nodiscard]] Slot slot(uint32_t group, unsigned octet) const;
  [[nodiscard]] Change taken_by(const Route& route, RouteTarget target) const;
  [[nodiscard]] Change left_by(const Route& route) const;

  [[nodiscard]] Way way(const Address& prefix, unsigned end) const;
  [[nodiscard]] bool arrives(const Way& way, unsigned end) const;
  [[nodiscard]] unsigned groups_missing(const Way& way, unsigned end) const;
  uint32_t open(const Way& way, const Address& prefix, unsigned end);
  uint32_t new_group(unsigned level, const Address& path, uint32_t bits, uint8_t length);
  uint32_t insert_above(const Step& step, unsigned level);
  void point(const Step& step, uint32_t group);
  void prune(const Way& way);
  [[nodiscard]] uint32_t only_child(uint32_t group) const;

  void store(const Route& route, uint32_t group, const Change& change);
  void store(Slot from, unsigned count, const Change& change);
  void store_below(uint32_t group, const Change& change);
  void announce();

  bool has_groups(unsigned count);
  uint32_t take_group();
  void retire(uint32_t group);

  Entry* first_;
  Entry* groups_;
  Head* heads_;
  uint8_t* first_lengths_;
  uint8_t* group_lengths_;
  Record* records_;
  void* mapping_;
  size_t mapping_octets_;
  std::unique_ptr<Table> table_;
  Reclaimer& reclaimer_;

  uint32_t capacity_;
  unsigned first_bits_;
  uint32_t group_count_;
  uint32_t used_ = 0;
  uint32_t fresh_ = 1;          ///< groups from here on were never used
  std::vector<uint32_t> free_;  ///< used before, and nobody's now
  std::deque<Retired> waiting_;
  bool announced_ = false;  ///< in this change

  absl::flat_hash_map<Route, RouteTarget> routes_;
  std::array<uint32_t, Table::kMaxLength + 1> of_length_{};  ///< routes of each length
};

extern template class RouteTableWriter<dataplane::Ip4>;
extern template class RouteTableWriter<dataplane::Ip6>;

}  // namespace sluice::control
