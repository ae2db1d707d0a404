// SPDX-License-Identifier: BSD-3-Clause
//
// Random numbers that are the same on every machine, so that a finding can be repeated.
//
// Thread safety: one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::fuzz {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  /// splitmix64.
  uint64_t next() {
    uint64_t mixed = state_ += 0x9E37'79B9'7F4A'7C15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EBu;
    return mixed ^ (mixed >> 31);
  }
  /// 0..count-1. REQUIRES: count > 0.
  uint32_t below(uint32_t count) { return static_cast<uint32_t>(((next() >> 32) * count) >> 32); }
  uint32_t between(uint32_t first, uint32_t last) { return first + below(last - first + 1); }
  bool percent(uint32_t chance) { return below(100) < chance; }
  bool one_in(uint32_t count) { return below(count) == 0; }
  uint8_t octet() { return static_cast<uint8_t>(next() >> 56); }
  uint16_t word() { return static_cast<uint16_t>(next() >> 48); }
  template <class List>
  const auto& pick(const List& list) {
    return list[below(static_cast<uint32_t>(std::size(list)))];
  }

 private:
  uint64_t state_;
};

}  // namespace sluice::fuzz
