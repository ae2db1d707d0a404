// SPDX-License-Identifier: BSD-3-Clause
//
// The MAC table by itself: to its capacity, and its hash. Against an oracle: mac_table_property_test.cc.
#include "dataplane/mac_table.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice::test {
namespace {

using dataplane::DomainId;
using dataplane::KeyedHash;
using dataplane::kNoPort;
using dataplane::Learned;
using dataplane::Mac48;
using dataplane::MacTable;
using dataplane::PortIndex;

constexpr KeyedHash::Seed kSeed = {0x0123456789abcdef, 0xfedcba9876543210};

PortIndex find(const MacTable& table, Mac48 mac, DomainId domain) {
  const uint64_t key = MacTable::key(mac, domain);
  return table.find(key, table.hash(key));
}

Learned learn(MacTable& table, Mac48 mac, DomainId domain, PortIndex port, uint32_t now_s = 0) {
  const uint64_t key = MacTable::key(mac, domain);
  return table.learn(key, table.hash(key), port, now_s);
}

TEST(MacTable, holds_exactly_as_many_addresses_as_it_says_whatever_they_are) {
  for (uint32_t capacity : {1u, 5u, 64u, 1000u, 16384u, 100000u}) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      const auto table = MacTable::create(capacity, {seed, 99});
      for (uint32_t i = 0; i < capacity; ++i)
        ASSERT_EQ(learn(*table, i * 2, 1, 3), Learned::added) << capacity << " " << i;
      EXPECT_EQ(learn(*table, capacity * 2, 1, 3), Learned::refused);
      for (uint32_t i = 0; i < capacity; ++i) ASSERT_EQ(find(*table, i * 2, 1), 3);
      EXPECT_EQ(table->dynamic_size(), capacity);
    }
  }
}

TEST(MacTable, forgets_what_it_counted_when_entries_overflow_into_their_other_bucket) {
  // Small tables overflow often; filled and emptied many times, a wrong overflow count would lose or keep
  // entries.
  const auto table = MacTable::create(200, kSeed);
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<Mac48> macs;
    for (int i = 0; i < 200; ++i) macs.push_back(random() & dataplane::kMacMask);
    for (Mac48 mac : macs) ASSERT_EQ(learn(*table, mac, 1, 1), Learned::added);
    for (Mac48 mac : macs) ASSERT_EQ(find(*table, mac, 1), 1);
    ASSERT_EQ(table->erase_if([](const auto&) { return true; }), 200u);
    for (Mac48 mac : macs) ASSERT_EQ(find(*table, mac, 1), kNoPort);
  }
}

TEST(MacTable, states_the_second_in_which_an_address_was_last_seen) {
  const auto table = MacTable::create(10, kSeed);
  learn(*table, 5, 1, 2, 100);
  learn(*table, 5, 1, 2, 160);
  table->for_each([](const MacTable::Entry& entry) { EXPECT_EQ(entry.last_seen_s, 160u); });
}

TEST(MacTable, says_what_memory_it_takes) {
  EXPECT_GE(MacTable::memory_bytes(16384), 16384u * 12);
  EXPECT_LE(MacTable::memory_bytes(16384), 16384u * 64);
}

TEST(KeyedHash, depends_on_every_bit_of_key_and_seed) {
  const KeyedHash hash(kSeed);
  for (auto function : {+[](const KeyedHash&h, uint64_t k) { return h(k); },
                        +[](const KeyedHash&h, uint64_t k) { return h.siphash(k); }}) {
    for (int bit = 0; bit < 64; ++bit) {
      EXPECT_NE(function(hash, 0), function(hash, 1ull << bit));
      EXPECT_NE(function(hash, 42), function(KeyedHash({kSeed[0] ^ 1ull << bit, kSeed[1]}), 42));
      EXPECT_NE(function(hash, 42), function(KeyedHash({kSeed[0], kSeed[1] ^ 1ull << bit}), 42));
    }
  }
}

TEST(KeyedHash, spreads_consecutive_addresses_evenly) {
  const KeyedHash hash(kSeed);
  for (auto function : {+[](const KeyedHash&h, uint64_t k) { return h(k); },
                        +[](const KeyedHash&h, uint64_t k) { return h.siphash(k); }}) {
    std::vector<unsigned> low(256), high(256);
    for (uint64_t i = 0; i < 256 * 64; ++i) {
      const uint64_t hashed = function(hash, MacTable::key(i, 1));
      ++low[hashed & 0xff], ++high[hashed >> 32 & 0xff];
    }
    for (const auto& counts : {low, high}) {
      for (unsigned count : counts) {
        EXPECT_GT(count, 64u / 3);
        EXPECT_LT(count, 64u * 3);
      }
    }
  }
}

// CPython hashes strings with SipHash-1-3, and with PYTHONHASHSEED=0 its key is zero:
// hash('abcdefgh') & (2**64 - 1).
TEST(KeyedHash, siphash_agrees_with_an_independent_implementation) {
  constexpr uint64_t kAbcdefgh = 0x6867666564636261;
  EXPECT_EQ(KeyedHash({0, 0}).siphash(kAbcdefgh), 0x3f7b849c0b8e35ea);
}

}  // namespace
}  // namespace sluice::test
