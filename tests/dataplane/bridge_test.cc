// SPDX-License-Identifier: BSD-3-Clause
//
// Learning and forwarding: behaviours B01-B04, B07, B16, B17.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kThreePorts = R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c] } }
)";

/// Every test runs with packets as a driver gives them, and again in exactly sized blocks.
class Bridge : public testing::TestWithParam<Buffer> {
 protected:
  TestSwitch make(const char* yaml = kThreePorts) { return TestSwitch(yaml, {.buffer = GetParam()}); }
};

INSTANTIATE_TEST_SUITE_P(Buffers, Bridge, testing::Values(Buffer::pool, Buffer::exact),
                         [](const auto& info) { return info.param == Buffer::pool ? "pool" : "exact"; });

TEST_P(Bridge, B01_learns_where_an_individual_source_is) {
  TestSwitch lan = make();
  lan.receive("a", from(kAnn).to(kEverybody));
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0a lan vlan 1 on a"));
  EXPECT_EQ(lan.counters().macs_learned, 1u);
}

TEST_P(Bridge, B01_drops_a_frame_from_a_group_address_and_learns_nothing) {
  TestSwitch lan = make();
  lan.receive("a", from(kSomeGroup).to(kBob));
  lan.receive("a", from(kEverybody).to(kBob));
  EXPECT_EQ(lan.drops("a", DropReason::group_source), 2u);
  EXPECT_THAT(lan.macs(), IsEmpty());
  EXPECT_THAT(lan.sent("b"), IsEmpty());
  EXPECT_THAT(lan.sent("c"), IsEmpty());
}

TEST_P(Bridge, B02_sends_to_a_known_station_by_its_port_alone) {
  TestSwitch lan = make();
  lan.receive("b", from(kBob).to(kEverybody));
  lan.sent("a"), lan.sent("c");
  const Frame frame = from(kAnn).to(kBob).octets(200);
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
  EXPECT_THAT(lan.sent("a"), IsEmpty());
  EXPECT_THAT(lan.sent("c"), IsEmpty());
}

TEST_P(Bridge, B03_floods_unknown_multicast_and_broadcast_to_every_other_port_once_unmodified) {
  TestSwitch lan = make();
  for (const char* destination : {kDan, kSomeGroup, kEverybody}) {
    const Frame frame = from(kAnn).to(destination).octets(333);
    lan.receive("a", frame);
    EXPECT_THAT(lan.sent("a"), IsEmpty()) << destination;
    EXPECT_THAT(lan.sent("b"), ElementsAre(frame)) << destination;
    EXPECT_THAT(lan.sent("c"), ElementsAre(frame)) << destination;
  }
  EXPECT_EQ(lan.counters().generated, 3u) << "each flood made one copy beyond the frame itself";
}

TEST_P(Bridge, B03_a_flood_that_reaches_nobody_is_one_drop) {
  TestSwitch lan = make(
      "{ports: {a: {device: 'null'}, b: {device: 'null'}}, bridges: {x: {ports: [a]}, y: {ports: [b]}}}");
  lan.receive("a", from(kAnn).to(kEverybody));
  EXPECT_EQ(lan.drops("a", DropReason::no_other_port), 1u);
  EXPECT_THAT(lan.sent("b"), IsEmpty());
}

TEST_P(Bridge, B04_filters_a_frame_whose_destination_is_where_it_came_from) {
  TestSwitch lan = make();
  lan.receive("a", from(kBob).to(kEverybody));
  lan.sent("b"), lan.sent("c");
  lan.receive("a", from(kAnn).to(kBob));
  EXPECT_EQ(lan.drops("a", DropReason::same_port), 1u);
  for (const char* port : {"a", "b", "c"}) EXPECT_THAT(lan.sent(port), IsEmpty()) << port;
}

TEST_P(Bridge, B07_follows_a_station_that_moves) {
  TestSwitch lan = make();
  lan.receive("b", from(kBob).to(kEverybody));
  lan.receive("c", from(kBob).to(kEverybody));
  EXPECT_EQ(lan.counters().macs_moved, 1u);
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0b lan vlan 1 on c"));
  lan.sent("a"), lan.sent("b"), lan.sent("c");
  const Frame frame = from(kAnn).to(kBob);
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("c"), ElementsAre(frame));
  EXPECT_THAT(lan.sent("b"), IsEmpty());
}

TEST_P(Bridge, B16_never_forwards_the_sixteen_reserved_addresses) {
  TestSwitch lan = make();
  for (int i = 0; i < 16; ++i) {
    char reserved[18];
    std::snprintf(reserved, sizeof reserved, "01:80:c2:00:00:%02x", i);
    lan.receive("a", from(kAnn).to(reserved));
  }
  EXPECT_EQ(lan.drops("a", DropReason::reserved_address), 16u);
  EXPECT_THAT(lan.sent("b"), IsEmpty());
  EXPECT_THAT(lan.macs(), IsEmpty()) << "a frame that is not forwarded teaches nothing";
  lan.receive("a", from(kAnn).to("01:80:c2:00:00:10"));
  lan.receive("a", from(kAnn).to("01:80:c2:00:01:00"));
  EXPECT_EQ(lan.sent("b").size(), 2u) << "their neighbours are ordinary groups";
}

