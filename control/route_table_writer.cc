// SPDX-License-Identifier: BSD-3-Clause
#include "control/route_table_writer.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace sluice::control {
namespace {

using dataplane::Ip4;
using dataplane::Ip6;
using dataplane::octet;
using dataplane::RouteEntry;
using dataplane::RouteTarget;

constexpr unsigned kGroupSize = dataplane::RouteTable<Ip4>::kGroupSize;
constexpr size_t kHugePage = size_t{2} << 20;

// One for the octet in which it ends and one where it parts from others. An IPv4 route has no octet left to
// part in when the first level takes 24 bits.
template <class Address>
unsigned groups_per_route(unsigned first_bits) {
  return std::min(2u, dataplane::kOctets<Address> - first_bits / 8);
}

// Groups that may wait for workers while the table is as full as it gets.
uint32_t reserve(uint32_t capacity) {
  return capacity / 8 + 1024;
}

Ip4 masked(Ip4 prefix, Ip4 mask) {
  return prefix & mask;
}
Ip6 masked(const Ip6& prefix, const Ip6& mask) {
  return {prefix.high & mask.high, prefix.low & mask.low};
}

// How many octets, from `begin` on and `end` at most, are the same.
template <class Address>
unsigned shared_octets(const Address& a, const Address& b, unsigned begin, unsigned end) {
  while (begin < end && octet(a, begin) == octet(b, begin)) ++begin;
  return begin;
}

unsigned last_octet(unsigned length) {
  return (length - 1) / 8;
}

}  // namespace

// ---- memory

template <class Address>
RouteTableWriter<Address>::Layout::Layout(uint32_t capacity, unsigned first_bits)
    : groups(1 + capacity * groups_per_route<Address>(first_bits) + reserve(capacity)) {
  const size_t first = size_t{1} << first_bits;
  size_t end = 0;
  // What workers read stands in front, each part in huge pages of its own.
  const auto part = [&end](size_t octets) {
    const size_t begin = end;
    end = (begin + octets + kHugePage - 1) & ~(kHugePage - 1);
    return begin;
  };
  part(first * sizeof(Entry));
  groups_at = part(size_t{groups} * kGroupSize * sizeof(Entry));
  heads_at = part(groups * sizeof(Head));
  first_lengths_at = part(first);
  group_lengths_at = part(size_t{groups} * kGroupSize);
  records_at = part(groups * sizeof(Record));
  octets = end;
}

