// SPDX-License-Identifier: BSD-3-Clause
//
// IPv4 (RFC 791), IPv6 (RFC 8200) and what stands behind them, as they are on the wire.
//
// Thread safety: plain data and pure functions.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/big_endian.h"

namespace sluice::dataplane {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86DD;

/// An IPv4 address in host order.
using Ip4 = uint32_t;

/// An IPv6 address as two numbers in host order: `high` holds the first 8 octets.
struct Ip6 {
  uint64_t high = 0;
  uint64_t low = 0;
  auto operator<=>(const Ip6&) const = default;
};

enum class Family : uint8_t { none = 0, ipv4 = 4, ipv6 = 6 };

/// IANA protocol numbers.
enum Protocol : uint8_t {
  kProtocolHopByHop = 0,
  kProtocolIcmp = 1,
  kProtocolTcp = 6,
  kProtocolUdp = 17,
  kProtocolRouting = 43,
  kProtocolFragment = 44,
  kProtocolIcmpv6 = 58,
  kProtocolDestinationOptions = 60,
};

struct Ipv4Header {
  uint8_t version_ihl;
  uint8_t tos;  ///< DSCP and ECN
  BigEndian<uint16_t> total_length;
  BigEndian<uint16_t> id;
  BigEndian<uint16_t> fragment;  ///< flags (3 bits) and offset in units of 8 octets (13)
  uint8_t ttl;
  uint8_t protocol;
  WireChecksum checksum;
  BigEndian<uint32_t> source;
  BigEndian<uint32_t> destination;

  [[nodiscard]] unsigned header_length() const { return (version_ihl & 0xFu) * 4u; }
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 1 && std::is_trivial_v<Ipv4Header>);

inline constexpr uint16_t kDontFragment = 0x4000;
inline constexpr uint16_t kMoreFragments = 0x2000;
inline constexpr uint16_t kFragmentOffset = 0x1FFF;

struct Ipv6Header {
  BigEndian<uint32_t> version_class_flow;
  BigEndian<uint16_t> payload_length;
  uint8_t next_header;
  uint8_t hop_limit;
  std::array<uint8_t, 16> source;
  std::array<uint8_t, 16> destination;
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 1 && std::is_trivial_v<Ipv6Header>);

inline constexpr unsigned kMinimumIpv6Mtu = 1280;  ///< RFC 8200 section 5

struct UdpHeader {
  BigEndian<uint16_t> source;
  BigEndian<uint16_t> destination;
  BigEndian<uint16_t> length;
  WireChecksum checksum;  ///< 0: none
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 1 && std::is_trivial_v<UdpHeader>);

struct TcpHeader {
  BigEndian<uint16_t> source;
  BigEndian<uint16_t> destination;
  BigEndian<uint32_t> sequence;
  BigEndian<uint32_t> acknowledgment;
  uint8_t offset;  ///< upper 4 bits: header length in units of 4 octets
  uint8_t flags;
  BigEndian<uint16_t> window;
  WireChecksum checksum;
  BigEndian<uint16_t> urgent;
};
static_assert(sizeof(TcpHeader) == 20 && alignof(TcpHeader) == 1 && std::is_trivial_v<TcpHeader>);

enum TcpFlags : uint8_t { kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpAck = 0x10 };

/// ICMP (RFC 792) and ICMPv6 (RFC 4443). `a` and `b` are identifier and sequence of an echo; of an error `b`
/// is the MTU of the next hop (RFC 1191), of packet too big both together are.
struct IcmpHeader {
  uint8_t type;
  uint8_t code;
  WireChecksum checksum;
  BigEndian<uint16_t> a;
  BigEndian<uint16_t> b;
};
static_assert(sizeof(IcmpHeader) == 8 && alignof(IcmpHeader) == 1 && std::is_trivial_v<IcmpHeader>);

namespace icmp {
inline constexpr uint8_t kEchoReply = 0, kUnreachable = 3, kSourceQuench = 4, kRedirect = 5, kEcho = 8,
                         kTimeExceeded = 11, kParameterProblem = 12;
inline constexpr uint8_t kNetUnreachable = 0, kHostUnreachable = 1, kPortUnreachable = 3,
                         kFragmentationNeeded = 4, kProhibited = 13;

/// RFC 1122 section 3.2.2: the messages that quote a packet.
constexpr bool is_error(uint8_t type) {
  return type == kUnreachable || type == kSourceQuench || type == kRedirect || type == kTimeExceeded ||
         type == kParameterProblem;
}
}  // namespace icmp

namespace icmpv6 {
inline constexpr uint8_t kUnreachable = 1, kPacketTooBig = 2, kTimeExceeded = 3, kParameterProblem = 4,
                         kEcho = 128, kEchoReply = 129, kRouterSolicitation = 133, kRouterAdvertisement = 134,
                         kNeighborSolicitation = 135, kNeighborAdvertisement = 136, kRedirect = 137;
inline constexpr uint8_t kNoRoute = 0, kProhibited = 1, kAddressUnreachable = 3, kPortUnreachable = 4;

constexpr bool is_error(uint8_t type) {
  return type < 128;
}
}  // namespace icmpv6

inline Ip6 load_ip6(const uint8_t* octets) {
  Ip6 address;
  std::memcpy(&address.high, octets, 8);
  std::memcpy(&address.low, octets + 8, 8);
  return {__builtin_bswap64(address.high), __builtin_bswap64(address.low)};
}

inline void store_ip6(const Ip6& address, uint8_t* octets) {
  const uint64_t high = __builtin_bswap64(address.high), low = __builtin_bswap64(address.low);
  std::memcpy(octets, &high, 8);
  std::memcpy(octets + 8, &low, 8);
}

constexpr bool is_multicast(Ip4 address) {
  return address >> 28 == 0xE;
}
constexpr bool is_loopback(Ip4 address) {
  return address >> 24 == 127;
}
constexpr bool is_multicast(const Ip6& address) {
  return address.high >> 56 == 0xFF;
}
constexpr bool is_link_local(const Ip6& address) {
  return address.high >> 54 == 0xFE80 >> 6;
}
constexpr bool is_loopback(const Ip6& address) {
  return address.high == 0 && address.low == 1;
}
constexpr bool is_unspecified(const Ip6& address) {
  return address.high == 0 && address.low == 0;
}

}  // namespace sluice::dataplane
