// SPDX-License-Identifier: BSD-3-Clause
//
// NAT's tables against plain oracles, over long random sequences: keys from small sets, so that all of them
// meet, and small capacities, so that every table is often full.
#include "dataplane/nat_tables.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "dataplane/nat_arena.h"

namespace sluice::test {
namespace {

using dataplane::External;
using dataplane::Flow;
using dataplane::is_past;
using dataplane::kBlocksPerAddress;
using dataplane::kHoldsPermit;
using dataplane::kHoldsTarget;
using dataplane::kNoIndex;
using dataplane::kPortsPerBlock;
using dataplane::kProtocolIcmp;
using dataplane::kProtocolTcp;
using dataplane::kProtocolUdp;
using dataplane::kUnanswered;
using dataplane::Mapping;
using dataplane::MappingIndex;
using dataplane::MappingKey;
using dataplane::NatArena;
using dataplane::NatTables;
using dataplane::PermitKey;
using dataplane::PortBlocks;
using dataplane::PortRange;
using dataplane::Session;
using dataplane::SessionHandle;
using dataplane::SessionIndex;
using Outcome = dataplane::SessionTable::Outcome;

constexpr int kSteps = 220'000;

class NatTablesProperty : public testing::TestWithParam<uint64_t> {
 protected:
  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool one_in(uint64_t bound) { return below(bound) == 0; }
  uint16_t port_below(uint64_t bound) { return static_cast<uint16_t>(below(bound)); }

  std::mt19937_64 random_{GetParam()};
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Seeds, NatTablesProperty, testing::Values(1, 2));

// ---- sessions

class Sessions : public NatTablesProperty {
 protected:
  static constexpr uint32_t kCapacity = 100;
  using Key = std::array<uint64_t, 2>;

  Flow some_flow() {
    return {static_cast<uint32_t>(below(5)), static_cast<uint32_t>(below(5)), port_below(5), port_below(3),
            one_in(2) ? kProtocolTcp : kProtocolUdp};
  }
  void create(int step);
  void find(int step);
  void erase(SessionIndex index);
  void sweep();
  void compare_all();

