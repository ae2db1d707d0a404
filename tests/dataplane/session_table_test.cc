// SPDX-License-Identifier: BSD-3-Clause
//
// The session table by itself: both directions, time, its capacity, its index; and the arena that it lies in.
#include "dataplane/session_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "dataplane/nat_arena.h"

namespace sluice::test {
namespace {

using dataplane::checksum_after;
using dataplane::Flow;
using dataplane::FlowIndex;
using dataplane::KeyedHash;
using dataplane::kNoIndex;
using dataplane::kProtocolIcmp;
using dataplane::kProtocolTcp;
using dataplane::kProtocolUdp;
using dataplane::NatArena;
using dataplane::Session;
using dataplane::SessionHandle;
using dataplane::SessionIndex;
using dataplane::SessionTable;
using Outcome = SessionTable::Outcome;

constexpr KeyedHash::Seed kSeed = {0x0123456789abcdef, 0xfedcba9876543210};
constexpr dataplane::Ip4 kHost = 0xC0A80A07, kServer = 0x5DB8D822, kUplink = 0xCB007102;

NatArena make_arena(uint32_t sessions, unsigned workers = 1, KeyedHash::Seed seed = kSeed) {
  auto arena = NatArena::create(sessions, workers, 1, seed);
  EXPECT_TRUE(arena);
  return std::move(*arena);
}

// The session of the i-th flow from a host behind an address of ours.
Session session(uint32_t i, uint32_t deadline_ms = 1000) {
  const auto low = static_cast<uint16_t>(i), high = static_cast<uint16_t>(i >> 16);
  const Flow original{kHost + high, kServer, low, 443, kProtocolTcp};
  Session made = Session::between(
      original, Flow{kServer, kUplink + high, 443, static_cast<uint16_t>(low ^ 0x5555), kProtocolTcp});
  made.deadline_ms = deadline_ms;
  return made;
}

TEST(SessionTable, finds_a_session_from_both_sides_and_says_what_leaves) {
  const NatArena arena = make_arena(10);
  SessionTable table = arena.tables(0).sessions;
  const Flow original{kHost, kServer, 51514, 80, kProtocolTcp};
  const Flow reply{kServer, kUplink, 80, 40000, kProtocolTcp};
  Session line = Session::between(original, reply);
  line.deadline_ms = 500;
  const auto made = table.create(line);
  ASSERT_EQ(made.outcome, Outcome::made);

  EXPECT_EQ(table.find(original, 0), SessionHandle(made.index, 0));
  EXPECT_EQ(table.find(reply, 0), SessionHandle(made.index, 1));
  EXPECT_FALSE(table.find(original.reversed(), 0));
  EXPECT_FALSE(table.find({kHost, kServer, 51514, 80, kProtocolUdp}, 0));
  EXPECT_EQ(table[made.index].leaving(0), (Flow{kUplink, kServer, 40000, 80, kProtocolTcp}));
  EXPECT_EQ(table[made.index].leaving(1), (Flow{kServer, kHost, 80, 51514, kProtocolTcp}));
  EXPECT_TRUE(table.is_live(made.index));
  EXPECT_EQ(table.size(), 1u);

  table.erase(made.index);
  EXPECT_FALSE(table.find(original, 0));
  EXPECT_FALSE(table.find(reply, 0));
  EXPECT_FALSE(table.is_live(made.index));
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTable, a_session_ends_at_its_deadline_also_when_the_clock_wraps) {
  const NatArena arena = make_arena(10);
  SessionTable table = arena.tables(0).sessions;
  const Session line = session(1, 5);
  table.create(line);
  EXPECT_TRUE(table.find(line.arriving(0), UINT32_MAX - 10));
  EXPECT_TRUE(table.find(line.arriving(0), 4));
  EXPECT_FALSE(table.find(line.arriving(0), 5));
  EXPECT_FALSE(table.find(line.arriving(1), 6));
  EXPECT_FALSE(table.find(line.arriving(0), 5 + dataplane::kMaxTimeoutMs));
}

TEST(SessionTable, refuses_a_second_session_with_the_same_arriving_flow_in_either_direction) {
  const NatArena arena = make_arena(10);
  SessionTable table = arena.tables(0).sessions;
  const Session first = session(1);
  const auto made = table.create(first);
  const Flow elsewhere{1, 2, 3, 4, kProtocolTcp};
  for (const Session& second :
       {first, Session::between(first.arriving(0), elsewhere), Session::between(elsewhere, first.arriving(1)),
        Session::between(first.arriving(1), elsewhere), Session::between(elsewhere, first.arriving(0))}) {
    const auto refused = table.create(second);
    EXPECT_EQ(refused.outcome, Outcome::exists);
    EXPECT_EQ(refused.index, made.index);
    EXPECT_FALSE(table.find(elsewhere, 0));
  }
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.index().is_consistent());
}

TEST(SessionTable, a_host_that_sends_to_its_own_external_port_has_one_flow_both_ways) {
  const NatArena arena = make_arena(10);
  SessionTable table = arena.tables(0).sessions;
  const Flow itself{kHost, kUplink, 5000, 6000, kProtocolUdp};
  Session line = Session::between(itself, itself);
  line.deadline_ms = 1;
  const auto made = table.create(line);
  ASSERT_EQ(made.outcome, Outcome::made);
  EXPECT_EQ(table.find(itself, 0).index(), made.index);
  EXPECT_EQ(table[made.index].leaving(0), (Flow{kUplink, kHost, 6000, 5000, kProtocolUdp}));
  table.erase(made.index);
  EXPECT_FALSE(table.find(itself, 0));
  EXPECT_EQ(table.create(line).outcome, Outcome::made);
}

TEST(SessionTable, holds_exactly_as_many_sessions_as_it_says_whatever_they_are) {
  for (uint32_t capacity : {1u, 5u, 64u, 1000u, 16384u, 52428u}) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      const NatArena arena = make_arena(capacity, 1, {seed, 99});
      SessionTable table = arena.tables(0).sessions;
      for (uint32_t i = 0; i < capacity; ++i)
        ASSERT_EQ(table.create(session(i)).outcome, Outcome::made) << capacity << " " << i;
      const auto refused = table.create(session(capacity));
      EXPECT_EQ(refused.outcome, Outcome::full);
      EXPECT_EQ(refused.index, kNoIndex);
      EXPECT_FALSE(table.find(session(capacity).arriving(1), 0));
      for (uint32_t i = 0; i < capacity; ++i) {
        ASSERT_TRUE(table.find(session(i).arriving(0), 0));
        ASSERT_TRUE(table.find(session(i).arriving(1), 0));
      }
      EXPECT_EQ(table.size(), capacity);
    }
  }
}

