// SPDX-License-Identifier: BSD-3-Clause
//
// The worker's clock: nanoseconds since the process started, from the TSC, read once a turn.
//
// Thread safety: immutable after construction.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

namespace sluice::dataplane {

class Clock {
 public:
  Clock() : start_(rte_rdtsc()), ns_per_cycle_q32_((uint64_t{1'000'000'000} << 32) / rte_get_tsc_hz()) {}

  /// Nanoseconds between the construction of the clock and TSC reading `cycles`.
  [[nodiscard]] uint64_t ns(uint64_t cycles) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>(Wide{cycles - start_} * ns_per_cycle_q32_ >> 32);
  }

 private:
  uint64_t start_;
  uint64_t ns_per_cycle_q32_;  // 32.32 fixed point
};

}  // namespace sluice::dataplane