  NatArena arena_ = *NatArena::create(kCapacity, 1, 0, {GetParam(), 1});
  dataplane::SessionTable table_ = arena_.tables(0).sessions;
  std::map<Key, SessionHandle> by_flow_;
  std::map<SessionIndex, Session> sessions_;
  uint32_t now_ms_ = UINT32_MAX - 100'000;  // the clock wraps on the way
};
INSTANTIATE_TEST_SUITE_P(Seeds, Sessions, testing::Values(1, 2));

void Sessions::create(int step) {
  Flow original = some_flow(), reply = some_flow();
  reply.protocol = original.protocol;
  if (one_in(20)) reply = original;
  Session line = Session::between(original, reply);
  line.deadline_ms = now_ms_ + static_cast<uint32_t>(below(2000));
  line.rule = static_cast<uint16_t>(step);
  const auto made = table_.create(line);
  const auto a = by_flow_.find(original.words()), b = by_flow_.find(reply.words());
  if (a != by_flow_.end() || b != by_flow_.end()) {
    ASSERT_EQ(made.outcome, Outcome::exists) << step;
    ASSERT_EQ(made.index, (a != by_flow_.end() ? a : b)->second.index()) << step;
  } else if (sessions_.size() == kCapacity) {
    ASSERT_EQ(made.outcome, Outcome::full) << step;
  } else {
    ASSERT_EQ(made.outcome, Outcome::made) << step;
    ASSERT_TRUE(sessions_.emplace(made.index, line).second) << step;
    by_flow_[reply.words()] = SessionHandle(made.index, 1);
    by_flow_[original.words()] = SessionHandle(made.index, 0);
  }
}

void Sessions::find(int step) {
  const Flow flow = some_flow();
  const auto known = by_flow_.find(flow.words());
  SessionHandle expected;
  if (known != by_flow_.end() && !is_past(sessions_[known->second.index()].deadline_ms, now_ms_))
    expected = known->second;
  const SessionHandle found = table_.find(flow, now_ms_);
  ASSERT_EQ(found.bits(), expected.bits()) << step;
  if (!found) return;
  ASSERT_EQ(table_[found.index()].rule, sessions_[found.index()].rule) << step;
  if (one_in(4)) {  // a packet keeps the session alive
    table_[found.index()].deadline_ms = now_ms_ + 1000;
    sessions_[found.index()].deadline_ms = now_ms_ + 1000;
  }
}

void Sessions::erase(SessionIndex index) {
  const Session& line = sessions_.at(index);
  by_flow_.erase(line.arriving(0).words());
  by_flow_.erase(line.arriving(1).words());
  sessions_.erase(index);
  table_.erase(index);
}

void Sessions::sweep() {
  const bool whole = one_in(2);
  const uint64_t before = sessions_.size();
  const auto also = [](const Session& line) { return line.rule % 50 == 0; };
  const uint32_t erased =
      table_.sweep(now_ms_, whole ? kCapacity : static_cast<uint32_t>(below(20)), also, [&](SessionIndex i) {
        const Session& line = sessions_.at(i);
        ASSERT_TRUE(is_past(line.deadline_ms, now_ms_) || also(line));
        erase(i);
      });
  ASSERT_EQ(sessions_.size() + erased, before);
  if (!whole) return;
  for (const auto& [index, line] : sessions_) ASSERT_FALSE(is_past(line.deadline_ms, now_ms_) || also(line));
}

void Sessions::compare_all() {
  std::set<SessionIndex> seen;
  uint32_t cursor = 0;
  do {
    table_.for_each(cursor, 16, [&](SessionIndex index, const Session& line) {
      ASSERT_TRUE(seen.insert(index).second);
      ASSERT_EQ(line.arriving(0), sessions_.at(index).arriving(0));
      ASSERT_EQ(line.arriving(1), sessions_.at(index).arriving(1));
    });
  } while (cursor != 0);
  ASSERT_EQ(seen.size(), sessions_.size());
  ASSERT_TRUE(table_.index().is_consistent());
}

TEST_P(Sessions, agree_with_an_oracle) {
  for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    now_ms_ += static_cast<uint32_t>(below(4));
    const uint64_t kind = below(100);
    if (kind < 40) {
      create(step);
    } else if (kind < 90) {
      find(step);
    } else if (kind < 97) {
      if (!sessions_.empty()) {
        const auto after = sessions_.lower_bound(static_cast<SessionIndex>(below(kCapacity)));
        erase(after == sessions_.end() ? sessions_.begin()->first : after->first);
      }
    } else if (kind < 98) {
      sweep();
    } else if (one_in(20)) {
      compare_all();
    }
    ASSERT_EQ(table_.size(), sessions_.size()) << step;
  }
  while (!sessions_.empty()) erase(sessions_.begin()->first);
  ASSERT_EQ(table_.index().count_away(), 0u);
}

// ---- mappings and permits

TEST_P(NatTablesProperty, mappings_agree_with_an_oracle) {
  constexpr uint32_t kCapacity = 60;
  const NatArena arena = *NatArena::create(kCapacity, 1, 0, {GetParam(), 2});
  auto table = arena.tables(0).mappings;
  using Inside = std::tuple<uint32_t, uint16_t, uint16_t, uint32_t, uint16_t, uint8_t>;
  using Outside = std::tuple<uint32_t, uint16_t, uint8_t>;
  struct Known {
    Inside inside;
    Outside outside;
    uint32_t users;
  };
  std::map<Inside, MappingIndex> by_inside;
  std::map<Outside, MappingIndex> by_outside;
  std::map<MappingIndex, Known> known;
  for (int step = 0; step < kSteps; ++step) {
    MappingKey key{static_cast<uint32_t>(below(4)), port_below(4), one_in(2) ? kProtocolTcp : kProtocolUdp,
                   port_below(2)};
    if (one_in(2)) key.remote = static_cast<uint32_t>(below(3)), key.remote_port = port_below(2);
    const External external{static_cast<uint32_t>(below(3)), port_below(30), key.protocol};
    const Inside inside{key.inside, key.inside_port, key.scope, key.remote, key.remote_port, key.protocol};
    const Outside outside{external.address, external.port, external.protocol};
    const auto a = by_inside.find(inside);
    const auto b = by_outside.find(outside);
    ASSERT_EQ(table.find(key), a == by_inside.end() ? kNoIndex : a->second) << step;
    ASSERT_EQ(table.find(external), b == by_outside.end() ? kNoIndex : b->second) << step;
    if (one_in(3)) {
      const MappingIndex made = table.create(key, external, 7);
      const bool possible = a == by_inside.end() && b == by_outside.end() && known.size() < kCapacity;
      ASSERT_EQ(made != kNoIndex, possible) << step;
      if (!possible) continue;
      ASSERT_TRUE(known.emplace(made, Known{inside, outside, 1}).second) << step;
      by_inside[inside] = by_outside[outside] = made;
    } else if (!known.empty()) {
      auto it = known.lower_bound(static_cast<MappingIndex>(below(kCapacity)));
      if (it == known.end()) it = known.begin();
      if (one_in(3)) {
        table.acquire(it->first);
        ++it->second.users;
        continue;
      }
      const bool last = --it->second.users == 0;
      ASSERT_EQ(table.release(it->first), last) << step;
      if (!last) continue;
      by_inside.erase(it->second.inside);
      by_outside.erase(it->second.outside);
      known.erase(it);
    }
    ASSERT_EQ(table.size(), known.size()) << step;
  }
  ASSERT_TRUE(table.index().is_consistent());
}

TEST_P(NatTablesProperty, permits_agree_with_an_oracle) {
  constexpr uint32_t kCapacity = 60;
  const NatArena arena = *NatArena::create(kCapacity, 1, 0, {GetParam(), 3});
  auto table = arena.tables(0).permits;
  std::map<std::tuple<uint32_t, uint16_t, uint8_t, uint32_t>, uint32_t> users;
  for (int step = 0; step < kSteps; ++step) {
    const PermitKey key{static_cast<uint32_t>(below(3)), port_below(4),
                        one_in(2) ? kProtocolTcp : kProtocolUdp, static_cast<uint32_t>(below(4))};
    const std::tuple plain{key.external, key.external_port, key.protocol, key.remote};
    const auto known = users.find(plain);
    ASSERT_EQ(table.contains(key), known != users.end()) << step;
    if (known != users.end()) {
      ASSERT_EQ(table[table.find(key)].users, known->second) << step;
    }
    if (one_in(2)) {
      const bool possible = known != users.end() || users.size() < kCapacity;
      ASSERT_EQ(table.acquire(key), possible) << step;
      if (possible) ++users[plain];
    } else if (known != users.end()) {
      table.release(key);
      if (--known->second == 0) users.erase(known);
    }
    ASSERT_EQ(table.size(), users.size()) << step;
  }
  ASSERT_TRUE(table.index().is_consistent());
}

// ---- ports

class Ports : public NatTablesProperty {
 protected:
  static constexpr unsigned kWorkers = 3, kSlots = 2;
  static constexpr uint8_t kFree = 255;

