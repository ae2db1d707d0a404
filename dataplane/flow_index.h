// SPDX-License-Identifier: BSD-3-Clause
//
// An index from hashed keys to 32-bit numbers, under each of NAT's tables. It keeps no keys: the lines that
// the numbers stand for do, and whoever looks something up compares there.
//
// Theory of operation. A bucket is one cache line of ten entries: 16 bits of the key's hash (its signature)
// and the number. One vector instruction compares all ten signatures. A key lives in its home bucket or, when
// that is full, in its other one; the home then counts one overflow, so that a look-up that finds nothing at
// home knows whether to look further: most misses read one line. The other bucket follows from bucket and
// signature alone, and a bit an entry tells which of the two is its home, so a full bucket can move an entry
// on without knowing its key.
//
// Thread safety: none; an index belongs to one worker.
// Invariants:    overflow(b) = number of entries whose home is b and that stand in their other bucket;
//                `away` has the bit of exactly the entries that do not stand at home.
// Owner:         the table that uses it; this is a view of memory in the arena.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace sluice::dataplane {

class FlowIndex {
 public:
  static constexpr unsigned kWays = 10;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct alignas(64) Bucket {
    std::array<uint16_t, kWays> signatures;  ///< 0: the way is free
    uint16_t overflow;
    uint16_t away;  ///< by way
    std::array<uint32_t, kWays> values;
  };
  static_assert(sizeof(Bucket) == 64 && std::is_trivial_v<Bucket>, "a bucket is one cache line");
  static_assert(offsetof(Bucket, signatures) == 0 && offsetof(Bucket, values) == 24);

  /// Buckets for `entries`: at most half of all ways in use, a power of two.
  static constexpr uint64_t bucket_count(uint64_t entries) {
    return std::bit_ceil((entries * 2 + kWays - 1) / kWays + 1);
  }

  /// A view of `count` buckets, a power of two and at least 2. Zeroes are an empty index.
  FlowIndex(Bucket* buckets, uint64_t count) : buckets_(buckets), mask_(count - 1) {}

  void prefetch(uint64_t hash) const { __builtin_prefetch(&buckets_[home(hash)]); }

  /// The number behind the first entry at home that may be the key's, or kNone.
  [[nodiscard]] uint32_t candidate(uint64_t hash) const {
    const Bucket& bucket = buckets_[home(hash)];
    const uint32_t found = matches(bucket, signature(hash));
    return found == 0 ? kNone : bucket.values[way_of(found)];
  }

  /// The number that `is_key(number)` is true for, among those that may be the key's, or kNone.
  template <class IsKey>
  [[nodiscard]] uint32_t find(uint64_t hash, IsKey is_key) const {
    const Bucket& first = buckets_[home(hash)];
    const uint32_t found = find_in(first, signature(hash), is_key);
    if (found != kNone || first.overflow == 0) [[likely]]
      return found;
    return find_in(buckets_[other(home(hash), signature(hash))], signature(hash), is_key);
  }

  /// Adds an entry. False: both buckets are full and nothing in them can move; nothing changed.
  /// REQUIRES: the key is not in the index.
  [[nodiscard]] bool insert(uint64_t hash, uint32_t value);

  /// Removes the entry with that number. False: there is none.
  bool erase(uint64_t hash, uint32_t value);

  /// Entries that stand in their other bucket, of all buckets. For tests.
  [[nodiscard]] uint64_t count_away() const;
  /// Whether overflow counts and away bits agree; reads it all. For tests.
  [[nodiscard]] bool is_consistent() const;

 private:
  [[nodiscard]] uint64_t home(uint64_t hash) const { return hash & mask_; }
  static constexpr uint16_t signature(uint64_t hash) {
    return static_cast<uint16_t>(std::max<uint64_t>(hash >> 48, 1));
  }
  // An involution: the other bucket's other bucket is the first.
  [[nodiscard]] uint64_t other(uint64_t index, uint16_t signature) const {
    return index ^ ((signature * uint64_t{0x9E3779B97F4A7C15} >> 24 | 1) & mask_);
  }

  // Two bits a way, of which the lower is set where the signatures agree.
  static uint32_t matches(const Bucket& bucket, uint16_t signature);
  static unsigned way_of(uint32_t matches) { return static_cast<unsigned>(std::countr_zero(matches)) / 2; }

  template <class IsKey>
  static uint32_t find_in(const Bucket& bucket, uint16_t signature, IsKey is_key) {
    for (uint32_t found = matches(bucket, signature); found != 0; found &= found - 1) {
      const uint32_t value = bucket.values[way_of(found)];
      if (is_key(value)) [[likely]]
        return value;
    }
    return kNone;
  }

  static void put(Bucket& bucket, unsigned way, uint16_t signature, uint32_t value, bool away);
  static void clear(Bucket& bucket, unsigned way);
  // The way that holds the value under the signature, or kWays.
  static unsigned locate(const Bucket& bucket, uint16_t signature, uint32_t value);
  bool make_room(uint64_t index);
  bool move_on(uint64_t index, unsigned way);

  Bucket* buckets_;
  uint64_t mask_;
};

inline uint32_t FlowIndex::matches(const Bucket& bucket, uint16_t signature) {
  [[maybe_unused]] constexpr uint32_t kLower = 0x55555;  // of ten ways
#if defined(__AVX2__)
  const __m256i line = _mm256_load_si256(reinterpret_cast<const __m256i*>(&bucket));
  const __m256i same = _mm256_cmpeq_epi16(line, _mm256_set1_epi16(static_cast<int16_t>(signature)));
  return static_cast<uint32_t>(_mm256_movemask_epi8(same)) & kLower;
#elif defined(__SSE2__)
  const __m128i* line = reinterpret_cast<const __m128i*>(&bucket);
  const __m128i wanted = _mm_set1_epi16(static_cast<int16_t>(signature));
  const auto low = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_load_si128(line), wanted)));
  const auto high =
      static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi16(_mm_load_si128(line + 1), wanted)));
  return (low | high << 16) & kLower;
#else
  uint32_t found = 0;
  for (unsigned way = 0; way < kWays; ++way)
    found |= static_cast<uint32_t>(bucket.signatures[way] == signature) << (2 * way);
  return found;
#endif
}

}  // namespace sluice::dataplane
