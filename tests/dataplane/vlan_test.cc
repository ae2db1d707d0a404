// SPDX-License-Identifier: BSD-3-Clause
//
// VLANs: behaviours B12-B14, and what B15 says of a C-tag.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::ElementsAre;
using testing::IsEmpty;

// a10, b10: access ports of VLAN 10. c20: of VLAN 20. trunk: both, 10 untagged. tagged: both, both tagged.
constexpr const char* kOffice = R"(
ports: { a10: {device: "null"}, b10: {device: "null"}, c20: {device: "null"}, trunk: {device: "null"}, tagged: {device: "null"} }
bridges:
  lan:
    ports:
      a10: { vlan: 10 }
      b10: { vlan: 10 }
      c20: { vlan: 20 }
      trunk: { vlans: [10, 20], native-vlan: 10 }
      tagged: { vlans: [10, 20] }
)";

class Vlan : public testing::TestWithParam<Buffer> {
 protected:
  TestSwitch make(const char* yaml = kOffice) { return TestSwitch(yaml, {.buffer = GetParam()}); }
};

INSTANTIATE_TEST_SUITE_P(Buffers, Vlan, testing::Values(Buffer::pool, Buffer::exact),
                         [](const auto& info) { return info.param == Buffer::pool ? "pool" : "exact"; });

TEST_P(Vlan, B12_puts_untagged_frames_of_an_access_port_into_its_vlan) {
  TestSwitch lan = make();
  const Frame frame = from(kAnn).to(kEverybody).octets(100);
  lan.receive("a10", frame);
  EXPECT_THAT(lan.sent("b10"), ElementsAre(frame));
  EXPECT_THAT(lan.sent("c20"), IsEmpty()) << "another VLAN";
  EXPECT_THAT(lan.sent("trunk"), ElementsAre(frame)) << "the native VLAN leaves untagged";
  EXPECT_THAT(lan.sent("tagged"), ElementsAre(Frame(from(kAnn).to(kEverybody).vlan(10).octets(104))));
}

TEST_P(Vlan, B12_drops_tagged_frames_at_an_access_port_its_own_vlan_included) {
  TestSwitch lan = make();
  lan.receive("a10", from(kAnn).to(kEverybody).vlan(20));
  lan.receive("a10", from(kAnn).to(kEverybody).vlan(10));
  EXPECT_EQ(lan.drops("a10", DropReason::tagged_on_access), 2u);
  EXPECT_THAT(lan.sent("b10"), IsEmpty());
  EXPECT_THAT(lan.sent("c20"), IsEmpty());
  EXPECT_THAT(lan.macs(), IsEmpty());
}

TEST_P(Vlan, B12_treats_a_priority_tagged_frame_as_untagged_and_keeps_its_priority_where_a_tag_is_pushed) {
  TestSwitch lan = make();
  lan.receive("a10", from(kAnn).to(kEverybody).vlan(0, 5).octets(104));
  EXPECT_THAT(lan.sent("b10"), ElementsAre(Frame(from(kAnn).to(kEverybody).octets(100))));
  EXPECT_THAT(lan.sent("tagged"), ElementsAre(Frame(from(kAnn).to(kEverybody).vlan(10, 5).octets(104))));
}

TEST_P(Vlan, B12_pads_a_frame_that_losing_its_tag_made_short) {
  TestSwitch lan = make();
  lan.receive("tagged", from(kAnn).to(kEverybody).vlan(20).octets(60));
  EXPECT_THAT(lan.sent("c20"), ElementsAre(padded(from(kAnn).to(kEverybody).octets(56), 4)));
}

TEST_P(Vlan, B13_carries_the_vlans_of_a_trunk_tagged_and_its_native_vlan_untagged) {
  TestSwitch lan = make();
  lan.receive("c20", from(kCat).to(kEverybody).octets(100));
  EXPECT_THAT(lan.sent("trunk"), ElementsAre(Frame(from(kCat).to(kEverybody).vlan(20).octets(104))));
  EXPECT_THAT(lan.sent("a10"), IsEmpty());
  lan.receive("trunk", from(kDan).to(kEverybody).octets(100));
  EXPECT_THAT(lan.sent("a10"), ElementsAre(Frame(from(kDan).to(kEverybody).octets(100))));
  EXPECT_EQ(lan.sent("c20").size(), 0u);
}

TEST_P(Vlan, B13_accepts_the_native_vlan_tagged_too) {
  TestSwitch lan = make();
  lan.receive("trunk", from(kDan).to(kEverybody).vlan(10, 3, true).octets(104));
  EXPECT_THAT(lan.sent("a10"), ElementsAre(Frame(from(kDan).to(kEverybody).octets(100))));
  EXPECT_THAT(lan.sent("tagged"),
              ElementsAre(Frame(from(kDan).to(kEverybody).vlan(10, 3, true).octets(104))));
}