  struct Asked {
    unsigned worker;
    uint16_t slot;
    uint8_t protocol;
    uint16_t wanted;
    PortRange range;
  };

  static constexpr auto is_reserved = [](uint16_t port) { return port % 7 == 3; };
  static unsigned kind(uint8_t protocol) {
    return protocol == kProtocolTcp ? 0 : protocol == kProtocolUdp ? 1 : 2;
  }
  uint8_t& user(uint16_t slot, uint8_t protocol, unsigned port) {
    return users_[(slot * 3u + kind(protocol)) * 65536u + port];
  }
  unsigned& in_block(uint16_t slot, unsigned block, unsigned worker) {
    return in_block_[(slot * kBlocksPerAddress + block) * kWorkers + worker];
  }
  // kFree: nobody's.
  unsigned owner(uint16_t slot, unsigned block) {
    for (unsigned worker = 0; worker < kWorkers; ++worker)
      if (in_block(slot, block, worker) != 0) return worker;
    return kFree;
  }
  // Where the port may come from, said in another way than the table does.
  static bool is_eligible(const Asked& asked, unsigned port) {
    if (asked.protocol == kProtocolIcmp) return true;
    if (port == 0 || port < asked.range.first || port > asked.range.last) return false;
    const bool has_class = asked.wanted < 1024 ? std::max<unsigned>(asked.range.first, 1) <=
                                                     std::min<unsigned>(asked.range.last, 1023)
                                               : asked.range.last >= 1024;
    return !has_class || (port < 1024) == (asked.wanted < 1024);
  }
  void judge(const Asked& asked, std::optional<uint16_t> port);
  void allocate();
  void free_one();

