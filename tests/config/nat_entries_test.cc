// SPDX-License-Identifier: BSD-3-Clause
//
// Port forwards and 1:1 entries of NAT rules.
#include <chrono>

#include "config/addresses.h"
#include "tests/config/nat_findings.h"

namespace sluice::config {
namespace {

/// `PROTOCOL FIRST-LAST ADDRESS:FIRST` of the one forward of these keys.
std::string forward(std::string_view keys) {
  const auto all = rules(rule("port-forward: [{ " + std::string(keys) + " }]"));
  if (all.empty() || all[0].port_forwards.size() != 1) return "none";
  const PortForward& forward = all[0].port_forwards[0];
  return (forward.protocol == PortForward::Protocol::tcp ? "tcp " : "udp ") + std::to_string(forward.first) +
         "-" + std::to_string(forward.last) + " " + to_text(forward.to) + ":" +
         std::to_string(forward.to_first);
}

/// The one finding about the forward of these keys; they begin in column 53 of line 7.
std::string forward_finding(std::string_view keys) {
  return rule_finding("port-forward: [{ " + std::string(keys) + " }]");
}

/// The one finding about a forward to here, which stands in column 84 of line 7.
std::string to_finding(std::string_view to, std::string_view port = "8080") {
  return forward_finding("protocol: tcp, port: " + std::string(port) + ", to: \"" + std::string(to) + "\"");
}

/// The one finding about this entry of `static`, which begins in column 46 of line 7.
std::string static_finding(std::string_view keys) {
  return rule_finding("static: [{ " + std::string(keys) + " }]");
}

/// Two rules of these keys, in lines 7 and 8; `interface` is that of the second.
std::string two_rules(std::string_view first, std::string_view second, std::string_view interface = "up") {
  return rule(first) + ",\n  { name: more, interface: " + std::string(interface) + ", " +
         std::string(second) + " }";
}

TEST(PortForwards, LeadToAHostAndPort) {
  EXPECT_EQ(forward("protocol: tcp, port: 8080, to: \"192.168.10.20:80\""), "tcp 8080-8080 192.168.10.20:80");
  EXPECT_EQ(forward("protocol: udp, port: 53, to: 192.168.10.20:5353"), "udp 53-53 192.168.10.20:5353")
      << "in any order of keys and with or without quotes";
  EXPECT_EQ(forward("to: \"192.168.10.20:80\", port: 65535, protocol: tcp"),
            "tcp 65535-65535 192.168.10.20:80");
}

TEST(PortForwards, LeadToTheSamePortByDefault) {
  EXPECT_EQ(forward("protocol: tcp, port: 22, to: 192.168.10.20"), "tcp 22-22 192.168.10.20:22");
  EXPECT_EQ(forward("protocol: tcp, port: 1-65535, to: 192.168.10.20"), "tcp 1-65535 192.168.10.20:1");
}

TEST(PortForwards, LeadARangeToARange) {
  EXPECT_EQ(forward("protocol: udp, port: 5000-5009, to: \"192.168.10.21:6000-6009\""),
            "udp 5000-5009 192.168.10.21:6000");
}

TEST(PortForwards, KnowTheirPlace) {
  const NatRule out = rules(rule("port-forward: [{ protocol: tcp, port: 22, to: 192.168.10.20 }]")).at(0);
  EXPECT_EQ(out.port_forwards.at(0).location, (Location{7, 50}));
  EXPECT_EQ(out.port_forwards.at(0).address, std::nullopt);
}

TEST(PortForwards, AreAListOfMappings) {
  EXPECT_THAT(
      rule_finding("port-forward: {}"),
      StartsWith("f.yaml:7:49: error: 'port-forward' must be a list of entries like { protocol: tcp"));
  EXPECT_THAT(rule_finding("port-forward: []"), HasSubstr("not an empty list"));
  EXPECT_THAT(rule_finding("port-forward: [8080]"), HasSubstr("must be a mapping of keys to values"));
}

TEST(PortForwards, NeedAProtocolAPortAndAHost) {
  EXPECT_THAT(rule_findings(rule("port-forward: [{}]")),
              ElementsAre("f.yaml:7:50: error: this port forward has no 'protocol': add it",
                          "f.yaml:7:50: error: this port forward has no 'port': add it",
                          "f.yaml:7:50: error: this port forward has no 'to': add it"));
}

TEST(PortForwards, AreOfTcpOrUdp) {
  EXPECT_EQ(forward_finding("protocol: sctp, port: 22, to: 192.168.10.20"),
            "f.yaml:7:62: error: 'protocol' must be 'tcp' or 'udp', not 'sctp'");
}

TEST(PortForwards, AreOfPortsFrom1To65535) {
  for (const std::string port : {"0", "65536", "ssh"}) {
    EXPECT_EQ(forward_finding("protocol: tcp, port: " + port + ", to: 192.168.10.20"),
              "f.yaml:7:73: error: 'port' must be a decimal number from 1 to 65535, not '" + port + "'");
  }
  EXPECT_EQ(forward_finding("protocol: tcp, port: 9-8, to: 192.168.10.20"),
            "f.yaml:7:73: error: range '9-8' runs backwards: write 8-9");
}

TEST(PortForwards, LeadToPortsFrom1To65535) {
  for (const std::string port : {"0", "65536", "http", "080", "", "9-8", "80-"}) {
    EXPECT_EQ(to_finding("192.168.10.20:" + port),
              "f.yaml:7:83: error: 'to' must be an inside address and port like 192.168.10.20:80 or "
              "192.168.10.21:5000-5009, not '192.168.10.20:" +
                  port + "'");
  }
}

TEST(PortForwards, LeadToAsManyPorts) {
  EXPECT_EQ(to_finding("192.168.10.20:80-81"),
            "f.yaml:7:83: error: 'port' has 1 port, and '192.168.10.20:80-81' has 2: write 192.168.10.20:80");
  EXPECT_EQ(to_finding("192.168.10.20:6000", "5000-5009"),
            "f.yaml:7:88: error: 'port' has 10 ports, and '192.168.10.20:6000' has 1: write "
            "192.168.10.20:6000-6009");
  EXPECT_THAT(to_finding("192.168.10.20:65530", "5000-5009"), HasSubstr("has 1: write as many here"));
}

TEST(PortForwards, LeadToOtherHosts) {
  EXPECT_EQ(to_finding("192.168.10.1:80"),
            "f.yaml:7:83: error: 192.168.10.1 is the router's own address, on interface 'lan': write that of "
            "another host");
  EXPECT_THAT(to_finding("224.0.0.1:80"), HasSubstr("224.0.0.1 is a multicast address"));
  EXPECT_EQ(to_finding("server:80"), "f.yaml:7:83: error: 'to' must be an IPv4 address, not 'server'");
}

TEST(PortForwards, AreOfIpv4) {
  EXPECT_EQ(to_finding("fd00::1"),
            "f.yaml:7:83: error: fd00::1 is IPv6, and NAT is for IPv4 only: write an IPv4 address, or remove "
            "it");
  EXPECT_THAT(forward_finding("protocol: tcp, port: 22, to: 192.168.10.20, address: \"2001:db8::1\""),
              HasSubstr("NAT is for IPv4 only"));
}

TEST(PortForwards, MayBeOfOneExternalAddress) {
  const NatRule out =
      rules(rule("source: [192.168.10.0/24], address: [203.0.113.10-203.0.113.13], port-forward: ["
                 "{ protocol: tcp, port: 1, to: 192.168.10.20, address: 203.0.113.10 }, "
                 "{ protocol: tcp, port: 1, to: 192.168.10.20, address: 203.0.113.13 }, "
                 "{ protocol: tcp, port: 1, to: 192.168.10.20, address: 203.0.113.2 }, "
                 "{ protocol: tcp, port: 1, to: 192.168.10.20, address: 203.0.113.3 }]"))
          .at(0);
  ASSERT_EQ(out.port_forwards.size(), 4U) << "of the pool, or of the interface";
  EXPECT_EQ(to_text(out.port_forwards[1].address.value_or(IpAddress{})), "203.0.113.13");
}

TEST(PortForwards, AreOfAnExternalAddressOfTheRule) {
  EXPECT_EQ(
      forward_finding("protocol: tcp, port: 1, to: 192.168.10.20, address: 203.0.113.4"),
      "f.yaml:7:104: error: 203.0.113.4 is neither in the rule's pool nor an address of interface 'up': "
      "write one that is, or remove 'address'");
  EXPECT_THAT(forward_finding("protocol: tcp, port: 1, to: 192.168.10.20, address: 198.51.100.2"),
              HasSubstr("198.51.100.2 is neither in the rule's pool nor an address of interface 'up'"))
      << "another interface's own";
}

TEST(PortForwards, AloneNeedAnInterfaceWithIpv4) {
  EXPECT_THAT(
      rule_findings("{ name: x, interface: bare, port-forward: [{ protocol: tcp, port: 1, to: 10.0.0.1 }] }"),
      ElementsAre("f.yaml:7:50: error: interface 'bare' has no IPv4 address to forward from: add one there"));
  EXPECT_THAT(rule_findings("{ name: x, interface: bare, source: [10.0.0.0/8], address: [192.0.2.1], "
                            "port-forward: [{ protocol: tcp, port: 1, to: 10.0.0.1 }] }"),
              IsEmpty())
      << "a pool will do";
}

TEST(PortForwards, TakeEachPortOnce) {
  EXPECT_THAT(rule_findings(rule("port-forward:\n"
                                 "  [{ protocol: tcp, port: 80-90, to: 192.168.10.20 },\n"
                                 "   { protocol: tcp, port: 90, to: 192.168.10.21 },\n"
                                 "   { protocol: tcp, port: 70-80, to: 192.168.10.21 },\n"
                                 "   { protocol: tcp, port: 91, to: 192.168.10.21 },\n"
                                 "   { protocol: udp, port: 80-90, to: 192.168.10.21 }]")),
              ElementsAre("f.yaml:9:4: error: tcp port 90 is forwarded in line 8 already: forward each port "
                          "of an outside address once",
                          "f.yaml:10:4: error: tcp port 70-80 is forwarded in line 8 already: forward each "
                          "port of an outside address once"));
}

TEST(PortForwards, OfTwoRulesTakeEachPortOnce) {
  const std::string keys = "port-forward: [{ protocol: udp, port: 80, to: 192.168.10.20 }]";
  EXPECT_THAT(rule_findings(two_rules(keys, keys)),
              ElementsAre("f.yaml:8:47: error: udp port 80 is forwarded in line 7 already: forward each port "
                          "of an outside address once"));
  EXPECT_THAT(rule_findings(two_rules(keys, keys, "up2")), IsEmpty()) << "another interface, another address";
}

TEST(PortForwards, OfARangeOfUdpAreNamedWhole) {
  const std::string keys = "port-forward: [{ protocol: udp, port: 80-90, to: 192.168.10.20 }]";
  EXPECT_THAT(rule_findings(two_rules(keys, keys)),
              ElementsAre(HasSubstr("error: udp port 80-90 is forwarded in line 7 already")));
}

TEST(PortForwards, OfTheFirstAddressAndByNameAreTheSame) {
  const std::string unnamed = "port-forward: [{ protocol: tcp, port: 80, to: 192.168.10.20 }]";
  EXPECT_THAT(
      rule_findings(two_rules(
          unnamed, "port-forward: [{ protocol: tcp, port: 80, to: 192.168.10.20, address: 203.0.113.2 }]")),
      ElementsAre(HasSubstr("f.yaml:8:47: error: tcp port 80 is forwarded in line 7")));
  EXPECT_THAT(
      rule_findings(two_rules(
          unnamed, "port-forward: [{ protocol: tcp, port: 80, to: 192.168.10.20, address: 203.0.113.3 }]")),
      IsEmpty());
}

TEST(PortForwards, OfAWholePoolTakeThePortOfEachAddress) {
  const std::string pool = "source: [10.0.0.0/8], address: [203.0.113.10-203.0.113.13], port-forward:\n";
  EXPECT_THAT(
      rule_findings(rule(pool + "  [{ protocol: tcp, port: 80, to: 10.0.0.1 },\n"
                                "   { protocol: tcp, port: 80, to: 10.0.0.1 },\n"
                                "   { protocol: tcp, port: 80, to: 10.0.0.2, address: 203.0.113.12 },\n"
                                "   { protocol: tcp, port: 81, to: 10.0.0.2, address: 203.0.113.12 },\n"
                                "   { protocol: tcp, port: 80, to: 10.0.0.2, address: 203.0.113.2 }]")),
      ElementsAre(HasSubstr("f.yaml:9:4: error: tcp port 80 is forwarded in line 8"),
                  HasSubstr("f.yaml:10:4: error: tcp port 80 is forwarded in line 8")));
}

TEST(PortForwards, OfABigPoolAreReadInLittleTime) {
  std::string text = "source: [10.0.0.0/8], address: [100.64.0.0-100.64.3.255], port-forward: [";
  for (int port = 1; port <= 20'000; ++port) {
    text += "{ protocol: tcp, port: " + std::to_string(port) + ", to: 10.0.0.1 },\n";
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(rules(rule(text + "]")).at(0).port_forwards.size(), 20'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << "some 0.3 s";
}

TEST(StaticNat, IsOneToOne) {
  const NatRule out = rules(rule("static: [{ inside: 192.168.10.30, outside: 203.0.113.20 }, "
                                 "{ inside: 192.168.10.31, outside: 203.0.113.21 }]"))
                          .at(0);
  ASSERT_EQ(out.statics.size(), 2U) << "and needs no source";
  EXPECT_EQ(to_text(out.statics[0].inside), "192.168.10.30");
  EXPECT_EQ(to_text(out.statics[0].outside), "203.0.113.20");
  EXPECT_EQ(out.statics[0].location, (Location{7, 44}));
}

TEST(StaticNat, NeedsNoAddressOfTheInterface) {
  EXPECT_THAT(
      rule_findings("{ name: x, interface: bare, static: [{ inside: 10.0.0.1, outside: 192.0.2.1 }] }"),
      IsEmpty());
}

TEST(StaticNat, IsAListOfMappings) {
  EXPECT_THAT(rule_finding("static: {}"),
              StartsWith("f.yaml:7:43: error: 'static' must be a list of entries like { inside:"));
  EXPECT_THAT(rule_finding("static: []"), HasSubstr("not an empty list"));
  EXPECT_THAT(rule_findings(rule("static: [{}]")),
              ElementsAre("f.yaml:7:44: error: this entry has no 'inside': add it",
                          "f.yaml:7:44: error: this entry has no 'outside': add it"));
}

TEST(StaticNat, HasEntriesThatAreMappings) {
  EXPECT_THAT(rule_findings(rule("static: [here, { inside: 192.168.10.30, outside: 203.0.113.30 }]")),
              ElementsAre("f.yaml:7:44: error: 'static' must be a mapping of keys to values, not 'here'"));
}

TEST(StaticNat, IsOfHostsOfIpv4) {
  EXPECT_THAT(static_finding("inside: \"fd00::1\", outside: 203.0.113.20"),
              HasSubstr("NAT is for IPv4 only"));
  EXPECT_THAT(static_finding("inside: 10.0.0.1, outside: \"fd00::1\""), HasSubstr("NAT is for IPv4 only"));
  EXPECT_THAT(static_finding("inside: 10.0.0.1, outside: 224.0.0.1"), HasSubstr("is a multicast address"));
  EXPECT_THAT(static_finding("inside: 10.0.0.0/24, outside: 203.0.113.20"),
              HasSubstr("'inside' must be an IPv4 address, not '10.0.0.0/24'"));
}

TEST(StaticNat, IsNotOfTheRouterItself) {
  EXPECT_EQ(static_finding("inside: 10.0.0.1, outside: 203.0.113.2"),
            "f.yaml:7:73: error: 203.0.113.2 is the router's own address, on interface 'up': write that of "
            "another host");
  EXPECT_THAT(static_finding("inside: 192.168.10.1, outside: 203.0.113.20"),
              HasSubstr("f.yaml:7:54: error: 192.168.10.1 is the router's own address"));
}

TEST(StaticNat, HasEachAddressOnce) {
  const std::string keys = "static: [{ inside: 10.0.0.1, outside: 203.0.113.20 }]";
  EXPECT_THAT(
      rule_findings(two_rules(keys, "static: [{ inside: 10.0.0.2, outside: 203.0.113.20 }]", "up2")),
      ElementsAre("f.yaml:8:71: error: 203.0.113.20 is the outside of an entry in line 7 already: write each "
                  "address once"));
  EXPECT_THAT(
      rule_findings(two_rules(keys, "static: [{ inside: 10.0.0.1, outside: 203.0.113.21 }]", "up2")),
      ElementsAre("f.yaml:8:52: error: 10.0.0.1 is the inside of an entry in line 7 already: write each "
                  "address once"));
}

TEST(StaticNat, IsNotInAPool) {
  const std::string entry = "static: [{ inside: 10.0.0.1, outside: 203.0.113.20 }]";
  const std::string pool = "source: [10.0.0.0/8], address: [203.0.113.10-203.0.113.20]";
  EXPECT_THAT(rule_findings(two_rules(pool, entry)),
              ElementsAre("f.yaml:8:41: error: 'outside' 203.0.113.20 is in the pool in line 7: write each "
                          "outside address once"));
  EXPECT_THAT(rule_findings(two_rules(entry, pool)),
              ElementsAre(HasSubstr("f.yaml:7:44: error: 'outside' 203.0.113.20 is in the pool in line 8")))
      << "whichever comes first";
}

}  // namespace
}  // namespace sluice::config