TEST(SessionTable, the_line_freed_last_is_used_next_and_none_is_lost) {
  const NatArena arena = make_arena(4);
  SessionTable table = arena.tables(0).sessions;
  for (uint32_t i = 0; i < 4; ++i) table.create(session(i));
  table.erase(1);
  table.erase(3);
  EXPECT_EQ(table.create(session(10)).index, 3u);
  EXPECT_EQ(table.create(session(11)).index, 1u);
  EXPECT_EQ(table.create(session(12)).outcome, Outcome::full);
}

// The phases of a stage: what candidate() guesses is nearly always what find() confirms.
TEST(SessionTable, a_candidate_is_nearly_always_the_session) {
  const NatArena arena = make_arena(10000);
  SessionTable table = arena.tables(0).sessions;
  for (uint32_t i = 0; i < 10000; ++i) table.create(session(i));
  unsigned wrong = 0;
  for (uint32_t i = 0; i < 10000; ++i) {
    const uint64_t hash = table.hash(session(i).arriving(1));
    const SessionHandle found = table.find(session(i).arriving(1), hash, 0);
    ASSERT_EQ(found.direction(), 1u);
    wrong += table.candidate(hash) != found;
  }
  EXPECT_LT(wrong, 100u);  // those in their other bucket, and the odd equal signature
}

// ---- sweep and for_each

