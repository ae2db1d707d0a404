// SPDX-License-Identifier: BSD-3-Clause
//
// The Internet checksum (RFC 1071), written for clarity and apart from the product's.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/support/frame.h"

namespace sluice::test {

/// The one's complement sum of 16-bit words, an odd octet padded with zero.
inline uint16_t sum16(const Frame& octets) {
  uint32_t sum = 0;
  for (size_t i = 0; i < octets.size(); ++i) sum += i % 2 == 0 ? octets[i] << 8 : octets[i];
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// What TCP, UDP and ICMPv6 add to their sum (RFC 9293 3.1, RFC 768, RFC 8200 8.1). Addresses of 4 or 16
/// octets.
inline Frame pseudo_header(const Frame& source, const Frame& destination, uint8_t protocol, size_t length) {
  Frame out = source;
  out.insert(out.end(), destination.begin(), destination.end());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(length >> shift));
  const uint8_t rest[] = {0, protocol};
  out.insert(out.end(), rest, rest + 2);
  return out;
}

}  // namespace sluice::test