TEST_P(Vlan, B13_drops_vlans_that_a_trunk_does_not_list_and_vlan_4095) {
  TestSwitch lan = make();
  lan.receive("trunk", from(kDan).to(kEverybody).vlan(30));
  lan.receive("trunk", from(kDan).to(kEverybody).vlan(4095));
  lan.receive("a10", from(kDan).to(kEverybody).vlan(4095));
  EXPECT_EQ(lan.drops("trunk", DropReason::vlan_not_allowed), 1u);
  EXPECT_EQ(lan.drops("trunk", DropReason::vlan_reserved), 1u);
  EXPECT_EQ(lan.drops("a10", DropReason::vlan_reserved), 1u);
  EXPECT_THAT(lan.sent("tagged"), IsEmpty());
}

TEST_P(Vlan, B13_a_trunk_without_native_vlan_drops_untagged_and_priority_tagged_frames) {
  TestSwitch lan = make();
  lan.receive("tagged", from(kDan).to(kEverybody));
  lan.receive("tagged", from(kDan).to(kEverybody).vlan(0, 7));
  EXPECT_EQ(lan.drops("tagged", DropReason::untagged_on_trunk), 2u);
  EXPECT_THAT(lan.sent("trunk"), IsEmpty());
}

TEST_P(Vlan, B13_does_not_send_a_vlan_out_of_a_trunk_that_does_not_list_it) {
  TestSwitch lan = make(R"(
ports: { a: {device: "null"}, narrow: {device: "null"} }
bridges: { lan: { ports: { a: { vlan: 20 }, narrow: { vlans: [10, 30-40] } } } }
)");
  lan.receive("a", from(kAnn).to(kEverybody));
  EXPECT_THAT(lan.sent("narrow"), IsEmpty());
  EXPECT_EQ(lan.drops("a", DropReason::no_other_port), 1u);
}

TEST_P(Vlan, B14_learns_the_same_address_in_two_vlans_independently) {
  TestSwitch lan = make();
  lan.receive("a10", from(kAnn).to(kEverybody));
  lan.receive("c20", from(kAnn).to(kEverybody));
  EXPECT_THAT(lan.macs(),
              ElementsAre("02:00:00:00:00:0a lan vlan 10 on a10", "02:00:00:00:00:0a lan vlan 20 on c20"));
  EXPECT_EQ(lan.counters().macs_moved, 0u);
  for (const char* port : {"a10", "b10", "c20", "trunk", "tagged"}) lan.sent(port);
  lan.receive("tagged", from(kDan).to(kAnn).vlan(20).octets(104));
  EXPECT_THAT(lan.sent("c20"), ElementsAre(Frame(from(kDan).to(kAnn).octets(100))));
  EXPECT_THAT(lan.sent("a10"), IsEmpty());
  lan.receive("tagged", from(kDan).to(kAnn).vlan(10).octets(104));
  EXPECT_THAT(lan.sent("a10"), ElementsAre(Frame(from(kDan).to(kAnn).octets(100))));
  EXPECT_THAT(lan.sent("c20"), IsEmpty());
}

TEST_P(Vlan, B15_known_unicast_between_trunks_keeps_its_tag_whole) {
  TestSwitch lan = make();
  lan.receive("trunk", from(kBob).to(kEverybody).vlan(20));
  lan.sent("tagged");
  const Frame frame = from(kAnn).to(kBob).vlan(20, 6, true).octets(104);
  lan.receive("tagged", frame);
  EXPECT_THAT(lan.sent("trunk"), ElementsAre(frame));
}

TEST_P(Vlan, B15_carries_a_service_tag_as_payload) {
  TestSwitch lan = make();
  const Frame frame = from(kAnn).to(kEverybody).tag(0x88A8, 100).vlan(30).octets(100);
  lan.receive("a10", frame);
  EXPECT_THAT(lan.sent("b10"), ElementsAre(frame));
}

TEST_P(Vlan, B17_up_to_two_tags_do_not_count_towards_the_mtu) {
  TestSwitch lan = make();
  const Frame untagged = from(kAnn).to(kEverybody).octets(1514);
  lan.receive("a10", untagged);
  EXPECT_EQ(lan.sent("b10").size(), 1u);
  EXPECT_EQ(lan.sent("tagged").size(), 1u) << "1518 octets with its tag";
  lan.sent("trunk");
  const Frame doubled = from(kAnn).to(kEverybody).vlan(20).tag(0x8100, 7).octets(1522);
  lan.receive("tagged", doubled);
  EXPECT_THAT(lan.sent("trunk"), ElementsAre(doubled));
  lan.receive("tagged", from(kAnn).to(kEverybody).vlan(20).tag(0x8100, 7).tag(0x8100, 8).octets(1523));
  EXPECT_EQ(lan.drops("trunk", DropReason::too_big), 1u);
}

TEST_P(Vlan, a_mixed_flood_reaches_each_port_in_its_form_and_in_order) {
  TestSwitch lan = make();
  Frames burst, tagged;
  for (uint8_t i = 0; i < 60; ++i) {
    burst.push_back(from(kAnn).to(kEverybody).octets(100).first(i));
    tagged.push_back(from(kAnn).to(kEverybody).vlan(10).octets(104).first(i));
  }
  lan.receive_burst("a10", burst);
  EXPECT_EQ(lan.sent("b10"), burst);
  EXPECT_EQ(lan.sent("trunk"), burst);
  EXPECT_EQ(lan.sent("tagged"), tagged);
}

}  // namespace
}  // namespace sluice::test
