// SPDX-License-Identifier: BSD-3-Clause
//
// A session: one translated conversation, both directions of it, and all that was decided about it, in one
// cache line.
//
// The line keeps the flow as it *arrives* in each direction: 0 is the direction of the packet that opened the
// session, 1 that of the answers. What leaves in one direction is the reverse of what arrives in the other,
// so the two flows are the whole translation, of sources, of destinations, or of both (a hairpin).
//
// Thread safety: none; a session belongs to the worker in whose partition it stands.
// Invariants:    no pointers: the line means the same wherever the arena is mapped.
// Owner:         SessionTable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "dataplane/flow.h"

namespace sluice::dataplane {

/// A session's, mapping's or permit's place in the partition of its worker.
using SessionIndex = uint32_t;
using MappingIndex = uint32_t;
using PermitIndex = uint32_t;
inline constexpr uint32_t kNoIndex = UINT32_MAX;

/// The longest time that a deadline may lie ahead, in ms (12 days): deadlines wrap after 49 days.
inline constexpr uint32_t kMaxTimeoutMs = uint32_t{1} << 30;

/// True from the deadline on. Milliseconds modulo 2^32.
constexpr bool is_past(uint32_t deadline_ms, uint32_t now_ms) {
  return static_cast<int32_t>(now_ms - deadline_ms) >= 0;
}

/// Bits of Session::flags that the tables themselves read; the others are free for the stages.
enum SessionFlags : uint8_t {
  kHoldsPermit = 0x80,  ///< one user of the permit NatTables::permit_of() (address-dependent filtering)
  kHoldsTarget = 0x40,  ///< one user of the mapping behind the original destination (a hairpin)
  kUnanswered = 0x20,   ///< came in by `mapping`, and lives off it: no user of it until the first answer
};

/// What a line is.
enum Life : uint8_t {
  kFree = 0,
  kLive = 1,
  kRetired = 2,  ///< no session any more; packets of the batch may still name it, so it is not free yet
};

struct alignas(64) Session {
  std::array<uint64_t, 2> addresses;  ///< Flow::addresses() of what arrives, by direction
  std::array<uint32_t, 2> ports;      ///< Flow::ports()
  uint8_t protocol;
  uint8_t state;                    ///< of the connection; the stages' own
  uint8_t flags;                    ///< SessionFlags, and the stages' own
  uint8_t live;                     ///< Life; written by SessionTable alone
  uint32_t deadline_ms;             ///< from then on it does not exist
  std::array<uint32_t, 2> route;    ///< RouteTarget::bits() of where what arrives in a direction leaves
  std::array<uint16_t, 2> ingress;  ///< interface by which a direction is expected to arrive
  uint16_t ip_delta;      ///< for direction 0, as checksum_after() takes it; direction 1: the complement
  uint16_t l4_delta;      ///< likewise, of TCP, UDP or an ICMP query
  uint32_t routes_stamp;  ///< generation of the routes that `route` was read from
  uint32_t rules_stamp;   ///< generation of the rules that it was decided under
  MappingIndex mapping;   ///< that it is a user of, or kUnanswered; kNoIndex: none (port-forward, 1:1)
  uint16_t rule;
  uint16_t loan;  ///< of the mapping that a hairpin goes to, if that is another worker's; 0: none

  /// A line with both flows and the deltas between them set, no mapping, and zeroes elsewhere.
  /// REQUIRES: both flows are of the same protocol.
  static Session between(const Flow& original, const Flow& reply);

  /// What arrives in a direction.
  [[nodiscard]] Flow arriving(unsigned direction) const {
    const uint64_t a = addresses[direction];
    const uint32_t p = ports[direction];
    return {static_cast<Ip4>(a >> 32), static_cast<Ip4>(a), static_cast<uint16_t>(p >> 16),
            static_cast<uint16_t>(p), protocol};
  }
  /// What it leaves as.
  [[nodiscard]] Flow leaving(unsigned direction) const { return arriving(1 - direction).reversed(); }
  [[nodiscard]] uint16_t ip_delta_of(unsigned direction) const {
    return static_cast<uint16_t>(ip_delta ^ (0u - direction));
  }
  [[nodiscard]] uint16_t l4_delta_of(unsigned direction) const {
    return static_cast<uint16_t>(l4_delta ^ (0u - direction));
  }
  /// The free list of SessionTable runs through the lines that are free.
  [[nodiscard]] uint32_t& next_free() { return mapping; }
};
static_assert(sizeof(Session) == 64 && alignof(Session) == 64, "a session is one cache line");
static_assert(std::is_trivial_v<Session> && std::is_standard_layout_v<Session>);
static_assert(offsetof(Session, ports) == 16 && offsetof(Session, protocol) == 24 &&
                  offsetof(Session, deadline_ms) == 28 && offsetof(Session, route) == 32 &&
                  offsetof(Session, ingress) == 40 && offsetof(Session, ip_delta) == 44 &&
                  offsetof(Session, routes_stamp) == 48 && offsetof(Session, mapping) == 56,
              "the layout is part of the arena's version");

/// A checksum field, as it lies in memory, after the change that `delta` stands for (RFC 1624, equation 3).
/// The caller sees to UDP's zero (RFC 768).
constexpr uint16_t checksum_after(uint16_t checksum, uint16_t delta) {
  const uint32_t sum = static_cast<uint16_t>(~checksum) + uint32_t{delta};
  return static_cast<uint16_t>(~((sum & 0xFFFF) + (sum >> 16)));
}

}  // namespace sluice::dataplane
