// SPDX-License-Identifier: BSD-3-Clause
#include <numeric>

#include "tests/config/findings.h"

namespace sluice::config {
namespace {

constexpr std::string_view kPorts =
    "ports: { lan1: { device: tap }, lan2: { device: tap }, far: { device: tap } }\n";

std::vector<std::string> bridge_findings(std::string_view bridges) {
  return findings(std::string(kPorts) + std::string(bridges));
}

Config with_bridges(std::string_view bridges) {
  return parsed(std::string(kPorts) + std::string(bridges));
}

/// The bridge port lan1 of these keys.
BridgePort member(std::string_view keys) {
  return with_bridges("bridges: { lan: { ports: { lan1: { " + std::string(keys) + " } } } }")
      .bridges.at(0)
      .ports.at(0);
}

/// The one finding about the bridge port lan1 of these keys; they begin in column 36 of line 2.
std::string member_finding(std::string_view keys) {
  const auto all = bridge_findings("bridges: { lan: { ports: { lan1: { " + std::string(keys) + " } } } }");
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

/// The one finding about a bridge of these keys; they begin in column 19 of line 2.
std::string bridge_finding(std::string_view keys) {
  const auto all = bridge_findings("bridges: { lan: { " + std::string(keys) + " } }");
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

Bridge bridge(std::string_view keys) {
  return with_bridges("bridges: { lan: { " + std::string(keys) + " } }").bridges.at(0);
}

TEST(Bridges, MustBeAMappingOfMappings) {
  EXPECT_THAT(
      bridge_findings("bridges: []"),
      ElementsAre("f.yaml:2:10: error: 'bridges' must be a mapping of names to bridges, not an empty list"));
  EXPECT_THAT(bridge_findings("bridges:"),
              ElementsAre("f.yaml:2:1: error: 'bridges' has no value: write one, or remove it"));
  EXPECT_THAT(bridge_findings("bridges:\n  lan:\n"),
              ElementsAre("f.yaml:3:3: error: 'lan' must be a mapping of keys to values, not nothing"));
  EXPECT_EQ(bridge_finding("ports: lan1"),
            "f.yaml:2:26: error: 'ports' must be a mapping or a list of ports, not 'lan1'");
}

TEST(Bridges, HaveDefaults) {
  const Bridge lan = bridge("ports: {}");
  EXPECT_EQ(lan.name, "lan");
  EXPECT_THAT(lan.ports, IsEmpty());
  EXPECT_EQ(lan.mac_ageing_s, 300U);
  EXPECT_EQ(lan.mac_limit, 0U);
  EXPECT_TRUE(lan.learning);
  EXPECT_EQ(lan.location, (Location{2, 12}));
}

TEST(Bridges, HaveNamesLikePorts) {
  EXPECT_THAT(bridge_findings("bridges: { \"a/b\": {} }"),
              ElementsAre(StartsWith("f.yaml:2:12: error: name 'a/b'")));
  EXPECT_THAT(bridge_findings("bridges: { " + std::string(32, 'b') + ": {} }"),
              ElementsAre(HasSubstr("has 32 characters: write at most 31")));
}

TEST(Bridges, RefuseWhatIsNotBuiltYet) {
  for (const std::string key : {"mac-move-limit", "neighbor-suppression"}) {
    EXPECT_EQ(bridge_finding(key + ": 1"), "f.yaml:2:19: error: '" + key + "' is not built yet: remove it");
  }
  for (const std::string key : {"isolated", "split-horizon", "tag"}) {
    EXPECT_EQ(member_finding(key + ": 1"), "f.yaml:2:36: error: '" + key + "' is not built yet: remove it");
  }
}

TEST(Bridges, AgeTheirMacs) {
  EXPECT_EQ(bridge("mac-ageing: 10s").mac_ageing_s, 10U);
  EXPECT_EQ(bridge("mac-ageing: 5m").mac_ageing_s, 300U);
  EXPECT_EQ(bridge("mac-ageing: 2h4m").mac_ageing_s, 7440U);
  EXPECT_EQ(bridge("mac-ageing: \"1h1m1s\"").mac_ageing_s, 3661U);
  EXPECT_EQ(bridge("mac-ageing: 10000ms").mac_ageing_s, 10U);
  EXPECT_EQ(bridge("mac-ageing: 1000000s").mac_ageing_s, 1000000U);
  EXPECT_EQ(bridge_finding("mac-ageing: 300"),
            "f.yaml:2:31: error: 'mac-ageing' has no unit: write it like '300s'");
  for (const std::string text : {"9s", "1000001s", "10500ms", "4m2h", "1m1m", "s", "-10s", "1.5m", "10 s",
                                 "10sec", "0s", "never", "9999999999h", "999999999h", "10s0"}) {
    EXPECT_EQ(bridge_finding("mac-ageing: " + text),
              "f.yaml:2:31: error: 'mac-ageing' must be a time in whole seconds from 10s to 1000000s, not '" +
                  text + "'");
  }
}

TEST(Bridges, LimitTheirMacs) {
  EXPECT_EQ(bridge("mac-limit: 16384").mac_limit, 16384U);
  EXPECT_EQ(bridge_finding("mac-limit: 0"),
            "f.yaml:2:30: error: 'mac-limit' must be a decimal number from 1 to 4194304, not '0'");
}

TEST(Bridges, LearnOrNot) {
  EXPECT_FALSE(bridge("learning: false").learning);
  EXPECT_EQ(bridge_finding("learning: off"),
            "f.yaml:2:29: error: 'learning' must be true or false, not 'off'");
}

TEST(BridgePorts, WithoutKeysAreAccessPortsOfVlanOne) {
  for (const char* ports : {"{ lan1: {} }", "[lan1]"}) {
    const BridgePort port = bridge(std::string("ports: ") + ports).ports.at(0);
    EXPECT_EQ(port.port, "lan1");
    EXPECT_FALSE(port.trunk);
    EXPECT_EQ(port.native_vlan, 1);
    EXPECT_THAT(port.vlans, ElementsAre(1));
    EXPECT_EQ(port.mac_limit, 0U);
    EXPECT_EQ(port.location.line, 2);
  }
}

TEST(BridgePorts, WithNothingAreRefused) {
  EXPECT_THAT(
      bridge_findings("bridges:\n  lan:\n    ports:\n      lan1:\n"),
      ElementsAre("f.yaml:5:7: error: port 'lan1' has no value: write {} for an access port of VLAN 1"));
  EXPECT_EQ(bridge_finding("ports: [~]"), "f.yaml:2:26: error: 'ports' must be text, not nothing");
}

TEST(BridgePorts, OfAVlanAreAccessPorts) {
  const BridgePort port = member("vlan: 10");
  EXPECT_FALSE(port.trunk);
  EXPECT_EQ(port.native_vlan, 10);
  EXPECT_THAT(port.vlans, ElementsAre(10));
  EXPECT_EQ(port.location, (Location{2, 28}));
}

TEST(BridgePorts, OfVlansAreTrunks) {
  const BridgePort port = member("vlans: [20, 10]");
  EXPECT_TRUE(port.trunk);
  EXPECT_EQ(port.native_vlan, 0) << "untagged frames are dropped";
  EXPECT_THAT(port.vlans, ElementsAre(10, 20));
}

TEST(BridgePorts, MayHaveANativeVlan) {
  const BridgePort port = member("vlans: [10, 20], native-vlan: 20");
  EXPECT_TRUE(port.trunk);
  EXPECT_EQ(port.native_vlan, 20);
  EXPECT_THAT(port.vlans, ElementsAre(10, 20));
}

TEST(BridgePorts, MayLimitTheirMacs) {
  EXPECT_EQ(member("mac-limit: 64").mac_limit, 64U);
  EXPECT_EQ(member_finding("mac-limit: 0"),
            "f.yaml:2:47: error: 'mac-limit' must be a decimal number from 1 to 4194304, not '0'");
}

TEST(BridgePorts, AreOfAVlanOrOfVlansNotOfBoth) {
  EXPECT_EQ(member_finding("vlan: 10, vlans: [20]"),
            "f.yaml:2:42: error: 'vlan' makes an access port and 'vlans' a trunk: remove one of them");
}

TEST(BridgePorts, HaveANativeVlanOnTrunksAlone) {
  EXPECT_EQ(
      member_finding("native-vlan: 10"),
      "f.yaml:2:49: error: 'native-vlan' is for trunks: add 'vlans', or write 'vlan' for an access port");
  EXPECT_EQ(
      member_finding("vlan: 10, native-vlan: 10"),
      "f.yaml:2:59: error: 'native-vlan' is for trunks: add 'vlans', or write 'vlan' for an access port");
}

TEST(BridgePorts, HaveANativeVlanThatIsAmongTheVlans) {
  EXPECT_EQ(member_finding("vlans: [10], native-vlan: 20"),
            "f.yaml:2:62: error: 'native-vlan' 20 is not in 'vlans': add it there");
}

TEST(Vlans, AreOneTo4094) {
  EXPECT_EQ(member("vlan: 4094").native_vlan, 4094);
  for (const std::string text : {"0", "4095", "65537"}) {
    EXPECT_EQ(member_finding("vlan: " + text),
              "f.yaml:2:42: error: 'vlan' must be a decimal number from 1 to 4094, not '" + text + "'");
  }
  EXPECT_EQ(member_finding("vlan: \"10\""), "f.yaml:2:42: error: 'vlan' is a number: remove the quotes");
}

TEST(Vlans, MayBeRangesSortedAndMadeUnique) {
  EXPECT_THAT(member("vlans: [12, 10-12, 3, 11-13]").vlans, ElementsAre(3, 10, 11, 12, 13));
  EXPECT_THAT(member("vlans: [\"10-12\"]").vlans, ElementsAre(10, 11, 12)) << "quoted, which does no harm";
  std::vector<VlanId> all(4094);
  std::iota(all.begin(), all.end(), 1);
  EXPECT_EQ(member("vlans: [1-4094]").vlans, all);
}

TEST(Vlans, AreAListThatIsNotEmpty) {
  const std::string expected = "f.yaml:2:43: error: 'vlans' must be a list of VLANs like [10, 100-200], not ";
  EXPECT_EQ(member_finding("vlans: []"), expected + "an empty list");
  EXPECT_EQ(member_finding("vlans: 10"), expected + "'10'");
  EXPECT_EQ(member_finding("vlans: 10-20"), expected + "'10-20'");
}

TEST(Vlans, RefuseRangesThatAreNone) {
  EXPECT_EQ(member_finding("vlans: [20-10]"),
            "f.yaml:2:44: error: range '20-10' runs backwards: write 10-20");
  EXPECT_THAT(member_finding("vlans: [0-10]"), HasSubstr("from 1 to 4094, not '0'"));
  EXPECT_THAT(member_finding("vlans: [10-4095]"), HasSubstr("from 1 to 4094, not '4095'"));
  EXPECT_THAT(member_finding("vlans: [010-020, 7]"), HasSubstr("'010' could be meant as octal"));
  for (const std::string text : {"10-", "-10", "10-20-30", "10 - 20", "10..20"}) {
    EXPECT_THAT(member_finding("vlans: [" + text + "]"), HasSubstr("from 1 to 4094, not '" + text + "'"));
  }
}

TEST(Vlans, ReportEveryItemThatIsWrong) {
  EXPECT_THAT(bridge_findings("bridges: { lan: { ports: { lan1: { vlans: [0, 10, 9999, ~] } } } }"),
              ElementsAre(StartsWith("f.yaml:2:43: error: "), StartsWith("f.yaml:2:44: error: "),
                          StartsWith("f.yaml:2:51: error: ")));
}

TEST(BridgePorts, MustExist) {
  EXPECT_EQ(bridge_finding("ports: [lan3]"), "f.yaml:2:27: error: unknown port 'lan3': did you mean 'lan1'?");
  EXPECT_EQ(bridge_finding("ports: { x: {} }"),
            "f.yaml:2:28: error: unknown port 'x': write 'lan1', 'lan2' or 'far'");
}

TEST(BridgePorts, ThatDoNotExistAreCheckedAllTheSame) {
  EXPECT_THAT(bridge_findings("bridges: { lan: { ports: { lan3: { vlan: 0 } } } }"),
              ElementsAre(StartsWith("f.yaml:2:28: error: unknown port 'lan3'"),
                          StartsWith("f.yaml:2:42: error: 'vlan'")));
}

TEST(BridgePorts, OfPortsThatCouldNotBeReadAreNotCalledUnknown) {
  EXPECT_THAT(findings("ports: []\nbridges: { lan: { ports: [a] } }\n"),
              ElementsAre(StartsWith("f.yaml:1:8: error: ")));
}

TEST(BridgePorts, AreInOneBridgeOnce) {
  EXPECT_THAT(
      bridge_findings("bridges:\n  lan: { ports: [lan1, lan2] }\n  dmz: { ports: { lan1: {} } }\n"),
      ElementsAre("f.yaml:4:19: error: port 'lan1' is in bridge 'lan' already: remove it from one of them"));
  EXPECT_EQ(bridge_finding("ports: [lan1, lan1]"),
            "f.yaml:2:33: error: port 'lan1' is in bridge 'lan' already: remove it from one of them");
  EXPECT_EQ(bridge_finding("ports: { lan1: {}, lan1: {} }"),
            "f.yaml:2:38: error: duplicate key 'lan1': it is given in line 2");
}

TEST(Bridges, AndTheirPortsComeInTheOrderOfTheFile) {
  const Config config = with_bridges("bridges: { z: { ports: [lan2, lan1] }, a: { ports: [far] } }");
  EXPECT_EQ(config.bridges[0].name, "z");
  EXPECT_EQ(config.bridges[0].ports[0].port, "lan2");
  EXPECT_EQ(config.bridges[0].ports[1].port, "lan1");
  EXPECT_EQ(config.bridges[1].name, "a");
}

TEST(Bridges, MayStandBeforeThePorts) {
  EXPECT_EQ(parsed("bridges: { lan: { ports: [lan1] } }\n" + std::string(kPorts)).bridges[0].ports[0].port,
            "lan1");
}

}  // namespace
}  // namespace sluice::config
