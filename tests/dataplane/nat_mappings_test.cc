// SPDX-License-Identifier: BSD-3-Clause
//
// Mappings and permits by themselves, and NatTables, which ties them to sessions and ports.
#include "dataplane/nat_mappings.h"

#include <gtest/gtest.h>

#include <set>

#include "dataplane/nat_arena.h"

namespace sluice::test {
namespace {

using dataplane::External;
using dataplane::Flow;
using dataplane::kHoldsPermit;
using dataplane::kHoldsTarget;
using dataplane::kNoIndex;
using dataplane::kProtocolTcp;
using dataplane::kProtocolUdp;
using dataplane::kUnanswered;
using dataplane::MappingIndex;
using dataplane::MappingKey;
using dataplane::MappingTable;
using dataplane::NatArena;
using dataplane::NatTables;
using dataplane::PermitKey;
using dataplane::PermitTable;
using dataplane::PortRange;
using dataplane::Session;
using dataplane::SessionIndex;
using Outcome = dataplane::SessionTable::Outcome;
using Mapped = NatTables::Mapped;

constexpr dataplane::Ip4 kHost = 0xC0A80A07, kOther = 0xC0A80A08, kServer = 0x5DB8D822, kUplink = 0xCB007102;
constexpr PortRange kAll = {1, 65535};
const auto kNoneReserved = [](uint16_t) { return false; };

struct Nat {
  explicit Nat(uint32_t capacity = 100)
      : arena(NatArena::create(capacity, 1, 2, {3, 4})), tables(arena->tables(0)) {
    tables.ports.set_address(0, kUplink);
  }
  std::optional<NatArena> arena;
  NatTables tables;

