// SPDX-License-Identifier: BSD-3-Clause
//
// When the routes of each part of the IPv4 address space last changed: a session that was decided before
// asks the route table again, all others do not notice.
//
// Time is counted in changes. A session stamped with the present epoch is valid without another look; an
// older one is valid if neither of its two destinations lies in a region that changed since.
//
// Thread safety: control alone writes, after the routes themselves; any worker reads. A worker takes the
// epoch once a sweep, before it looks at a route.
// Owner:         control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/ip.h"

namespace sluice::dataplane {

class RouteEpochs {
 public:
  [[nodiscard]] uint32_t now() const { return now_.load(std::memory_order_acquire); }

  /// Whether the routes to `address` changed after `stamp`.
  [[nodiscard]] bool changed_since(Ip4 address, uint32_t stamp) const {
    return is_after(regions_[address >> kRegionShift], stamp) || is_after(shorter_, stamp);
  }

  /// The routes of address/length have changed.
  void change(Ip4 address, uint8_t length) {
    const uint32_t epoch = now_.load(std::memory_order_relaxed) + 1;
    auto& last = length >= 32 - kRegionShift ? regions_[address >> kRegionShift] : shorter_;
    last.store(epoch, std::memory_order_relaxed);
    now_.store(epoch, std::memory_order_release);
  }

 private:
  static constexpr unsigned kRegionShift = 16;  // a /16

  static bool is_after(const std::atomic<uint32_t>& epoch, uint32_t stamp) {
    return static_cast<int32_t>(epoch.load(std::memory_order_relaxed) - stamp) > 0;
  }

  std::atomic<uint32_t> now_ = 0;
  std::atomic<uint32_t> shorter_ = 0;  ///< of prefixes shorter than a region
  std::array<std::atomic<uint32_t>, 1u << (32 - kRegionShift)> regions_{};
};

}  // namespace sluice::dataplane
