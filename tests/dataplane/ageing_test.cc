// SPDX-License-Identifier: BSD-3-Clause
//
// How addresses are forgotten, and how they are not: behaviours B05, B06, B09, B10.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kPorts = R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"} }
)";

std::string with_bridge(const std::string& bridge) {
  return std::string(kPorts) + bridge;
}

const std::string kPlain = with_bridge("bridges: { lan: { ports: [a, b, c] } }");

bool floods(TestSwitch& lan, const char* destination) {
  lan.sent("b"), lan.sent("c");
  lan.receive("a", from(kDan).to(destination));
  lan.sent("b");
  return !lan.sent("c").empty();
}

TEST(Ageing, B05_an_address_is_forgotten_300_seconds_after_it_was_last_seen_and_not_before) {
  TestSwitch lan(kPlain);
  lan.receive("b", from(kBob).to(kEverybody));
  lan.pass(299);
  EXPECT_FALSE(floods(lan, kBob));
  lan.pass(2);
  EXPECT_TRUE(floods(lan, kBob));
}

TEST(Ageing, B05_a_frame_from_the_address_refreshes_it_and_a_frame_to_it_does_not) {
  TestSwitch lan(kPlain);
  lan.receive("b", from(kBob).to(kEverybody));
  lan.pass(200);
  lan.receive("b", from(kBob).to(kAnn));
  lan.pass(200);
  EXPECT_FALSE(floods(lan, kBob)) << "it was seen 200 seconds ago";
  lan.pass(101);
  EXPECT_TRUE(floods(lan, kBob)) << "frames to it do not count";
}

TEST(Ageing, B05_every_bridge_has_its_own_time) {
  TestSwitch lan(with_bridge("bridges: { quick: { mac-ageing: 10s, ports: [a, b] }, slow: { ports: [c] } }"));
  lan.receive("a", from(kAnn).to(kEverybody));
  lan.receive("c", from(kCat).to(kEverybody));
  lan.pass(11);
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0c slow vlan 1 on c"));
}