  NatTables::MapResult map(dataplane::Ip4 inside, uint16_t port) {
    return tables.map({inside, port, kProtocolUdp, 1}, 0, kAll, kNoneReserved);
  }
  // A session outward, with a permit.
  Session outward(dataplane::Ip4 inside, uint16_t port, dataplane::Ip4 remote, uint32_t deadline_ms = 1000) {
    const MappingIndex mapping = map(inside, port).index;
    const External external = tables.mappings[mapping].outside();
    Session line = Session::between({inside, remote, port, 53, kProtocolUdp},
                                    {remote, external.address, 53, external.port, kProtocolUdp});
    line.mapping = mapping;
    line.flags = kHoldsPermit;
    line.deadline_ms = deadline_ms;
    return line;
  }
  [[nodiscard]] bool empty() const {
    return tables.sessions.size() == 0 && tables.mappings.size() == 0 && tables.permits.size() == 0 &&
           tables.ports.is_unused(0);
  }
};

// ---- MappingTable

TEST(MappingTable, finds_a_mapping_from_both_sides_until_its_last_user_is_gone) {
  Nat nat;
  MappingTable& table = nat.tables.mappings;
  const MappingKey key{kHost, 5000, kProtocolUdp, 1};
  const External external{kUplink, 6000, kProtocolUdp};
  const MappingIndex made = table.create(key, external, 1);
  ASSERT_NE(made, kNoIndex);
  EXPECT_EQ(table.find(key), made);
  EXPECT_EQ(table.find(external), made);
  EXPECT_EQ(table[made].key(), key);
  EXPECT_EQ(table[made].outside(), external);
  EXPECT_EQ(table[made].slot, 1);
  table.acquire(made);
  EXPECT_FALSE(table.release(made));
  EXPECT_EQ(table.find(key), made);
  EXPECT_TRUE(table.release(made));
  EXPECT_EQ(table.find(key), kNoIndex);
  EXPECT_EQ(table.find(external), kNoIndex);
  EXPECT_EQ(table.size(), 0u);
}

TEST(MappingTable, every_part_of_a_key_tells_mappings_apart) {
  Nat nat;
  MappingTable& table = nat.tables.mappings;
  const std::vector<MappingKey> keys = {{kHost, 5000, kProtocolUdp, 1},
                                        {kOther, 5000, kProtocolUdp, 1},
                                        {kHost, 5001, kProtocolUdp, 1},
                                        {kHost, 5000, kProtocolTcp, 1},
                                        {kHost, 5000, kProtocolUdp, 2},
                                        {kHost, 5000, kProtocolUdp, 1, kServer, 0},
                                        {kHost, 5000, kProtocolUdp, 1, 0, 53},
                                        {kHost, 5000, kProtocolUdp, 1, kServer, 53},
                                        {kServer, 53, kProtocolUdp, 1, kHost, 5000}};
  const std::vector<External> externals = {
      {kUplink, 1, kProtocolUdp}, {kUplink, 2, kProtocolUdp},     {kUplink + 1, 1, kProtocolUdp},
      {kUplink, 1, kProtocolTcp}, {kHost, 5000, kProtocolUdp},    {kUplink + 1, 2, kProtocolUdp},
      {kUplink, 0, kProtocolUdp}, {kUplink, 65535, kProtocolUdp}, {0, 0, kProtocolUdp}};
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(table.find(keys[i]), kNoIndex);
    EXPECT_EQ(table.find(externals[i]), kNoIndex);
    ASSERT_EQ(table.create(keys[i], externals[i], 0), i);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(table.find(keys[i]), i);
    EXPECT_EQ(table.find(externals[i]), i);
  }
}

TEST(MappingTable, refuses_what_is_mapped_already_on_either_side_and_what_it_has_no_line_for) {
  Nat nat(2);
  MappingTable& table = nat.tables.mappings;
  const MappingKey key{kHost, 5000, kProtocolUdp, 1}, other{kHost, 5001, kProtocolUdp, 1};
  const External external{kUplink, 6000, kProtocolUdp}, free{kUplink, 6001, kProtocolUdp};
  const MappingIndex made = table.create(key, external, 0);
  EXPECT_EQ(table.create(key, free, 0), kNoIndex);
  EXPECT_EQ(table.create(other, external, 0), kNoIndex);
  EXPECT_EQ(table.find(free), kNoIndex);
  EXPECT_EQ(table.find(other), kNoIndex);
  EXPECT_NE(table.create(other, free, 0), kNoIndex);
  EXPECT_EQ(table.create({kOther, 1, kProtocolUdp, 1}, {kUplink, 1, kProtocolUdp}, 0), kNoIndex) << "full";
  EXPECT_TRUE(table.release(made));
  EXPECT_EQ(table.create({kOther, 1, kProtocolUdp, 1}, {kUplink, 1, kProtocolUdp}, 0), made);
}

TEST(MappingTable, a_dump_in_steps_sees_every_mapping_once) {
  Nat nat;
  for (uint16_t port = 0; port < 20; ++port)
    nat.tables.mappings.create({kHost, port, kProtocolUdp, 1}, {kUplink, port, kProtocolUdp}, 0);
  for (MappingIndex index = 0; index < 20; index += 4) nat.tables.mappings.release(index);
  std::set<MappingIndex> seen;
  uint32_t cursor = 0;
  do {
    nat.tables.mappings.for_each(cursor, 3, [&](MappingIndex index, const dataplane::Mapping& mapping) {
      EXPECT_TRUE(seen.insert(index).second);
      EXPECT_EQ(mapping.inside_port, index);
    });
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 15u);
}

// ---- PermitTable

TEST(PermitTable, a_permit_is_there_while_it_has_users) {
  Nat nat;
  PermitTable& table = nat.tables.permits;
  const PermitKey key{kUplink, 6000, kProtocolUdp, kServer};
  EXPECT_FALSE(table.contains(key));
  EXPECT_TRUE(table.acquire(key));
  EXPECT_TRUE(table.acquire(key));
  EXPECT_EQ(table.size(), 1u);
  for (const PermitKey& stranger :
       {PermitKey{kUplink + 1, 6000, kProtocolUdp, kServer}, PermitKey{kUplink, 6001, kProtocolUdp, kServer},
        PermitKey{kUplink, 6000, kProtocolTcp, kServer}, PermitKey{kUplink, 6000, kProtocolUdp, kServer + 1},
        PermitKey{kServer, 6000, kProtocolUdp, kUplink}})
    EXPECT_FALSE(table.contains(stranger));
  table.release(key);
  EXPECT_TRUE(table.contains(key));
  EXPECT_EQ(table[table.find(key)].users, 1u);
  table.release(key);
  EXPECT_FALSE(table.contains(key));
  EXPECT_EQ(table.size(), 0u);
}

TEST(PermitTable, refuses_what_it_has_no_line_for_and_keeps_what_it_has) {
  Nat nat(2);
  PermitTable& table = nat.tables.permits;
  EXPECT_TRUE(table.acquire({kUplink, 1, kProtocolUdp, kServer}));
  EXPECT_TRUE(table.acquire({kUplink, 2, kProtocolUdp, kServer}));
  EXPECT_FALSE(table.acquire({kUplink, 3, kProtocolUdp, kServer}));
  EXPECT_FALSE(table.contains({kUplink, 3, kProtocolUdp, kServer}));
  EXPECT_TRUE(table.acquire({kUplink, 2, kProtocolUdp, kServer})) << "one user more takes no line";
}

// ---- NatTables

TEST(NatTables, B60_one_inside_port_has_one_external_port_whatever_it_talks_to) {
  Nat nat;
  const auto first = nat.map(kHost, 5000);
  EXPECT_EQ(first.outcome, Mapped::made);
  EXPECT_EQ(nat.tables.mappings[first.index].outside(), (External{kUplink, 5000, kProtocolUdp}));
  const auto again = nat.map(kHost, 5000);
  EXPECT_EQ(again.outcome, Mapped::found);
  EXPECT_EQ(again.index, first.index);
  const auto other = nat.map(kOther, 5000);
  EXPECT_EQ(other.outcome, Mapped::made);
  EXPECT_NE(nat.tables.mappings[other.index].external_port, 5000);

  nat.tables.release(first.index);
  EXPECT_EQ(nat.map(kHost, 5000).outcome, Mapped::found);
  nat.tables.release(first.index);
  nat.tables.release(first.index);
  nat.tables.release(other.index);
  nat.tables.release(kNoIndex);
  EXPECT_TRUE(nat.empty());
}

TEST(NatTables, B75_says_whether_ports_or_lines_ran_out_and_leaves_no_port_behind) {
  Nat nat(3);
  const PortRange two = {5000, 5001};
  const auto map = [&](uint16_t port, PortRange range) {
    return nat.tables.map({kHost, port, kProtocolUdp, 1}, 0, range, kNoneReserved);
  };
  EXPECT_EQ(map(5000, two).outcome, Mapped::made);
  EXPECT_EQ(map(5001, two).outcome, Mapped::made);
  const auto exhausted = map(5002, two);
  EXPECT_EQ(exhausted.outcome, Mapped::no_port);
  EXPECT_EQ(exhausted.index, kNoIndex);
  EXPECT_EQ(map(5002, kAll).outcome, Mapped::made);
  const auto full = map(9000, kAll);
  EXPECT_EQ(full.outcome, Mapped::full);
  EXPECT_EQ(full.index, kNoIndex);
  EXPECT_EQ(nat.tables.ports.owner(0, 9000), dataplane::PortBlocks::kNoWorker);
  EXPECT_EQ(nat.tables.ports.used(0, kProtocolUdp), 3u);
}

TEST(NatTables, a_session_takes_its_mapping_permit_and_port_with_it) {
  Nat nat;
  const auto first = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  const auto second = nat.tables.create(nat.outward(kHost, 5000, kServer + 1), 0);
  ASSERT_EQ(first.outcome, Outcome::made);
  ASSERT_EQ(second.outcome, Outcome::made);
  EXPECT_EQ(nat.tables.mappings.size(), 1u);
  EXPECT_TRUE(nat.tables.permits.contains({kUplink, 5000, kProtocolUdp, kServer}));
  EXPECT_TRUE(nat.tables.permits.contains({kUplink, 5000, kProtocolUdp, kServer + 1}));
  EXPECT_FALSE(nat.tables.permits.contains({kUplink, 5000, kProtocolUdp, kServer + 2}));

  nat.tables.end(first.index);
  EXPECT_FALSE(nat.tables.permits.contains({kUplink, 5000, kProtocolUdp, kServer}));
  EXPECT_NE(nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp}), kNoIndex);
  nat.tables.end(second.index);
  EXPECT_TRUE(nat.empty());
}

