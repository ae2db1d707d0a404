// SPDX-License-Identifier: BSD-3-Clause
//
// Ports and their blocks: which port is chosen, to the last one, and between workers.
#include "dataplane/port_blocks.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

#include "dataplane/nat_arena.h"

namespace sluice::test {
namespace {

using dataplane::kPortsPerBlock;
using dataplane::kProtocolIcmp;
using dataplane::kProtocolTcp;
using dataplane::kProtocolUdp;
using dataplane::NatArena;
using dataplane::PortBlocks;
using dataplane::PortRange;
using Port = std::optional<uint16_t>;

constexpr PortRange kAll = {1, 65535};
const auto kNoneReserved = [](uint16_t) { return false; };

NatArena make_arena(unsigned workers = 1, unsigned slots = 1, uint64_t seed = 1) {
  auto arena = NatArena::create(1, workers, slots, {seed, 2});
  EXPECT_TRUE(arena);
  return std::move(*arena);
}

Port tcp(PortBlocks& ports, uint16_t wanted, PortRange range = kAll) {
  return ports.allocate(0, kProtocolTcp, wanted, range, kNoneReserved);
}

TEST(PortBlocks, B63_a_free_port_is_kept_and_a_taken_one_replaced_by_another_of_its_class) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  for (uint16_t wanted : {1, 80, 1023, 1024, 40000, 65535}) {
    EXPECT_EQ(tcp(ports, wanted), wanted);
    for (int again = 0; again < 20; ++again) {
      const Port other = tcp(ports, wanted);
      ASSERT_TRUE(other);
      EXPECT_NE(*other, wanted);
      EXPECT_EQ(*other < 1024, wanted < 1024);
      EXPECT_NE(*other, 0);
      ports.free(0, kProtocolTcp, *other);
    }
    ports.free(0, kProtocolTcp, wanted);
    EXPECT_EQ(tcp(ports, wanted), wanted);
  }
}

TEST(PortBlocks, the_protocols_have_their_ports_apart) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  for (uint8_t protocol : {kProtocolTcp, kProtocolUdp, kProtocolIcmp})
    EXPECT_EQ(ports.allocate(0, protocol, 5000, kAll, kNoneReserved), 5000);
  ports.free(0, kProtocolUdp, 5000);
  EXPECT_EQ(ports.allocate(0, kProtocolUdp, 5000, kAll, kNoneReserved), 5000);
  EXPECT_NE(tcp(ports, 5000), 5000);
}

TEST(PortBlocks, a_port_stays_within_the_rule_and_what_is_reserved_stays_free) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  const PortRange range = {5003, 5197};
  const auto odd = [](uint16_t port) { return port % 2 == 1; };
  std::set<uint16_t> given;
  while (const Port port = ports.allocate(0, kProtocolTcp, 5005, range, odd)) {
    EXPECT_TRUE(given.insert(*port).second);
    EXPECT_GE(*port, range.first);
    EXPECT_LE(*port, range.last);
    EXPECT_EQ(*port % 2, 0);
  }
  EXPECT_EQ(given.size(), 97u);
  EXPECT_FALSE(ports.allocate(0, kProtocolTcp, 6000, range, odd)) << "a wanted port outside is not kept";
}

TEST(PortBlocks, a_block_with_nothing_but_reserved_ports_is_not_claimed) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  EXPECT_FALSE(ports.allocate(0, kProtocolTcp, 5000, kAll, [](uint16_t) { return true; }));
  EXPECT_TRUE(ports.is_unused(0));
}

TEST(PortBlocks, a_range_without_ports_of_the_class_gives_the_ports_that_it_has) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  const Port ntp = tcp(ports, 123, {1024, 65535});
  ASSERT_TRUE(ntp);
  EXPECT_GE(*ntp, 1024);
  EXPECT_EQ(tcp(ports, 50000, {7, 7}), 7);
  EXPECT_FALSE(tcp(ports, 50000, {7, 7}));
  EXPECT_FALSE(tcp(ports, 50000, {0, 0})) << "port 0 is never given out";
  const Port zero = tcp(ports, 0);
  ASSERT_TRUE(zero);
  EXPECT_GT(*zero, 0);
  EXPECT_LT(*zero, 1024);
}

