// SPDX-License-Identifier: BSD-3-Clause
//
// A million random changes of the MAC table against a plain oracle: addresses that are learned, move, are
// refreshed and age; static ones above them; limits of the table, of bridges and of ports that change under
// way; flushes by port, by VLAN, by both, and of all. Addresses from a small set and a small table, so that
// all of it meets (B01, B05 to B07, B09, B10).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>

#include "dataplane/mac_table.h"

namespace sluice::test {
namespace {

using dataplane::DomainId;
using dataplane::kNoPort;
using dataplane::Learned;
using dataplane::Mac48;
using dataplane::MacTable;
using dataplane::PortIndex;

constexpr unsigned kSteps = 170'000;
// Half of all places of their buckets, as full as a table can be; small ones overflow most.
constexpr std::array<uint32_t, 6> kCapacities = {310, 310, 150, 75, 35, 15};
constexpr unsigned kMacs = 150, kDomains = 4, kBridges = 2, kPorts = 5;
constexpr uint32_t kAgeing_s = 300;

/// What the table is said to do, in words that need no hash and no lock.
class Oracle {
 public:
  struct Entry {
    PortIndex port;
    bool is_static;
    uint32_t last_seen_s;
    bool operator==(const Entry&) const = default;
  };
  using Key = std::pair<DomainId, Mac48>;
  using Entries = std::map<Key, Entry>;

  explicit Oracle(uint32_t capacity) : capacity_(capacity) {}

  static unsigned bridge_of(DomainId domain) { return domain % kBridges; }

  Learned learn(Key key, PortIndex port, uint32_t now_s) {
    const auto known = entries_.find(key);
    if (known == entries_.end()) return add(key, port, now_s);
    Entry& entry = known->second;
    if (entry.port == port) {
      if (!entry.is_static) entry.last_seen_s = now_s;
      return Learned::known;
    }
    if (entry.is_static || on_port(port) >= port_limits[port]) return Learned::refused;
    entry = {port, false, now_s};
    return Learned::moved;
  }

  void add_static(Key key, PortIndex port) { entries_[key] = {port, true, 0}; }

  template <class Predicate>
  uint32_t erase_if(Predicate pred) {
    return static_cast<uint32_t>(std::erase_if(entries_, pred));
  }

  [[nodiscard]] uint32_t dynamic_size() const {
    return count([](const Key&, const Entry&) { return true; });
  }
  [[nodiscard]] const Entries& entries() const { return entries_; }

  std::array<uint32_t, kPorts> port_limits{};
  std::array<uint32_t, kBridges> bridge_limits{};
  uint32_t reserved = 0;

 private:
  Learned add(Key key, PortIndex port, uint32_t now_s) {
    const unsigned bridge = bridge_of(key.first);
    const uint32_t in_bridge =
        count([&](const Key& k, const Entry&) { return bridge_of(k.first) == bridge; });
    const bool room = dynamic_size() < capacity_ - std::min(reserved, capacity_) &&
                      in_bridge < bridge_limits[bridge] && on_port(port) < port_limits[port];
    if (!room) return Learned::refused;
    entries_[key] = {port, false, now_s};
    return Learned::added;
  }

  [[nodiscard]] uint32_t on_port(PortIndex port) const {
    return count([&](const Key&, const Entry& entry) { return entry.port == port; });
  }

  /// Only what was learned counts against a limit.
  template <class Predicate>
  [[nodiscard]] uint32_t count(Predicate pred) const {
    return static_cast<uint32_t>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& item) {
      return !item.second.is_static && pred(item.first, item.second);
    }));
  }

  uint32_t capacity_;
  Entries entries_;
};