TEST(NatTables, a_session_that_is_refused_leaves_nothing_behind) {
  Nat nat(2);
  const auto first = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  EXPECT_EQ(nat.tables.create(nat.outward(kHost, 5000, kServer), 0).outcome, Outcome::exists);
  EXPECT_EQ(nat.tables.mappings[0].users, 1u);
  nat.tables.create(nat.outward(kHost, 5000, kServer + 1), 0);
  EXPECT_EQ(nat.tables.create(nat.outward(kHost, 5000, kServer + 2), 0).outcome, Outcome::full) << "permits";
  Session without = nat.outward(kHost, 5000, kServer + 3);
  without.flags = 0;
  EXPECT_EQ(nat.tables.create(without, 0).outcome, Outcome::full) << "sessions";
  EXPECT_EQ(nat.tables.mappings[0].users, 2u);
  nat.tables.end(first.index);
  EXPECT_EQ(nat.tables.sweep(1000, 10), 1u);
  EXPECT_TRUE(nat.empty());
}

unsigned live_sessions(const Nat& nat) {
  uint32_t cursor = 0, count = 0;
  nat.tables.sessions.for_each(cursor, UINT32_MAX, [&](SessionIndex, const Session&) { ++count; });
  return count;
}

TEST(NatTables, a_session_past_its_deadline_is_in_nobodys_way) {
  Nat nat;
  nat.tables.create(nat.outward(kHost, 5000, kServer, 100), 0);
  EXPECT_EQ(nat.tables.create(nat.outward(kHost, 5000, kServer, 300), 99).outcome, Outcome::exists);
  const auto made = nat.tables.create(nat.outward(kHost, 5000, kServer, 300), 100);
  EXPECT_EQ(made.outcome, Outcome::made);
  EXPECT_EQ(live_sessions(nat), 1u);
  EXPECT_EQ(nat.tables.mappings[0].users, 1u);
  EXPECT_TRUE(nat.tables.permits.contains({kUplink, 5000, kProtocolUdp, kServer}));

  // Two at once: one has the original's flow, the other the reply's.
  const Flow a{1, 2, 3, 4, kProtocolTcp}, b{5, 6, 7, 8, kProtocolTcp};
  nat.tables.create(Session::between(a, {9, 9, 9, 9, kProtocolTcp}), 0);
  nat.tables.create(Session::between({8, 8, 8, 8, kProtocolTcp}, b), 0);
  EXPECT_EQ(nat.tables.create(Session::between(a, b), 0).outcome, Outcome::made);
  EXPECT_EQ(live_sessions(nat), 2u);
}

