// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fragment_ports.h"

#include <algorithm>

namespace sluice::dataplane {

void FragmentPorts::remember(const DatagramKey& key, uint64_t hash, Ports ports, uint32_t now_ms) {
  Set& set = sets_[hash % kSets];
  const auto better = [&](const Entry& a, const Entry& b) {
    const auto rank = [&](const Entry& entry) {
      if (entry.used && entry.key == key) return UINT32_MAX;
      return entry.used ? now_ms - entry.seen_ms : UINT32_MAX - 1;
    };
    return rank(a) < rank(b);
  };
  *std::max_element(set.begin(), set.end(), better) = {key, ports, now_ms, true};
}

const FragmentPorts::Ports* FragmentPorts::find(const DatagramKey& key, uint64_t hash,
                                                uint32_t now_ms) const {
  const Set& set = sets_[hash % kSets];
  const auto found = std::find_if(set.begin(), set.end(), [&](const Entry& entry) {
    return entry.used && entry.key == key && now_ms - entry.seen_ms < kLifetime_ms;
  });
  return found == set.end() ? nullptr : &found->ports;
}

}  // namespace sluice::dataplane