class MacTableProperty : public testing::TestWithParam<uint64_t> {
 protected:
  MacTableProperty() {
    for (DomainId domain = 1; domain <= kDomains; ++domain)
      table_->assign(domain, static_cast<uint8_t>(Oracle::bridge_of(domain)));
    for (PortIndex port = 0; port < kPorts; ++port) limit_port(port, MacTable::kNoLimit);
    for (uint8_t bridge = 0; bridge < kBridges; ++bridge) limit_bridge(bridge, MacTable::kNoLimit);
  }

  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool one_in(uint64_t bound) { return below(bound) == 0; }
  PortIndex some_port() { return static_cast<PortIndex>(below(kPorts)); }
  DomainId some_domain() { return static_cast<DomainId>(1 + below(kDomains)); }
  Oracle::Key some_key() { return {some_domain(), 0x02'00'00'00'00'00 + below(kMacs)}; }
  uint32_t some_limit() {
    return one_in(3) ? MacTable::kNoLimit : static_cast<uint32_t>(below(capacity_ / 3));
  }

  void limit_port(PortIndex port, uint32_t limit) {
    table_->limit_port(port, limit);
    oracle_.port_limits[port] = limit;
  }
  void limit_bridge(uint8_t bridge, uint32_t limit) {
    table_->limit_bridge(bridge, limit);
    oracle_.bridge_limits[bridge] = limit;
  }

  void step();
  void learn();
  void find();
  void add_static();
  void change_limits();
  void flush();
  void age();
  template <class Predicate>
  void erase_if(Predicate pred);
  void compare_all();

  std::mt19937_64 random_{GetParam()};
  uint32_t capacity_ = kCapacities[GetParam() % kCapacities.size()];
  std::unique_ptr<MacTable> table_ = MacTable::create(capacity_, {GetParam(), 1});
  Oracle oracle_{capacity_};
  uint32_t now_s_ = MacTable::kSecondsModulus - 1000;  // the second wraps on the way
  testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(GetParam())};
};
INSTANTIATE_TEST_SUITE_P(Seeds, MacTableProperty, testing::Range<uint64_t>(1, 7));

void MacTableProperty::learn() {
  const Oracle::Key key = some_key();
  const PortIndex port = some_port();
  const uint64_t wanted = MacTable::key(key.second, key.first);
  const Learned expected = oracle_.learn(key, port, now_s_ % MacTable::kSecondsModulus);
  ASSERT_EQ(table_->learn(wanted, table_->hash(wanted), port, now_s_), expected);
}

void MacTableProperty::find() {
  const Oracle::Key key = some_key();
  const uint64_t wanted = MacTable::key(key.second, key.first);
  const auto known = oracle_.entries().find(key);
  const PortIndex expected = known == oracle_.entries().end() ? kNoPort : known->second.port;
  ASSERT_EQ(table_->find(wanted, table_->hash(wanted)), expected);
}

// Control sets room aside before it adds them; no more than there is.
void MacTableProperty::add_static() {
  const auto& entries = oracle_.entries();
  const auto statics =
      std::count_if(entries.begin(), entries.end(), [](const auto& item) { return item.second.is_static; });
  if (static_cast<uint32_t>(statics) >= oracle_.reserved) return;
  const Oracle::Key key = some_key();
  const PortIndex port = some_port();
  ASSERT_TRUE(table_->add_static(key.second, key.first, port));
  oracle_.add_static(key, port);
}

void MacTableProperty::change_limits() {
  switch (below(3)) {
    case 0:
      limit_port(some_port(), some_limit());
      break;
    case 1:
      limit_bridge(static_cast<uint8_t>(below(kBridges)), some_limit());
      break;
    default:
      oracle_.reserved = static_cast<uint32_t>(below(capacity_ / 8 + 2));
      table_->reserve_static(oracle_.reserved);
      erase_if([](const MacTable::Entry& entry) { return entry.is_static; });
  }
}

void MacTableProperty::flush() {
  const PortIndex port = some_port();
  const DomainId domain = some_domain();
  const auto kind = below(8);
  erase_if([&](const MacTable::Entry& entry) {
    if (kind == 0) return !entry.is_static;
    return !entry.is_static && (kind > 4 || entry.port == port) && (kind < 3 || entry.domain == domain);
  });
}

void MacTableProperty::age() {
  now_s_ += static_cast<uint32_t>(below(200));
  erase_if([&](const MacTable::Entry& entry) {
    return !entry.is_static && (now_s_ - entry.last_seen_s) % MacTable::kSecondsModulus > kAgeing_s;
  });
}

template <class Predicate>
void MacTableProperty::erase_if(Predicate pred) {
  const uint32_t expected = oracle_.erase_if([&](const auto& item) {
    const auto& [key, entry] = item;
    return pred(MacTable::Entry{key.second, key.first, entry.port, entry.is_static, entry.last_seen_s});
  });
  ASSERT_EQ(table_->erase_if(pred), expected);
}

void MacTableProperty::compare_all() {
  Oracle::Entries seen;
  table_->for_each([&](const MacTable::Entry& entry) {
    const bool once = seen.emplace(Oracle::Key{entry.domain, entry.mac},
                                   Oracle::Entry{entry.port, entry.is_static, entry.last_seen_s})
                          .second;
    ASSERT_TRUE(once) << "an address stands in two places";
  });
  ASSERT_EQ(seen, oracle_.entries());
}

void MacTableProperty::step() {
  const uint64_t kind = below(1000);
  if (kind < 500)
    learn();
  else if (kind < 960)
    find();
  else if (kind < 985)
    add_static();
  else if (kind < 990)
    change_limits();
  else if (kind < 993)
    flush();
  else
    age();
}

TEST_P(MacTableProperty, agrees_with_an_oracle_over_a_million_random_steps) {
  for (unsigned step = 0; step < kSteps && !HasFatalFailure(); ++step) {
    this->step();
    ASSERT_EQ(table_->dynamic_size(), oracle_.dynamic_size()) << "step " << step;
    if (step % 256 == 0) compare_all();
  }
  erase_if([](const MacTable::Entry&) { return true; });
  ASSERT_EQ(table_->dynamic_size(), 0u);
}

}  // namespace
}  // namespace sluice::test
