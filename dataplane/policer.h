// SPDX-License-Identifier: BSD-3-Clause
//
// A token bucket for what goes to control.
//
// Thread safety: none; each belongs to one worker.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::dataplane {

class Policer {
 public:
  /// `rate` packets a second, 1..1 000 000 000; `burst` packets, at least 1: it starts full.
  constexpr Policer(uint32_t rate, uint32_t burst)
      : cost_ns_(kSecond_ns / rate), depth_ns_(cost_ns_ * burst), credit_ns_(depth_ns_) {}

  /// Whether a packet may pass at `now_ns`, which does not run backwards.
  bool pass(uint64_t now_ns) {
    credit_ns_ = std::min(depth_ns_, credit_ns_ + (now_ns - last_ns_));
    last_ns_ = now_ns;
    if (credit_ns_ < cost_ns_) return false;
    credit_ns_ -= cost_ns_;
    return true;
  }

 private:
  static constexpr uint64_t kSecond_ns = 1'000'000'000;
  uint64_t cost_ns_;
  uint64_t depth_ns_;
  uint64_t credit_ns_;
  uint64_t last_ns_ = 0;
};

}  // namespace sluice::dataplane