/// A session that came in by the mapping of 192.168.10.7:5000, or whichever host has its place.
Session inward(MappingIndex mapping, uint16_t remote_port = 99) {
  Session line = Session::between({kServer, kUplink, remote_port, 5000, kProtocolUdp},
                                  {kHost, kServer, 5000, remote_port, kProtocolUdp});
  line.deadline_ms = 1000;
  line.mapping = mapping;
  line.flags = kUnanswered;
  return line;
}

TEST(NatTables, B65_a_session_from_outside_holds_the_mapping_that_it_came_by_once_it_is_answered) {
  Nat nat;
  const auto outward = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  const MappingIndex mapping = nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp});
  const auto made = nat.tables.create(inward(mapping), 0);
  ASSERT_EQ(made.outcome, Outcome::made);
  Session& line = nat.tables.sessions[made.index];
  EXPECT_EQ(line.leaving(0), (Flow{kServer, kHost, 99, 5000, kProtocolUdp}));
  EXPECT_EQ(nat.tables.mappings[mapping].users, 1u);
  nat.tables.answered(line);
  nat.tables.end(outward.index);
  EXPECT_EQ(nat.tables.mappings.size(), 1u);
  EXPECT_FALSE(nat.tables.is_stray(line));
  nat.tables.end(made.index);
  EXPECT_TRUE(nat.empty());
}

