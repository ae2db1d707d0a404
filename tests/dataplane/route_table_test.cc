// SPDX-License-Identifier: BSD-3-Clause
//
// The route tables by themselves: which route is taken (B33), what happens when there is no room, and what a
// worker sees that looks up during changes.
#include "dataplane/route_table.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/reclaimer.h"
#include "control/route_table_writer.h"
#include "tests/dataplane/route_oracle.h"

namespace sluice::test {
namespace {

using control::QsbrReclaimer;
using control::Reclaimer;
using control::RouteAdded;
using control::RouteTableWriter;
using dataplane::Ip4;
using dataplane::Ip6;
using dataplane::RouteKind;
using dataplane::RouteTarget;

Ip4 ip4(const std::string& text) {
  in_addr address;
  EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &address), 1) << text;
  return ntohl(address.s_addr);
}
Ip6 ip6(const std::string& text) {
  in6_addr address;
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &address), 1) << text;
  return dataplane::load_ip6(address.s6_addr);
}
void parse(const std::string& text, Ip4& address) {
  address = ip4(text);
}
void parse(const std::string& text, Ip6& address) {
  address = ip6(text);
}

/// Route 0 is none at all.
RouteTarget to(uint32_t neighbor) {
  return neighbor == 0 ? RouteTarget() : RouteTarget(RouteKind::adjacency, neighbor);
}

/// A table that is spoken to in text.
template <class Address>
class Spoken {
 public:
  explicit Spoken(unsigned first_bits = 24, uint32_t capacity = 1000)
      : writer(RouteTableWriter<Address>::create(capacity, reclaimer, first_bits)) {}

  RouteAdded add(const std::string& prefix, uint32_t neighbor) {
    const auto [address, length] = split(prefix);
    return writer->add(address, length, to(neighbor));
  }
  bool remove(const std::string& prefix) {
    const auto [address, length] = split(prefix);
    return writer->remove(address, length);
  }
  /// The neighbor that packets to `address` go to, found both ways.
  uint32_t look_up(const std::string& address) {
    Address key;
    parse(address, key);
    RouteTarget in_bulk;
    writer->table().look_up(&key, &in_bulk, 1);
    EXPECT_EQ(in_bulk, writer->table().look_up(key)) << address;
    EXPECT_EQ(in_bulk.kind(), in_bulk.index() == 0 ? RouteKind::none : RouteKind::adjacency);
    return in_bulk.index();
  }

  SteppedReclaimer reclaimer;
  std::unique_ptr<RouteTableWriter<Address>> writer;

 private:
  static std::pair<Address, unsigned> split(const std::string& prefix) {
    const size_t slash = prefix.find('/');
    Address address;
    parse(prefix.substr(0, slash), address);
    return {address, static_cast<unsigned>(std::stoul(prefix.substr(slash + 1)))};
  }
};

