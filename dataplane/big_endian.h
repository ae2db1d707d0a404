// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers as they stand on the wire. A BigEndian<T> does not turn into a T by itself, nor a T into it,
// so that a forgotten byte swap is a compile error and not a bug on the second host.
//
// Such a number may lie at any address: what carries a header decides where it begins.
//
// Thread safety: plain data.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace sluice::dataplane {

template <std::unsigned_integral T>
class BigEndian {
 public:
  BigEndian() = default;
  constexpr explicit BigEndian(T host) : octets_(std::bit_cast<Octets>(swap(host))) {}
  [[nodiscard]] constexpr T host() const { return swap(wire()); }
  /// As it lies in memory, for checksums alone.
  [[nodiscard]] constexpr T wire() const { return std::bit_cast<T>(octets_); }
  friend constexpr bool operator==(BigEndian, BigEndian) = default;

 private:
  using Octets = std::array<uint8_t, sizeof(T)>;
  static constexpr T swap(T value) {
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  }
  Octets octets_;
};

static_assert(std::is_trivial_v<BigEndian<uint32_t>> && sizeof(BigEndian<uint32_t>) == 4 &&
              alignof(BigEndian<uint32_t>) == 1);

/// A checksum as it lies in memory: one's complement sums do not care about the byte order, so it turns into
/// a number by itself.
class WireChecksum {
 public:
  WireChecksum() = default;
  constexpr WireChecksum(uint16_t wire) : octets_(std::bit_cast<Octets>(wire)) {}   // NOLINT
  constexpr operator uint16_t() const { return std::bit_cast<uint16_t>(octets_); }  // NOLINT

 private:
  using Octets = std::array<uint8_t, 2>;
  Octets octets_;
};
static_assert(std::is_trivial_v<WireChecksum> && alignof(WireChecksum) == 1);

}  // namespace sluice::dataplane
