// SPDX-License-Identifier: BSD-3-Clause
//
// An IP packet as control reads one, and the IP headers of the packets that control makes.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/ip_address.h"
#include "control/wire.h"

namespace sluice::control {

/// A packet whose headers are sound. The spans point into the octets that it was read from.
struct IpPacket {
  IpAddress source, destination;
  Octets whole;               ///< from the IP header on, without what pads the frame
  Octets payload;             ///< behind the IP header and, of IPv6, the extension headers that could be read
  uint8_t traffic_class = 0;  ///< of IPv4 the TOS octet
  uint8_t hop_limit = 0;      ///< of IPv4 the TTL
  uint8_t protocol = 0;       ///< of the payload
  bool complete = true;       ///< false: the octets end before the packet does
  bool fragment = false;      ///< of a datagram of several (RFC 6946: one alone is none)
  bool unreadable = false;    ///< its IPv6 extension headers do not end within the octets
  bool later_fragment = false;  ///< and not the first: the payload begins in the middle
};

/// Nothing if the octets do not begin with the whole header of an IP packet. Checksums are not looked at.
std::optional<IpPacket> read_ip(Octets octets);

/// The header of a packet of ours, TTL or hop limit 64 (RFC 1700's default): 20 or 40 octets, the IPv4
/// checksum done. `id`: of IPv4, whose packets may be fragmented on their way.
/// REQUIRES: both addresses are of one family.
std::vector<uint8_t> ip_header(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                               uint8_t traffic_class, size_t payload_length, uint16_t id);

/// An ICMP or ICMPv6 message behind an IP header, with its checksum; `body` follows the 8 octets of `header`.
/// REQUIRES: both addresses are of one family.
std::vector<uint8_t> icmp_packet(const IpAddress& source, const IpAddress& destination,
                                 dataplane::IcmpHeader header, Octets body, uint8_t traffic_class,
                                 uint16_t id);

/// Whether the ICMP or ICMPv6 message in `packet` has a right checksum. REQUIRES: it is one, and whole.
bool icmp_checksum_is_right(const IpPacket& packet);

/// Whether an address can be one host's, so that it may be answered (RFC 1812 4.3.2.7, RFC 4443 2.4 e.6):
/// not 0/8, 127/8, multicast, 240/4 or above; not ::, ::1 or multicast.
bool is_single_host(const IpAddress& address);

}  // namespace sluice::control
