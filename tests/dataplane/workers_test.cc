// SPDX-License-Identifier: BSD-3-Clause
//
// Several workers, stepped in turn: queues shared out, packets handed over, the `again` queue.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kTwoPorts =
    "{ports: {a: {device: 'null'}, b: {device: 'null'}}, bridges: {lan: {ports: [a, b]}}}";

class Workers : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Count, Workers, testing::Values(2, 4));

TEST_P(Workers, every_queue_of_a_port_is_polled_and_all_share_what_was_learned) {
  TestSwitch lan(kTwoPorts, {.workers = GetParam()});
  lan.receive("b", from(kBob).to(kEverybody), GetParam() - 1);
  lan.sent("a");
  for (unsigned queue = 0; queue < GetParam(); ++queue) {
    const Frame frame = from(kAnn).to(kBob).first(static_cast<uint8_t>(queue));
    lan.receive("a", frame, queue);
    EXPECT_THAT(lan.sent("b"), ElementsAre(frame)) << "queue " << queue;
  }
}

TEST_P(Workers, a_port_with_one_transmit_queue_gets_the_packets_of_all_workers) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null", rx-queues: 1, tx-queues: 1}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c] } }
)",
                 {.workers = GetParam()});
  for (unsigned queue = 0; queue < GetParam(); ++queue) {
    const Frame frame = from(kAnn).to(kEverybody).first(static_cast<uint8_t>(queue));
    lan.receive("a", frame, queue);
    EXPECT_THAT(lan.sent("b"), ElementsAre(frame)) << "queue " << queue;
    EXPECT_THAT(lan.sent("c"), ElementsAre(frame)) << "queue " << queue;
  }
  EXPECT_EQ(lan.counters().handed_over, GetParam() - 1);
  EXPECT_EQ(lan.counters().taken_over, GetParam() - 1);
}

TEST_P(Workers, a_flow_keeps_its_order_over_the_ring_between_workers) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null", rx-queues: 1, tx-queues: 1} }
bridges: { lan: { ports: [a, b] } }
)",
                 {.workers = GetParam()});
  Frames burst;
  for (unsigned i = 0; i < 200; ++i) burst.push_back(from(kAnn).to(kBob).first(static_cast<uint8_t>(i)));
  lan.receive_burst("a", burst, 1);
  EXPECT_EQ(lan.sent("b"), burst);
}

TEST(TwoWorkers, a_full_ring_between_them_drops_and_counts) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null", rx-queues: 1, tx-queues: 1} }
bridges: { lan: { ports: [a, b] } }
)",
                 {.workers = 2});
  const Frame frame = from(kAnn).to(kBob);
  for (unsigned i = 0; i < 1100; ++i) {
    ASSERT_TRUE(lan.devices().give("a", make_packet(frame, lan.pool(), Buffer::pool), 1));
  }
  // Worker 0, which owns b's queue, does not get a turn meanwhile.
  while (lan.runtime().worker(1).poll(0) != 0) {
  }
  EXPECT_EQ(lan.runtime().books().held, 1023u) << "a ring of 1024 slots holds 1023";
  EXPECT_EQ(lan.drops("b", DropReason::steer_full), 77u);
  EXPECT_EQ(lan.runtime().books().unaccounted, 0);
  lan.turn();
  EXPECT_EQ(lan.sent("b").size(), 1023u);
}

TEST(TwoWorkers, ports_with_one_queue_are_shared_out_between_them) {
  TestSwitch lan(R"(
ports:
  a: {device: "null", rx-queues: 1}
  b: {device: "null", rx-queues: 1}
  c: {device: "null", rx-queues: 1}
  d: {device: "null", rx-queues: 1}
bridges: { lan: { ports: [a, b, c, d] } }
)",
                 {.workers = 2});
  std::vector<unsigned> queues(2);
  for (const auto& [name, port] : lan.runtime().ports()) ++queues[port.pollers.at(0)];
  EXPECT_THAT(queues, ElementsAre(2, 2));
}

TEST(TwoWorkers, a_packet_handed_over_for_a_port_that_was_removed_meanwhile_is_counted) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null", rx-queues: 1, tx-queues: 1} }
bridges: { lan: { ports: [a, b] } }
)",
                 {.workers = 2});
  const dataplane::PortIndex gone = lan.runtime().ports().at("b").index;
  ASSERT_TRUE(lan.devices().give("a", make_packet(from(kAnn).to(kBob), lan.pool(), Buffer::pool), 1));
  lan.runtime().worker(1).poll(0);
  ASSERT_TRUE(lan.reload("{ports: {a: {device: 'null'}}, bridges: {lan: {ports: [a]}}}").ok());
  EXPECT_EQ(lan.counters().ports[gone].drops[static_cast<size_t>(DropReason::port_gone)], 1u);
}

// ---- the `again` queue
// -------------------------------------------------------------------------------------------

TEST(Again, a_packet_that_goes_round_enters_the_pipeline_with_the_next_turn) {
  TestSwitch lan(kTwoPorts);
  const dataplane::PortIndex a = lan.runtime().ports().at("a").index;
  dataplane::Context& context = lan.runtime().worker(0).context();
  rte_mbuf* packet = make_packet(from(kAnn).to(kBob), lan.pool(), Buffer::exact);
  ++context.counters.generated;  // whoever makes a packet counts it
  ASSERT_TRUE(context.again.push({packet, a, 1}));
  EXPECT_THAT(lan.sent("b"), IsEmpty());
  lan.turn();
  EXPECT_THAT(lan.sent("b"), ElementsAre(Frame(from(kAnn).to(kBob))));
}

}  // namespace
}  // namespace sluice::test
