// SPDX-License-Identifier: BSD-3-Clause
//
// A reload changes what the file says has changed, loses nothing else, and does all of it or nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/config_json.h"
#include "control/status.h"
#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kTwo = R"(
ports: { a: {device: "null"}, b: {device: "null"} }
bridges: { lan: { ports: [a, b] } }
)";

constexpr const char* kThree = R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c] } }
)";

TEST(Reload, opens_a_port_that_is_new_and_leaves_the_others_open) {
  TestSwitch lan(kTwo);
  ASSERT_TRUE(lan.reload(kThree).ok());
  EXPECT_EQ(lan.devices().opened, 3u);
  EXPECT_EQ(lan.devices().closed, 0u);
  lan.receive("a", from(kAnn).to(kEverybody));
  EXPECT_EQ(lan.sent("c").size(), 1u);
}

TEST(Reload, closes_a_port_that_is_gone) {
  TestSwitch lan(kThree);
  ASSERT_TRUE(lan.reload(kTwo).ok());
  EXPECT_EQ(lan.devices().closed, 1u);
  lan.receive("a", from(kAnn).to(kEverybody));
  EXPECT_EQ(lan.sent("b").size(), 1u);
}

TEST(Reload, keeps_what_was_learned_on_what_stays) {
  TestSwitch lan(kThree);
  lan.receive("a", from(kAnn).to(kEverybody));
  lan.receive("b", from(kBob).to(kEverybody));
  const char* vlans = R"(
ports: { a: {device: "null"}, b: {device: "null"}, d: {device: "null"} }
bridges: { lan: { ports: [a, b] }, other: { ports: { d: { vlans: [1-4094] } } } }
)";
  ASSERT_TRUE(lan.reload(vlans).ok());
  EXPECT_THAT(lan.macs(),
              ElementsAre("02:00:00:00:00:0a lan vlan 1 on a", "02:00:00:00:00:0b lan vlan 1 on b"));
}

TEST(Reload, packets_that_wait_in_a_queue_are_forwarded_by_the_new_rules_not_lost) {
  TestSwitch lan(kTwo);
  const Frame frame = from(kAnn).to(kBob);
  ASSERT_TRUE(lan.devices().give("a", make_packet(frame, lan.pool(), Buffer::pool)));
  ASSERT_TRUE(lan.reload(kThree).ok());
  lan.turn();
  EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
  EXPECT_THAT(lan.sent("c"), ElementsAre(frame));
}

TEST(Reload, a_port_that_cannot_be_opened_changes_nothing) {
  TestSwitch lan(kTwo);
  lan.receive("a", from(kAnn).to(kEverybody));
  lan.sent("b");
  lan.devices().refuse("d");
  const absl::Status status = lan.reload(R"(
ports: { b: {device: "null"}, c: {device: "null"}, d: {device: "null"} }
bridges: { lan: { ports: [b, c, d] } }
)");
  EXPECT_EQ(control::exit_code(status), control::kExitMachine);
  EXPECT_THAT(std::string(status.message()), HasSubstr("port 'd'"));
  EXPECT_EQ(lan.devices().opened - lan.devices().closed, 2u) << "what had been opened was closed again";
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0a lan vlan 1 on a"));
  lan.receive("b", from(kBob).to(kAnn));
  EXPECT_EQ(lan.sent("a").size(), 1u);
}

TEST(Reload, a_changed_mtu_restarts_that_port_alone) {
  TestSwitch lan(kThree);
  lan.receive("a", from(kAnn).to(kEverybody));
  lan.receive("b", from(kBob).to(kEverybody));
  ASSERT_TRUE(lan.reload(R"(
ports: { a: {device: "null"}, b: {device: "null", mtu: 9000}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c] } }
)")
                  .ok());
  EXPECT_EQ(lan.devices().opened, 4u);
  EXPECT_EQ(lan.devices().closed, 1u);
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0a lan vlan 1 on a"));
  lan.receive("b", from(kBob).to(kAnn));
  EXPECT_EQ(lan.sent("a").size(), 2u) << "the flood from before, and this";
}

TEST(Reload, a_restart_that_fails_puts_the_port_back_as_it_was) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null"} }
bridges: { lan: { ports: [a, b], static-macs: [{mac: "02:00:00:00:00:0b", port: b}] } }
)");
  const nlohmann::json before = control::to_json(lan.runtime().config());
  const absl::Status status = lan.reload(R"(
ports: { a: {device: "null"}, b: {device: "null", tx-queues: 2, rx-queues: 17} }
bridges: { lan: { ports: [a, b] } }
)");
  ASSERT_FALSE(status.ok()) << "the ring driver has 16 queues";
  EXPECT_EQ(control::to_json(lan.runtime().config()), before);
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0b lan vlan 1 on b static"));
  const Frame frame = from(kAnn).to(kBob);
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
}

