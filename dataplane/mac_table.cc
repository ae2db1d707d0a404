// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/mac_table.h"

#include <sys/mman.h>

#include <bit>
#include <new>
#include <thread>

namespace sluice::dataplane {
namespace {

// At most half of all places: a key then finds no place at all about once in 10^8.
uint64_t bucket_count(uint32_t capacity) {
  return std::bit_ceil(uint64_t{capacity} * 2 / 5 + 2);
}

}  // namespace

std::unique_ptr<MacTable> MacTable::create(uint32_t capacity, const KeyedHash::Seed& seed) {
  const uint64_t count = bucket_count(capacity);
  void* memory = mmap(nullptr, count * sizeof(Bucket), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  // A hint: with huge pages a random look-up misses the cache once and not the TLB besides.
  madvise(memory, count * sizeof(Bucket), MADV_HUGEPAGE);
  // mmap returns zeroes, which is an empty bucket; std::atomic's own constructor would only write them again.
  return std::unique_ptr<MacTable>(new (std::nothrow)
                                       MacTable(capacity, seed, static_cast<Bucket*>(memory), count));
}

uint64_t MacTable::memory_bytes(uint32_t capacity) {
  return bucket_count(capacity) * sizeof(Bucket) + sizeof(MacTable);
}

MacTable::MacTable(uint32_t capacity, const KeyedHash::Seed& seed, Bucket* buckets, uint64_t count)
    : hash_(seed), buckets_(buckets), count_(count), mask_(count - 1), capacity_(capacity) {
  reserve_static(0);
}

MacTable::~MacTable() {
  munmap(buckets_, count_ * sizeof(Bucket));
}

bool MacTable::Bucket::try_lock() {
  return (head.fetch_or(kLocked, std::memory_order_acquire) & kLocked) == 0;
}

void MacTable::Bucket::lock() {
  // The holder is a worker in the middle of a few stores; it may have been descheduled, so let it run.
  while (!try_lock()) std::this_thread::yield();
}

Learned MacTable::learn(uint64_t key, uint64_t hash, PortIndex port, uint32_t now_s) {
  const auto place = locate(key, hash);
  if (!place) return insert(key, hash, value(port, false, now_s));
  return refresh(*place, key, port, now_s);
}

Learned MacTable::refresh(Place place, uint64_t key, PortIndex port, uint32_t now_s) {
  auto& slot = place.bucket->values[place.way];
  uint32_t seen = slot.load(std::memory_order_acquire);
  if (port_of(seen) != port) return move(place, key, port, now_s);
  const uint32_t fresh = value(port, false, now_s);
  // Written once a second, not once a packet: the line stays shared between the workers' caches. If the
  // exchange fails somebody else refreshed or moved the entry; there is nothing to add to that.
  if (!is_static(seen) && seen != fresh) slot.compare_exchange_strong(seen, fresh, std::memory_order_relaxed);
  return Learned::known;
}

Learned MacTable::move(Place place, uint64_t key, PortIndex port, uint32_t now_s) {
  Bucket& bucket = *place.bucket;
  if (!bucket.try_lock()) return Learned::busy;
  Learned result = Learned::busy;  // the place was given to another key meanwhile
  if (bucket.keys[place.way].load(std::memory_order_relaxed) == key) {
    const uint32_t old = bucket.values[place.way].load(std::memory_order_relaxed);
    if (is_static(old) || !ports_[port].take()) {
      result = Learned::refused;
    } else {
      ports_[port_of(old)].give();
      bucket.values[place.way].store(value(port, false, now_s), std::memory_order_release);
      result = Learned::moved;
    }
  }
  bucket.unlock();
  return result;
}

Learned MacTable::insert(uint64_t key, uint64_t hash, uint32_t value) {
  Bucket& first = buckets_[home(hash)];
  if (!first.try_lock()) return Learned::busy;
  Learned result = Learned::refused;
  if (locate(key, hash)) {
    result = Learned::known;  // another worker was quicker
  } else if (take_quotas(key, value)) {
    result = place_new(first, key, hash, value);
    if (result != Learned::added) give_quotas(key, value);
  }
  first.unlock();
  return result;
}

// REQUIRES: `home` is locked and does not hold the key.
Learned MacTable::place_new(Bucket& home, uint64_t key, uint64_t hash, uint32_t value) {
  auto way = way_of(home, kEmpty);
  if (!way) {
    if (const Learned there = place_in_other(home, key, hash, value); there != Learned::refused) return there;
    if (const Learned room = make_room(home); room != Learned::added) return room;
    way = way_of(home, kEmpty);
  }
  // The value first: a reader that sees the key must find its value.
  home.values[*way].store(value, std::memory_order_relaxed);
  home.keys[*way].store(key, std::memory_order_release);
  return Learned::added;
}

// REQUIRES: `home` is locked.
Learned MacTable::place_in_other(Bucket& home, uint64_t key, uint64_t hash, uint32_t value) {
  Bucket& second = buckets_[other(this->home(hash), hash)];
  if (!second.try_lock()) return Learned::busy;
  const auto way = way_of(second, kEmpty);
  if (way) {
    home.head.fetch_add(kOneOverflow, std::memory_order_release);  // before the key can be looked for
    second.values[*way].store(value, std::memory_order_relaxed);
    second.keys[*way].store(key, std::memory_order_release);
  }
  second.unlock();
  return way ? Learned::added : Learned::refused;
}

// Moves one entry of a full bucket to that entry's other bucket. REQUIRES: `bucket` is locked.
Learned MacTable::make_room(Bucket& bucket) {
  const uint64_t index = static_cast<uint64_t>(&bucket - buckets_);
  Learned result = Learned::refused;
  for (unsigned way = 0; way < kWays; ++way) {
    const uint64_t key = bucket.keys[way].load(std::memory_order_relaxed);
    const uint64_t hash = this->hash(key);
    Bucket& target = buckets_[other(index, hash)];
    if (!target.try_lock()) {
      result = Learned::busy;
      continue;
    }
    const auto free = way_of(target, kEmpty);
    if (free) {
      const bool at_home = index == home(hash);
      if (at_home) bucket.head.fetch_add(kOneOverflow, std::memory_order_release);
      target.values[*free].store(bucket.values[way].load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
      target.keys[*free].store(key, std::memory_order_release);
      bucket.keys[way].store(kEmpty, std::memory_order_release);
      if (!at_home) target.head.fetch_sub(kOneOverflow, std::memory_order_release);
    }
    target.unlock();
    if (free) return Learned::added;
  }
  return result;
}

bool MacTable::take_quotas(uint64_t key, uint32_t value) {
  if (is_static(value)) return true;  // limits are for what is learned
  if (!dynamic_.take()) return false;
  Quota& bridge = bridges_[bridge_of_[static_cast<DomainId>(key)].load(std::memory_order_relaxed)];
  if (bridge.take()) {
    if (ports_[port_of(value)].take()) return true;
    bridge.give();
  }
  dynamic_.give();
  return false;
}

void MacTable::give_quotas(uint64_t key, uint32_t value) {
  if (is_static(value)) return;
  dynamic_.give();
  bridges_[bridge_of_[static_cast<DomainId>(key)].load(std::memory_order_relaxed)].give();
  ports_[port_of(value)].give();
}

// REQUIRES: `bucket` is locked, by control: it waits for a second lock, which only it may do.
void MacTable::erase(Bucket& bucket, unsigned way) {
  const uint64_t key = bucket.keys[way].load(std::memory_order_relaxed);
  give_quotas(key, bucket.values[way].load(std::memory_order_relaxed));
  bucket.keys[way].store(kEmpty, std::memory_order_release);
  Bucket& home_bucket = buckets_[home(hash(key))];
  // Atomic, and counted down after the key is gone, so the count is never too low and needs no lock.
  if (&home_bucket != &bucket) home_bucket.head.fetch_sub(kOneOverflow, std::memory_order_release);
}

bool MacTable::add_static(Mac48 mac, DomainId domain, PortIndex port) {
  const uint64_t wanted = key(mac, domain);
  const uint64_t hashed = hash(wanted);
  const uint32_t fixed = value(port, true, 0);
  for (;;) {
    if (const auto place = locate(wanted, hashed)) {
      if (make_static(*place, wanted, fixed)) return true;
    } else {
      const Learned result = insert(wanted, hashed, fixed);
      if (result == Learned::added) return true;
      if (result == Learned::refused) return false;
    }
    std::this_thread::yield();  // a worker held the bucket, or learned the address meanwhile: once more
  }
}

bool MacTable::make_static(Place place, uint64_t key, uint32_t fixed) {
  Bucket& bucket = *place.bucket;
  bucket.lock();
  const bool ours = bucket.keys[place.way].load(std::memory_order_relaxed) == key;
  if (ours) {
    give_quotas(key, bucket.values[place.way].load(std::memory_order_relaxed));
    bucket.values[place.way].store(fixed, std::memory_order_release);
  }
  bucket.unlock();
  return ours;
}

}  // namespace sluice::dataplane
