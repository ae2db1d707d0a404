// SPDX-License-Identifier: BSD-3-Clause
#include "config/addresses.h"
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// Interfaces `lan` and `up` with both families; the text begins in line 5.
std::string with_base(std::string_view text) {
  return "ports: { a: { device: tap }, b: { device: tap } }\n"
         "interfaces:\n"
         "  lan: { port: a, addresses: [192.168.10.1/24, \"fd00:10::1/64\"] }\n"
         "  up: { port: b, addresses: [203.0.113.2/24, \"fe80::2/64\"] }\n" +
         std::string(text);
}

std::vector<Neighbor> neighbors(std::string_view entries) {
  return parsed(with_base("neighbors: [" + std::string(entries) + "]")).neighbors;
}

std::vector<std::string> neighbor_findings(std::string_view entries) {
  return findings(with_base("neighbors: [" + std::string(entries) + "]"));
}

/// The one finding about a neighbor of this address, which stands in column 24 of line 5.
std::string address_finding(std::string_view address, std::string_view interface = "lan") {
  const auto all =
      neighbor_findings("{ address: " + std::string(address) +
                        ", mac: \"02:00:00:00:00:01\", interface: " + std::string(interface) + " }");
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

TEST(Neighbors, AreAddressesWithAMac) {
  const Neighbor neighbor =
      neighbors("{ address: 192.168.10.2, mac: \"02:00:00:00:00:01\", interface: lan }").at(0);
  EXPECT_EQ(to_text(neighbor.address), "192.168.10.2");
  EXPECT_EQ(neighbor.mac, (MacAddress{2, 0, 0, 0, 0, 1}));
  EXPECT_EQ(neighbor.interface, "lan");
  EXPECT_EQ(neighbor.location, (Location{5, 13}));
  EXPECT_EQ(
      neighbors("{ address: \"fd00:10::2\", mac: \"02:00:00:00:00:01\", interface: lan }").at(0).interface,
      "lan");
}

TEST(Neighbors, NeedAllTheirKeys) {
  EXPECT_THAT(neighbor_findings("{}"),
              ElementsAre("f.yaml:5:13: error: this neighbor has no 'address': add it",
                          "f.yaml:5:13: error: this neighbor has no 'mac': add it",
                          "f.yaml:5:13: error: this neighbor has no 'interface': add "
                          "it"));
  EXPECT_THAT(neighbor_findings("192.168.10.2"), ElementsAre(HasSubstr("must be a mapping of keys")));
  EXPECT_THAT(findings(with_base("neighbors: {}")),
              ElementsAre(StartsWith("f.yaml:5:12: error: 'neighbors' must be a list of entries like {")));
}

TEST(Neighbors, HaveTheMacOfOneStation) {
  EXPECT_THAT(neighbor_findings("{ address: 192.168.10.2, mac: \"ff:ff:ff:ff:ff:ff\", interface: lan }"),
              ElementsAre(StartsWith("f.yaml:5:43: error: 'mac' must be the address of one station")));
}

TEST(Neighbors, AreOnAnInterfaceThatExists) {
  EXPECT_EQ(address_finding("192.168.10.2", "lam"),
            "f.yaml:5:75: error: unknown interface 'lam': did you mean 'lan'?");
  EXPECT_EQ(address_finding("192.168.10.2", "office"),
            "f.yaml:5:75: error: unknown interface 'office': write 'lan' or 'up'");
  EXPECT_THAT(
      findings(with_ports("neighbors: [{ address: 192.0.2.1, mac: \"02:00:00:00:00:01\", interface: up }]")),
      ElementsAre("f.yaml:1:72: error: unknown interface 'up': add it to 'interfaces'"));
}

TEST(Neighbors, OnAnUnknownInterfaceAmongManyAreNotGivenThemAll) {
  std::string text = "ports: {";
  std::string interfaces = "interfaces: {";
  for (int i = 10; i < 27; ++i) {
    const std::string n = std::to_string(i);
    text += " p" + n + ": { device: tap },";
    interfaces += " vlan" + n + ": { port: p" + n + " },";
  }
  text +=
      " }\n" + interfaces + " }\nneighbors: [{ address: 192.0.2.1, mac: \"02:00:00:00:00:01\", interface: ";
  EXPECT_THAT(findings(text + "office }]"),
              ElementsAre("f.yaml:3:72: error: unknown interface 'office': write one of 'interfaces'"));
  EXPECT_THAT(findings(text + "vlna12 }]"),
              ElementsAre("f.yaml:3:72: error: unknown interface 'vlna12': did you mean 'vlan12'?"));
}

TEST(Neighbors, LieInANetworkOfTheirInterface) {
  EXPECT_EQ(address_finding("198.51.100.1"),
            "f.yaml:5:24: error: 198.51.100.1 lies in no network of interface 'lan': write an address in one "
            "of them, or add the network to its 'addresses'");
  EXPECT_EQ(address_finding("203.0.113.1"),
            "f.yaml:5:24: error: 203.0.113.1 lies in 203.0.113.0/24 on interface 'up': write that interface, "
            "or another address");
}

TEST(Neighbors, MayBeLinkLocalOnAnyInterface) {
  EXPECT_THAT(neighbor_findings("{ address: \"fe80::1\", mac: \"02:00:00:00:00:01\", interface: lan }, "
                                "{ address: \"fe80::1\", mac: \"02:00:00:00:00:01\", interface: up }"),
              IsEmpty());
}

TEST(Neighbors, AreHosts) {
  EXPECT_THAT(address_finding("192.168.10.255"), HasSubstr("is the broadcast address of 192.168.10.0/24"));
  EXPECT_THAT(address_finding("192.168.10.0"), HasSubstr("is the network address of 192.168.10.0/24"));
  EXPECT_THAT(address_finding("\"ff02::1\""), HasSubstr("is a multicast address"));
  EXPECT_EQ(address_finding("host"),
            "f.yaml:5:24: error: 'address' must be an IPv4 or IPv6 address, not 'host'");
}

TEST(Neighbors, AreNotTheRouterItself) {
  EXPECT_EQ(address_finding("192.168.10.1"),
            "f.yaml:5:24: error: 192.168.10.1 is the router's own address, on interface 'lan': write that of "
            "another host");
  EXPECT_THAT(address_finding("\"fe80::2\"", "up"), HasSubstr("fe80::2 is the router's own address"));
}

TEST(Neighbors, AreListedOnce) {
  EXPECT_THAT(neighbor_findings("{ address: 192.168.10.2, mac: \"02:00:00:00:00:01\", interface: lan },\n"
                                "  { address: 192.168.10.2, mac: \"02:00:00:00:00:02\", interface: lan }"),
              ElementsAre("f.yaml:6:3: error: 192.168.10.2 has an entry in line 5: remove one of them"));
}

TEST(Neighbors, AreNotBlamedForTheErrorsOfTheirInterface) {
  EXPECT_THAT(findings("ports: { a: { device: tap } }\n"
                       "interfaces: { lan: { port: a, addresses: [192.168.10.1/33] } }\n"
                       "neighbors: [{ address: 10.0.0.1, mac: \"02:00:00:00:00:01\", interface: lan }]\n"),
              ElementsAre(HasSubstr("2:43: error: the prefix length")));
}

TEST(Neighbors, AreNoMoreThanTheTableHolds) {
  const std::string two =
      "neighbors: [{ address: 192.168.10.2, mac: \"02:00:00:00:00:01\", interface: lan },\n"
      "  { address: 192.168.10.3, mac: \"02:00:00:00:00:02\", interface: lan }]\n";
  EXPECT_THAT(findings(with_base(two + "tables: { neighbors: 2 }")), IsEmpty());
  EXPECT_THAT(findings(with_base(two + "tables: { neighbors: 1 }")),
              ElementsAre("f.yaml:6:3: error: more neighbors than 'tables: neighbors' has room for: raise it "
                          "above 1"));
}

}  // namespace
}  // namespace sluice::config
