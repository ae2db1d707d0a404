// SPDX-License-Identifier: BSD-3-Clause
#include "config/addresses.h"
#include "config/networks.h"
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// Two ports of bridge `lan`, an access port of VLAN 10 and a trunk, and two ports in no bridge; what follows
/// begins in line 3.
std::string with_base(std::string_view text) {
  return "ports: { lan1: { device: tap, mtu: 4000 }, lan2: { device: tap, mtu: 2000 }, "
         "wan: { device: tap, mtu: 3000 }, dmz: { device: tap } }\n"
         "bridges: { lan: { ports: { lan1: { vlan: 10 }, lan2: { vlans: [10, 20] } } } }\n" +
         std::string(text);
}

/// Errors alone: not every port is used.
std::vector<std::string> errors(std::string_view text) {
  std::vector<std::string> errors;
  for (const std::string& line : findings(with_base(text))) {
    if (line.find(" error: ") != std::string::npos) errors.push_back(line);
  }
  return errors;
}

/// The interfaces of this YAML flow mapping, without its braces.
std::vector<Interface> interfaces(std::string_view entries) {
  return parsed(with_base("interfaces: { " + std::string(entries) + " }")).interfaces;
}

/// The one error about an interface `up` of these keys; they begin in column 21 of line 3.
std::string interface_error(std::string_view keys) {
  const auto all = errors("interfaces: { up: { " + std::string(keys) + " } }");
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

/// The one error about an interface on port wan with this item of its addresses, in column 44 of line 3.
std::string address_error(std::string_view item) {
  return interface_error("port: wan, addresses: [" + std::string(item) + "]");
}

TEST(Interfaces, AreOnAPort) {
  const Interface up = interfaces("up: { port: wan, addresses: [192.0.2.1/24, \"fd00:10::1/64\"] }").at(0);
  EXPECT_EQ(up.name, "up");
  EXPECT_EQ(up.port, "wan");
  EXPECT_EQ(up.bridge, "");
  EXPECT_EQ(up.mac, std::nullopt);
  EXPECT_EQ(up.location, (Location{3, 15}));
  ASSERT_EQ(up.addresses.size(), 2U);
  EXPECT_EQ(to_text(up.addresses[0]), "192.0.2.1/24") << "host bits are kept";
  EXPECT_EQ(up.addresses[0].location, (Location{3, 44}));
  EXPECT_EQ(to_text(up.addresses[1]), "fd00:10::1/64");
}

TEST(Interfaces, AreOnAVlanOfABridge) {
  const auto all = interfaces("b: { bridge: lan, vlan: 20, mac: \"02:00:00:00:00:01\" }, a: { port: wan }");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "b") << "in the order of the file";
  EXPECT_EQ(all[0].bridge, "lan");
  EXPECT_EQ(all[0].port, "");
  EXPECT_EQ(all[0].vlan, 20);
  EXPECT_EQ(all[0].mac, (MacAddress{2, 0, 0, 0, 0, 1}));
  EXPECT_THAT(all[0].addresses, IsEmpty());
}

TEST(Interfaces, OnABridgeAreInVlan1ByDefault) {
  const Config config = parsed(
      "interfaces: { up: { bridge: lan } }\nports: { a: { device: tap } }\nbridges: { lan: { ports: [a] } }");
  EXPECT_EQ(config.interfaces.at(0).vlan, 1) << "wherever the sections stand in the file";
  EXPECT_EQ(interface_error("bridge: lan"),
            "f.yaml:3:29: error: no port of bridge 'lan' carries VLAN 1, the default: add 'vlan'");
}

TEST(Interfaces, MayBeNone) {
  EXPECT_THAT(interfaces(""), IsEmpty());
  EXPECT_EQ(errors("interfaces: []").at(0),
            "f.yaml:3:13: error: 'interfaces' must be a mapping of names to interfaces, not an empty list");
  EXPECT_EQ(errors("interfaces:\n  up:\n").at(0),
            "f.yaml:4:3: error: 'up' must be a mapping of keys to values, not nothing");
}

TEST(Interfaces, HaveNamesLikeBridges) {
  EXPECT_THAT(errors("interfaces: { \"a/b\": { port: wan } }"),
              ElementsAre(StartsWith("f.yaml:3:15: error: name 'a/b': write letters")));
  EXPECT_EQ(interfaces(std::string(31, 'i') + ": { port: wan }").size(), 1U);
  EXPECT_THAT(errors("interfaces: { " + std::string(32, 'i') + ": { port: wan } }"),
              ElementsAre(HasSubstr("has 32 characters: write at most 31")));
}