  NatArena arena_ = *NatArena::create(1, kWorkers, kSlots, {GetParam(), 4});
  std::vector<PortBlocks> ports_ = {arena_.tables(0).ports, arena_.tables(1).ports, arena_.tables(2).ports};
  std::vector<uint8_t> users_ = std::vector<uint8_t>(kSlots * 3 * 65536, kFree);
  std::vector<unsigned> in_block_ = std::vector<unsigned>(kSlots * kBlocksPerAddress * kWorkers);
  std::vector<Asked> given_;  // `wanted` is the port
};
INSTANTIATE_TEST_SUITE_P(Seeds, Ports, testing::Values(1, 2));

void Ports::judge(const Asked& asked, std::optional<uint16_t> port) {
  bool any_ours = false, any_unclaimed = false;
  std::set<unsigned> blocks, owned;
  const unsigned first = asked.protocol == kProtocolIcmp ? 0 : asked.range.first;
  const unsigned last = asked.protocol == kProtocolIcmp ? 65535 : asked.range.last;
  for (unsigned p = first; p <= last; ++p) {
    if (!is_eligible(asked, p)) continue;
    const unsigned block = p / kPortsPerBlock, by = owner(asked.slot, block);
    blocks.insert(block);
    if (by == asked.worker) owned.insert(block);
    if (is_reserved(static_cast<uint16_t>(p)) || user(asked.slot, asked.protocol, p) != kFree) continue;
    any_ours |= by == asked.worker;
    any_unclaimed |= by == kFree;
  }
  ASSERT_EQ(port.has_value(), any_ours || any_unclaimed);
  if (!port) return;
  const unsigned by = owner(asked.slot, *port / kPortsPerBlock);
  const unsigned wanted_by = owner(asked.slot, asked.wanted / kPortsPerBlock);
  const bool may_keep =
      is_eligible(asked, asked.wanted) && !is_reserved(asked.wanted) &&
      user(asked.slot, asked.protocol, asked.wanted) == kFree &&
      (wanted_by == asked.worker || (wanted_by == kFree && owned.size() * kWorkers < blocks.size()));
  if (may_keep) {
    ASSERT_EQ(*port, asked.wanted);
  } else {
    ASSERT_EQ(by, any_ours ? asked.worker : kFree) << "its own blocks first";
  }
}

void Ports::allocate() {
  const uint8_t protocol = std::array{kProtocolTcp, kProtocolUdp, kProtocolIcmp}[one_in(50) ? 2 : below(2)];
  const auto first = static_cast<uint16_t>(900 + below(200));
  const auto range =
      one_in(500) ? PortRange{0, 65535} : PortRange{first, static_cast<uint16_t>(first + below(700))};
  const Asked asked{static_cast<unsigned>(below(kWorkers)), port_below(kSlots), protocol,
                    static_cast<uint16_t>(850 + below(1000)), range};
  const auto port =
      ports_[asked.worker].allocate(asked.slot, asked.protocol, asked.wanted, asked.range, is_reserved);
  if (one_in(protocol == kProtocolIcmp ? 50 : 10) || (!port && one_in(2))) judge(asked, port);
  if (!port) return;
  ASSERT_TRUE(is_eligible(asked, *port));
  ASSERT_FALSE(is_reserved(*port));
  ASSERT_EQ(user(asked.slot, protocol, *port), kFree);
  const unsigned block = *port / kPortsPerBlock;
  ASSERT_TRUE(owner(asked.slot, block) == kFree || owner(asked.slot, block) == asked.worker);
  user(asked.slot, protocol, *port) = static_cast<uint8_t>(asked.worker);
  ++in_block(asked.slot, block, asked.worker);
  given_.push_back({asked.worker, asked.slot, protocol, *port, {}});
}

void Ports::free_one() {
  std::swap(given_[below(given_.size())], given_.back());
  const Asked given = given_.back();
  given_.pop_back();
  user(given.slot, given.protocol, given.wanted) = kFree;
  --in_block(given.slot, given.wanted / kPortsPerBlock, given.worker);
  ports_[given.worker].free(given.slot, given.protocol, given.wanted);
}

TEST_P(Ports, agree_with_an_oracle) {
  bool filling = true;
  for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    if (one_in(2000)) filling = !filling;
    SCOPED_TRACE(step);
    if (below(100) < (filling ? 60u : 40u)) {
      allocate();
    } else if (!given_.empty()) {
      free_one();
    }
    const uint16_t slot = port_below(kSlots), port = one_in(10) ? port_below(65536) : port_below(2000);
    const unsigned by = owner(slot, port / kPortsPerBlock);
    ASSERT_EQ(ports_[0].owner(slot, port), by == kFree ? PortBlocks::kNoWorker : by);
  }
  while (!given_.empty()) free_one();
  for (uint16_t slot = 0; slot < kSlots; ++slot) ASSERT_TRUE(ports_[0].is_unused(slot));
}

