// SPDX-License-Identifier: BSD-3-Clause
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// A bridge with an access port, a trunk with a native VLAN and one without; entries begin in line 9.
std::string with_entries(std::string_view entries) {
  return R"(ports: { access: { device: tap }, trunk: { device: tap }, uplink: { device: tap }, other: { device: tap } }
bridges:
 lan:
  ports:
   access: { vlan: 10 }
   trunk: { vlans: [10, 20], native-vlan: 20 }
   uplink: { vlans: [10, 20] }
  static-macs:
)" + std::string(entries);
}

std::vector<StaticMac> entries(std::string_view entries) {
  return parsed(with_entries(entries)).bridges.at(0).static_macs;
}

std::vector<std::string> entry_findings(std::string_view entries) {
  return findings(with_entries(entries));
}

TEST(StaticMacs, LeadToAPortInAVlan) {
  const auto all = entries("  - { mac: \"02:00:00:00:00:07\", vlan: 10, port: uplink }\n");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].mac, (MacAddress{2, 0, 0, 0, 0, 7}));
  EXPECT_EQ(all[0].vlan, 10);
  EXPECT_EQ(all[0].port, "uplink");
  EXPECT_EQ(all[0].location, (Location{9, 5}));
}

TEST(StaticMacs, AreInTheVlanOfTheAccessPortByDefault) {
  EXPECT_EQ(entries("  - { mac: 02:00:00:00:00:07, port: access }\n").at(0).vlan, 10);
}

TEST(StaticMacs, AreInTheNativeVlanOfTheTrunkByDefault) {
  EXPECT_EQ(entries("  - { mac: 02:00:00:00:00:07, port: trunk }\n").at(0).vlan, 20);
}

TEST(StaticMacs, NeedAVlanOnATrunkWithoutANativeOne) {
  EXPECT_THAT(entry_findings("  - { mac: 02:00:00:00:00:07, port: uplink }\n"),
              ElementsAre("f.yaml:9:5: error: port 'uplink' is a trunk without 'native-vlan': add 'vlan'"));
}

TEST(StaticMacs, MayBeOneAddressInTwoVlans) {
  EXPECT_EQ(entries("  - { mac: 02:00:00:00:00:07, vlan: 10, port: access }\n"
                    "  - { mac: 02:00:00:00:00:07, vlan: 20, port: trunk }\n")
                .size(),
            2U);
}

TEST(StaticMacs, AreNotTwiceInOneVlan) {
  EXPECT_THAT(
      entry_findings("  - { mac: 02:00:00:00:00:07, port: access }\n"
                     "  - { mac: \"02:00:00:00:00:07\", vlan: 10, port: trunk }\n"),
      ElementsAre(
          "f.yaml:10:5: error: this MAC address has an entry in VLAN 10 already: remove one of them"));
}

TEST(StaticMacs, NeedAMacAndAPort) {
  EXPECT_THAT(entry_findings("  - {}\n"), ElementsAre("f.yaml:9:5: error: this entry has no 'mac': add it",
                                                      "f.yaml:9:5: error: this entry has no 'port': add it"));
}

TEST(StaticMacs, AreAddressesOfOneStation) {
  EXPECT_THAT(entry_findings("  - { mac: \"01:00:5e:00:00:01\", port: access }\n"),
              ElementsAre(StartsWith("f.yaml:9:12: error: 'mac' must be the address of one station")));
  EXPECT_THAT(entry_findings("  - { mac: \"00:00:00:00:00:00\", port: access }\n"),
              ElementsAre(StartsWith("f.yaml:9:12: error: 'mac' must be the address of one station")));
}

TEST(StaticMacs, NeedAPortThatExists) {
  EXPECT_THAT(entry_findings("  - { mac: 02:00:00:00:00:07, port: acess }\n"),
              ElementsAre("f.yaml:9:37: error: unknown port 'acess': did you mean 'access'?"));
}

TEST(StaticMacs, NeedAPortOfTheirBridge) {
  EXPECT_THAT(
      entry_findings("  - { mac: 02:00:00:00:00:07, port: other }\n"),
      ElementsAre("f.yaml:9:37: error: port 'other' is not in bridge 'lan': add it there, or name another"));
}

TEST(StaticMacs, NeedAVlanThatThePortCarries) {
  EXPECT_THAT(
      entry_findings("  - { mac: 02:00:00:00:00:07, port: access, vlan: 20 }\n"),
      ElementsAre("f.yaml:9:51: error: port 'access' does not carry VLAN 20: write one that it does"));
  EXPECT_THAT(
      entry_findings("  - { mac: 02:00:00:00:00:07, port: uplink, vlan: 30 }\n"),
      ElementsAre("f.yaml:9:51: error: port 'uplink' does not carry VLAN 30: write one that it does"));
  EXPECT_THAT(entry_findings("  - { mac: 02:00:00:00:00:07, port: uplink, vlan: 0 }\n"),
              ElementsAre("f.yaml:9:51: error: 'vlan' must be a decimal number from 1 to 4094, not '0'"));
}

TEST(StaticMacs, AreAListOfMappings) {
  EXPECT_THAT(entry_findings("   lan1: 3\n"),
              ElementsAre(StartsWith("f.yaml:9:4: error: 'static-macs' must be a list")));
  EXPECT_THAT(entry_findings("  - 02:00:00:00:00:07\n"),
              ElementsAre("f.yaml:9:5: error: 'static-macs' must be a mapping of keys to values, not "
                          "'02:00:00:00:00:07'"));
  EXPECT_THAT(entry_findings("  - { mac: 02:00:00:00:00:07, prot: access }\n"),
              ElementsAre("f.yaml:9:5: error: this entry has no 'port': add it",
                          "f.yaml:9:31: error: unknown key 'prot': did you mean 'port'?"));
}

TEST(StaticMacs, OnAPortThatIsInErrorAreNotBlamedForItsVlans) {
  EXPECT_THAT(findings(R"(ports: { a: { device: tap } }
bridges:
  lan:
    ports: { a: { vlan: 0 } }
    static-macs: [{ mac: 02:00:00:00:00:07, vlan: 10, port: a }]
)"),
              ElementsAre(StartsWith("f.yaml:4:25: error: 'vlan' must be")));
}

}  // namespace
}  // namespace sluice::config