TEST(SessionTable, a_sweep_looks_at_no_more_lines_than_its_budget_and_goes_round) {
  const NatArena arena = make_arena(100);
  SessionTable table = arena.tables(0).sessions;
  for (uint32_t i = 0; i < 50; ++i) table.create(session(i));
  std::vector<SessionIndex> seen;
  const auto note = [&](const Session& line) {
    seen.push_back(static_cast<SessionIndex>(&line - &table[0]));
    return false;
  };
  const auto never = [](SessionIndex) { FAIL(); };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(table.sweep(0, 20, note, never), 0u);
  ASSERT_EQ(seen.size(), 100u);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(seen[i], i % 50);
  seen.clear();
  table.sweep(0, 1'000'000, note, never);
  EXPECT_EQ(seen.size(), 50u) << "each line at most once";
}

TEST(SessionTable, a_sweep_ends_what_is_past_its_deadline_and_what_it_is_told_to) {
  const NatArena arena = make_arena(100);
  SessionTable table = arena.tables(0).sessions;
  for (uint32_t i = 0; i < 30; ++i) table.create(session(i, i < 10 ? 100 : 200));
  const auto erase = [&](SessionIndex index) { table.erase(index); };
  const auto odd = [](const Session& line) { return line.arriving(0).source_port % 2 == 1; };
  EXPECT_EQ(table.sweep(
                100, 100, [](const Session&) { return false; }, erase),
            10u);
  EXPECT_EQ(table.sweep(100, 100, odd, erase), 10u);
  EXPECT_EQ(table.size(), 10u);
  EXPECT_EQ(table.sweep(200, 100, odd, erase), 10u);
  EXPECT_EQ(table.size(), 0u);
}

TEST(SessionTable, a_sweep_may_erase_a_session_that_it_has_not_come_to) {
  const NatArena arena = make_arena(10);
  SessionTable table = arena.tables(0).sessions;
  for (uint32_t i = 0; i < 3; ++i) table.create(session(i, 1));
  const auto all = [&](SessionIndex) {
    for (SessionIndex i = 0; i < 3; ++i)
      if (table.is_live(i)) table.erase(i);
  };
  EXPECT_EQ(table.sweep(
                1, 10, [](const Session&) { return false; }, all),
            1u);
}

TEST(SessionTable, a_dump_in_steps_sees_every_session_once) {
  const NatArena arena = make_arena(100);
  SessionTable table = arena.tables(0).sessions;
  uint32_t cursor = 0;
  table.for_each(cursor, 10, [](SessionIndex, const Session&) { FAIL(); });
  EXPECT_EQ(cursor, 0u);
  for (uint32_t i = 0; i < 70; ++i) table.create(session(i));
  for (SessionIndex i = 0; i < 70; i += 3) table.erase(i);
  for (uint32_t budget : {1u, 7u, 10u, 70u, 1000u}) {
    std::set<SessionIndex> seen;
    do {
      unsigned visits = 0;
      table.for_each(cursor, budget, [&](SessionIndex index, const Session& line) {
        EXPECT_TRUE(seen.insert(index).second);
        EXPECT_EQ(line.arriving(0), session(index).arriving(0));
        ++visits;
      });
      EXPECT_LE(visits, budget);
    } while (cursor != 0);
    EXPECT_EQ(seen.size(), table.size());
  }
}

// ---- checksum deltas

uint16_t checksum(const std::vector<uint16_t>& words) {
  uint32_t sum = 0;
  for (uint16_t word : words) sum += word;
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

std::vector<uint16_t> header(const Flow& flow) {
  return {static_cast<uint16_t>(flow.source >> 16), static_cast<uint16_t>(flow.source),
          static_cast<uint16_t>(flow.destination >> 16), static_cast<uint16_t>(flow.destination), 0x4500};
}

std::vector<uint16_t> l4(const Flow& flow) {
  if (flow.protocol == kProtocolIcmp) return {flow.source_port, 0x0800};
  auto words = header(flow);
  words.insert(words.end(), {flow.source_port, flow.destination_port, 0x1234});
  return words;
}

uint16_t in_memory(uint16_t host) {
  return dataplane::BigEndian<uint16_t>(host).wire();
}

TEST(Session, its_deltas_make_the_checksums_that_a_recount_makes) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    const uint8_t protocol = std::array{kProtocolTcp, kProtocolUdp, kProtocolIcmp}[i % 3];
    const auto port = [&] { return static_cast<uint16_t>(random()); };
    Flow original{static_cast<uint32_t>(random()), static_cast<uint32_t>(random()), port(), port(), protocol};
    Flow reply{static_cast<uint32_t>(random()), static_cast<uint32_t>(random()), port(), port(), protocol};
    if (i % 10 == 0) reply = original.reversed();  // nothing is translated
    if (protocol == kProtocolIcmp) {
      original.destination_port = original.source_port;
      reply.destination_port = reply.source_port;
    }
    const Session line = Session::between(original, reply);
    for (unsigned direction : {0u, 1u}) {
      const Flow from = line.arriving(direction), to = line.leaving(direction);
      const auto ip = checksum_after(in_memory(checksum(header(from))), line.ip_delta_of(direction));
      ASSERT_EQ(ip, in_memory(checksum(header(to)))) << i;
      const auto transport = checksum_after(in_memory(checksum(l4(from))), line.l4_delta_of(direction));
      ASSERT_EQ(transport, in_memory(checksum(l4(to)))) << i;
    }
  }
}

