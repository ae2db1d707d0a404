// SPDX-License-Identifier: BSD-3-Clause
//
// Why control gets a packet, and what a sender may be told.
//
// Thread safety: constants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::dataplane {

/// A ring and a policer each, from every worker, so that a flood of one kind starves no other.
enum class PuntClass : uint8_t { arp, nd, echo, resolve, error };
inline constexpr size_t kPuntClasses = 5;
inline constexpr std::array<std::string_view, kPuntClasses> kPuntClassNames = {"arp", "nd", "echo", "resolve",
                                                                               "error"};

/// Why control gets a packet.
enum class PuntReason : uint8_t {
  arp,        ///< an ARP packet that may concern us
  nd,         ///< neighbor discovery that may concern us
  echo,       ///< an ICMP or ICMPv6 echo request or reply to an address of ours
  resolve,    ///< hold it until neighbor `adjacency` is known
  connected,  ///< make the neighbor `address4` (IPv6: the packet's destination) on `egress`; hold it
  error,      ///< it is dropped for `drop`; the sender may be told with an ICMP error
};

/// The message that a sender is told, before it is known whether it may be told at all.
enum class ErrorKind : uint8_t {
  time_exceeded,        ///< 11/0, ICMPv6 3/0
  net_unreachable,      ///< 3/0, 1/0
  host_unreachable,     ///< 3/1, 1/3
  port_unreachable,     ///< 3/3, 1/4
  prohibited,           ///< 3/13, 1/1
  packet_too_big,       ///< 3/4, 2/0; `mtu`
  source_route_failed,  ///< -, ICMPv6 4/0 at `pointer` (a type 0 routing header)
};

}  // namespace sluice::dataplane