// ---- all together

class Together : public NatTablesProperty {
 protected:
  static constexpr uint32_t kCapacity = 60;
  static constexpr dataplane::Ip4 kAddress = 1000, kRemote = 2000;

  void SetUp() override {
    for (uint16_t slot : {0, 1}) nat_.ports.set_address(slot, kAddress + slot);
  }
  Flow some_original();
  void open();
  void open_from_outside();
  void answer_one();
  void make(const Session& line);
  void check();

  NatArena arena_ = *NatArena::create(kCapacity, 1, 2, {GetParam(), 5});
  NatTables nat_ = arena_.tables(0);
  uint32_t now_ms_ = UINT32_MAX - 200'000;
  std::array<unsigned, 3> outcomes_{};
  unsigned answered_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Seeds, Together, testing::Values(1, 2));

Flow Together::some_original() {
  Flow flow{static_cast<uint32_t>(1 + below(6)), kRemote + static_cast<uint32_t>(below(5)),
            static_cast<uint16_t>(5000 + below(10)), static_cast<uint16_t>(1 + below(2)), kProtocolUdp};
  if (one_in(5)) {  // to an external port of ours
    flow.destination = kAddress + static_cast<uint32_t>(below(2));
    flow.destination_port = static_cast<uint16_t>(5000 + below(20));
  }
  return flow;
}

void Together::open() {
  const Flow flow = some_original();
  MappingIndex target = kNoIndex;
  if (flow.destination < kRemote) {
    target = nat_.mappings.find(External{flow.destination, flow.destination_port, kProtocolUdp});
    if (target == kNoIndex) return;
  }
  MappingKey key{flow.source, flow.source_port, kProtocolUdp, 1};
  if (flow.source == 1) key.remote = flow.destination, key.remote_port = flow.destination_port;
  const auto slot = static_cast<uint16_t>(flow.source % 2);
  const auto mapped = nat_.map(key, slot, {5000, 5024}, [](uint16_t port) { return port == 5007; });
  if (mapped.index == kNoIndex) {
    ASSERT_EQ(mapped.outcome == NatTables::Mapped::full, nat_.mappings.size() == kCapacity);
    ASSERT_TRUE(mapped.outcome == NatTables::Mapped::full || nat_.ports.used(slot, kProtocolUdp) == 24);
    return;
  }
  const Mapping& mapping = nat_.mappings[mapped.index];
  Flow reply{flow.destination, mapping.external, flow.destination_port, mapping.external_port, kProtocolUdp};
  if (target != kNoIndex) {
    reply.source = nat_.mappings[target].inside;
    reply.source_port = nat_.mappings[target].inside_port;
  }
  Session line = Session::between(flow, reply);
  line.mapping = mapped.index;
  line.flags = static_cast<uint8_t>(kHoldsPermit | (target == kNoIndex ? 0 : kHoldsTarget));
  make(line);
}

void Together::open_from_outside() {
  const Flow flow{kRemote + static_cast<uint32_t>(below(5)), kAddress + static_cast<uint32_t>(below(2)),
                  static_cast<uint16_t>(1 + below(3)), static_cast<uint16_t>(5000 + below(25)), kProtocolUdp};
  const MappingIndex mapping =
      nat_.mappings.find(External{flow.destination, flow.destination_port, flow.protocol});
  if (!nat_.permits.contains({flow.destination, flow.destination_port, flow.protocol, flow.source})) return;
  ASSERT_NE(mapping, kNoIndex) << "a permit without a mapping";
  const Mapping& known = nat_.mappings[mapping];
  Session line =
      Session::between(flow, {known.inside, flow.source, known.inside_port, flow.source_port, flow.protocol});
  line.mapping = mapping;
  line.flags = kUnanswered;
  make(line);
}

void Together::answer_one() {
  const auto index = static_cast<SessionIndex>(below(kCapacity));
  if (!nat_.sessions.is_live(index)) return;
  Session& session = nat_.sessions[index];
  if ((session.flags & kUnanswered) == 0 || nat_.is_stray(session)) return;
  nat_.answered(session);
  ++answered_;
}

