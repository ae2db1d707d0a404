// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers as they stand on the wire. A BigEndian<T> does not turn into a T by itself, nor a T into it,
// so that a forgotten byte swap is a compile error and not a bug on the second host.
//
// Thread safety: plain data.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace sluice::dataplane {

template <std::unsigned_integral T>
class BigEndian {
 public:
  BigEndian() = default;
  constexpr explicit BigEndian(T host) : wire_(swap(host)) {}
  [[nodiscard]] constexpr T host() const { return swap(wire_); }
  /// As it lies in memory, for checksums alone.
  [[nodiscard]] constexpr T wire() const { return wire_; }
  friend constexpr bool operator==(BigEndian, BigEndian) = default;

 private:
  static constexpr T swap(T value) {
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
    if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  }
  T wire_;
};

static_assert(std::is_trivial_v<BigEndian<uint16_t>> && sizeof(BigEndian<uint16_t>) == 2);

}  // namespace sluice::dataplane
