// SPDX-License-Identifier: BSD-3-Clause
//
// A route table as workers read it: the longest prefix that covers an address → RouteTarget.
//
// Theory of operation. A trie of few, wide levels, the same for both families. The first level is a flat
// array over the first 24 bits of an address (16 in a small table). An entry is the answer, or bit 31 is set
// and it names a group: 256 entries, chosen by one later octet of the address. Prefixes are spread over all
// entries that they cover, so that nobody backtracks: for IPv4 this is DIR-24-8. A group need not look at the
// very next octet: where no route parts the way, octets are skipped, and the group's head says what they must
// be and what the answer is if they are not. So no look-up passes more groups than routes part on its way,
// and no route costs more than two groups, be it an IPv6 host route.
// The route of length 0 is a word of its own, taken where the entries have no answer.
//
// Thread safety: any number of workers look up while RouteTableWriter, the only one, changes the table.
//   For every address a look-up gives an answer that was right at some moment between its begin and its end.
//   A worker's look-up must end before it reports a quiescent state: groups are used again after that.
// Invariants:    a group that an entry names is complete before the entry is stored. A group that no entry
//   names any more does not change until every worker has passed a quiescent state. Paths never change.
//   `version_` changes before any answer that stands outside of the entries does.
// Owner:         RouteTableWriter (control), with all the memory that is pointed at here.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/ip.h"
#include "dataplane/route_target.h"

namespace sluice::dataplane {

/// Addresses as strings of octets; octet 0 is the first on the wire.
template <class Address>
inline constexpr unsigned kOctets = sizeof(Address);

constexpr uint32_t first_word(Ip4 address) {
  return address;
}
constexpr uint32_t first_word(const Ip6& address) {
  return static_cast<uint32_t>(address.high >> 32);
}
constexpr unsigned octet(Ip4 address, unsigned index) {
  return address >> (24 - 8 * index) & 0xFF;
}
constexpr unsigned octet(const Ip6& address, unsigned index) {
  const uint64_t half = index < 8 ? address.high : address.low;
  return static_cast<unsigned>(half >> (56 - 8 * (index & 7))) & 0xFF;
}
/// The bits of `a` that differ from `b`, of those that `mask` has: zero if none.
constexpr uint64_t difference(Ip4 a, Ip4 b, Ip4 mask) {
  return (a ^ b) & mask;
}
constexpr uint64_t difference(const Ip6& a, const Ip6& b, const Ip6& mask) {
  return ((a.high ^ b.high) & mask.high) | ((a.low ^ b.low) & mask.low);
}

/// The mask of a prefix of `length` bits.
template <class Address>
constexpr Address prefix_mask(unsigned length);
template <>
constexpr Ip4 prefix_mask<Ip4>(unsigned length) {
  return length == 0 ? 0 : ~Ip4{0} << (32 - length);
}
template <>
constexpr Ip6 prefix_mask<Ip6>(unsigned length) {
  constexpr uint64_t kAll = ~uint64_t{0};
  if (length == 0) return {0, 0};
  return length <= 64 ? Ip6{kAll << (64 - length), 0} : Ip6{kAll, kAll << (128 - length)};
}

/// An entry: the bits of a RouteTarget, 0 where no route but that of length 0 covers, or the way to a group.
struct RouteEntry {
  static constexpr uint32_t kGroup = 1u << 31;
  static constexpr uint32_t kSkip = 1u << 30;  ///< octets are skipped before the group: compare its path
  static constexpr unsigned kLevelShift = 26;
  static constexpr uint32_t kMaxGroup = (1u << kLevelShift) - 1;

  static constexpr bool is_group(uint32_t entry) { return (entry & kGroup) != 0; }
  /// All bits set if octets are skipped, else none.
  static constexpr uint32_t skip_mask(uint32_t entry) { return -(entry >> 30 & 1); }
  static constexpr uint32_t group(uint32_t entry) { return entry & kMaxGroup; }
  /// Which octet of the address chooses among the group's entries.
  static constexpr unsigned level(uint32_t entry) { return entry >> kLevelShift & 15; }
  static constexpr uint32_t to_group(uint32_t group, unsigned level, bool skip) {
    return kGroup | (skip ? kSkip : 0) | level << kLevelShift | group;
  }
};

/// What stands at the head of a group, for those who come over skipped octets.
template <class Address>
struct alignas(sizeof(Address) * 2) RouteGroupHead {
  Address path;                     ///< as many octets as the group's level; the rest does not matter
  std::atomic<uint32_t> otherwise;  ///< the entry of addresses that are not on the path; never a group
};
static_assert(sizeof(RouteGroupHead<Ip4>) == 8 && sizeof(RouteGroupHead<Ip6>) == 32,
              "a head does not straddle cache lines");

template <class Address>
class RouteTable {
 public:
  using Entry = std::atomic<uint32_t>;
  using Head = RouteGroupHead<Address>;