void Together::make(const Session& session) {
  Session line = session;
  line.deadline_ms = now_ms_ + 1 + static_cast<uint32_t>(below(3000));
  const auto meets = [&](unsigned direction) {
    const SessionHandle other = nat_.sessions.find(line.arriving(direction), now_ms_);
    return other && !nat_.is_stray(nat_.sessions[other.index()]);
  };
  const bool in_the_way = meets(0) || meets(1);
  const auto made = nat_.create(line, now_ms_);
  ++outcomes_[static_cast<size_t>(made.outcome)];
  if (made.outcome == Outcome::made) {
    ASSERT_FALSE(in_the_way);
    ASSERT_EQ(nat_.sessions.find(line.arriving(1), now_ms_).index(), made.index);
  } else if (made.outcome == Outcome::exists) {
    ASSERT_TRUE(in_the_way);
  } else {
    ASSERT_TRUE(nat_.sessions.size() == kCapacity || nat_.permits.size() == kCapacity);
  }
}

// What the sessions say they use is what the tables say is used.
void Together::check() {
  nat_.sweep(now_ms_, kCapacity);  // gives the retired lines back
  std::map<MappingIndex, uint32_t> mapping_users;
  std::map<std::tuple<uint32_t, uint16_t, uint32_t>, uint32_t> permit_users;
  uint32_t cursor = 0, sessions = 0;
  nat_.sessions.for_each(cursor, UINT32_MAX, [&](SessionIndex, const Session& line) {
    ++sessions;
    if ((line.flags & kUnanswered) == 0) ++mapping_users[line.mapping];
    if ((line.flags & kHoldsTarget) != 0) {
      const MappingIndex target = nat_.mappings.find(NatTables::target_of(line));
      ASSERT_NE(target, kNoIndex);
      ASSERT_EQ(nat_.mappings[target].inside, line.arriving(1).source) << "the port is another host's now";
      ++mapping_users[target];
    }
    const PermitKey permit = NatTables::permit_of(line);
    if ((line.flags & kHoldsPermit) != 0)
      ++permit_users[{permit.external, permit.external_port, permit.remote}];
  });
  ASSERT_EQ(sessions, nat_.sessions.size());
  ASSERT_EQ(mapping_users.size(), nat_.mappings.size());
  std::array<uint32_t, 2> used{};
  std::set<std::pair<uint32_t, uint16_t>> externals;
  for (const auto& [index, users] : mapping_users) {
    const Mapping& mapping = nat_.mappings[index];
    ASSERT_EQ(mapping.users, users);
    ASSERT_TRUE(externals.insert({mapping.external, mapping.external_port}).second);
    ++used[mapping.slot];
  }
  for (uint16_t slot : {0, 1}) ASSERT_EQ(nat_.ports.used(slot, kProtocolUdp), used[slot]);
  ASSERT_EQ(permit_users.size(), nat_.permits.size());
  for (const auto& [key, users] : permit_users) {
    const auto& [external, port, remote] = key;
    const auto index = nat_.permits.find({external, port, kProtocolUdp, remote});
    ASSERT_NE(index, kNoIndex);
    ASSERT_EQ(nat_.permits[index].users, users);
  }
}

TEST_P(Together, sessions_mappings_permits_and_ports_come_and_go_as_one) {
  for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    SCOPED_TRACE(step);
    now_ms_ += static_cast<uint32_t>(below(40));
    const uint64_t kind = below(100);
    if (kind < 60) {
      open();
    } else if (kind < 80) {
      open_from_outside();
    } else if (kind < 85) {
      const auto index = static_cast<SessionIndex>(below(kCapacity));
      if (nat_.sessions.is_live(index)) nat_.end(index);
    } else if (kind < 88) {
      answer_one();
    } else {
      nat_.sweep(now_ms_, 4);
    }
    if (step % 20 == 0) check();
  }
  for (unsigned count : outcomes_) EXPECT_GT(count, 100u) << "every outcome is met";
  EXPECT_GT(answered_, 50u);
  nat_.sweep(now_ms_ + 10'000, kCapacity);
  ASSERT_EQ(nat_.sessions.size() + nat_.mappings.size() + nat_.permits.size(), 0u);
  for (uint16_t slot : {0, 1}) ASSERT_TRUE(nat_.ports.is_unused(slot));
}

}  // namespace
}  // namespace sluice::test
