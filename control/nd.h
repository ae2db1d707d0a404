// SPDX-License-Identifier: BSD-3-Clause
//
// Neighbor solicitations and advertisements (RFC 4861 sections 4.3 and 4.4). Router solicitations, router
// advertisements and redirects are not read: we are a router that is told its routes.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/wire.h"
#include "dataplane/ethernet.h"
#include "dataplane/ip.h"

namespace sluice::control {

inline constexpr dataplane::Ip6 kAllNodes = {0xFF02'0000'0000'0000, 1};

/// RFC 4291 section 2.7.1: ff02::1:ff00:0/104 and the last 24 bits.
constexpr dataplane::Ip6 solicited_node(const dataplane::Ip6& address) {
  return {0xFF02'0000'0000'0000, 0x0000'0001'FF00'0000 | (address.low & 0xFF'FFFF)};
}
/// RFC 2464 section 7: 33-33 and the last four octets.
constexpr dataplane::Mac48 multicast_mac(const dataplane::Ip6& group) {
  return uint64_t{__builtin_bswap32(static_cast<uint32_t>(group.low))} << 16 | 0x3333;
}

struct Nd {
  enum class Kind : uint8_t { solicitation, advertisement };
  Kind kind = Kind::solicitation;
  dataplane::Ip6 source;  ///< a solicitation's may be ::, it detects duplicates then (RFC 4862 5.4.2)
  dataplane::Ip6 destination;
  dataplane::Ip6 target;
  bool router = false, solicited = false, override_ = false;  ///< of an advertisement
  /// The source link-layer address option of a solicitation, the target's of an advertisement.
  std::optional<dataplane::Mac48> mac = std::nullopt;
};

/// `packet`: from the IPv6 header on; what pads the frame may follow. Nothing unless it is a solicitation or
/// an advertisement that RFC 4861 7.1.1 and 7.1.2 find valid, with ICMPv6 right behind the IPv6 header:
/// fragmented ones are refused (RFC 6980 section 5).
std::optional<Nd> read_nd(Octets packet);

// Whole untagged Ethernet frames.

/// Who has `target`? To its solicited-node group, or, with `to`, to itself at that address (7.2.2, 7.3.3).
std::vector<uint8_t> neighbor_solicitation(dataplane::Mac48 mac, const dataplane::Ip6& source,
                                           const dataplane::Ip6& target,
                                           std::optional<dataplane::Mac48> to = std::nullopt);
/// Does anybody else have `target`? From :: and without the option (RFC 4862 section 5.4.2).
std::vector<uint8_t> duplicate_probe(dataplane::Mac48 mac, const dataplane::Ip6& target);
/// The answer to `solicitation`, sent to `to`; from :: to all nodes and not "solicited" (7.2.4). Router and
/// override are set: we are a router, and the address is no anycast one. `tentative`: it may yet turn out to
/// be another's, whom this must not override (RFC 4429 section 3.3).
/// REQUIRES: the solicitation's target is ours.
std::vector<uint8_t> neighbor_advertisement(dataplane::Mac48 mac, const Nd& solicitation, dataplane::Mac48 to,
                                            bool tentative = false);
/// To all nodes: `address` is (now) at `mac` (7.2.6).
std::vector<uint8_t> unsolicited_advertisement(dataplane::Mac48 mac, const dataplane::Ip6& address);

}  // namespace sluice::control
