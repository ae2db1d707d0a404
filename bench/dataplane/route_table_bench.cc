// SPDX-License-Identifier: BSD-3-Clause
//
// The route tables by their number of routes: look-ups of random destinations that routes cover, in bursts of
// 64 and of 8, and changes. `cycles` counts ticks of the TSC a look-up or change, reading the keys included.
//
// The lengths of prefixes are shared out as in the Internet's tables. IPv6 prefixes lie `clustered`, as
// registries give them out (inside of /32s, 12 routes in each on average), or `scattered` over 2000::/3,
// which is the worst case for a trie.
#include "dataplane/route_table.h"

#include <benchmark/benchmark.h>
#include <rte_cycles.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "control/route_table_writer.h"

namespace sluice::bench {
namespace {

using control::RouteTableWriter;
using dataplane::Ip4;
using dataplane::Ip6;
using dataplane::prefix_mask;
using dataplane::RouteKind;
using dataplane::RouteTarget;

constexpr size_t kDestinations = 1 << 20;

class Nobody : public control::Reclaimer {
 public:
  uint64_t mark() override { return 0; }
  bool passed(uint64_t) override { return true; }
};

/// A length of prefix, and how many in a thousand routes have it.
using Mix = std::vector<std::pair<unsigned, unsigned>>;
const Mix kMix4 = {{24, 600}, {23, 95}, {22, 110}, {21, 45}, {20, 45}, {19, 25},
                   {18, 15},  {17, 10}, {16, 40},  {15, 5},  {28, 3},  {32, 7}};
const Mix kMix6 = {{48, 470}, {44, 110}, {40, 100}, {32, 110}, {36, 50}, {29, 40}, {46, 30},
                   {42, 25},  {47, 20},  {33, 10},  {56, 10},  {64, 15}, {128, 10}};

unsigned pick(const Mix& mix, std::mt19937_64& random) {
  unsigned dice = static_cast<unsigned>(random() % 1000);
  for (const auto& [length, share] : mix) {
    if (dice < share) return length;
    dice -= share;
  }
  return mix.front().first;
}

Ip4 masked(Ip4 address, unsigned length) {
  return address & prefix_mask<Ip4>(length);
}
Ip6 masked(const Ip6& address, unsigned length) {
  const Ip6 mask = prefix_mask<Ip6>(length);
  return {address.high & mask.high, address.low & mask.low};
}
Ip4 within(Ip4 prefix, unsigned length, std::mt19937_64& random) {
  return prefix | (static_cast<uint32_t>(random()) & ~prefix_mask<Ip4>(length));
}
Ip6 within(const Ip6& prefix, unsigned length, std::mt19937_64& random) {
  const Ip6 mask = prefix_mask<Ip6>(length);
  return {prefix.high | (random() & ~mask.high), prefix.low | (random() & ~mask.low)};
}

// Where routes lie. 1.0.0.0 to 223.255.255.255.
Ip4 somewhere4(std::mt19937_64& random, uint32_t) {
  return static_cast<uint32_t>((1ull << 24) + random() % (223ull << 24));
}
Ip6 scattered6(std::mt19937_64& random, uint32_t) {
  return {0x2000'0000'0000'0000 | random() >> 3, random()};
}
// In one of count / 12 blocks of /32 below the registries' /12s.
Ip6 clustered6(std::mt19937_64& random, uint32_t count) {
  constexpr std::array<uint64_t, 6> kRegistries = {0x200, 0x240, 0x260, 0x280, 0x2a0, 0x2c0};
  std::mt19937_64 block(random() % (count / 12 + 1));
  const uint64_t high = kRegistries[block() % kRegistries.size()] << 52 | (block() & 0xFFFFF) << 32;
  return {high | (random() & 0xFFFFFFFF), random()};
}

template <class Address>
using Place = Address (*)(std::mt19937_64&, uint32_t count);

template <class Address>
struct Routes {
  Routes(uint32_t count, const Mix& mix, Place<Address> place) {
    std::mt19937_64 random(1);
    std::set<std::pair<unsigned, Address>> seen;
    while (seen.size() < count) {
      const unsigned length = pick(mix, random);
      const Address prefix = masked(place(random, count), length);
      if (seen.insert({length, prefix}).second) all.emplace_back(prefix, length);
    }
  }
  std::vector<std::pair<Address, unsigned>> all;
};

template <class Address>
struct Filled {
  Filled(uint32_t count, const Mix& mix, Place<Address> place) {
    const Routes<Address> routes(count, mix, place);
    table = RouteTableWriter<Address>::create(count, nobody);
    uint32_t next = 0;
    for (const auto& [prefix, length] : routes.all)
      table->add(prefix, length, RouteTarget(RouteKind::adjacency, ++next % 64));
    std::mt19937_64 random(2);
    for (size_t i = 0; i < kDestinations; ++i) {
      const auto& [prefix, length] = routes.all[random() % routes.all.size()];
      destinations.push_back(within(prefix, length, random));
    }
  }
  Nobody nobody;
  std::unique_ptr<RouteTableWriter<Address>> table;
  std::vector<Address> destinations;
};

void count_cycles(benchmark::State& state, uint64_t cycles, uint64_t items) {
  state.SetItemsProcessed(static_cast<int64_t>(items));
  state.counters["cycles"] = static_cast<double>(cycles) / static_cast<double>(items);
}

template <class Address>
void look_up(benchmark::State& state, const Mix& mix, Place<Address> place) {
  const Filled<Address> filled(static_cast<uint32_t>(state.range(0)), mix, place);
  const auto burst = static_cast<unsigned>(state.range(1));
  std::array<RouteTarget, dataplane::RouteTable<Address>::kMaxBulk> results;
  size_t next = 0;
  const uint64_t begin = rte_rdtsc();
  for (auto _ : state) {
    filled.table->table().look_up(&filled.destinations[next], results.data(), burst);
    benchmark::DoNotOptimize(results);
    next = (next + burst) % kDestinations;
  }
  count_cycles(state, rte_rdtsc() - begin, state.iterations() * burst);
  state.counters["groups"] = filled.table->groups_used();
}

// One route of a full table goes and comes back, as when a neighbor flaps: two changes.
template <class Address>
void change(benchmark::State& state, const Mix& mix, Place<Address> place) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const Filled<Address> filled(count, mix, place);
  Routes<Address> routes(count, mix, place);
  std::shuffle(routes.all.begin(), routes.all.end(), std::mt19937_64(3));
  size_t next = 0;
  const uint64_t begin = rte_rdtsc();
  for (auto _ : state) {
    const auto& [prefix, length] = routes.all[next];
    next = next + 1 == routes.all.size() ? 0 : next + 1;
    filled.table->remove(prefix, length);
    filled.table->add(prefix, length, RouteTarget(RouteKind::adjacency, 1));
  }
  count_cycles(state, rte_rdtsc() - begin, state.iterations() * 2);
}

// A table from nothing to all of its routes.
template <class Address>
void fill(benchmark::State& state, const Mix& mix, Place<Address> place) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const Routes<Address> routes(count, mix, place);
  Nobody nobody;
  for (auto _ : state) {
    const auto table = RouteTableWriter<Address>::create(count, nobody);
    for (const auto& [prefix, length] : routes.all)
      table->add(prefix, length, RouteTarget(RouteKind::adjacency, 1));
  }
  state.SetItemsProcessed(state.iterations() * count);
}

void look_up_ipv4(benchmark::State& state) {
  look_up<Ip4>(state, kMix4, somewhere4);
}
void look_up_ipv6_clustered(benchmark::State& state) {
  look_up<Ip6>(state, kMix6, clustered6);
}
void look_up_ipv6_scattered(benchmark::State& state) {
  look_up<Ip6>(state, kMix6, scattered6);
}
void change_ipv4(benchmark::State& state) {
  change<Ip4>(state, kMix4, somewhere4);
}
void change_ipv6(benchmark::State& state) {
  change<Ip6>(state, kMix6, clustered6);
}
void fill_ipv4(benchmark::State& state) {
  fill<Ip4>(state, kMix4, somewhere4);
}
void fill_ipv6(benchmark::State& state) {
  fill<Ip6>(state, kMix6, clustered6);
}

BENCHMARK(look_up_ipv4)->ArgsProduct({{1, 10'000, 1'000'000}, {64, 8}});
BENCHMARK(look_up_ipv6_clustered)->ArgsProduct({{1, 10'000, 200'000}, {64, 8}});
BENCHMARK(look_up_ipv6_scattered)->ArgsProduct({{10'000, 200'000}, {64, 8}});
BENCHMARK(change_ipv4)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(change_ipv6)->Arg(10'000)->Arg(200'000);
BENCHMARK(fill_ipv4)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(fill_ipv6)->Arg(200'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::bench