// ---- the index

TEST(FlowIndex, takes_twenty_entries_that_only_have_two_buckets_and_refuses_the_next) {
  alignas(64) std::array<FlowIndex::Bucket, 4> buckets{};
  FlowIndex index(buckets.data(), buckets.size());
  constexpr uint64_t kHash = 0xABCD'0000'0000'0002;  // one home, one signature
  for (uint32_t i = 0; i < 20; ++i) ASSERT_TRUE(index.insert(kHash, i)) << i;
  EXPECT_FALSE(index.insert(kHash, 20));
  for (uint32_t i = 0; i < 21; ++i) {
    const uint32_t found = index.find(kHash, [&](uint32_t value) { return value == i; });
    EXPECT_EQ(found, i < 20 ? i : FlowIndex::kNone);
  }
  EXPECT_EQ(index.count_away(), 10u);
  EXPECT_TRUE(index.is_consistent());
  for (uint32_t i = 0; i < 20; ++i) EXPECT_TRUE(index.erase(kHash, i));
  EXPECT_FALSE(index.erase(kHash, 0));
  EXPECT_EQ(index.count_away(), 0u);
  EXPECT_TRUE(index.is_consistent());
}

// Far beyond the load that it is sized for, so that every way of making room is taken.
TEST(FlowIndex, finds_everything_while_it_makes_room_by_moving_entries_on) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<FlowIndex::Bucket> memory(17);  // an aligned one among them
    FlowIndex index(memory.data(), 16);
    std::vector<uint64_t> hashes;
    for (uint64_t hash = random(); index.insert(hash, static_cast<uint32_t>(hashes.size())); hash = random())
      hashes.push_back(hash);
    ASSERT_GT(hashes.size(), 100u) << "of 160";
    ASSERT_TRUE(index.is_consistent());
    std::vector<uint32_t> order(hashes.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    const auto found = [&](uint32_t i) {
      return index.find(hashes[i], [&](uint32_t value) { return value == i; }) == i;
    };
    for (uint32_t i : order) ASSERT_TRUE(found(i));
    for (uint32_t i : order) {
      ASSERT_TRUE(index.erase(hashes[i], i));
      ASSERT_FALSE(found(i));
      ASSERT_TRUE(index.is_consistent());
    }
    ASSERT_EQ(index.count_away(), 0u);
  }
}

// Entries that had to leave home can go back there once others are gone.
TEST(FlowIndex, keeps_its_books_while_entries_come_and_go_at_a_load_that_is_too_high) {
  std::mt19937_64 random(13);
  std::vector<FlowIndex::Bucket> memory(8);
  FlowIndex index(memory.data(), memory.size());
  std::vector<std::pair<uint64_t, uint32_t>> entries;
  unsigned refused = 0;
  for (uint32_t step = 0; step < 20000; ++step) {
    if (random() % 100 < 52) {
      const uint64_t hash = random();
      if (index.insert(hash, step)) {
        entries.emplace_back(hash, step);
      } else {
        ++refused;
      }
    } else if (!entries.empty()) {
      std::swap(entries[random() % entries.size()], entries.back());
      ASSERT_TRUE(index.erase(entries.back().first, entries.back().second));
      entries.pop_back();
    }
    ASSERT_TRUE(index.is_consistent()) << step;
    for (const auto& entry : entries) {
      const auto is_it = [&](uint32_t found) { return found == entry.second; };
      ASSERT_EQ(index.find(entry.first, is_it), entry.second) << step;
    }
  }
  EXPECT_GT(refused, 50u);
}

