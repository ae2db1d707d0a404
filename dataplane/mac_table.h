// SPDX-License-Identifier: BSD-3-Clause
//
// The MAC table (filtering database, IEEE 802.1Q-2018 clause 8.8): (VLAN of a bridge, MAC address) → port.
//
// Theory of operation. An entry is a 64-bit key (MAC and domain) and a 32-bit value (port, "static", the
// second it was last seen). Five entries and one lock word fill a cache line: a bucket. A key lives in its
// home bucket or, when that is full, in its other bucket; the home then counts one overflow, so that a
// look-up which misses at home knows whether it must look further. Filled to its stated capacity the table is
// a quarter to half full.
//
// Thread safety: workers call find(), learn(), prefetch() at the same time; one control thread calls the
// rest.
//   Readers never lock: an entry's key is cleared before its place is used again, and a reader that sees the
//   key both before and after it read the value has the value of that key. A refresh is one compare-and-swap.
//   Whoever adds, moves or erases holds the bucket's lock; a worker only ever tries it, and learns from a
//   later packet if it loses. Only control waits.
// Invariants:    a key stands in one bucket (for an instant, while it is moved to its other bucket, in both).
//   overflow(b) = number of keys whose home is b and that stand in their other bucket.
// Owner:         control creates it at start; it outlives every snapshot.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/batch.h"
#include "dataplane/ethernet.h"
#include "dataplane/keyed_hash.h"

namespace sluice::dataplane {

inline constexpr unsigned kMaxBridges = 256;

/// What learn() did, for the counters.
enum class Learned : uint8_t {
  known,    ///< nothing new
  added,    ///< a new entry
  moved,    ///< the entry points to another port now
  busy,     ///< another worker held the bucket: a later packet will teach it
  refused,  ///< the table, the port's or the bridge's mac-limit is full, or the entry is static
};

class MacTable {
 public:
  struct Entry {
    Mac48 mac;
    DomainId domain;
    PortIndex port;
    bool is_static;
    uint32_t last_seen_s;  ///< seconds, modulo kSecondsModulus
  };

  static constexpr uint32_t kSecondsModulus = 1u << 20;
  static constexpr uint32_t kNoLimit = UINT32_MAX;

  /// `capacity`: dynamic and static entries together, 1..4 194 304. Allocates everything it will ever use;
  /// returns null when the memory cannot be had.
  static std::unique_ptr<MacTable> create(uint32_t capacity, const KeyedHash::Seed& seed);
  /// Octets that create() allocates for `capacity`.
  static uint64_t memory_bytes(uint32_t capacity);
  ~MacTable();
  MacTable(const MacTable&) = delete;
  MacTable& operator=(const MacTable&) = delete;

  // ---- packet path
  // -------------------------------------------------------------------------------------------