TEST(Interfaces, RefuseWhatIsNotBuiltYet) {
  for (const std::string key :
       {"vrf", "urpf", "proxy-arp", "mss-clamp", "router-advertisements", "dhcp-relay"}) {
    EXPECT_EQ(interface_error(key + ": 1, port: wan"),
              "f.yaml:3:21: error: '" + key + "' is not built yet: remove it");
  }
}

TEST(Interfaces, AreOnOneThing) {
  EXPECT_EQ(interface_error("mtu: 1500"),
            "f.yaml:3:15: error: interface 'up' has neither 'port' nor 'bridge': add one of them");
  EXPECT_EQ(interface_error("port: wan, bridge: lan"),
            "f.yaml:3:40: error: interface 'up' has both 'port' and 'bridge': remove one of them");
  EXPECT_EQ(interface_error("port: wan, vlan: 10"),
            "f.yaml:3:38: error: 'vlan' is for an interface on a bridge: remove it, or write 'bridge' for "
            "'port'");
}

TEST(Interfaces, AreOnAPortOrBridgeThatExists) {
  EXPECT_EQ(interface_error("port: wam"), "f.yaml:3:27: error: unknown port 'wam': did you mean 'wan'?");
  EXPECT_EQ(interface_error("bridge: lam"), "f.yaml:3:29: error: unknown bridge 'lam': did you mean 'lan'?");
  EXPECT_EQ(interface_error("bridge: office, vlan: 10"),
            "f.yaml:3:29: error: unknown bridge 'office': write 'lan'");
  EXPECT_THAT(findings("ports: { a: { device: tap } }\ninterfaces: { up: { bridge: lan } }"),
              ElementsAre("f.yaml:2:29: error: unknown bridge 'lan': add it to 'bridges'"));
}

TEST(Interfaces, AreOnAPortThatIsInNoBridge) {
  EXPECT_EQ(interface_error("port: lan1"),
            "f.yaml:3:27: error: port 'lan1' is in bridge 'lan': put the interface on the bridge, or take "
            "the port out of it");
}

TEST(Interfaces, AreOnAVlanThatSomePortCarries) {
  EXPECT_EQ(interface_error("bridge: lan, vlan: 30"),
            "f.yaml:3:40: error: no port of bridge 'lan' carries VLAN 30: write one that a port does, or add "
            "it to a port");
  EXPECT_EQ(interface_error("bridge: lan, vlan: 0"),
            "f.yaml:3:40: error: 'vlan' must be a decimal number from 1 to 4094, not '0'");
}

TEST(Interfaces, AreNotBlamedForTheErrorsOfTheirBridge) {
  EXPECT_THAT(findings("ports: { a: { device: tap } }\n"
                       "bridges: { lan: { ports: { b: { vlan: 10 } } } }\n"
                       "interfaces: { up: { bridge: lan, vlan: 10 } }\n"),
              ElementsAre(HasSubstr("unknown port 'b'")));
}

TEST(Interfaces, AreOneAPort) {
  EXPECT_THAT(errors("interfaces: { up: { port: wan }, more: { port: wan } }"),
              ElementsAre("f.yaml:3:48: error: port 'wan' has interface 'up' already: one interface may have "
                          "several addresses"));
}

TEST(Interfaces, AreOneABridgeVlan) {
  EXPECT_THAT(errors("interfaces: { a: { bridge: lan, vlan: 10 }, b: { bridge: lan, vlan: 10 } }"),
              ElementsAre("f.yaml:3:69: error: VLAN 10 of bridge 'lan' has interface 'a' already: one "
                          "interface may have several addresses"));
  EXPECT_THAT(errors("interfaces: { a: { bridge: lan, vlan: 10 }, b: { bridge: lan, vlan: 20 } }"),
              IsEmpty());
}

TEST(Interfaces, HaveTheMtuOfTheirPortByDefault) {
  EXPECT_EQ(interfaces("up: { port: wan }").at(0).mtu, 3000);
}

TEST(Interfaces, HaveTheSmallestMtuOfTheirVlanByDefault) {
  EXPECT_EQ(interfaces("up: { bridge: lan, vlan: 10 }").at(0).mtu, 2000);
  const Config config = parsed(
      "ports: { a: { device: tap, mtu: 1400 }, b: { device: tap }, c: { device: tap, mtu: 1300 } }\n"
      "bridges: { lan: { ports: { a: { vlan: 10 }, b: { vlan: 10 }, c: { vlan: 20 } } } }\n"
      "interfaces: { up: { bridge: lan, vlan: 10 } }\n");
  EXPECT_EQ(config.interfaces.at(0).mtu, 1400) << "whichever port has it, if it carries the VLAN";
}