TEST(Ageing, B05_counts_seconds_right_beyond_the_range_of_its_stamps) {
  TestSwitch lan(with_bridge("bridges: { lan: { mac-ageing: 20s, ports: [a, b, c] } }"));
  // Stamps are kept modulo 2^20 seconds: learn just before the wrap, look just behind it.
  const uint64_t before_wrap_ns = ((1ull << 20) - 5) * 1'000'000'000;
  lan.runtime().step(before_wrap_ns);
  ASSERT_TRUE(lan.devices().give("b", make_packet(from(kBob).to(kEverybody), lan.pool(), Buffer::pool)));
  lan.runtime().step(before_wrap_ns);
  lan.runtime().step(before_wrap_ns + 15'000'000'000);
  lan.runtime().age_macs();
  EXPECT_EQ(lan.runtime().macs({}).size(), 1u);
  lan.runtime().step(before_wrap_ns + 21'000'000'000);
  lan.runtime().age_macs();
  EXPECT_EQ(lan.runtime().macs({}).size(), 0u);
}

const std::string kStatic = with_bridge(R"(
bridges:
  lan:
    ports: [a, b, c]
    static-macs: [{ mac: "02:00:00:00:00:0b", port: b }]
)");

TEST(Static, B06_never_ages) {
  TestSwitch lan(kStatic);
  lan.pass(1000);
  EXPECT_FALSE(floods(lan, kBob));
}

TEST(Static, B06_never_moves) {
  TestSwitch lan(kStatic);
  lan.receive("c", from(kBob).to(kEverybody));
  EXPECT_EQ(lan.counters().macs_refused, 1u);
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0b lan vlan 1 on b static"));
}

TEST(Static, B06_wins_over_what_was_learned) {
  TestSwitch lan(kPlain);
  lan.receive("c", from(kBob).to(kEverybody));
  ASSERT_TRUE(lan.reload(kStatic).ok());
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0b lan vlan 1 on b static"));
  EXPECT_EQ(lan.runtime().mac_table().dynamic_size(), 0u);
}

TEST(Static, B06_goes_when_the_file_no_longer_names_it) {
  TestSwitch lan(kStatic);
  ASSERT_TRUE(lan.reload(kPlain).ok());
  EXPECT_THAT(lan.macs(), IsEmpty());
}

TEST(Static, B06_finds_room_in_a_table_that_is_full_of_learned_addresses) {
  const std::string small = "tables: { macs: 8 }\n";
  TestSwitch lan(small + kPlain);
  for (unsigned i = 0; i < 50; ++i) lan.receive("a", from(station(i).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 8u);
  ASSERT_TRUE(lan.reload(small + kStatic).ok());
  EXPECT_THAT(lan.macs(), testing::Contains("02:00:00:00:00:0b lan vlan 1 on b static"));
}

TEST(Limit, B09_a_full_table_floods_and_evicts_nobody) {
  TestSwitch lan("tables: { macs: 4 }\n" + kPlain);
  lan.receive("b", from(kBob).to(kEverybody));
  for (unsigned i = 0; i < 100; ++i) lan.receive("a", from(station(i).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 4u);
  EXPECT_EQ(lan.counters().macs_refused, 97u);
  EXPECT_FALSE(floods(lan, kBob));
  EXPECT_TRUE(floods(lan, station(99).c_str()));
}

TEST(Limit, B09_a_port_learns_no_more_than_its_mac_limit) {
  TestSwitch lan(with_bridge("bridges: { lan: { ports: { a: { mac-limit: 2 }, b: {}, c: {} } } }"));
  for (unsigned i = 0; i < 5; ++i) lan.receive("a", from(station(i).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 2u);
  lan.receive("b", from(kBob).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 3u) << "another port has its own share";
  lan.receive("b", from(station(0).c_str()).to(kEverybody));
  lan.receive("a", from(station(4).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs({.bridge = {}, .vlan = {}, .port = "a"}).size(), 2u)
      << "a station that moved away makes room";
}

TEST(Limit, B09_a_bridge_learns_no_more_than_its_mac_limit) {
  TestSwitch lan(with_bridge("bridges: { lan: { mac-limit: 3, ports: [a, b, c] } }"));
  for (unsigned i = 0; i < 5; ++i)
    lan.receive(i % 2 == 0 ? "a" : "b", from(station(i).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 3u);
  lan.runtime().clear_macs({});
  lan.receive("a", from(station(4).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 1u) << "forgotten ones no longer count";
}

// Ann on a and Bob on b in VLAN 10, Cat on c in VLAN 20.
class Flush : public testing::Test {
 protected:
  Flush()
      : lan_(with_bridge(
            "bridges: { lan: { ports: { a: { vlan: 10 }, b: { vlan: 10 }, c: { vlan: 20 } } } }")) {
    lan_.receive("a", from(kAnn).to(kEverybody));
    lan_.receive("b", from(kBob).to(kEverybody));
    lan_.receive("c", from(kCat).to(kEverybody));
  }
  static constexpr const char* kBobOnB = "02:00:00:00:00:0b lan vlan 10 on b";
  static constexpr const char* kCatOnC = "02:00:00:00:00:0c lan vlan 20 on c";
  TestSwitch lan_;
};

TEST_F(Flush, B10_by_port) {
  EXPECT_EQ(lan_.runtime().clear_macs({.bridge = {}, .vlan = {}, .port = "a"}), 1u);
  EXPECT_THAT(lan_.macs(), ElementsAre(kBobOnB, kCatOnC));
}

TEST_F(Flush, B10_by_vlan) {
  EXPECT_EQ(lan_.runtime().clear_macs({.bridge = {}, .vlan = 10, .port = {}}), 2u);
  EXPECT_THAT(lan_.macs(), ElementsAre(kCatOnC));
}

TEST_F(Flush, B10_all) {
  EXPECT_EQ(lan_.runtime().clear_macs({}), 3u);
  EXPECT_THAT(lan_.macs(), IsEmpty());
}

TEST_F(Flush, B10_a_link_that_goes_down_flushes_its_port_only) {
  lan_.devices().set_link("a", false);
  lan_.runtime().watch_links();
  EXPECT_THAT(lan_.macs(), ElementsAre(kBobOnB, kCatOnC));
}

TEST_F(Flush, B10_a_port_that_is_removed_takes_its_addresses_with_it_and_no_others) {
  const char* without_a = R"(
ports: { b: {device: "null"}, c: {device: "null"} }
bridges: { lan: { ports: { b: { vlan: 10 }, c: { vlan: 20 } } } }
)";
  ASSERT_TRUE(lan_.reload(without_a).ok());
  EXPECT_THAT(lan_.macs(), ElementsAre(kBobOnB, kCatOnC));
}

TEST_F(Flush, B10_a_port_that_leaves_a_vlan_loses_what_it_learned_there) {
  ASSERT_TRUE(
      lan_.reload(with_bridge(
                      "bridges: { lan: { ports: { a: { vlan: 20 }, b: { vlan: 10 }, c: { vlan: 20 } } } }"))
          .ok());
  EXPECT_THAT(lan_.macs(), ElementsAre(kBobOnB, kCatOnC));
}

}  // namespace
}  // namespace sluice::test
