// SPDX-License-Identifier: BSD-3-Clause
//
// Where the fields of a frame are, as far as it has them; and its checksums. Written apart from the product's
// code, which is what is tested; and for speed, since every packet of millions comes here several times.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/support/frame.h"

namespace sluice::fuzz {

using test::Frame;
using Octets = std::span<const uint8_t>;

inline constexpr uint16_t kTypeIpv4 = 0x0800, kTypeArp = 0x0806, kTypeVlan = 0x8100, kTypeIpv6 = 0x86DD,
                          kTypeProvider = 0x88A8;
inline constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kHopByHop = 0, kRouting = 43, kFragment = 44,
                         kIcmpv6 = 58, kNoNext = 59, kDestinationOptions = 60;

inline uint16_t load16(const uint8_t* at) {
  return static_cast<uint16_t>(at[0] << 8 | at[1]);
}
inline uint32_t load32(const uint8_t* at) {
  return uint32_t{load16(at)} << 16 | load16(at + 2);
}
inline void store16(uint8_t* at, uint32_t number) {
  at[0] = static_cast<uint8_t>(number >> 8);
  at[1] = static_cast<uint8_t>(number);
}
inline void store32(uint8_t* at, uint32_t number) {
  store16(at, number >> 16);
  store16(at + 2, number);
}

struct View {
  size_t tags = 0;      ///< octets of VLAN tags
  uint16_t type = 0;    ///< behind the tags
  size_t l3 = 0;        ///< where that what the type names begins
  uint8_t family = 0;   ///< 4 or 6: there is a header of IP, whole; 0: all below is 0
  size_t end = 0;       ///< of the IP packet: what its length says, or the frame's end if that comes first
  bool is_cut = false;  ///< the length says more than there is
  uint8_t protocol = 0;
  size_t l4 = 0;
  bool is_part = false, more = false;
  uint16_t offset = 0;  ///< of the part, in octets

  [[nodiscard]] size_t l4_length() const { return end - l4; }
  [[nodiscard]] bool is_first() const { return offset == 0; }
};

View view_of(Octets frame);
/// Of an IP packet that begins at `at`, such as one that is quoted.
View view_of_ip(Octets octets, size_t at);

/// Whether an ICMP message is an error, and quotes.
bool is_error(const View& view, Octets frame);
/// Where the checksum of this transport protocol is, behind `l4`; 0: it has none that we know.
size_t checksum_offset(const View& view);

/// The one's complement sum of 16-bit words, in the order of this machine's octets, 0..0xFFFE.
uint16_t sum_of(Octets octets);
uint16_t add_sums(uint32_t a, uint32_t b);
/// By how much the checksum of the IPv4 header is wrong; 0: not at all.
uint16_t header_error(Octets frame, const View& view);
/// By how much the transport checksum is wrong; 0: not at all, or there is none. NAT changes addresses, ports
/// and the checksum by as much, so what is wrong stays wrong by the same number.
uint16_t transport_error(Octets frame, const View& view);
/// The same of the first part of a datagram: what it adds to the sum of the whole.
uint16_t sum_of_first_part(Octets frame, const View& view);

/// Makes the checksums of IPv4 and of the transport right, of what is whole.
void repair_checksums(Frame& frame);

/// A hash of the transport segment without all that NAT may change.
uint64_t lasting_hash(Octets frame, const View& view);
uint64_t hash_of(Octets octets, uint64_t seed);

}  // namespace sluice::fuzz