TEST(Interfaces, HaveAnMtuUpToThatOfTheirPort) {
  EXPECT_EQ(interfaces("up: { port: wan, mtu: 3000 }").at(0).mtu, 3000);
  EXPECT_EQ(interfaces("up: { port: wan, mtu: 68 }").at(0).mtu, 68);
  EXPECT_EQ(interface_error("port: wan, mtu: 3001"),
            "f.yaml:3:37: error: 'mtu' 3001 is more than the 3000 of its port: lower it, or raise that of "
            "the port");
  EXPECT_EQ(interface_error("bridge: lan, vlan: 10, mtu: 2001"),
            "f.yaml:3:49: error: 'mtu' 2001 is more than the 2000 of a port of its VLAN: lower it, or raise "
            "that of the port");
  for (const std::string mtu : {"67", "65536"}) {
    EXPECT_EQ(interface_error("port: wan, mtu: " + mtu),
              "f.yaml:3:37: error: 'mtu' must be a decimal number from 68 to 65535, not '" + mtu + "'");
  }
}

TEST(Interfaces, OfIpv6HaveAnMtuOf1280AtLeast) {
  EXPECT_EQ(interfaces("up: { port: wan, mtu: 1280, addresses: [\"fd00::1/64\"] }").at(0).mtu, 1280);
  EXPECT_EQ(interfaces("up: { port: wan, mtu: 1279, addresses: [192.0.2.1/24] }").at(0).mtu, 1279);
  EXPECT_EQ(interface_error("port: wan, mtu: 1279, addresses: [\"fd00::1/64\"]"),
            "f.yaml:3:37: error: IPv6 needs an 'mtu' of at least 1280 (RFC 8200 section 5): raise it, or "
            "remove the IPv6 addresses");
  EXPECT_THAT(findings("ports: { a: { device: tap, mtu: 1000 } }\n"
                       "interfaces: { up: { port: a, addresses: [192.0.2.1/24, \"fd00::1/64\"] } }\n"),
              ElementsAre("f.yaml:2:56: error: IPv6 needs an 'mtu' of at least 1280 (RFC 8200 section 5), "
                          "and its port has 1000: raise that, or remove this address"));
}

TEST(Interfaces, HaveAMacOfOneStation) {
  EXPECT_THAT(interface_error("port: wan, mac: \"01:00:5e:00:00:01\""),
              StartsWith("f.yaml:3:37: error: 'mac' must be the address of one station"));
}

TEST(Interfaces, HaveAListOfAddresses) {
  EXPECT_EQ(interface_error("port: wan, addresses: 192.0.2.1/24"),
            "f.yaml:3:43: error: 'addresses' must be a list like [192.168.10.1/24, \"fd00:10::1/64\"], not "
            "'192.0.2.1/24'");
}

TEST(Interfaces, HaveAddressesWithALength) {
  EXPECT_EQ(address_error("192.0.2.1"),
            "f.yaml:3:44: error: '192.0.2.1' has no prefix length: write 192.0.2.1/24, say");
  EXPECT_EQ(address_error("\"fd00::1\""),
            "f.yaml:3:44: error: 'fd00::1' has no prefix length: write fd00::1/64, say");
  EXPECT_EQ(address_error("192.0.2.1/0"),
            "f.yaml:3:44: error: the prefix length of '192.0.2.1/0' must be a decimal number from 1 to 32");
  EXPECT_EQ(address_error("192.0.2.300/24"),
            "f.yaml:3:44: error: 'addresses' must be an address with the length of its network, like "
            "192.168.10.1/24 or \"fd00:10::1/64\", not '192.0.2.300/24'");
}

TEST(Interfaces, HaveTheAddressesOfHosts) {
  EXPECT_EQ(address_error("224.0.0.1/24"),
            "f.yaml:3:44: error: 224.0.0.1 is a multicast address: write the address of a host");
  for (const std::string text : {"0.0.0.1/8", "127.0.0.1/8", "240.0.0.1/24", "255.255.255.255/32",
                                 "\"::/64\"", "\"::1/128\"", "\"ff02::1/64\""}) {
    EXPECT_THAT(address_error(text), HasSubstr(": write the address of a host")) << text;
  }
}

TEST(Interfaces, DoNotHaveTheNetworkOrBroadcastAddress) {
  EXPECT_EQ(address_error("192.168.10.0/24"),
            "f.yaml:3:44: error: 192.168.10.0 is the network address of 192.168.10.0/24: write the address "
            "of a host, like 192.168.10.1");
  EXPECT_THAT(address_error("192.168.10.255/24"),
              HasSubstr("192.168.10.255 is the broadcast address of 192.168.10.0/24"));
  EXPECT_THAT(address_error("\"fd00::/64\""),
              HasSubstr("fd00:: is the subnet-router anycast address (RFC 4291 2.6.1) of fd00::/64"));
  EXPECT_EQ(interfaces("a: { port: wan, addresses: [192.0.2.0/31, 192.0.2.7/32, \"fd00::/127\"] }").size(),
            1U);
}