  static uint64_t key(Mac48 mac, DomainId domain) { return mac << 16 | domain; }
  [[nodiscard]] uint64_t hash(uint64_t key) const { return hash_(key); }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&buckets_[home(hash)], 1); }

  /// The port behind a key, or kNoPort.
  [[nodiscard]] PortIndex find(uint64_t key, uint64_t hash) const;

  /// Notes that `key` was the source of a frame on `port` in second `now_s`.
  Learned learn(uint64_t key, uint64_t hash, PortIndex port, uint32_t now_s);

  // ---- control
  // -----------------------------------------------------------------------------------------------

  /// Adds a static entry, over a dynamic one if need be. False: no room.
  bool add_static(Mac48 mac, DomainId domain, PortIndex port);

  /// Erases every entry that `pred(Entry)` is true for; returns how many.
  template <class Predicate>
  uint32_t erase_if(Predicate pred);

  /// Calls `visit(Entry)` for every entry.
  template <class Visitor>
  void for_each(Visitor visit) const;

  /// Which bridge's limit the entries of a domain count against. Before a snapshot uses the domain.
  void assign(DomainId domain, uint8_t bridge) {
    bridge_of_[domain].store(bridge, std::memory_order_relaxed);
  }
  /// Dynamic entries at most; kNoLimit: no limit.
  void limit_port(PortIndex port, uint32_t limit) {
    ports_[port].limit.store(limit, std::memory_order_relaxed);
  }
  void limit_bridge(uint8_t bridge, uint32_t limit) {
    bridges_[bridge].limit.store(limit, std::memory_order_relaxed);
  }

  /// Sets room for `entries` static entries aside, so that what is learned never takes it.
  void reserve_static(uint32_t entries) { dynamic_.limit = capacity_ - std::min(entries, capacity_); }

  [[nodiscard]] uint32_t dynamic_size() const { return dynamic_.used.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t capacity() const { return capacity_; }

 private:
  static constexpr unsigned kWays = 5;
  static constexpr uint64_t kEmpty = 0;  // domain 0 is none, so no key is 0
  static constexpr uint32_t kLocked = 1;
  static constexpr uint32_t kOneOverflow = 2;

  struct alignas(64) Bucket {
    std::array<std::atomic<uint64_t>, kWays> keys;
    std::array<std::atomic<uint32_t>, kWays> values;  // port: bits 0-10, static: bit 11, second: bits 12-31
    std::atomic<uint32_t> head;                       // lock: bit 0, overflow count: the rest

    bool try_lock();
    void lock();
    void unlock() { head.fetch_and(~kLocked, std::memory_order_release); }
  };
  static_assert(sizeof(Bucket) == 64, "a bucket is one cache line");

  /// How many entries count against a limit. Written only when something is learned or forgotten.
  struct Quota {
    std::atomic<uint32_t> used = 0;
    std::atomic<uint32_t> limit = kNoLimit;
    bool take() {
      if (used.fetch_add(1, std::memory_order_relaxed) < limit.load(std::memory_order_relaxed)) return true;
      give();
      return false;
    }
    void give() { used.fetch_sub(1, std::memory_order_relaxed); }
  };

  struct Place {
    Bucket* bucket = nullptr;
    unsigned way = 0;
  };

  MacTable(uint32_t capacity, const KeyedHash::Seed& seed, Bucket* buckets, uint64_t count);

  static constexpr uint32_t value(PortIndex port, bool is_static, uint32_t second) {
    return port | static_cast<uint32_t>(is_static) << 11 | second % kSecondsModulus << 12;
  }
  static constexpr PortIndex port_of(uint32_t value) { return value & 0x7FF; }
  static constexpr bool is_static(uint32_t value) { return (value >> 11 & 1) != 0; }
  static constexpr uint32_t second_of(uint32_t value) { return value >> 12; }
  static Entry entry(uint64_t key, uint32_t value) {
    return {key >> 16, static_cast<DomainId>(key), port_of(value), is_static(value), second_of(value)};
  }

  [[nodiscard]] uint64_t home(uint64_t hash) const { return hash & mask_; }
  // An involution: the other bucket's other bucket is the first.
  [[nodiscard]] uint64_t other(uint64_t index, uint64_t hash) const {
    return index ^ ((hash >> 32 | 1) & mask_);
  }

  static std::optional<unsigned> way_of(const Bucket& bucket, uint64_t key);
  [[nodiscard]] std::optional<Place> locate(uint64_t key, uint64_t hash) const;
  Learned refresh(Place place, uint64_t key, PortIndex port, uint32_t now_s);
  Learned move(Place place, uint64_t key, PortIndex port, uint32_t now_s);
  Learned insert(uint64_t key, uint64_t hash, uint32_t value);
  // added: done; busy: another worker held a bucket that was needed; refused: there is no room.
  Learned place_new(Bucket& home, uint64_t key, uint64_t hash, uint32_t value);
  Learned place_in_other(Bucket& home, uint64_t key, uint64_t hash, uint32_t value);
  Learned make_room(Bucket& home);
  bool take_quotas(uint64_t key, uint32_t value);
  void give_quotas(uint64_t key, uint32_t value);
  bool make_static(Place place, uint64_t key, uint32_t fixed);
  void erase(Bucket& bucket, unsigned way);

  KeyedHash hash_;
  Bucket* buckets_;
  uint64_t count_;
  uint64_t mask_;
  uint32_t capacity_;
  Quota dynamic_;
  std::array<Quota, kMaxPorts> ports_;
  std::array<Quota, kMaxBridges> bridges_;
  std::array<std::atomic<uint8_t>, 65536> bridge_of_{};
};

inline std::optional<unsigned> MacTable::way_of(const Bucket& bucket, uint64_t key) {
  for (unsigned way = 0; way < kWays; ++way) {
    if (bucket.keys[way].load(std::memory_order_acquire) == key) return way;
  }
  return std::nullopt;
}

inline std::optional<MacTable::Place> MacTable::locate(uint64_t key, uint64_t hash) const {
  Bucket& first = buckets_[home(hash)];
  if (auto way = way_of(first, key)) return Place{&first, *way};
  if (first.head.load(std::memory_order_acquire) < kOneOverflow) return std::nullopt;
  Bucket& second = buckets_[other(home(hash), hash)];
  if (auto way = way_of(second, key)) return Place{&second, *way};
  // Between the two looks another worker may have moved it back home.
  if (auto way = way_of(first, key)) return Place{&first, *way};
  return std::nullopt;
}

inline PortIndex MacTable::find(uint64_t key, uint64_t hash) const {
  const auto place = locate(key, hash);
  if (!place) return kNoPort;
  const uint32_t value = place->bucket->values[place->way].load(std::memory_order_acquire);
  // The place may have been given to another key since; then the value is not ours.
  if (place->bucket->keys[place->way].load(std::memory_order_relaxed) != key) return kNoPort;
  return port_of(value);
}

template <class Predicate>
uint32_t MacTable::erase_if(Predicate pred) {
  uint32_t erased = 0;
  for (uint64_t index = 0; index < count_; ++index) {
    Bucket& bucket = buckets_[index];
    for (unsigned way = 0; way < kWays; ++way) {
      const uint64_t key = bucket.keys[way].load(std::memory_order_acquire);
      if (key == kEmpty || !pred(entry(key, bucket.values[way].load(std::memory_order_relaxed)))) continue;
      bucket.lock();
      // Look again: it may have been refreshed, moved or replaced before we had the lock.
      const uint64_t now = bucket.keys[way].load(std::memory_order_relaxed);
      if (now != kEmpty && pred(entry(now, bucket.values[way].load(std::memory_order_relaxed)))) {
        erase(bucket, way);
        ++erased;
      }
      bucket.unlock();
    }
  }
  return erased;
}

template <class Visitor>
void MacTable::for_each(Visitor visit) const {
  for (uint64_t index = 0; index < count_; ++index) {
    for (unsigned way = 0; way < kWays; ++way) {
      const uint64_t key = buckets_[index].keys[way].load(std::memory_order_acquire);
      if (key != kEmpty) visit(entry(key, buckets_[index].values[way].load(std::memory_order_relaxed)));
    }
  }
}

}  // namespace sluice::dataplane