TEST(Reload, a_port_whose_new_form_cannot_be_opened_beside_the_old_one_stays_as_it_was) {
  TestSwitch lan(kTwo);
  lan.receive("b", from(kBob).to(kEverybody));
  lan.sent("a");
  lan.devices().let_coexist("b");
  lan.devices().refuse("b");
  const char* changed = R"(
ports: { a: {device: "null"}, b: {device: "net_other0"} }
bridges: { lan: { ports: [a, b] } }
)";
  EXPECT_FALSE(lan.reload(changed).ok());
  EXPECT_EQ(lan.devices().closed, 0u);
  EXPECT_THAT(lan.macs(), ElementsAre("02:00:00:00:00:0b lan vlan 1 on b"));
}

TEST(Reload, more_ports_at_once_than_dpdk_holds_are_refused_before_any_is_opened) {
  const auto twenty = [](const std::string& prefix) {
    std::string ports = "ports:\n", members;
    for (int i = 0; i < 20; ++i) {
      ports += "  " + prefix + std::to_string(i) + ": {device: 'null'}\n";
      members += (i == 0 ? "" : ", ") + prefix + std::to_string(i);
    }
    return ports + "bridges: { lan: { ports: [" + members + "] } }\n";
  };
  TestSwitch lan(twenty("a"));
  const absl::Status status = lan.reload(twenty("b"));
  EXPECT_EQ(control::exit_code(status), control::kExitInput);
  EXPECT_THAT(std::string(status.message()), HasSubstr("40 ports for an instant"));
  EXPECT_EQ(lan.devices().opened, 20u);
}

TEST(Reload, what_only_a_restart_can_change_is_refused_with_its_name) {
  TestSwitch lan(kTwo);
  const std::pair<const char*, const char*> changes[] = {
      {"workers", "workers: {idle: spin}\n"},
      {"dpdk", "dpdk: {mbufs: 8192}\n"},
      {"tables", "tables: {macs: 100}\n"},
      {"log", "log: {level: debug}\n"},
      {"control", "control: {socket: /tmp/other.sock}\n"},
  };
  for (const auto& [key, text] : changes) {
    const absl::Status status = lan.reload(std::string(text) + kThree);
    EXPECT_EQ(control::exit_code(status), control::kExitInput) << key;
    EXPECT_THAT(std::string(status.message()), HasSubstr(key));
    EXPECT_EQ(lan.devices().opened, 2u) << key;
  }
}

TEST(Reload, a_new_mac_limit_holds_for_what_is_learned_from_now_on) {
  TestSwitch lan(kTwo);
  for (unsigned i = 0; i < 3; ++i) lan.receive("a", from(station(i).c_str()).to(kEverybody));
  ASSERT_TRUE(lan.reload(R"(
ports: { a: {device: "null"}, b: {device: "null"} }
bridges: { lan: { ports: { a: {mac-limit: 2}, b: {} } } }
)")
                  .ok());
  lan.receive("a", from(station(3).c_str()).to(kEverybody));
  EXPECT_EQ(lan.macs().size(), 3u);
}

TEST(Reload, turning_learning_off_forgets_what_was_learned) {
  TestSwitch lan(kTwo);
  lan.receive("a", from(kAnn).to(kEverybody));
  ASSERT_TRUE(lan.reload(R"(
ports: { a: {device: "null"}, b: {device: "null"} }
bridges: { lan: { learning: false, ports: [a, b] } }
)")
                  .ok());
  EXPECT_THAT(lan.macs(), IsEmpty());
}

TEST(Reload, says_beforehand_what_it_would_change) {
  TestSwitch lan(kThree);
  EXPECT_THAT(lan.runtime().difference(parse_or_die(kThree)), IsEmpty());
  const auto lines = lan.runtime().difference(parse_or_die(R"(
ports: { a: {device: "null"}, b: {device: "null", mtu: 2000}, d: {device: "null"} }
bridges: { lan: { ports: [a, b] }, more: { ports: [d] } }
)"));
  EXPECT_THAT(lines, ElementsAre("port d: opened", "port b: restarted, down for a moment", "port c: closed",
                                 "bridge lan: changed", "bridge more: added"));
}

TEST(Reload, two_hundred_ports_come_and_go_without_mixing_up_their_counters) {
  TestSwitch lan(kTwo);
  for (unsigned round = 0; round < 200; ++round) {
    ASSERT_TRUE(lan.reload(kThree).ok());
    lan.receive("a", from(kAnn).to(kEverybody));
    ASSERT_EQ(lan.sent("c").size(), 1u);
    const control::OpenPort& c = lan.runtime().ports().at("c");
    const uint64_t counted = lan.counters().ports[c.index].transmitted - c.at_opening.transmitted;
    ASSERT_EQ(counted, 1u) << "round " << round;
    ASSERT_TRUE(lan.reload(kTwo).ok());
    lan.sent("b");
  }
}

}  // namespace
}  // namespace sluice::test
