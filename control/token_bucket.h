// SPDX-License-Identifier: BSD-3-Clause
//
// A token bucket on virtual nanoseconds, in whole numbers: over any time it lets exactly
// burst + rate x time pass, and a replay repeats to the packet.
//
// Thread safety: none.
// Invariants:    level_ <= full_. One token is kSecond units, so that a nanosecond earns `rate` units.
// Owner:         whoever limits something.
#pragma once

#include <cstdint>

namespace sluice::control {

class TokenBucket {
 public:
  /// Starts full. `rate`: tokens a second; 0: what the burst holds and no more.
  TokenBucket(uint32_t rate, uint32_t burst) : rate_(rate), full_(uint64_t{burst} * kSecond), level_(full_) {}

  /// Takes a token if there is one. A clock that steps back earns nothing.
  bool take(uint64_t now_ns) {
    refill(now_ns);
    if (level_ < kSecond) return false;
    level_ -= kSecond;
    return true;
  }

  /// Another rate or burst from now on; what is left stays, as far as it fits.
  void change(uint32_t rate, uint32_t burst, uint64_t now_ns) {
    refill(now_ns);
    rate_ = rate;
    full_ = uint64_t{burst} * kSecond;
    if (level_ > full_) level_ = full_;
  }

 private:
  static constexpr uint64_t kSecond = 1'000'000'000;

  void refill(uint64_t now_ns) {
    if (now_ns <= last_ns_) return;
    const uint64_t elapsed = now_ns - last_ns_, missing = full_ - level_;
    last_ns_ = now_ns;
    if (rate_ == 0) return;
    // Compared as times: the product of a long time and the rate may not fit.
    level_ = elapsed > missing / rate_ ? full_ : level_ + elapsed * rate_;
  }

  uint64_t rate_;
  uint64_t full_;
  uint64_t level_;
  uint64_t last_ns_ = 0;
};

}  // namespace sluice::control