TEST(NatTables, B65_a_session_that_nobody_inside_has_answered_is_stray_without_its_mapping) {
  Nat nat;
  const auto outward = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  const auto made =
      nat.tables.create(inward(nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp})), 0);
  EXPECT_FALSE(nat.tables.is_stray(nat.tables.sessions[made.index]));
  nat.tables.end(outward.index);
  EXPECT_EQ(nat.tables.mappings.size(), 0u);
  EXPECT_TRUE(nat.tables.is_stray(nat.tables.sessions[made.index]));
  EXPECT_EQ(nat.tables.sweep(0, 100), 1u);
  EXPECT_TRUE(nat.empty());
}

// The line, and the port, are another host's now.
TEST(NatTables, B65_a_session_is_stray_when_its_mapping_has_become_another_hosts) {
  Nat nat;
  const auto outward = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  const MappingIndex mapping = nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp});
  const auto made = nat.tables.create(inward(mapping), 0);
  nat.tables.end(outward.index);
  nat.tables.create(nat.outward(kOther, 5000, kServer), 0);
  ASSERT_EQ(nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp}), mapping);
  EXPECT_TRUE(nat.tables.is_stray(nat.tables.sessions[made.index]));
  EXPECT_EQ(nat.tables.sweep(0, 100), 1u);
  EXPECT_EQ(nat.tables.mappings[mapping].users, 1u);
}

// Both came in one batch, so the answer was not seen to be one.
TEST(NatTables, B65_who_opens_the_answer_to_a_strangers_session_answers_it) {
  Nat nat;
  const auto outward = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  const MappingIndex mapping = nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp});
  const auto made = nat.tables.create(inward(mapping), 0);
  Session answer =
      Session::between({kHost, kServer, 5000, 99, kProtocolUdp}, {kServer, kUplink, 99, 5000, kProtocolUdp});
  answer.mapping = nat.map(kHost, 5000).index;
  EXPECT_EQ(nat.tables.create(answer, 0).outcome, Outcome::exists);
  nat.tables.end(outward.index);
  EXPECT_FALSE(nat.tables.is_stray(nat.tables.sessions[made.index]));
  EXPECT_EQ(nat.tables.mappings[mapping].users, 1u);
}

TEST(NatTables, a_retired_session_leaves_its_line_to_nobody_until_the_next_sweep) {
  Nat nat;
  const auto first = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  nat.tables.retire(first.index);
  EXPECT_EQ(nat.tables.mappings.size(), 0u);
  EXPECT_FALSE(nat.tables.sessions.is_live(first.index));
  EXPECT_EQ(nat.tables.sessions[first.index].arriving(0), (Flow{kHost, kServer, 5000, 53, kProtocolUdp}));
  EXPECT_NE(nat.tables.create(nat.outward(kHost, 5001, kServer), 0).index, first.index);
  EXPECT_EQ(nat.tables.sweep(0, 100), 0u);
  EXPECT_EQ(nat.tables.create(nat.outward(kHost, 5002, kServer), 0).index, first.index);
  EXPECT_EQ(nat.tables.ended, 1u);
}

