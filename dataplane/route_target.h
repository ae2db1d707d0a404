// SPDX-License-Identifier: BSD-3-Clause
//
// What becomes of a packet whose destination a route covers: one number, so that a route table's entry is
// the answer itself.
//
// Thread safety: plain data.
#pragma once

#include <cstdint>

namespace sluice::dataplane {

enum class RouteKind : uint8_t {
  none,         ///< no route covers it
  adjacency,    ///< to the neighbor `index`
  group,        ///< equal-cost: one of the neighbors of group `index`, by the flow's hash
  connected,    ///< on the network of interface `index`; the neighbor is not known yet
  local,        ///< an address of our own
  broadcast,    ///< the broadcast or network address of a connected network
  martian,      ///< never routed (RFC 1812 5.3.7, RFC 4291 2.5)
  blackhole,    ///< dropped without a word
  unreachable,  ///< refused: ICMP 3/1, ICMPv6 1/3
  prohibit,     ///< refused: ICMP 3/13, ICMPv6 1/1
};

class RouteTarget {
 public:
  static constexpr unsigned kIndexBits = 27;
  static constexpr uint32_t kMaxIndex = (uint32_t{1} << kIndexBits) - 1;

  constexpr RouteTarget() = default;
  constexpr explicit RouteTarget(RouteKind kind, uint32_t index = 0)
      : bits_(static_cast<uint32_t>(kind) << kIndexBits | index) {}
  /// REQUIRES: `bits` came from bits().
  static constexpr RouteTarget from_bits(uint32_t bits) {
    RouteTarget target;
    target.bits_ = bits;
    return target;
  }

  [[nodiscard]] constexpr RouteKind kind() const { return static_cast<RouteKind>(bits_ >> kIndexBits); }
  [[nodiscard]] constexpr uint32_t index() const { return bits_ & kMaxIndex; }
  /// Bit 31 is never set: a table may use it.
  [[nodiscard]] constexpr uint32_t bits() const { return bits_; }
  friend constexpr bool operator==(RouteTarget, RouteTarget) = default;

 private:
  uint32_t bits_ = 0;
};
static_assert(sizeof(RouteTarget) == 4);

}  // namespace sluice::dataplane