TEST(PortBlocks, B69_an_icmp_identifier_knows_no_class_and_no_range_and_may_be_zero) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  EXPECT_EQ(ports.allocate(0, kProtocolIcmp, 0, {5000, 5001}, kNoneReserved), 0);
  std::set<uint16_t> given = {0};
  while (const Port id = ports.allocate(0, kProtocolIcmp, 7, {5000, 5001}, kNoneReserved))
    ASSERT_TRUE(given.insert(*id).second);
  EXPECT_EQ(given.size(), 65536u);
}

TEST(PortBlocks, B75_gives_every_port_of_a_class_once_and_then_none) {
  const NatArena arena = make_arena();
  PortBlocks ports = arena.tables(0).ports;
  std::set<uint16_t> low, high;
  while (const Port port = tcp(ports, 1000)) ASSERT_TRUE(low.insert(*port).second);
  while (const Port port = tcp(ports, 1024)) ASSERT_TRUE(high.insert(*port).second);
  EXPECT_EQ(low.size(), 1023u);
  EXPECT_EQ(*low.rbegin(), 1023);
  EXPECT_EQ(high.size(), 64512u);
  EXPECT_EQ(*high.begin(), 1024);
  EXPECT_EQ(ports.used(0, kProtocolTcp), 65535u);
  EXPECT_EQ(ports.used(0, kProtocolUdp), 0u);
  // What is given back can be had again.
  ports.free(0, kProtocolTcp, 30000);
  EXPECT_EQ(tcp(ports, 44444), 30000);
  for (uint16_t port : low) ports.free(0, kProtocolTcp, port);
  for (uint16_t port : high) ports.free(0, kProtocolTcp, port);
  EXPECT_TRUE(ports.is_unused(0));
}

TEST(PortBlocks, a_block_belongs_to_a_worker_from_its_first_port_to_its_last) {
  const NatArena arena = make_arena(2);
  PortBlocks first = arena.tables(0).ports, second = arena.tables(1).ports;
  EXPECT_EQ(first.owner(0, 5000), PortBlocks::kNoWorker);
  EXPECT_EQ(tcp(second, 5000), 5000);
  EXPECT_EQ(second.allocate(0, kProtocolUdp, 5001, kAll, kNoneReserved), 5001);
  for (uint16_t port : {4992, 5000, 5055}) EXPECT_EQ(first.owner(0, port), 1u);
  EXPECT_EQ(first.owner(0, 4991), PortBlocks::kNoWorker);
  EXPECT_EQ(first.owner(0, 5056), PortBlocks::kNoWorker);

  const Port other = tcp(first, 5002);  // free, but in a block of the other worker
  ASSERT_TRUE(other);
  EXPECT_EQ(first.owner(0, *other), 0u);
  first.free(0, kProtocolTcp, 5000);  // not its own: left alone
  EXPECT_NE(tcp(second, 5000), 5000);

  EXPECT_FALSE(first.is_unused(0));
  second.free(0, kProtocolTcp, 5000);
  EXPECT_EQ(first.owner(0, 5000), 1u);
  second.free(0, kProtocolUdp, 5001);
  EXPECT_NE(first.owner(0, 5000), PortBlocks::kNoWorker) << "one port was given beside";
}

TEST(PortBlocks, what_a_worker_has_in_its_blocks_goes_before_another_block) {
  const NatArena arena = make_arena(2);
  PortBlocks ports = arena.tables(0).ports;
  EXPECT_EQ(tcp(ports, 5000), 5000);
  for (int i = 0; i < 63; ++i) EXPECT_EQ(*tcp(ports, 5000) / kPortsPerBlock, 5000 / kPortsPerBlock);
  EXPECT_NE(*tcp(ports, 5000) / kPortsPerBlock, 5000 / kPortsPerBlock);
}