template <class Address>
std::unique_ptr<RouteTableWriter<Address>> RouteTableWriter<Address>::create(uint32_t capacity,
                                                                             Reclaimer& reclaimer,
                                                                             unsigned first_bits) {
  const Layout layout(capacity, first_bits);
  void* mapping = mmap(nullptr, layout.octets + kHugePage, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  return std::unique_ptr<RouteTableWriter>(
      new RouteTableWriter(layout, mapping, capacity, first_bits, reclaimer));
}

template <class Address>
uint64_t RouteTableWriter<Address>::memory_bytes(uint32_t capacity, unsigned first_bits) {
  // The hash map keeps 7 of 8 places at most, a power of two of them, and an octet beside each.
  const uint64_t places = std::bit_ceil(uint64_t{capacity} * 8 / 7 + 1);
  return Layout(capacity, first_bits).octets + kHugePage +
         places * (sizeof(std::pair<Route, RouteTarget>) + 1) + sizeof(RouteTableWriter) + sizeof(Table);
}

template <class Address>
RouteTableWriter<Address>::RouteTableWriter(const Layout& layout, void* mapping, uint32_t capacity,
                                            unsigned first_bits, Reclaimer& reclaimer)
    : mapping_(mapping),
      mapping_octets_(layout.octets + kHugePage),
      reclaimer_(reclaimer),
      capacity_(capacity),
      first_bits_(first_bits),
      group_count_(layout.groups) {
  const auto start = (reinterpret_cast<uintptr_t>(mapping) + kHugePage - 1) & ~(kHugePage - 1);
  auto* base = reinterpret_cast<uint8_t*>(start);
  // A hint: with huge pages a random look-up misses the cache and not the TLB besides. Not for a small table,
  // which would take a huge page where it needs an ordinary one.
  if (first_bits == 24) madvise(base, layout.first_lengths_at, MADV_HUGEPAGE);
  // Zeroes are empty entries; std::atomic's own constructor would only write them again.
  first_ = reinterpret_cast<Entry*>(base);
  groups_ = reinterpret_cast<Entry*>(base + layout.groups_at);
  heads_ = reinterpret_cast<Head*>(base + layout.heads_at);
  first_lengths_ = base + layout.first_lengths_at;
  group_lengths_ = base + layout.group_lengths_at;
  records_ = reinterpret_cast<Record*>(base + layout.records_at);
  table_ = std::make_unique<Table>(typename Table::Memory{first_, groups_, heads_, first_bits});
  routes_.reserve(capacity);
}

template <class Address>
RouteTableWriter<Address>::~RouteTableWriter() {
  munmap(mapping_, mapping_octets_);
}

// ---- routes

template <class Address>
auto RouteTableWriter<Address>::route(const Address& prefix, unsigned length) -> Route {
  return {masked(prefix, dataplane::prefix_mask<Address>(length)), static_cast<uint8_t>(length)};
}

template <class Address>
RouteAdded RouteTableWriter<Address>::add(const Address& prefix, unsigned length, RouteTarget target) {
  const Route added = route(prefix, length);
  const bool is_new = !routes_.contains(added);
  if (is_new && size() == capacity_) return RouteAdded::full;
  uint32_t group = 0;
  if (length > first_bits_) {
    const unsigned end = last_octet(length);
    const Way path = way(added.prefix, end);
    if (!has_groups(groups_missing(path, end))) return RouteAdded::full;
    group = open(path, added.prefix, end);
    records_[group].routes += is_new;
  }
  store(added, group, taken_by(added, target));
  of_length_[length] += is_new;
  routes_[added] = target;
  return is_new ? RouteAdded::added : RouteAdded::replaced;
}

template <class Address>
bool RouteTableWriter<Address>::remove(const Address& prefix, unsigned length) {
  const Route removed = route(prefix, length);
  if (routes_.erase(removed) == 0) return false;
  --of_length_[length];
  if (length <= first_bits_) {
    store(removed, 0, left_by(removed));
    return true;
  }
  const Way path = way(removed.prefix, last_octet(length));
  const uint32_t group = path.through[path.count - 1].group;
  store(removed, group, left_by(removed));
  --records_[group].routes;
  prune(path);
  return true;
}

template <class Address>
std::optional<RouteTarget> RouteTableWriter<Address>::find(const Address& prefix, unsigned length) const {
  const auto found = routes_.find(route(prefix, length));
  if (found == routes_.end()) return std::nullopt;
  return found->second;
}

template <class Address>
auto RouteTableWriter<Address>::taken_by(const Route& route, RouteTarget target) const -> Change {
  return {target.bits(), route.length, route.length};
}

// The longest prefix that covers the route takes what the route had. That of length 0 is not in the entries.
template <class Address>
auto RouteTableWriter<Address>::left_by(const Route& removed) const -> Change {
  for (unsigned length = removed.length; length-- > 1;) {
    if (of_length_[length] == 0) continue;
    const auto cover = routes_.find(route(removed.prefix, length));
    if (cover != routes_.end()) return {cover->second.bits(), static_cast<uint8_t>(length), removed.length};
  }
  return {0, 0, removed.length};
}

// ---- the groups on a prefix's way

template <class Address>
auto RouteTableWriter<Address>::first_slot(const Address& prefix) const -> Slot {
  const uint32_t index = dataplane::first_word(prefix) >> (32 - first_bits_);
  return {first_ + index, first_lengths_ + index};
}

template <class Address>
auto RouteTableWriter<Address>::slot(uint32_t group, unsigned octet) const -> Slot {
  const size_t index = size_t{group} * kGroupSize + octet;
  return {groups_ + index, group_lengths_ + index};
}

// The way of a prefix that ends in octet `end`.
template <class Address>
auto RouteTableWriter<Address>::way(const Address& prefix, unsigned end) const -> Way {
  Way way;
  way.last = {first_slot(prefix), first_bits_ / 8, 0};
  for (;;) {
    const uint32_t entry = way.last.slot.entry->load(std::memory_order_relaxed);
    if (!RouteEntry::is_group(entry)) return way;
    way.last.group = RouteEntry::group(entry);
    const unsigned level = records_[way.last.group].level;
    way.parting = shared_octets(prefix, heads_[way.last.group].path, way.last.next, std::min(level, end));
    if (way.parting < level) return way;
    way.through[way.count++] = way.last;
    if (level == end) return way;
    way.last = {slot(way.last.group, octet(prefix, level)), level + 1, 0};
  }
}

// True: the last group on the way is the one that the prefix ends in.
template <class Address>
bool RouteTableWriter<Address>::arrives(const Way& way, unsigned end) const {
  return way.count != 0 && records_[way.through[way.count - 1].group].level == end;
}

template <class Address>
unsigned RouteTableWriter<Address>::groups_missing(const Way& way, unsigned end) const {
  if (arrives(way, end)) return 0;
  return way.last.group == 0 || way.parting == end ? 1 : 2;
}

// The group that the prefix ends in, made if need be. Changes no answer. REQUIRES: groups_missing() are
// there.
template <class Address>
uint32_t RouteTableWriter<Address>::open(const Way& way, const Address& prefix, unsigned end) {
  if (arrives(way, end)) return way.through[way.count - 1].group;
  Step step = way.last;
  uint32_t parent = way.count == 0 ? 0 : way.through[way.count - 1].group;
  if (step.group != 0) {
    parent = insert_above(step, way.parting);
    if (way.parting == end) return parent;
    step = {slot(parent, octet(prefix, way.parting)), way.parting + 1, 0};
  }
  const uint32_t group =
      new_group(end, prefix, step.slot.entry->load(std::memory_order_relaxed), *step.slot.length);
  point(step, group);
  ++records_[parent].children;  // group 0 stands for the first level, whose children nobody counts
  return group;
}

// A group all of whose entries are the same.
template <class Address>
uint32_t RouteTableWriter<Address>::new_group(unsigned level, const Address& path, uint32_t bits,
                                              uint8_t length) {
  const uint32_t group = take_group();
  records_[group] = {0, 0, static_cast<uint8_t>(level), length};
  heads_[group].path = path;
  heads_[group].otherwise.store(bits, std::memory_order_relaxed);
  const Slot begin = slot(group, 0);
  for (unsigned i = 0; i < kGroupSize; ++i) begin.entry[i].store(bits, std::memory_order_relaxed);
  std::fill_n(begin.length, kGroupSize, length);
  return group;
}

// Puts a group of `level` between a slot and the group below it.
template <class Address>
uint32_t RouteTableWriter<Address>::insert_above(const Step& step, unsigned level) {
  const Head& below = heads_[step.group];
  const uint32_t group = new_group(level, below.path, below.otherwise.load(std::memory_order_relaxed),
                                   records_[step.group].otherwise_length);
  point({slot(group, octet(below.path, level)), level + 1, 0}, step.group);
  records_[group].children = 1;
  point(step, group);
  return group;
}

// Lets a slot name a group. Release: whoever sees the name sees the group's contents.
template <class Address>
void RouteTableWriter<Address>::point(const Step& step, uint32_t group) {
  const unsigned level = records_[group].level;
  step.slot.entry->store(RouteEntry::to_group(group, level, level > step.next), std::memory_order_release);
}

// Takes out the groups at the end of a way that nothing ends in any more and where nothing parts. Changes no
// answer: all that such a group says by itself is the same as its `otherwise`.
template <class Address>
void RouteTableWriter<Address>::prune(const Way& way) {
  for (unsigned i = way.count; i-- > 0;) {
    const Step& step = way.through[i];
    const Record& record = records_[step.group];
    if (record.routes != 0 || record.children > 1) return;
    if (record.children == 1) {
      point(step, only_child(step.group));
      retire(step.group);
      return;
    }
    step.slot.entry->store(heads_[step.group].otherwise.load(std::memory_order_relaxed),
                           std::memory_order_release);
    *step.slot.length = record.otherwise_length;
    retire(step.group);
    if (i != 0) --records_[way.through[i - 1].group].children;
  }
}

template <class Address>
uint32_t RouteTableWriter<Address>::only_child(uint32_t group) const {
  const Entry* entry = slot(group, 0).entry;
  while (!RouteEntry::is_group(entry->load(std::memory_order_relaxed))) ++entry;
  return RouteEntry::group(entry->load(std::memory_order_relaxed));
}

// ---- answers

// `group`: that in which the route ends, if it is longer than the first level.
template <class Address>
void RouteTableWriter<Address>::store(const Route& route, uint32_t group, const Change& change) {
  announced_ = false;
  const unsigned length = route.length;
  if (length == 0) {
    announce();
    table_->set_fallback(RouteTarget::from_bits(change.bits));
  } else if (length <= first_bits_) {
    store(first_slot(route.prefix), 1u << (first_bits_ - length), change);
  } else {
    const unsigned end = last_octet(length);
    store(slot(group, octet(route.prefix, end)), 1u << (8 * (end + 1) - length), change);
  }
}

template <class Address>
void RouteTableWriter<Address>::store(Slot from, unsigned count, const Change& change) {
  for (unsigned i = 0; i < count; ++i) {
    const uint32_t entry = from.entry[i].load(std::memory_order_relaxed);
    if (RouteEntry::is_group(entry)) {
      store_below(RouteEntry::group(entry), change);
    } else if (change.takes(from.length[i])) {
      from.entry[i].store(change.bits, std::memory_order_release);
      from.length[i] = change.length;
    }
  }
}

template <class Address>
void RouteTableWriter<Address>::store_below(uint32_t group, const Change& change) {
  Record& record = records_[group];
  if (!change.takes(record.otherwise_length)) return;  // a longer prefix covers all of it
  announce();
  heads_[group].otherwise.store(change.bits, std::memory_order_release);
  record.otherwise_length = change.length;
  store(slot(group, 0), kGroupSize, change);
}

// Once a change is enough: a reader that begins after it has the new groups before it.
template <class Address>
void RouteTableWriter<Address>::announce() {
  if (!announced_) table_->announce();
  announced_ = true;
}

// ---- groups, free and waiting

template <class Address>
bool RouteTableWriter<Address>::has_groups(unsigned count) {
  reclaim();
  return free_.size() + (group_count_ - fresh_) >= count;
}

template <class Address>
void RouteTableWriter<Address>::reclaim() {
  while (!waiting_.empty() && reclaimer_.passed(waiting_.front().mark)) {
    free_.push_back(waiting_.front().group);
    waiting_.pop_front();
  }
}

// One that was used before first: its memory is there already. REQUIRES: has_groups().
template <class Address>
uint32_t RouteTableWriter<Address>::take_group() {
  ++used_;
  if (free_.empty()) return fresh_++;
  const uint32_t group = free_.back();
  free_.pop_back();
  return group;
}

// REQUIRES: no entry names the group any more.
template <class Address>
void RouteTableWriter<Address>::retire(uint32_t group) {
  --used_;
  waiting_.push_back({group, reclaimer_.mark()});
}

template class RouteTableWriter<Ip4>;
template class RouteTableWriter<Ip6>;

}  // namespace sluice::control
