// SPDX-License-Identifier: BSD-3-Clause
//
// What NAT's workers share, with all of them at it: for ThreadSanitizer, and for the contents themselves.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/nat_arena.h"

namespace sluice::test {
namespace {

using dataplane::kProtocolUdp;
using dataplane::LoanIndex;
using dataplane::MappingIndex;
using dataplane::NatArena;
using dataplane::NatLoans;
using dataplane::NatTables;
using dataplane::PortBlocks;
using Port = std::optional<uint16_t>;

const auto kNoneReserved = [](uint16_t) { return false; };

NatArena make_arena(unsigned workers, unsigned slots) {
  auto arena = NatArena::create(1024, workers, slots, {1, 2});
  for (unsigned slot = 0; slot < slots; ++slot)
    arena->tables(0).ports.set_address(static_cast<uint16_t>(slot), 0xCB00710A + slot);
  return std::move(*arena);
}

// Four workers take and give back, and each writes down
// what it has.
TEST(PortBlocks, B87_no_two_workers_ever_have_one_port_while_all_take_and_give_back) {
  constexpr unsigned kWorkers = 4;
  const NatArena arena = make_arena(kWorkers, 2);
  std::vector<std::atomic<uint8_t>> taken(2 * 65536);
  std::atomic<unsigned> wrong = 0;
  std::latch start(kWorkers);
  const auto run = [&](unsigned worker) {
    PortBlocks ports = arena.tables(worker).ports;
    std::mt19937_64 random(worker);
    std::vector<std::pair<uint16_t, uint16_t>> mine;
    start.arrive_and_wait();
    const auto give_back = [&](size_t which) {
      std::swap(mine[which], mine.back());
      const auto [slot, port] = mine.back();
      mine.pop_back();
      taken[slot * 65536 + port].store(0, std::memory_order_relaxed);
      ports.free(slot, kProtocolUdp, port);
    };
    for (int step = 0; step < 60000; ++step) {
      if (mine.size() < 500 && random() % 2 == 0) {
        const auto slot = static_cast<uint16_t>(random() % 2);
        // A narrow range, so that they meet at every block.
        const auto wanted = static_cast<uint16_t>(2048 + random() % 1536);
        const Port port = ports.allocate(slot, kProtocolUdp, wanted, {2048, 3583}, kNoneReserved);
        if (!port) continue;
        if (taken[slot * 65536 + *port].exchange(1, std::memory_order_relaxed) != 0) ++wrong;
        if (ports.owner(slot, *port) != worker) ++wrong;
        mine.emplace_back(slot, *port);
      } else if (!mine.empty()) {
        give_back(random() % mine.size());
      }
      if (step % 1000 == 0) {
        while (!mine.empty()) give_back(0);
        std::this_thread::yield();
      }
    }
    while (!mine.empty()) give_back(0);
  };
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < kWorkers; ++worker) threads.emplace_back(run, worker);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0u);
  EXPECT_TRUE(arena.tables(0).ports.is_unused(0));
  EXPECT_TRUE(arena.tables(0).ports.is_unused(1));
}

// Worker 0 lends mappings that come and go; the others borrow what they were told of, often too late. What is
// borrowed must not change, and is free again once nobody has it.
TEST(NatLoans, B71_a_mapping_that_another_worker_borrowed_stays_as_it_is) {
  constexpr unsigned kBorrowers = 3;
  constexpr dataplane::Ip4 kInside = 0xC0A80A02;
  const NatArena arena = make_arena(kBorrowers + 1, 1);
  NatTables lender = arena.tables(0);
  // loan << 32 | port: the host's port and the external one are alike.
  std::atomic<uint64_t> offer = 0;
  std::atomic<unsigned> borrowed = 0, running = kBorrowers;
  std::latch start(kBorrowers + 1);
  const auto borrow = [&](unsigned worker) {
    NatLoans loans = arena.tables(worker).loans;
    start.arrive_and_wait();
    for (int step = 0; step < 20000; ++step) {
      const uint64_t told = offer.load(std::memory_order_relaxed);
      const auto loan = static_cast<LoanIndex>(told >> 32);
      const auto port = static_cast<uint16_t>(told);
      if (step % 64 == 0) std::this_thread::yield();
      if (loan == dataplane::kNoLoan) continue;
      if (!loans.borrow(loan, {0xCB00710A, port, kProtocolUdp}, kInside, port)) continue;
      ++borrowed;
      loans.give_back(loan);
    }
    --running;
  };
  std::vector<std::jthread> threads;
  for (unsigned worker = 1; worker <= kBorrowers; ++worker) threads.emplace_back(borrow, worker);
  start.arrive_and_wait();
  for (uint16_t port = 2000; running != 0 || borrowed == 0; port = port < 2100 ? port + 1 : 2000) {
    const auto mapped = lender.map({kInside, port, kProtocolUdp, 1}, 0, {1, 65535}, kNoneReserved);
    ASSERT_NE(mapped.index, dataplane::kNoIndex);
    offer = uint64_t{lender.lend(mapped.index)} << 32 | lender.mappings[mapped.index].external_port;
    lender.release(mapped.index);
    if (port % 4 == 0) lender.sweep(0, 1024);
    std::this_thread::yield();
  }
  threads.clear();
  lender.sweep(0, 1024);
  EXPECT_GT(borrowed, 0u);
  EXPECT_EQ(lender.loans.size(), 0u);
  EXPECT_EQ(lender.mappings.size(), 0u);
  EXPECT_TRUE(lender.ports.is_unused(0));
}

TEST(NatLoans, B71_who_comes_too_late_gets_nothing) {
  const NatArena arena = make_arena(2, 1);
  NatTables lender = arena.tables(0), other = arena.tables(1);
  const auto map = [&](dataplane::Ip4 inside) {
    return lender.map({inside, 5000, kProtocolUdp, 1}, 0, {1, 65535}, kNoneReserved).index;
  };
  const dataplane::External outside{0xCB00710A, 5000, kProtocolUdp};
  const MappingIndex first = map(0xC0A80A02);
  const LoanIndex loan = lender.lend(first);
  EXPECT_EQ(lender.lend(first), loan);
  lender.release(first);
  EXPECT_FALSE(other.loans.borrow(loan, outside, 0xC0A80A03, 5000)) << "another host";
  EXPECT_FALSE(other.loans.borrow(loan, outside, 0xC0A80A02, 5001)) << "another port";
  ASSERT_TRUE(other.loans.borrow(loan, outside, 0xC0A80A02, 5000));
  lender.sweep(0, 100);
  EXPECT_EQ(lender.mappings.find(outside), first);
  other.loans.give_back(loan);
  lender.sweep(0, 100);
  EXPECT_EQ(lender.mappings.find(outside), dataplane::kNoIndex);
  EXPECT_FALSE(other.loans.borrow(loan, outside, 0xC0A80A02, 5000)) << "closed";
  const MappingIndex second = map(0xC0A80A03);
  EXPECT_EQ(lender.lend(second), loan) << "the line is used again";
  EXPECT_FALSE(other.loans.borrow(loan, outside, 0xC0A80A02, 5000)) << "it is another mapping's now";
}

}  // namespace
}  // namespace sluice::test