// Without a bound on claims ahead of need, 7000 sessions with random ports claim all of the 1008 blocks.
TEST(PortBlocks, keeping_ports_takes_no_more_blocks_than_a_share_so_that_other_workers_have_theirs) {
  const NatArena arena = make_arena(4);
  std::mt19937_64 random(1);
  const auto any_port = [&] { return static_cast<uint16_t>(1024 + random() % 64512); };
  PortBlocks greedy = arena.tables(0).ports;
  unsigned kept = 0;
  for (int i = 0; i < 8000; ++i) {
    const uint16_t wanted = any_port();
    const Port port = tcp(greedy, wanted);
    ASSERT_TRUE(port);
    kept += *port == wanted;
  }
  EXPECT_GT(kept, 1000u);
  for (unsigned worker : {1u, 2u, 3u}) {
    PortBlocks ports = arena.tables(worker).ports;
    std::set<unsigned> blocks;
    for (int i = 0; i < 8000; ++i) {
      const Port port = tcp(ports, any_port());
      ASSERT_TRUE(port) << worker;
      blocks.insert(*port / kPortsPerBlock);
    }
    EXPECT_EQ(blocks.size(), 252u) << "a quarter of the upper class";
  }
}

TEST(PortBlocks, a_worker_that_needs_them_gets_the_blocks_that_the_others_have_not_claimed) {
  const NatArena arena = make_arena(4);
  PortBlocks ports = arena.tables(0).ports, other = arena.tables(1).ports;
  EXPECT_EQ(tcp(other, 2000), 2000);
  unsigned given = 0;
  while (tcp(ports, 3000)) ++given;
  EXPECT_EQ(given, 64512u - kPortsPerBlock);
  EXPECT_TRUE(tcp(other, 3000));
}

TEST(PortBlocks, addresses_have_their_ports_apart) {
  const NatArena arena = make_arena(1, 3);
  PortBlocks ports = arena.tables(0).ports;
  ports.set_address(2, 0xCB007102);
  EXPECT_EQ(arena.tables(0).ports.address(2), 0xCB007102);
  for (uint16_t slot : {0, 1, 2}) EXPECT_EQ(ports.allocate(slot, kProtocolUdp, 9, kAll, kNoneReserved), 9);
  ports.free(1, kProtocolUdp, 9);
  EXPECT_TRUE(ports.is_unused(1));
  EXPECT_FALSE(ports.is_unused(0));
  EXPECT_EQ(ports.slots(), 3u);
}

TEST(PortBlocks, B64_the_same_seed_chooses_the_same_ports_and_another_others) {
  const auto choices = [](uint64_t seed, unsigned worker) {
    const NatArena arena = make_arena(2, 1, seed);
    PortBlocks ports = arena.tables(worker).ports;
    std::vector<uint16_t> chosen;
    for (int i = 0; i < 100; ++i) chosen.push_back(*tcp(ports, 0));
    return chosen;
  };
  EXPECT_EQ(choices(1, 0), choices(1, 0));
  EXPECT_NE(choices(1, 0), choices(2, 0));
  EXPECT_NE(choices(1, 0), choices(1, 1));
}

TEST(PortBlocks, B64_choices_spread_over_the_whole_of_a_class_and_of_a_block) {
  std::vector<unsigned> blocks(1024), within(64);
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    const NatArena arena = make_arena(1, 1, seed);
    PortBlocks ports = arena.tables(0).ports;
    const uint16_t port = *ports.allocate(0, kProtocolIcmp, 0, kAll, [](uint16_t id) { return id == 0; });
    ++blocks[port / 64], ++within[port % 64];
  }
  for (unsigned count : blocks) EXPECT_LT(count, 25u);  // 5 expected
  for (unsigned count : within) {
    EXPECT_GT(count, 35u);  // 78 expected
    EXPECT_LT(count, 130u);
  }
}

}  // namespace
}  // namespace sluice::test