TEST(SessionTable, a_session_whose_answers_find_no_place_in_the_index_leaves_nothing_there) {
  std::vector<FlowIndex::Bucket> buckets(2);
  std::vector<Session> lines(100);
  dataplane::LineCounts counts{};
  SessionTable table(KeyedHash(kSeed), FlowIndex(buckets.data(), buckets.size()),
                     dataplane::LinePool<Session>(lines.data(), &counts, 100));
  const auto empty = [&] {
    return std::all_of(buckets.begin(), buckets.end(), [](const auto& bucket) {
      return bucket.signatures == decltype(bucket.signatures){} && bucket.overflow == 0 && bucket.away == 0;
    });
  };
  // An odd number of places, so that it is the answers' that is missing.
  const Flow itself{1, 1, 1, 1, kProtocolUdp};
  ASSERT_EQ(table.create(Session::between(itself, itself)).outcome, Outcome::made);
  for (uint32_t i = 0; i < 9; ++i) ASSERT_EQ(table.create(session(i)).outcome, Outcome::made);
  EXPECT_EQ(table.create(session(9)).outcome, Outcome::full);
  EXPECT_EQ(table.size(), 10u);
  EXPECT_FALSE(table.find(session(9).arriving(0), 0));
  for (SessionIndex i = 0; i < 10; ++i) table.erase(i);
  EXPECT_TRUE(empty());
}

TEST(FlowIndex, few_entries_stand_away_from_home_at_the_load_that_it_is_sized_for) {
  const NatArena arena = make_arena(52428);  // the most for its number of buckets
  SessionTable table = arena.tables(0).sessions;
  for (uint32_t i = 0; i < 52428; ++i) table.create(session(i));
  EXPECT_LT(table.index().count_away(), 52428u * 2 / 50);
  EXPECT_TRUE(table.index().is_consistent());
}

// ---- the hash

TEST(KeyedHashOfTwoWords, depends_on_every_bit_of_key_and_seed) {
  const KeyedHash hash(kSeed);
  for (auto function : {+[](const KeyedHash&h, uint64_t a, uint64_t b) { return h(a, b); },
                        +[](const KeyedHash&h, uint64_t a, uint64_t b) { return h.siphash(a, b); }}) {
    std::set<uint64_t> seen = {function(hash, 0, 0)};
    for (int bit = 0; bit < 64; ++bit) {
      EXPECT_TRUE(seen.insert(function(hash, 1ull << bit, 0)).second);
      EXPECT_TRUE(seen.insert(function(hash, 0, 1ull << bit)).second);
      EXPECT_TRUE(seen.insert(function(KeyedHash({kSeed[0] ^ 1ull << bit, kSeed[1]}), 0, 0)).second);
      EXPECT_TRUE(seen.insert(function(KeyedHash({kSeed[0], kSeed[1] ^ 1ull << bit}), 0, 0)).second);
    }
  }
}

// Each input bit flips each output bit about half of the time.
TEST(KeyedHashOfTwoWords, one_bit_of_the_key_changes_half_of_the_hash) {
  const KeyedHash hash(kSeed);
  for (auto function : {+[](const KeyedHash&h, uint64_t a, uint64_t b) { return h(a, b); },
                        +[](const KeyedHash&h, uint64_t a, uint64_t b) { return h.siphash(a, b); }}) {
    std::mt19937_64 random(5);
    for (int input = 0; input < 128; ++input) {
      std::array<int, 64> flips{};
      for (int i = 0; i < 1000; ++i) {
        const uint64_t a = random(), b = random();
        const uint64_t changed = function(hash, a, b) ^ function(hash, input < 64 ? a ^ 1ull << input : a,
                                                                 input < 64 ? b : b ^ 1ull << (input - 64));
        for (int bit = 0; bit < 64; ++bit) flips[bit] += changed >> bit & 1;
      }
      for (int count : flips) {
        EXPECT_GT(count, 400);
        EXPECT_LT(count, 600);
      }
    }
  }
}

