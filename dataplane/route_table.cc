// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/route_table.h"

namespace sluice::dataplane {

template <class Address>
void RouteTable<Address>::look_up(const Address* keys, RouteTarget* results, unsigned count) const {
  const uint32_t version = version_.load(std::memory_order_acquire);
  walk(keys, results, count);
  if (version_.load(std::memory_order_relaxed) == version) return;
  // Each by itself: a short look-up ends between two changes, however fast they come.
  for (unsigned i = 0; i < count; ++i) results[i] = look_up(keys[i]);
}

// All keys take their first step, then those that name a group their next, and so on. Branches within a step
// would be taken at random, so there are none: a key that needs no more steps is overwritten in `pending`.
template <class Address>
void RouteTable<Address>::walk(const Address* keys, RouteTarget* results, unsigned count) const {
  std::array<uint32_t, kMaxBulk> entries;
  std::array<uint8_t, kMaxBulk> pending;
  const Memory memory = memory_;  // a copy that no store can change
  const unsigned shift = shift_;
  for (unsigned i = 0; i < count; ++i) __builtin_prefetch(&memory.first[first_word(keys[i]) >> shift]);
  unsigned left = 0;
  for (unsigned i = 0; i < count; ++i) {
    const uint32_t entry = memory.first[first_word(keys[i]) >> shift].load(std::memory_order_acquire);
    entries[i] = entry;
    pending[left] = static_cast<uint8_t>(i);
    left += RouteEntry::is_group(entry);
  }
  while (left != 0) {
    for (unsigned i = 0; i < left; ++i) {
      const uint32_t entry = entries[pending[i]];
      __builtin_prefetch(in_group(memory, entry, keys[pending[i]]));
      __builtin_prefetch(&memory.heads[RouteEntry::group(entry) & RouteEntry::skip_mask(entry)]);
    }
    unsigned next = 0;
    for (unsigned i = 0; i < left; ++i) {
      const uint8_t place = pending[i];
      const uint32_t entry = step(memory, entries[place], keys[place]);
      entries[place] = entry;
      pending[next] = place;
      next += RouteEntry::is_group(entry);
    }
    left = next;
  }
  const uint32_t fallback = fallback_.load(std::memory_order_acquire);
  for (unsigned i = 0; i < count; ++i)
    results[i] = RouteTarget::from_bits(entries[i] == 0 ? fallback : entries[i]);
}

template class RouteTable<Ip4>;
template class RouteTable<Ip6>;

}  // namespace sluice::dataplane