TEST_P(Bridge, B17_pads_short_frames_with_zeroes_and_refuses_large_ones) {
  TestSwitch lan = make();
  const Frame shortest = from(kAnn).to(kEverybody).octets(14);
  lan.receive("a", shortest);
  EXPECT_THAT(lan.sent("b"), ElementsAre(padded(shortest, 46)));
  const Frame largest = from(kAnn).to(kEverybody).octets(1514);
  lan.receive("a", largest);
  EXPECT_THAT(lan.sent("b"), ElementsAre(largest));
  lan.sent("c");
  lan.receive("a", from(kAnn).to(kEverybody).octets(1515));
  EXPECT_EQ(lan.drops("b", DropReason::too_big), 1u);
  EXPECT_EQ(lan.drops("c", DropReason::too_big), 1u);
  lan.receive("b", from(kBob).to(kEverybody));
  lan.receive("a", from(kAnn).to(kBob).octets(1515));
  EXPECT_EQ(lan.drops("a", DropReason::too_big), 1u);
  EXPECT_EQ(lan.sent("a").size(), 1u);
}

TEST_P(Bridge, B18_keeps_the_order_of_a_flow_through_bursts_of_any_size) {
  TestSwitch lan = make();
  lan.receive("b", from(kBob).to(kEverybody));
  lan.sent("a"), lan.sent("c");
  Frames burst;
  for (unsigned i = 0; i < 200; ++i) burst.push_back(from(kAnn).to(kBob).first(static_cast<uint8_t>(i)));
  lan.receive_burst("a", burst);
  EXPECT_EQ(lan.sent("b"), burst);
}

TEST_P(Bridge, B18_floods_a_full_burst_in_order) {
  TestSwitch lan = make();
  Frames burst;
  for (unsigned i = 0; i < 64; ++i) burst.push_back(from(kAnn).to(kDan).first(static_cast<uint8_t>(i)));
  lan.receive_burst("a", burst);
  EXPECT_EQ(lan.sent("b"), burst);
  EXPECT_EQ(lan.sent("c"), burst);
}

TEST_P(Bridge, drops_what_is_too_short_for_an_ethernet_header) {
  TestSwitch lan = make();
  const Frame whole = from(kAnn).to(kBob);
  for (size_t length = 1; length < 14; ++length)
    lan.receive("a", Frame(whole.begin(), whole.begin() + static_cast<long>(length)));
  EXPECT_EQ(lan.drops("a", DropReason::truncated), 13u);
  EXPECT_THAT(lan.macs(), IsEmpty());
}

TEST_P(Bridge, drops_what_ends_within_its_vlan_tag) {
  TestSwitch lan = make();
  const Frame whole = from(kAnn).to(kBob).vlan(1);
  for (size_t length = 14; length < 18; ++length)
    lan.receive("a", Frame(whole.begin(), whole.begin() + static_cast<long>(length)));
  EXPECT_EQ(lan.drops("a", DropReason::truncated), 4u);
}

TEST_P(Bridge, drops_what_arrives_on_a_port_without_a_bridge) {
  TestSwitch lan = make("{ports: {a: {device: 'null'}, b: {device: 'null'}}, bridges: {x: {ports: [b]}}}");
  lan.receive("a", from(kAnn).to(kBob));
  EXPECT_EQ(lan.drops("a", DropReason::no_bridge), 1u);
  EXPECT_THAT(lan.sent("b"), IsEmpty());
}

TEST_P(Bridge, B14_keeps_bridges_apart) {
  TestSwitch two = make(R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"}, d: {device: "null"} }
bridges: { x: { ports: [a, b] }, y: { ports: [c, d] } }
)");
  const Frame frame = from(kAnn).to(kBob);
  two.receive("b", from(kBob).to(kEverybody));
  two.receive("d", from(kBob).to(kEverybody));
  two.sent("a"), two.sent("c");
  two.receive("c", frame);
  EXPECT_THAT(two.sent("d"), ElementsAre(frame));
  EXPECT_THAT(two.sent("a"), IsEmpty());
  EXPECT_THAT(two.sent("b"), IsEmpty());
}

TEST_P(Bridge, a_bridge_that_does_not_learn_floods_everything) {
  TestSwitch hub = make(R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"} }
bridges: { hub: { learning: false, ports: [a, b, c] } }
)");
  hub.receive("b", from(kBob).to(kEverybody));
  hub.sent("a"), hub.sent("c");
  hub.receive("a", from(kAnn).to(kBob));
  EXPECT_EQ(hub.sent("b").size(), 1u);
  EXPECT_EQ(hub.sent("c").size(), 1u);
  EXPECT_THAT(hub.macs(), IsEmpty());
}

TEST_P(Bridge, B28_carries_jumbo_frames_where_the_mtu_allows) {
  TestSwitch lan = make(R"(
ports: { a: {device: "null", mtu: 9000}, b: {device: "null", mtu: 9000}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c] } }
)");
  const Frame frame = from(kAnn).to(kEverybody).octets(9014);
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
  EXPECT_EQ(lan.drops("c", DropReason::too_big), 1u);
}

}  // namespace
}  // namespace sluice::test
