// SPDX-License-Identifier: BSD-3-Clause
//
// A million random changes and look-ups of a route table per family, against an oracle (B33).
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "control/route_table_writer.h"
#include "tests/dataplane/route_oracle.h"

namespace sluice::test {
namespace {

using control::RouteAdded;
using control::RouteTableWriter;
using dataplane::Ip4;
using dataplane::Ip6;
using dataplane::RouteKind;
using dataplane::RouteTarget;

constexpr unsigned kRounds = 10;
constexpr unsigned kSteps = 100'000;
constexpr uint32_t kCapacity = 150;

template <class Address>
class Round {
 public:
  static constexpr unsigned kBits = 8 * sizeof(Address);
  using Oracle = RouteOracle<kBits>;

  explicit Round(uint64_t seed)
      : random_(seed),
        first_bits_(seed % 2 == 0 ? 16 : 24),
        colliding_(random_),
        writer_(RouteTableWriter<Address>::create(kCapacity, reclaimer_, first_bits_)) {
    // Few lengths: routes then cover one another, and the oracle has few maps to ask.
    for (unsigned length : {0u, 8u, 16u, 17u, 23u, 24u, 25u, 31u, 32u, kBits - 8, kBits - 1, kBits})
      lengths_.push_back(length);
    while (lengths_.size() < 24) lengths_.push_back(static_cast<unsigned>(random_() % (kBits + 1)));
  }

  void run() {
    for (unsigned step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      // Now it fills, now it empties, and in between it is kept as it is.
      const unsigned adds = std::array{10u, 70u, 50u, 30u}[step / 1000 % 4];
      const Number address = colliding_.address();
      const uint64_t dice = random_() % 100;
      if (dice < 30)
        check(address);
      else if ((dice - 30) * 100 < adds * 70)
        add(address, some_length());
      else
        remove(address, some_length());
      if (random_() % 16 == 0) reclaimer_.all_pass();
      if (step % 1024 == 0) check_in_bulk();
    }
    empty();
  }

 private:
  // A short prefix takes millions of entries in a first level of 24 bits: rarely there.
  unsigned some_length() {
    const unsigned length = lengths_[random_() % lengths_.size()];
    if (length == 0 || length + 12 >= first_bits_ || random_() % 500 == 0) return length;
    return some_length();
  }

  void add(Number prefix, unsigned length) {
    const RouteTarget target(RouteKind::adjacency, ++targets_);
    const bool known = oracle_.has(prefix, length);
    const RouteAdded wanted = known                         ? RouteAdded::replaced
                              : oracle_.size() == kCapacity ? RouteAdded::full
                                                            : RouteAdded::added;
    ASSERT_EQ(writer_->add(to_address<Address>(prefix), length, target), wanted);
    if (wanted != RouteAdded::full) oracle_.add(prefix, length, target);
    check_around(prefix, length);
  }

  // Of a prefix that may be there, or of one that is.
  void remove(Number prefix, unsigned length) {
    if (random_() % 2 == 0) {
      if (const auto route = oracle_.any(random_)) std::tie(prefix, length) = *route;
    }
    ASSERT_EQ(writer_->remove(to_address<Address>(prefix), length), oracle_.remove(prefix, length));
    check_around(prefix, length);
  }

  void check(Number address) {
    ASSERT_EQ(writer_->table().look_up(to_address<Address>(address)), oracle_.look_up(address))
        << std::hex << static_cast<uint64_t>(address >> 64) << ":" << static_cast<uint64_t>(address);
  }

  // Within the prefix, at its ends and on either side of it; addresses are numbers modulo 2^kBits.
  void check_around(Number prefix, unsigned length) {
    const Number all = Oracle::last_of(0, 0);
    const Number first = Oracle::first_of(prefix, length), last = Oracle::last_of(prefix, length);
    for (Number address : {prefix, first, last, (first - 1) & all, (last + 1) & all}) check(address);
    ASSERT_EQ(writer_->size(), oracle_.size());
  }

  void check_in_bulk() {
    constexpr unsigned kMost = dataplane::RouteTable<Address>::kMaxBulk;
    for (unsigned count = 0; count <= kMost; count += 1 + static_cast<unsigned>(random_() % 5)) {
      std::vector<Number> numbers;
      std::vector<Address> keys;
      for (unsigned i = 0; i < count; ++i) {
        numbers.push_back(colliding_.address());
        keys.push_back(to_address<Address>(numbers.back()));
      }
      std::vector<RouteTarget> results(count);
      writer_->table().look_up(keys.data(), results.data(), count);
      for (unsigned i = 0; i < count; ++i) ASSERT_EQ(results[i], oracle_.look_up(numbers[i])) << i;
    }
    check_routes();
  }

  void check_routes() {
    uint32_t visited = 0;
    writer_->for_each([&](const Address& prefix, unsigned length, RouteTarget target) {
      ++visited;
      EXPECT_EQ(writer_->find(prefix, length), target);
    });
    EXPECT_EQ(visited, oracle_.size());
    EXPECT_LE(writer_->groups_used(), 2 * oracle_.size());
  }

  void empty() {
    while (const auto route = oracle_.any(random_)) {
      ASSERT_TRUE(oracle_.remove(route->first, route->second));
      ASSERT_TRUE(writer_->remove(to_address<Address>(route->first), route->second));
    }
    EXPECT_EQ(writer_->size(), 0u);
    EXPECT_EQ(writer_->groups_used(), 0u);
    reclaimer_.all_pass();
    writer_->reclaim();
    EXPECT_EQ(writer_->groups_waiting(), 0u);
    for (uint64_t i = 0; i < 1u << 16; ++i) check(Number{i} << (kBits - 16));
    for (unsigned i = 0; i < 10'000; ++i) check(colliding_.address());
  }

  std::mt19937_64 random_;
  unsigned first_bits_;
  Colliding<kBits> colliding_;
  SteppedReclaimer reclaimer_;
  std::unique_ptr<RouteTableWriter<Address>> writer_;
  Oracle oracle_;
  std::vector<unsigned> lengths_;
  uint32_t targets_ = 0;
};

template <class Address>
class RouteProperty : public testing::Test {};
using Families = testing::Types<Ip4, Ip6>;
TYPED_TEST_SUITE(RouteProperty, Families);

TYPED_TEST(RouteProperty, agrees_with_an_oracle_over_a_million_random_steps) {
  for (uint64_t seed = 1; seed <= kRounds && !this->HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Round<TypeParam>(seed).run();
  }
}

}  // namespace
}  // namespace sluice::test
