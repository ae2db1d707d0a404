// SPDX-License-Identifier: BSD-3-Clause
//
// The Internet checksum (RFC 1071) over octets in memory, and the IPv6 pseudo header (RFC 8200 section 8.1).
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/ip.h"

namespace sluice::control {

/// Adds octets up; each span but the last must have an even length.
class InternetChecksum {
 public:
  /// Octets as they are in memory: one's complement sums do not care about the order of bytes.
  InternetChecksum& add(std::span<const uint8_t> octets) {
    size_t at = 0;
    for (; at + 2 <= octets.size(); at += 2) {
      uint16_t word;
      std::memcpy(&word, octets.data() + at, sizeof word);
      sum_ += word;
    }
    if (at < octets.size()) {
      const std::array<uint8_t, 2> last = {octets[at], 0};
      uint16_t word;
      std::memcpy(&word, last.data(), sizeof word);
      sum_ += word;
    }
    return *this;
  }

  /// `length`: of what stands behind the IPv6 header and its extensions; `protocol`: what that is.
  InternetChecksum& add_pseudo_header(const dataplane::Ipv6Header& ip, uint32_t length, uint8_t protocol) {
    struct {
      dataplane::BigEndian<uint32_t> length, protocol;
    } rest = {dataplane::BigEndian<uint32_t>(length), dataplane::BigEndian<uint32_t>(protocol)};
    std::array<uint8_t, sizeof rest> octets;
    std::memcpy(octets.data(), &rest, sizeof rest);
    return add(ip.source).add(ip.destination).add(octets);
  }

  /// For the header's field, as it lies in memory. Over octets that hold a right checksum: 0.
  [[nodiscard]] uint16_t value() const {
    uint64_t sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
  }

 private:
  uint64_t sum_ = 0;
};

}  // namespace sluice::control