// CPython, PYTHONHASHSEED=0: hash('abcdefghijklmnop') & (2**64 - 1); see KeyedHash's test of one word.
TEST(KeyedHashOfTwoWords, siphash_agrees_with_an_independent_implementation) {
  EXPECT_EQ(KeyedHash({0, 0}).siphash(0x6867666564636261, 0x706f6e6d6c6b6a69), 0x94f60d3d29e6a312);
}

// ---- the arena

TEST(NatArena, means_the_same_at_another_address) {
  const NatArena arena = make_arena(2000, 2);
  SessionTable table = arena.tables(1).sessions;
  for (uint32_t i = 0; i < 500; ++i) ASSERT_EQ(table.create(session(i)).outcome, Outcome::made);

  const NatArena elsewhere = make_arena(2000, 2, {7, 7});
  ASSERT_EQ(elsewhere.bytes(), arena.bytes());
  std::memcpy(elsewhere.memory(), arena.memory(), arena.bytes());
  std::memset(arena.memory() + 4096, 0, arena.bytes() - 4096);
  ASSERT_TRUE(NatArena::is_readable(elsewhere.memory(), elsewhere.bytes()));
  SessionTable copy = elsewhere.tables(1).sessions;
  EXPECT_EQ(copy.size(), 500u);
  for (uint32_t i = 0; i < 500; ++i) ASSERT_TRUE(copy.find(session(i).arriving(1), 0));
  ASSERT_EQ(copy.create(session(500)).index, 500u);
}

TEST(NatArena, is_not_read_if_it_is_of_another_version_layout_hash_or_size) {
  const NatArena arena = make_arena(100, 2);
  EXPECT_TRUE(NatArena::is_readable(arena.memory(), arena.bytes()));
  EXPECT_FALSE(NatArena::is_readable(arena.memory(), arena.bytes() - 1));
  EXPECT_FALSE(NatArena::is_readable(arena.memory(), 10));
  for (size_t octet = 0; octet < sizeof(dataplane::NatArenaHeader); ++octet) {
    arena.memory()[octet] ^= std::byte{1};
    EXPECT_FALSE(NatArena::is_readable(arena.memory(), arena.bytes())) << octet;
    arena.memory()[octet] ^= std::byte{1};
  }
  EXPECT_TRUE(NatArena::is_readable(arena.memory(), arena.bytes()));
}

TEST(NatArena, workers_share_capacity_and_nothing_else) {
  const NatArena arena = make_arena(10, 3);
  for (unsigned worker = 0; worker < 3; ++worker) {
    SessionTable table = arena.tables(worker).sessions;
    EXPECT_EQ(table.capacity(), 4u) << "a third, rounded up";
    for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(table.create(session(i)).outcome, Outcome::made);
    EXPECT_EQ(table.create(session(4)).outcome, Outcome::full);
  }
  arena.tables(1).sessions.erase(0);
  EXPECT_TRUE(arena.tables(0).sessions.find(session(0).arriving(0), 0));
  EXPECT_FALSE(arena.tables(1).sessions.find(session(0).arriving(0), 0));
}

TEST(NatArena, says_what_memory_it_takes_and_when_there_is_none) {
  EXPECT_EQ(NatArena::memory_bytes(65536, 4, 2), NatArena::create(65536, 4, 2, kSeed)->bytes());
  EXPECT_GE(NatArena::memory_bytes(65536, 1, 0), 65536u * 112);
  EXPECT_LE(NatArena::memory_bytes(65536, 1, 0), 65536u * 200);
  EXPECT_TRUE(NatArena::create(4'194'304, 16, 1000, kSeed));
  // Lines of a worker begin on lines of the cache.
  const NatArena arena = make_arena(7, 3);
  for (unsigned worker = 0; worker < 3; ++worker)
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&arena.tables(worker).sessions[0]) % 64, 0u);
}

TEST(NatArena, moves_and_lets_go_of_what_it_had) {
  NatArena first = make_arena(10), second = make_arena(20);
  std::byte* memory = second.memory();
  first = std::move(second);
  EXPECT_EQ(first.memory(), memory);
  const NatArena third(std::move(first));
  EXPECT_EQ(third.memory(), memory);
}

}  // namespace
}  // namespace sluice::test