  static constexpr unsigned kMaxBulk = 64;
  static constexpr unsigned kMaxLength = 8 * kOctets<Address>;
  static constexpr unsigned kGroupSize = 256;

  /// Zeroed, that is, empty. Group 0 is never used.
  struct Memory {
    Entry* first;         ///< 1 << first_bits entries
    Entry* groups;        ///< kGroupSize entries a group
    Head* heads;          ///< one a group
    unsigned first_bits;  ///< 16 or 24
  };

  explicit RouteTable(const Memory& memory) : memory_(memory), shift_(32 - memory.first_bits) {}
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  // ---- packet path
  // -------------------------------------------------------------------------------------------

  /// The target of the longest prefix that covers `address`; RouteKind::none if there is none.
  [[nodiscard]] RouteTarget look_up(const Address& address) const;

  /// The same for `count` addresses, whose cache misses overlap. REQUIRES: count <= kMaxBulk.
  void look_up(const Address* keys, RouteTarget* results, unsigned count) const;

  // ---- control
  // -----------------------------------------------------------------------------------------------

  /// To be called before the first store of a change to set_fallback() or to any head's `otherwise`. A
  /// look-up that came by an entry and finds that the answer beside it changed since cannot tell whether the
  /// entry changed before that, and so begins again.
  void announce() { version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  void set_fallback(RouteTarget target) { fallback_.store(target.bits(), std::memory_order_release); }

 private:
  static const Entry* in_group(const Memory& memory, uint32_t entry, const Address& address) {
    return &memory.groups[size_t{RouteEntry::group(entry)} * kGroupSize +
                          octet(address, RouteEntry::level(entry))];
  }
  static uint32_t step(const Memory& memory, uint32_t entry, const Address& address);
  void walk(const Address* keys, RouteTarget* results, unsigned count) const;

  Memory memory_;
  unsigned shift_;
  std::atomic<uint32_t> fallback_ = 0;
  std::atomic<uint32_t> version_ = 0;
};

/// The masks of the first 0 to 15 octets.
template <class Address>
inline constexpr auto kPathMasks = [] {
  std::array<Address, 16> masks{};
  for (unsigned octets = 0; octets < std::min(16u, kOctets<Address>); ++octets)
    masks[octets] = prefix_mask<Address>(8 * octets);
  return masks;
}();

// The entry behind `entry`, which names a group. Without a branch: one that skips nothing is compared with
// nothing, and with the head of group 0, which is in the cache.
template <class Address>
inline uint32_t RouteTable<Address>::step(const Memory& memory, uint32_t entry, const Address& address) {
  const uint32_t skip_mask = RouteEntry::skip_mask(entry);
  const Head& head = memory.heads[RouteEntry::group(entry) & skip_mask];
  const Address& mask = kPathMasks<Address>[RouteEntry::level(entry) & skip_mask];
  const uint32_t found = in_group(memory, entry, address)->load(std::memory_order_acquire);
  const uint32_t otherwise = head.otherwise.load(std::memory_order_acquire);
  return difference(address, head.path, mask) == 0 ? found : otherwise;
}

template <class Address>
inline RouteTarget RouteTable<Address>::look_up(const Address& address) const {
  for (;;) {
    const uint32_t version = version_.load(std::memory_order_acquire);
    uint32_t entry = memory_.first[first_word(address) >> shift_].load(std::memory_order_acquire);
    while (RouteEntry::is_group(entry)) entry = step(memory_, entry, address);
    if (entry == 0) entry = fallback_.load(std::memory_order_acquire);
    if (version_.load(std::memory_order_relaxed) == version) return RouteTarget::from_bits(entry);
  }
}

extern template class RouteTable<Ip4>;
extern template class RouteTable<Ip6>;

}  // namespace sluice::dataplane