class RouteTable : public testing::TestWithParam<unsigned> {
 protected:
  Spoken<Ip4> four{GetParam()};
  Spoken<Ip6> six{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(bits_of_the_first_level, RouteTable, testing::Values(16, 24));

TEST_P(RouteTable, has_no_route_for_anything_when_it_is_empty) {
  for (const char* address : {"0.0.0.0", "10.0.0.1", "255.255.255.255"}) EXPECT_EQ(four.look_up(address), 0u);
  for (const char* address : {"::", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_EQ(six.look_up(address), 0u);
}

TEST_P(RouteTable, takes_the_longest_ipv4_prefix_that_covers) {
  four.add("0.0.0.0/0", 1);
  four.add("10.0.0.0/8", 2);
  four.add("10.1.0.0/16", 3);
  four.add("10.1.2.0/24", 4);
  four.add("10.1.2.128/25", 5);
  four.add("10.1.2.200/31", 6);
  four.add("10.1.2.201/32", 7);
  EXPECT_EQ(four.look_up("9.255.255.255"), 1u);
  EXPECT_EQ(four.look_up("10.0.0.0"), 2u);
  EXPECT_EQ(four.look_up("10.1.1.255"), 3u);
  EXPECT_EQ(four.look_up("10.1.2.127"), 4u);
  EXPECT_EQ(four.look_up("10.1.2.128"), 5u);
  EXPECT_EQ(four.look_up("10.1.2.200"), 6u);
  EXPECT_EQ(four.look_up("10.1.2.201"), 7u);
  EXPECT_EQ(four.look_up("10.1.2.202"), 5u);
  EXPECT_EQ(four.look_up("10.1.3.0"), 3u);
  EXPECT_EQ(four.look_up("10.255.255.255"), 2u);
  EXPECT_EQ(four.look_up("11.0.0.0"), 1u);
}

TEST_P(RouteTable, takes_the_longest_ipv6_prefix_that_covers) {
  six.add("::/0", 1);
  six.add("2001:db8::/32", 2);
  six.add("2001:db8:1::/48", 3);
  six.add("2001:db8:1:2::/64", 4);
  six.add("2001:db8:1:2::a0/127", 5);
  six.add("2001:db8:1:2::a1/128", 6);
  EXPECT_EQ(six.look_up("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"), 1u);
  EXPECT_EQ(six.look_up("2001:db8::"), 2u);
  EXPECT_EQ(six.look_up("2001:db8:1::"), 3u);
  EXPECT_EQ(six.look_up("2001:db8:1:1:ffff:ffff:ffff:ffff"), 3u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::"), 4u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::9f"), 4u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::a0"), 5u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::a1"), 6u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::a2"), 4u);
  EXPECT_EQ(six.look_up("2001:db8:1:3::"), 3u);
  EXPECT_EQ(six.look_up("2001:db8:2::"), 2u);
  EXPECT_EQ(six.look_up("2001:db9::"), 1u);
}

TEST_P(RouteTable, finds_the_same_whatever_the_order_in_which_routes_came) {
  four.add("10.1.2.3/32", 5);
  four.add("10.1.2.0/24", 4);
  four.add("10.0.0.0/8", 2);
  four.add("10.1.0.0/16", 3);
  EXPECT_EQ(four.look_up("10.1.2.3"), 5u);
  EXPECT_EQ(four.look_up("10.1.2.4"), 4u);
  EXPECT_EQ(four.look_up("10.1.3.3"), 3u);
  EXPECT_EQ(four.look_up("10.2.2.3"), 2u);
  six.add("2001:db8::1/128", 5);
  six.add("2001:db8::/64", 4);
  six.add("2000::/3", 2);
  six.add("2001:db8::/32", 3);
  EXPECT_EQ(six.look_up("2001:db8::1"), 5u);
  EXPECT_EQ(six.look_up("2001:db8::1:1"), 4u);
  EXPECT_EQ(six.look_up("2001:db8:0:1::1"), 3u);
  EXPECT_EQ(six.look_up("2001:db9::1"), 2u);
}

TEST_P(RouteTable, falls_back_to_the_covering_route_when_one_is_removed) {
  four.add("0.0.0.0/0", 1);
  four.add("10.0.0.0/8", 2);
  four.add("10.1.2.0/25", 3);
  four.add("10.1.2.3/32", 4);
  EXPECT_TRUE(four.remove("10.1.2.0/25"));
  EXPECT_EQ(four.look_up("10.1.2.3"), 4u);
  EXPECT_EQ(four.look_up("10.1.2.4"), 2u);
  EXPECT_TRUE(four.remove("10.1.2.3/32"));
  EXPECT_EQ(four.look_up("10.1.2.3"), 2u);
  EXPECT_TRUE(four.remove("10.0.0.0/8"));
  EXPECT_EQ(four.look_up("10.1.2.3"), 1u);
  EXPECT_TRUE(four.remove("0.0.0.0/0"));
  EXPECT_EQ(four.look_up("10.1.2.3"), 0u);

  six.add("::/0", 1);
  six.add("2001:db8::/32", 2);
  six.add("2001:db8::/127", 3);
  six.add("2001:db8::1/128", 4);
  EXPECT_TRUE(six.remove("2001:db8::/127"));
  EXPECT_EQ(six.look_up("2001:db8::1"), 4u);
  EXPECT_EQ(six.look_up("2001:db8::"), 2u);
  EXPECT_TRUE(six.remove("2001:db8::1/128"));
  EXPECT_EQ(six.look_up("2001:db8::1"), 2u);
  EXPECT_TRUE(six.remove("2001:db8::/32"));
  EXPECT_EQ(six.look_up("2001:db8::1"), 1u);
}

// rte_fib 22.11 lost its groups here: every later route longer than /24 was refused.
TEST_P(RouteTable, takes_routes_longer_than_24_bits_after_one_of_them_was_removed) {
  four.add("10.0.0.0/8", 1);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(four.add("10.1.1.0/25", 2), RouteAdded::added) << i;
    ASSERT_TRUE(four.remove("10.1.1.0/25"));
    four.reclaimer.all_pass();
  }
  EXPECT_EQ(four.look_up("10.1.1.1"), 1u);
}

TEST_P(RouteTable, keeps_apart_routes_that_part_in_octets_which_others_skip) {
  six.add("2001:db8::/32", 1);
  six.add("2001:db8:1:1::1/128", 2);
  // Off the path of the only group, in front of it, and in its last skipped octet.
  EXPECT_EQ(six.look_up("2001:db8:1:1::2"), 1u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::1"), 1u);
  EXPECT_EQ(six.look_up("2001:db8:1:1::101"), 1u);
  six.add("2001:db8:1:2::1/128", 3);
  six.add("2001:db8:1:1::101/128", 4);
  six.add("2001:db8:1::/48", 5);
  EXPECT_EQ(six.look_up("2001:db8:1:1::1"), 2u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::1"), 3u);
  EXPECT_EQ(six.look_up("2001:db8:1:1::101"), 4u);
  EXPECT_EQ(six.look_up("2001:db8:1:1::201"), 5u);
  six.remove("2001:db8:1::/48");
  six.remove("2001:db8:1:2::1/128");
  EXPECT_EQ(six.look_up("2001:db8:1:1::1"), 2u);
  EXPECT_EQ(six.look_up("2001:db8:1:1::101"), 4u);
  EXPECT_EQ(six.look_up("2001:db8:1:2::1"), 1u);
}

TEST_P(RouteTable, replaces_the_target_of_a_route_that_is_there) {
  EXPECT_EQ(four.add("10.0.0.0/8", 1), RouteAdded::added);
  EXPECT_EQ(four.add("10.0.0.0/8", 2), RouteAdded::replaced);
  EXPECT_EQ(four.add("10.99.99.99/8", 3), RouteAdded::replaced);  // the same prefix
  EXPECT_EQ(four.look_up("10.0.0.1"), 3u);
  EXPECT_EQ(four.writer->size(), 1u);
  EXPECT_EQ(four.writer->find(ip4("10.0.0.0"), 8), to(3));
  EXPECT_EQ(four.writer->find(ip4("10.0.0.0"), 9), std::nullopt);
}

TEST_P(RouteTable, says_that_a_route_it_does_not_have_cannot_be_removed) {
  four.add("10.0.0.0/8", 1);
  EXPECT_FALSE(four.remove("10.0.0.0/9"));
  EXPECT_FALSE(four.remove("0.0.0.0/0"));
  EXPECT_FALSE(four.remove("10.0.0.1/32"));
  EXPECT_FALSE(six.remove("::/128"));
  EXPECT_EQ(four.look_up("10.0.0.1"), 1u);
}

TEST_P(RouteTable, looks_up_none_to_64_addresses_at_once) {
  four.add("10.0.0.0/8", 1);
  four.add("10.0.0.7/32", 2);
  std::array<Ip4, 64> keys;
  for (unsigned i = 0; i < 64; ++i) keys[i] = ip4("10.0.0.0") + i % 9 + (i % 5 == 0 ? 1u << 24 : 0);
  for (unsigned count = 0; count <= 64; ++count) {
    std::array<RouteTarget, 65> results;
    results.fill(to(99));
    four.writer->table().look_up(keys.data(), results.data(), count);
    for (unsigned i = 0; i < count; ++i)
      ASSERT_EQ(results[i], to(i % 5 == 0 ? 0 : i % 9 == 7 ? 2 : 1)) << count << " " << i;
    ASSERT_EQ(results[count], to(99)) << "beyond the last";
  }
}

TEST(RouteTableCapacity, holds_as_many_routes_as_it_says_and_refuses_the_next) {
  for (unsigned first_bits : {16u, 24u}) {
    for (uint32_t capacity : {1u, 10u, 5000u}) {
      Spoken<Ip4> four(first_bits, capacity);
      Spoken<Ip6> six(first_bits, capacity);
      for (uint32_t i = 0; i < capacity; ++i) {
        // Each alone in its groups, as far as there are octets to part in.
        ASSERT_EQ(four.writer->add(i * 0x9E3779B1, 32, to(i + 1)), RouteAdded::added) << i;
        ASSERT_EQ(six.writer->add({i * 0x9E3779B97F4A7C15, i}, 128, to(i + 1)), RouteAdded::added) << i;
      }
      EXPECT_EQ(four.add("1.2.3.4/30", 77), RouteAdded::full);
      EXPECT_EQ(six.add("2001:db8::/32", 77), RouteAdded::full);
      EXPECT_EQ(four.add("0.0.0.0/0", 77), RouteAdded::full);
      EXPECT_EQ(four.look_up("1.2.3.4"), 0u);
      for (uint32_t i = 0; i < capacity; ++i) {
        ASSERT_EQ(four.writer->table().look_up(i * 0x9E3779B1), to(i + 1));
        ASSERT_EQ(six.writer->table().look_up({i * 0x9E3779B97F4A7C15, i}), to(i + 1));
      }
      EXPECT_EQ(four.writer->size(), capacity);
      EXPECT_EQ(four.writer->add(0, 32, to(5)), RouteAdded::replaced) << "a full table takes new targets";
    }
  }
}

TEST(RouteTableCapacity, uses_a_group_again_only_when_all_readers_have_passed) {
  constexpr uint32_t kCapacity = 16, kReserve = kCapacity / 8 + 1024;
  Spoken<Ip4> four(24, kCapacity);
  four.add("10.0.0.0/8", 1);
  // Every removal leaves a group to readers that may be in it.
  for (uint32_t i = 0; i < kCapacity + kReserve; ++i) {
    ASSERT_EQ(four.add("10.1.1.1/32", 2), RouteAdded::added) << i;
    ASSERT_TRUE(four.remove("10.1.1.1/32"));
  }
  EXPECT_EQ(four.writer->groups_waiting(), kCapacity + kReserve);
  EXPECT_EQ(four.writer->groups_used(), 0u);
  EXPECT_EQ(four.add("10.1.1.1/32", 2), RouteAdded::full);
  EXPECT_EQ(four.look_up("10.1.1.1"), 1u) << "a refused route has changed nothing";
  EXPECT_EQ(four.writer->find(ip4("10.1.1.1"), 32), std::nullopt);
  EXPECT_EQ(four.add("10.1.1.0/24", 3), RouteAdded::added) << "it needs no group";
  four.reclaimer.all_pass();
  EXPECT_EQ(four.add("10.1.1.1/32", 2), RouteAdded::added);
  EXPECT_EQ(four.look_up("10.1.1.1"), 2u);
  EXPECT_EQ(four.writer->groups_waiting(), 0u);
}

TEST(RouteTableCapacity, states_its_memory) {
  // 64 MiB of entries and 16 of lengths; a group an IPv4 route, two an IPv6 route, of 1.25 KiB and a little.
  EXPECT_GE(RouteTableWriter<Ip4>::memory_bytes(1'000'000), (80ull << 20) + 1'000'000ull * 1280);
  EXPECT_LE(RouteTableWriter<Ip4>::memory_bytes(1'000'000), (80ull << 20) + 1'000'000ull * 1600);
  EXPECT_LE(RouteTableWriter<Ip6>::memory_bytes(200'000), (80ull << 20) + 200'000ull * 3200);
  EXPECT_LE(RouteTableWriter<Ip4>::memory_bytes(100, 16), 16u << 20);
}

/// The quiescent states of one worker, without EAL.
class OneWorker {
 public:
  OneWorker() {
    EXPECT_EQ(rte_rcu_qsbr_init(rcu(), 1), 0);
    rte_rcu_qsbr_thread_register(rcu(), 0);
    rte_rcu_qsbr_thread_online(rcu(), 0);
  }
  rte_rcu_qsbr* rcu() { return static_cast<rte_rcu_qsbr*>(memory_.get()); }
  void is_quiescent() { rte_rcu_qsbr_quiescent(rcu(), 0); }
  void leaves() { rte_rcu_qsbr_thread_offline(rcu(), 0); }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_{
      std::aligned_alloc(64, (rte_rcu_qsbr_get_memsize(1) + 63) / 64 * 64), std::free};
};

TEST(RouteTableCapacity, asks_the_workers_quiescent_states_through_rcu) {
  OneWorker worker;
  QsbrReclaimer reclaimer(worker.rcu());
  const uint64_t mark = reclaimer.mark();
  EXPECT_FALSE(reclaimer.passed(mark));
  worker.is_quiescent();
  EXPECT_TRUE(reclaimer.passed(mark));
  const uint64_t asleep = reclaimer.mark();
  EXPECT_FALSE(reclaimer.passed(asleep));
  worker.leaves();
  EXPECT_TRUE(reclaimer.passed(asleep)) << "a worker that sleeps reads nothing";
}

/// A random script of changes, and what each watched address answers after every step of it.
template <class Address>
struct Script {
  static constexpr unsigned kBits = 8 * sizeof(Address);
  static constexpr unsigned kWatched = 24;
  struct Step {
    Address prefix;
    unsigned length;
    RouteTarget target;  ///< none: the route goes
  };

  Script(uint64_t seed, unsigned count) {
    std::mt19937_64 random(seed);
    Colliding<kBits> colliding(random);
    RouteOracle<kBits> oracle;
    std::vector<Number> numbers;
    for (unsigned i = 0; i < kWatched; ++i) numbers.push_back(colliding.address());
    for (Number number : numbers) watched.push_back(to_address<Address>(number));
    for (unsigned i = 0; i <= count; ++i) {
      for (Number number : numbers) answers.push_back(oracle.look_up(number));
      steps.push_back(change(random, numbers, oracle, i + 1));
    }
  }

  Step change(std::mt19937_64& random, const std::vector<Number>& numbers, RouteOracle<kBits>& oracle,
              uint32_t target) {
    const Number prefix = numbers[random() % kWatched];
    // Mostly at its two ends: routes come and go inside of groups whose covering routes change.
    const unsigned length = random() % 4 == 0
                                ? static_cast<unsigned>(random() % 7 == 0 ? 0 : 13 + random() % (kBits - 12))
                            : random() % 2 == 0 ? 17 + static_cast<unsigned>(random() % 8)
                                                : kBits - static_cast<unsigned>(random() % 8);
    if (oracle.remove(prefix, length)) return {to_address<Address>(prefix), length, to(0)};
    oracle.add(prefix, length, to(target));
    return {to_address<Address>(prefix), length, to(target)};
  }

  /// True: `answer` was right for watched address `i` after some step from `first` to `last`.
  [[nodiscard]] bool was_right(unsigned i, RouteTarget answer, uint64_t first, uint64_t last) const {
    for (uint64_t step = first; step <= last; ++step)
      if (answers[step * kWatched + i] == answer) return true;
    return false;
  }

  std::vector<Address> watched;
  std::vector<RouteTarget> answers;
  std::vector<Step> steps;
};

/// One worker that looks the watched addresses up, while the test runs through the script.
template <class Address>
class Reader {
 public:
  Reader(const Script<Address>& script, const dataplane::RouteTable<Address>& table, OneWorker& worker)
      : script_(script), table_(table), worker_(worker), thread_([this] { run(); }) {}
  void begun(uint64_t step) { begun_.store(step); }
  void done(uint64_t step) { done_.store(step); }
  uint64_t stop() {
    stop_.store(true);
    thread_.join();
    return look_ups_;
  }
  bool stopped_early() const { return wrong_.load(); }

 private:
  void run() {
    while (!stop_.load() && !wrong_.load()) {
      look_up_in_bulk();
      for (unsigned i = 0; i < Script<Address>::kWatched; ++i) look_up_singly(i);
      if (++look_ups_ % 4 == 0) worker_.is_quiescent();
    }
    worker_.leaves();
  }
  void look_up_in_bulk() {
    std::array<RouteTarget, Script<Address>::kWatched> results;
    const uint64_t first = done_.load();
    table_.look_up(script_.watched.data(), results.data(), Script<Address>::kWatched);
    const uint64_t last = begun_.load();
    for (unsigned i = 0; i < results.size(); ++i) expect(i, results[i], first, last);
  }
  void look_up_singly(unsigned i) {
    const uint64_t first = done_.load();
    const RouteTarget result = table_.look_up(script_.watched[i]);
    expect(i, result, first, begun_.load());
  }
  void expect(unsigned i, RouteTarget answer, uint64_t first, uint64_t last) {
    if (script_.was_right(i, answer, first, last)) return;
    wrong_.store(true);
    ADD_FAILURE() << "address " << i << " answered " << answer.index() << " between steps " << first
                  << " and " << last;
  }

  const Script<Address>& script_;
  const dataplane::RouteTable<Address>& table_;
  OneWorker& worker_;
  std::atomic<uint64_t> begun_ = 0, done_ = 0;
  std::atomic<bool> stop_ = false, wrong_ = false;
  uint64_t look_ups_ = 0;
  std::thread thread_;
};

template <class Address>
class RouteTableReaders : public testing::Test {};
using Families = testing::Types<Ip4, Ip6>;
TYPED_TEST_SUITE(RouteTableReaders, Families);

TYPED_TEST(RouteTableReaders, see_the_old_or_the_new_answer_through_all_changes_and_never_a_third) {
  constexpr unsigned kSteps = 60'000;
  for (unsigned first_bits : {16u, 24u}) {
    OneWorker worker;
    QsbrReclaimer reclaimer(worker.rcu());
    const Script<TypeParam> script(first_bits, kSteps);
    const auto writer = RouteTableWriter<TypeParam>::create(2000, reclaimer, first_bits);
    Reader<TypeParam> reader(script, writer->table(), worker);
    for (unsigned i = 0; i < kSteps && !reader.stopped_early(); ++i) {
      const auto& [prefix, length, target] = script.steps[i];
      reader.begun(i + 1);
      if (target == RouteTarget()) {
        EXPECT_TRUE(writer->remove(prefix, length)) << i;
      } else {
        // All groups may wait for the reader, when it has not run for long.
        while (writer->add(prefix, length, target) == RouteAdded::full) std::this_thread::yield();
      }
      reader.done(i + 1);
    }
    EXPECT_GT(reader.stop(), 10u);
  }
}

// Groups that are made, taken out and used again carry what other routes left in them.
TYPED_TEST(RouteTableReaders, see_nothing_of_groups_that_come_and_go_beside_them) {
  constexpr unsigned kBits = 8 * sizeof(TypeParam), kCovering = kBits == 32 ? 24 : 48, kPrefixes = 8;
  const auto prefix = [](unsigned i) { return Number{0x200100 + i} << (kBits - 24); };
  OneWorker worker;
  QsbrReclaimer reclaimer(worker.rcu());
  const auto writer = RouteTableWriter<TypeParam>::create(100, reclaimer);
  for (unsigned i = 0; i < kPrefixes; ++i)
    writer->add(to_address<TypeParam>(prefix(i)), kCovering, to(1 + i));
  std::array<TypeParam, kPrefixes> addresses;
  for (unsigned i = 0; i < kPrefixes; ++i) addresses[i] = to_address<TypeParam>(prefix(i) + 2);
  std::atomic<bool> stop = false;
  std::atomic<unsigned> busy = 0;  // which prefix is being worked on
  uint64_t wrong = 0, right = 0;
  std::thread reader([&] {
    while (!stop.load()) {
      for (unsigned again = 0; again < 64; ++again) {
        const unsigned i = busy.load(std::memory_order_relaxed);
        ++(writer->table().look_up(addresses[i]) == to(1 + i) ? right : wrong);
      }
      worker.is_quiescent();
    }
    worker.leaves();
  });
  for (unsigned round = 0; round < 100'000; ++round) {
    const auto host = to_address<TypeParam>(prefix(round % kPrefixes) + 1);
    busy.store(round % kPrefixes, std::memory_order_relaxed);
    while (writer->add(host, kBits, to(100)) == RouteAdded::full) std::this_thread::yield();
    EXPECT_TRUE(writer->remove(host, kBits));
  }
  stop.store(true);
  reader.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(right, 1000u);
}

// The covering route gets target 3 only while the address has a longer route. A look-up that found no longer
// route, and then reads the covering route's target late, must not answer 3.
TYPED_TEST(RouteTableReaders, see_no_target_that_a_covering_route_had_only_while_another_was_longer) {
  constexpr unsigned kBits = 8 * sizeof(TypeParam);
  const auto covered = to_address<TypeParam>(Number{0x0A01} << (kBits - 16));
  const auto host = to_address<TypeParam>((Number{0x0A01} << (kBits - 16)) + 1);
  const auto watched = to_address<TypeParam>(Number{0x0A0109} << (kBits - 24));
  for (unsigned covering : {0u, 16u}) {
    OneWorker worker;
    QsbrReclaimer reclaimer(worker.rcu());
    const auto writer = RouteTableWriter<TypeParam>::create(100, reclaimer, 16);
    writer->add(covered, covering, to(2));
    writer->add(host, kBits, to(1));  // its group lies beside the watched address, over skipped octets
    std::atomic<bool> stop = false;
    std::atomic<uint64_t> wrong = 0, right = 0;
    std::thread reader([&] {
      std::array<TypeParam, 64> keys;
      keys.fill(host);
      keys.front() = keys.back() = watched;
      std::array<RouteTarget, 64> results;
      while (!stop.load()) {
        writer->table().look_up(keys.data(), results.data(), 64);
        for (RouteTarget result : {results.front(), results.back()})
          ++(result == to(2) || result == to(4) ? right : wrong);
        worker.is_quiescent();
      }
      worker.leaves();
    });
    for (unsigned round = 0; round < 15'000; ++round) {
      while (writer->add(watched, 24, to(4)) == RouteAdded::full) std::this_thread::yield();
      writer->add(covered, covering, to(3));
      writer->add(covered, covering, to(2));
      EXPECT_TRUE(writer->remove(watched, 24));
    }
    stop.store(true);
    reader.join();
    EXPECT_EQ(wrong.load(), 0u);
    EXPECT_GT(right.load(), 100u);
  }
}

}  // namespace
}  // namespace sluice::test