TEST(Interfaces, HaveLinkLocalAddressesOfLength64) {
  EXPECT_EQ(
      interfaces("a: { port: wan, addresses: [\"fe80::1/64\", \"fe80::2/128\"] }").at(0).addresses.size(),
      2U);
  EXPECT_EQ(address_error("\"fe80::1/10\""),
            "f.yaml:3:44: error: the prefix length of a link-local address must be 64 or 128: write "
            "fe80::1/64");
}

TEST(Interfaces, MayHaveTheSameLinkLocalAddress) {
  EXPECT_THAT(errors("interfaces:\n"
                     "  a: { port: wan, addresses: [\"fe80::1/64\"] }\n"
                     "  b: { port: dmz, addresses: [\"fe80::1/64\"] }\n"),
              IsEmpty());
}

TEST(Interfaces, MayHaveSeveralAddressesInOneNetwork) {
  EXPECT_EQ(interfaces("a: { port: wan, addresses: [192.0.2.1/24, 192.0.2.2/24] }").at(0).addresses.size(),
            2U);
}

TEST(Interfaces, HaveEachAddressOnce) {
  EXPECT_EQ(address_error("192.0.2.1/24, 192.0.2.1/24"),
            "f.yaml:3:58: error: 192.0.2.1 is listed twice: remove one of them");
  EXPECT_EQ(address_error("\"fe80::1/64\", \"fe80::1/128\""),
            "f.yaml:3:58: error: fe80::1 is listed twice: remove one of them");
}

TEST(Interfaces, HaveNoOverlappingNetworks) {
  EXPECT_EQ(address_error("192.0.2.1/24, 192.0.2.129/25"),
            "f.yaml:3:58: error: 192.0.2.129/25 overlaps with 192.0.2.0/24 on interface 'up': one network is "
            "on one interface, in one length");
  EXPECT_THAT(address_error("10.1.0.1/16, 10.0.0.1/8"), HasSubstr("10.0.0.1/8 overlaps with 10.1.0.0/16"));
}

TEST(Interfaces, DoNotShareANetwork) {
  EXPECT_THAT(
      errors("interfaces:\n"
             "  a: { port: wan, addresses: [192.0.2.1/24, \"fd00::1/64\"] }\n"
             "  b: { port: dmz, addresses: [192.0.2.2/24] }\n"
             "  c: { bridge: lan, vlan: 10, addresses: [\"fd00::2/64\"] }\n"),
      ElementsAre(HasSubstr("f.yaml:5:31: error: 192.0.2.2/24 overlaps with 192.0.2.0/24 on interface "
                            "'a'"),
                  HasSubstr("f.yaml:6:43: error: fd00::2/64 overlaps with fd00::/64 on interface "
                            "'a'")));
}

TEST(Interfaces, MayHaveNetworksSideBySide) {
  EXPECT_THAT(errors("interfaces:\n"
                     "  a: { port: wan, addresses: [192.0.2.126/25, 10.0.0.1/8] }\n"
                     "  b: { port: dmz, addresses: [192.0.2.129/25, 11.0.0.1/8] }\n"),
              IsEmpty());
}

TEST(Interfaces, AreReportedWithAllTheirErrors) {
  EXPECT_THAT(errors("interfaces: { up: { port: lan1, mtu: 1, addresses: [1, 10.0.0.1/8, x], vrf: 1 } }"),
              ElementsAre(HasSubstr("3:27: error: port 'lan1' is in bridge"), HasSubstr("3:38: error: 'mtu'"),
                          HasSubstr("3:53: error: 'addresses'"), HasSubstr("3:68: error: 'addresses'"),
                          HasSubstr("error: 'vrf' is not built yet")));
}

TEST(Interfaces, SpareTheirPortTheWarningOfNoBridge) {
  EXPECT_THAT(findings("ports: { a: { device: tap }, b: { device: ring } }\n"
                       "interfaces: { a: { port: a }, b: { port: b } }\n"),
              IsEmpty());
}

TEST(Interfaces, AreAtMost1024) {
  const auto with_interfaces = [](int count) {
    std::string text =
        "ports: { a: { device: tap } }\n"
        "bridges: { lan: { ports: { a: { vlans: [1-4094] } } } }\ninterfaces:\n";
    for (int i = 1; i <= count; ++i) {
      text += "  i" + std::to_string(i) + ": { bridge: lan, vlan: " + std::to_string(i) + " }\n";
    }
    return text;
  };
  EXPECT_EQ(parsed(with_interfaces(1024)).interfaces.size(), 1024U);
  EXPECT_THAT(findings(with_interfaces(1026)),
              ElementsAre("f.yaml:1028:3: error: more than 1024 interfaces: remove this one"));
}

}  // namespace
}  // namespace sluice::config