TEST(NatTables, B65_a_stray_session_gives_way) {
  Nat nat;
  const auto outward = nat.tables.create(nat.outward(kHost, 5000, kServer), 0);
  const MappingIndex mapping = nat.tables.mappings.find(External{kUplink, 5000, kProtocolUdp});
  nat.tables.create(inward(mapping), 0);
  EXPECT_EQ(nat.tables.create(inward(mapping), 0).outcome, Outcome::exists);
  nat.tables.end(outward.index);
  Session again = inward(nat.map(kHost, 5000).index);
  nat.tables.mappings[again.mapping].inside_port = 1;  // not the one that the first came in by
  again.flags = 0;
  EXPECT_EQ(nat.tables.create(again, 0).outcome, Outcome::made);
  EXPECT_EQ(live_sessions(nat), 1u);
}

// A host talks to another's external port. If that mapping went, its port could become a third host's while
// this session still sends to the second.
TEST(NatTables, B71_a_hairpin_holds_the_mapping_that_it_goes_to) {
  Nat nat;
  const auto target = nat.tables.create(nat.outward(kOther, 6000, kServer), 0);
  const Flow original{kHost, kUplink, 5000, 6000, kProtocolUdp};
  Session hairpin = Session::between(original, {kOther, kUplink, 6000, 5000, kProtocolUdp});
  hairpin.mapping = nat.map(kHost, 5000).index;
  hairpin.flags = kHoldsPermit | kHoldsTarget;
  hairpin.deadline_ms = 1000;
  const auto made = nat.tables.create(hairpin, 0);
  ASSERT_EQ(made.outcome, Outcome::made);
  EXPECT_EQ(nat.tables.sessions[made.index].leaving(0), (Flow{kUplink, kOther, 5000, 6000, kProtocolUdp}));
  EXPECT_TRUE(nat.tables.permits.contains({kUplink, 5000, kProtocolUdp, kUplink}));
  nat.tables.end(target.index);
  EXPECT_NE(nat.tables.mappings.find(External{kUplink, 6000, kProtocolUdp}), kNoIndex);
  nat.tables.end(made.index);
  EXPECT_TRUE(nat.empty());

  hairpin.mapping = nat.map(kHost, 5000).index;
  EXPECT_EQ(nat.tables.create(hairpin, 0).outcome, Outcome::full) << "there is no such mapping any more";
  EXPECT_TRUE(nat.empty());
}

TEST(NatTables, a_host_may_talk_to_its_own_mapping) {
  Nat nat;
  const auto mapped = nat.map(kHost, 5000);
  const Flow original{kHost, kUplink, 5000, 5000, kProtocolUdp};
  Session line = Session::between(original, original);
  line.mapping = mapped.index;
  line.flags = kHoldsPermit | kHoldsTarget;
  const auto made = nat.tables.create(line, 0);
  ASSERT_EQ(made.outcome, Outcome::made);
  EXPECT_EQ(nat.tables.mappings[mapped.index].users, 2u);
  nat.tables.end(made.index);
  EXPECT_TRUE(nat.empty());
}

TEST(NatTables, B83_a_sweep_ends_the_sessions_that_it_is_told_to) {
  Nat nat;
  for (uint16_t port = 5000; port < 5010; ++port) nat.tables.create(nat.outward(kHost, port, kServer), 0);
  const auto doomed = [](const Session& line) { return line.arriving(0).source_port >= 5004; };
  EXPECT_EQ(nat.tables.sweep(0, 100, doomed), 6u);
  EXPECT_EQ(nat.tables.mappings.size(), 4u);
  EXPECT_EQ(nat.tables.ports.used(0, kProtocolUdp), 4u);
  EXPECT_EQ(nat.tables.sweep(1000, 100), 4u);
  EXPECT_TRUE(nat.empty());
}

}  // namespace
}  // namespace sluice::test
