// SPDX-License-Identifier: BSD-3-Clause
//
// The Ethernet header (IEEE 802.3 clause 3.1.1) and its VLAN tag (IEEE 802.1Q-2018 clause 9.6).
//
// Thread safety: plain data and pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/big_endian.h"

namespace sluice::dataplane {

/// A MAC address as one number: its six octets in the order of memory, the first octet lowest.
/// So the individual/group bit is bit 0, and a header's address is one load.
using Mac48 = uint64_t;

inline constexpr Mac48 kMacMask = 0xFFFF'FFFF'FFFF;

constexpr Mac48 mac48(const std::array<uint8_t, 6>& octets) {
  Mac48 mac = 0;
  for (int i = 5; i >= 0; --i) mac = mac << 8 | octets[static_cast<size_t>(i)];
  return mac;
}

constexpr std::array<uint8_t, 6> octets(Mac48 mac) {
  std::array<uint8_t, 6> out{};
  for (auto& octet : out) {
    octet = static_cast<uint8_t>(mac);
    mac >>= 8;
  }
  return out;
}

/// Multicast or broadcast: the I/G bit (IEEE 802-2014 clause 8.2.2).
constexpr bool is_group(Mac48 mac) {
  return (mac & 1) != 0;
}

/// 01-80-C2-00-00-00 .. 0F, which no bridge forwards (IEEE 802.1Q-2018 clause 8.6.3).
constexpr bool is_bridge_reserved(Mac48 mac) {
  return (mac & 0xF0FF'FFFF'FFFF) == 0x0000'00C2'8001;
}

inline constexpr uint16_t kEtherTypeVlan = 0x8100;         ///< C-tag (IEEE 802.1Q-2018 table 9-1)
inline constexpr uint16_t kEtherTypeServiceVlan = 0x88A8;  ///< S-tag
inline constexpr unsigned kEthernetHeaderLength = 14;
inline constexpr unsigned kVlanTagLength = 4;
/// The shortest frame on the wire without its FCS (IEEE 802.3 clause 4A.2.3.2.4).
inline constexpr unsigned kMinimumFrame = 60;

struct EthernetHeader {
  std::array<uint8_t, 6> destination;
  std::array<uint8_t, 6> source;
  BigEndian<uint16_t> type;
};
static_assert(sizeof(EthernetHeader) == kEthernetHeaderLength && std::is_trivial_v<EthernetHeader>);

/// What follows the addresses of a tagged frame.
struct VlanTag {
  BigEndian<uint16_t> tpid;
  BigEndian<uint16_t> tci;  ///< PCP (3 bits), DEI (1), VID (12)
};
static_assert(sizeof(VlanTag) == kVlanTagLength && std::is_trivial_v<VlanTag>);

inline constexpr uint16_t kVidMask = 0x0FFF;
inline constexpr uint16_t kVidReserved = 0x0FFF;  ///< 4095: never on the wire (IEEE 802.1Q-2018 table 9-2)

// The addresses are read as two overlapping 8-octet loads; both lie within the 14 octets of the header.
inline Mac48 load_destination(const uint8_t* frame) {
  uint64_t octets;
  std::memcpy(&octets, frame, sizeof octets);
  return octets & kMacMask;
}

inline Mac48 load_source(const uint8_t* frame) {
  uint64_t octets;
  std::memcpy(&octets, frame + 4, sizeof octets);
  return octets >> 16;
}
static_assert(std::endian::native == std::endian::little, "Mac48 loads assume little-endian memory");

}  // namespace sluice::dataplane
