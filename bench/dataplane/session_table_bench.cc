// SPDX-License-Identifier: BSD-3-Clause
//
// NAT's tables by their number of sessions. The flows are visited in random order, so that beyond the size of
// the caches every look-up misses them. Read the column "flow": processor time for one.
#include "dataplane/session_table.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "dataplane/nat_arena.h"

namespace sluice::bench {
namespace {

using dataplane::Flow;
using dataplane::kProtocolUdp;
using dataplane::NatArena;
using dataplane::NatTables;
using dataplane::Session;
using dataplane::SessionHandle;
using dataplane::SessionTable;

constexpr unsigned kMaxBurst = 64;
constexpr dataplane::Ip4 kInside = 0x0A000000, kOutside = 0xC6120000, kRemote = 0x5DB80000;

// Sessions by the thousand from each of many hosts to many servers.
Session session(uint32_t i) {
  const auto port = static_cast<uint16_t>(1024 + i % 50000);
  const Flow original{kInside + i / 1000, kRemote + i * 7 % 65521, port, 443, kProtocolUdp};
  Session line =
      Session::between(original, {original.destination, kOutside + i / 50000, 443, port, kProtocolUdp});
  line.deadline_ms = 1u << 30;
  return line;
}

struct Filled {
  explicit Filled(uint32_t count)
      : arena(*NatArena::create(count, 1, 0, {1, 2})), table(arena.tables(0).sessions) {
    for (uint32_t i = 0; i < count; ++i) {
      const Session line = session(i);
      if (table.create(line).outcome != SessionTable::Outcome::made) std::abort();
      flows.push_back(line.arriving(i & 1));
    }
    std::shuffle(flows.begin(), flows.end(), std::mt19937_64(1));
  }
  NatArena arena;
  SessionTable table;
  std::vector<Flow> flows;
};

// The processor's time for one flow, as "flow".
void report(benchmark::State& state, uint64_t flows) {
  state.counters["flow"] = benchmark::Counter(static_cast<double>(flows),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// As a stage does: reads a hit's line and writes its deadline. Range: sessions, packets a sweep.
void find_a_burst(benchmark::State& state) {
  Filled filled(static_cast<uint32_t>(state.range(0)));
  const auto burst = static_cast<unsigned>(state.range(1));
  const SessionTable& table = filled.table;
  size_t next = 0;
  std::array<uint64_t, kMaxBurst> hashes;
  uint64_t sum = 0, missed = 0;
  for (auto _ : state) {
    if (next + burst > filled.flows.size()) next = 0;
    const Flow* flows = &filled.flows[next];
    next += burst;
    for (unsigned i = 0; i < burst; ++i) {
      hashes[i] = table.hash(flows[i]);
      table.prefetch_bucket(hashes[i]);
    }
    for (unsigned i = 0; i < burst; ++i) table.candidate(hashes[i]);
    for (unsigned i = 0; i < burst; ++i) {
      const SessionHandle found = table.find(flows[i], hashes[i], 5);
      if (!found) {
        ++missed;
        continue;
      }
      Session& line = table[found.index()];
      sum += line.l4_delta_of(found.direction()) + line.route[found.direction()];
      line.deadline_ms = 1u << 30;
    }
  }
  benchmark::DoNotOptimize(sum);
  if (missed != 0) state.SkipWithError("a session was not found");
  report(state, state.iterations() * burst);
}

void miss_a_burst(benchmark::State& state) {
  Filled filled(static_cast<uint32_t>(state.range(0)));
  const auto burst = static_cast<unsigned>(state.range(1));
  for (Flow& flow : filled.flows) flow.protocol = dataplane::kProtocolTcp;
  size_t next = 0;
  std::array<uint64_t, kMaxBurst> hashes;
  for (auto _ : state) {
    if (next + burst > filled.flows.size()) next = 0;
    const Flow* flows = &filled.flows[next];
    next += burst;
    for (unsigned i = 0; i < burst; ++i) {
      hashes[i] = filled.table.hash(flows[i]);
      filled.table.prefetch_bucket(hashes[i]);
    }
    for (unsigned i = 0; i < burst; ++i) filled.table.candidate(hashes[i]);
    for (unsigned i = 0; i < burst; ++i) benchmark::DoNotOptimize(filled.table.find(flows[i], hashes[i], 5));
  }
  report(state, state.iterations() * burst);
}

void find_one_at_a_time(benchmark::State& state) {
  const Filled filled(static_cast<uint32_t>(state.range(0)));
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.table.find(filled.flows[next], 5));
    next = next + 1 == filled.flows.size() ? 0 : next + 1;
  }
  report(state, state.iterations());
}

// A session and its end, in a table that is otherwise full, oldest first.
void create_and_erase(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  Filled filled(count);
  std::vector<dataplane::SessionIndex> order(count);
  for (uint32_t i = 0; i < count; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(2));
  size_t next = 0;
  for (auto _ : state) {
    const dataplane::SessionIndex index = order[next];
    next = next + 1 == order.size() ? 0 : next + 1;
    const Session line = filled.table[index];
    filled.table.erase(index);
    benchmark::DoNotOptimize(filled.table.create(line));
  }
  report(state, state.iterations());
}

// All that a new flow takes and gives back: mapping, port, permit, session.
void open_and_end(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const NatArena arena = *NatArena::create(count + 1, 1, 16, {1, 2});
  NatTables nat = arena.tables(0);
  for (uint16_t slot = 0; slot < 16; ++slot) nat.ports.set_address(slot, kOutside + slot);
  const auto open = [&](uint32_t i) {
    const Flow original = session(i).arriving(0);
    const auto mapped =
        nat.map({original.source, original.source_port, kProtocolUdp, 1},
                static_cast<uint16_t>(i / 1000 % 16), {1, 65535}, [](uint16_t port) { return port == 8080; });
    if (mapped.index == dataplane::kNoIndex) return dataplane::kNoIndex;
    const auto external = nat.mappings[mapped.index].outside();
    Session line = Session::between(
        original, {original.destination, external.address, 443, external.port, kProtocolUdp});
    line.mapping = mapped.index;
    line.flags = dataplane::kHoldsPermit;
    line.deadline_ms = 1u << 30;
    return nat.create(line, 5).index;
  };
  std::vector<std::pair<uint32_t, dataplane::SessionIndex>> opened;
  for (uint32_t i = 0; i < count; ++i) opened.emplace_back(i, open(i));
  std::shuffle(opened.begin(), opened.end(), std::mt19937_64(2));
  size_t next = 0;
  for (auto _ : state) {
    auto& [flow, index] = opened[next];
    next = next + 1 == opened.size() ? 0 : next + 1;
    nat.end(index);
    index = open(flow);
    if (index == dataplane::kNoIndex) return state.SkipWithError("refused");
  }
  report(state, state.iterations());
}

void sweep(benchmark::State& state) {
  Filled filled(static_cast<uint32_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.table.sweep(
        5, 64, [](const Session&) { return false; }, [](dataplane::SessionIndex) {}));
  }
  report(state, state.iterations() * 64);
}

// All ports but one are in use: what a port costs that is hard to find, and one that is not there.
void last_port(benchmark::State& state) {
  const NatArena arena = *NatArena::create(1, 1, 1, {1, 2});
  auto ports = arena.tables(0).ports;
  const auto none = [](uint16_t) { return false; };
  while (ports.allocate(0, kProtocolUdp, 5000, {1, 65535}, none)) continue;
  if (state.range(0) != 0) ports.free(0, kProtocolUdp, 44444);
  for (auto _ : state) {
    const auto port = ports.allocate(0, kProtocolUdp, 5000, {1, 65535}, none);
    benchmark::DoNotOptimize(port);
    if (port) ports.free(0, kProtocolUdp, *port);
  }
  report(state, state.iterations());
}

const std::vector<std::vector<int64_t>> kSizes = {{10'000, 64'000, 500'000, 4'000'000}, {64, 8}};
BENCHMARK(find_a_burst)->ArgsProduct(kSizes);
BENCHMARK(miss_a_burst)->ArgsProduct(kSizes);
BENCHMARK(find_one_at_a_time)->Arg(10'000)->Arg(64'000)->Arg(500'000);
BENCHMARK(create_and_erase)->Arg(10'000)->Arg(64'000)->Arg(500'000);
BENCHMARK(open_and_end)->Arg(10'000)->Arg(64'000)->Arg(500'000);
BENCHMARK(sweep)->Arg(500'000);
BENCHMARK(last_port)->Arg(1)->Arg(0);

}  // namespace
}  // namespace sluice::bench
