// SPDX-License-Identifier: BSD-3-Clause
//
// The MAC table by its number of addresses. The keys are visited in random order, so that beyond the size of
// the caches every look-up misses them.
#include "dataplane/mac_table.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

namespace sluice::bench {
namespace {

using dataplane::MacTable;

constexpr unsigned kBurst = dataplane::kBatchSize;

struct Filled {
  explicit Filled(uint32_t count) : table(MacTable::create(count, {1, 2})) {
    std::mt19937_64 random(1);
    for (uint32_t i = 0; i < count; ++i) {
      keys.push_back(MacTable::key(random() & dataplane::kMacMask & ~1ull, 1));
      table->learn(keys.back(), table->hash(keys.back()), 1, 0);
    }
    std::shuffle(keys.begin(), keys.end(), random);
  }
  std::unique_ptr<MacTable> table;
  std::vector<uint64_t> keys;
};

void find_one_at_a_time(benchmark::State& state) {
  const Filled filled(static_cast<uint32_t>(state.range(0)));
  size_t next = 0;
  for (auto _ : state) {
    const uint64_t key = filled.keys[next];
    next = next + 1 == filled.keys.size() ? 0 : next + 1;
    benchmark::DoNotOptimize(filled.table->find(key, filled.table->hash(key)));
  }
  state.SetItemsProcessed(state.iterations());
}

void learn_and_find_a_burst(benchmark::State& state) {
  Filled filled(static_cast<uint32_t>(state.range(0)));
  size_t next = 0;
  std::array<uint64_t, kBurst> keys, hashes;
  for (auto _ : state) {
    for (unsigned i = 0; i < kBurst; ++i) {
      keys[i] = filled.keys[next];
      next = next + 1 == filled.keys.size() ? 0 : next + 1;
      hashes[i] = filled.table->hash(keys[i]);
      filled.table->prefetch(hashes[i]);
    }
    for (unsigned i = 0; i < kBurst; ++i)
      benchmark::DoNotOptimize(filled.table->learn(keys[i], hashes[i], 1, 0));
    for (unsigned i = 0; i < kBurst; ++i) benchmark::DoNotOptimize(filled.table->find(keys[i], hashes[i]));
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}

void learn_new(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const auto table = MacTable::create(count, {1, 2});
  uint64_t mac = 0;
  for (auto _ : state) {
    if (mac++ % count == 0) {
      state.PauseTiming();
      table->erase_if([](const MacTable::Entry&) { return true; });
      state.ResumeTiming();
    }
    const uint64_t key = MacTable::key(mac * 2, 1);
    benchmark::DoNotOptimize(table->learn(key, table->hash(key), 1, 0));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(find_one_at_a_time)->Arg(2)->Arg(1000)->Arg(100'000)->Arg(4'000'000);
BENCHMARK(learn_and_find_a_burst)->Arg(64)->Arg(2000)->Arg(200'000)->Arg(4'000'000);
BENCHMARK(learn_new)->Arg(100'000);

}  // namespace
}  // namespace sluice::bench
