// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/flow_index.h"

namespace sluice::dataplane {

void FlowIndex::put(Bucket& bucket, unsigned way, uint16_t signature, uint32_t value, bool away) {
  bucket.signatures[way] = signature;
  bucket.values[way] = value;
  bucket.away = static_cast<uint16_t>(bucket.away | unsigned{away} << way);
}

void FlowIndex::clear(Bucket& bucket, unsigned way) {
  bucket.signatures[way] = 0;
  bucket.away = static_cast<uint16_t>(bucket.away & ~(1u << way));
}

unsigned FlowIndex::locate(const Bucket& bucket, uint16_t signature, uint32_t value) {
  for (uint32_t found = matches(bucket, signature); found != 0; found &= found - 1) {
    if (bucket.values[way_of(found)] == value) return way_of(found);
  }
  return kWays;
}

bool FlowIndex::insert(uint64_t hash, uint32_t value) {
  const uint16_t wanted = signature(hash);
  const uint64_t first = home(hash), second = other(first, wanted);
  Bucket& at_home = buckets_[first];
  Bucket& elsewhere = buckets_[second];
  const auto is_full = [](const Bucket& bucket) { return matches(bucket, 0) == 0; };
  if (!is_full(at_home) || (is_full(elsewhere) && make_room(first))) {
    put(at_home, way_of(matches(at_home, 0)), wanted, value, false);
    return true;
  }
  if (at_home.overflow == UINT16_MAX || (is_full(elsewhere) && !make_room(second))) return false;
  put(elsewhere, way_of(matches(elsewhere, 0)), wanted, value, true);
  ++at_home.overflow;
  return true;
}

// Moves one entry of a full bucket to that entry's other bucket.
bool FlowIndex::make_room(uint64_t index) {
  for (unsigned way = 0; way < kWays; ++way) {
    if (move_on(index, way)) return true;
  }
  return false;
}

bool FlowIndex::move_on(uint64_t index, unsigned way) {
  Bucket& bucket = buckets_[index];
  Bucket& target = buckets_[other(index, bucket.signatures[way])];
  const uint32_t free = matches(target, 0);
  const bool was_away = (bucket.away >> way & 1) != 0;
  if (free == 0 || (!was_away && bucket.overflow == UINT16_MAX)) return false;
  put(target, way_of(free), bucket.signatures[way], bucket.values[way], !was_away);
  clear(bucket, way);
  if (was_away) {
    --target.overflow;
  } else {
    ++bucket.overflow;
  }
  return true;
}

bool FlowIndex::erase(uint64_t hash, uint32_t value) {
  const uint16_t wanted = signature(hash);
  Bucket& at_home = buckets_[home(hash)];
  if (const unsigned way = locate(at_home, wanted, value); way != kWays) {
    clear(at_home, way);
    return true;
  }
  Bucket& elsewhere = buckets_[other(home(hash), wanted)];
  const unsigned way = locate(elsewhere, wanted, value);
  if (way == kWays) return false;
  clear(elsewhere, way);
  --at_home.overflow;
  return true;
}

uint64_t FlowIndex::count_away() const {
  uint64_t count = 0;
  for (uint64_t i = 0; i <= mask_; ++i) count += static_cast<uint64_t>(std::popcount(buckets_[i].away));
  return count;
}

bool FlowIndex::is_consistent() const {
  uint64_t overflow = 0;
  for (uint64_t i = 0; i <= mask_; ++i) {
    const Bucket& bucket = buckets_[i];
    overflow += bucket.overflow;
    for (unsigned way = 0; way < kWays; ++way) {
      const bool is_away = (bucket.away >> way & 1) != 0;
      if (!is_away) continue;
      if (bucket.signatures[way] == 0 || buckets_[other(i, bucket.signatures[way])].overflow == 0)
        return false;
    }
  }
  return overflow == count_away();
}

}  // namespace sluice::dataplane
