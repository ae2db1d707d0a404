// SPDX-License-Identifier: BSD-3-Clause
//
// NAT rules: what they translate, and to what. For port forwards and 1:1 entries see nat_entries_test.cc.
#include "config/addresses.h"
#include "tests/config/nat_findings.h"

namespace sluice::config {
namespace {

/// `rule` with the least that makes it translate.
std::string masquerade(std::string_view keys) {
  return rule("source: [192.168.10.0/24], address: interface, " + std::string(keys));
}

/// The one finding about a rule of these keys beside source and address; they begin in column 82 of line 7.
std::string masquerade_finding(std::string_view keys) {
  const auto all = rule_findings(masquerade(keys));
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

/// The one finding about a rule with this pool, which begins in column 71 of line 7.
std::string pool_finding(std::string_view pool) {
  return rule_finding("source: [192.168.10.0/24], address: " + std::string(pool));
}

TEST(Nat, MasqueradesBehindItsInterface) {
  const NatRule out = rules(
                          "{ name: out, interface: up, source: [192.168.10.0/24, 10.0.0.0/8], "
                          "address: interface }")
                          .at(0);
  EXPECT_EQ(out.name, "out");
  EXPECT_EQ(out.interface, "up");
  EXPECT_EQ(out.location, (Location{7, 7}));
  ASSERT_EQ(out.source.size(), 2U);
  EXPECT_EQ(to_text(out.source[1]), "10.0.0.0/8");
  EXPECT_TRUE(out.masquerade);
  EXPECT_THAT(out.pool, IsEmpty());
}

TEST(Nat, HasDefaults) {
  const NatRule out = rules(rule("source: [192.168.10.0/24], address: interface")).at(0);
  EXPECT_EQ(out.port_min, 1);
  EXPECT_EQ(out.port_max, 65535);
  EXPECT_EQ(out.mapping, NatRule::Mapping::endpoint_independent);
  EXPECT_EQ(out.filtering, NatRule::Filtering::address_dependent);
  EXPECT_TRUE(out.hairpinning);
  EXPECT_THAT(out.exempt, IsEmpty());
  EXPECT_EQ(out.timeouts.udp_s, 300U);
  EXPECT_EQ(out.timeouts.icmp_s, 60U);
  EXPECT_EQ(out.timeouts.tcp_established_s, 7440U);
  EXPECT_EQ(out.timeouts.tcp_transitory_s, 240U);
}

TEST(Nat, TranslatesToAPool) {
  const NatRule out =
      rules(rule("source: [192.168.10.0/24], address: [203.0.113.20, 203.0.113.10-203.0.113.13]")).at(0);
  EXPECT_FALSE(out.masquerade);
  ASSERT_EQ(out.pool.size(), 2U);
  EXPECT_EQ(to_text(out.pool[0]), "203.0.113.20") << "in the order of the file";
  EXPECT_EQ(to_text(out.pool[1]), "203.0.113.10-203.0.113.13");
}

TEST(Nat, MayTranslateToAPoolOfNoInterface) {
  EXPECT_THAT(rule_findings("{ name: x, interface: bare, source: [10.0.0.0/8], address: [192.0.2.1] }"),
              IsEmpty());
}

TEST(Nat, IsAListOfRules) {
  EXPECT_THAT(findings(with_gateway("nat: {}")),
              ElementsAre(StartsWith("f.yaml:7:6: error: 'nat' must be a list of rules like { name:")));
  EXPECT_THAT(rule_findings("out"), ElementsAre("f.yaml:7:7: error: 'nat' must be a mapping of keys to "
                                                "values, not 'out'"));
  EXPECT_THAT(rules(""), IsEmpty());
}

TEST(Nat, RefusesWhatIsNotBuiltYet) {
  for (const std::string key : {"limits", "log"}) {
    EXPECT_EQ(masquerade_finding(key + ": {}"),
              "f.yaml:7:82: error: '" + key + "' is not built yet: remove it");
  }
  EXPECT_EQ(masquerade_finding("timeouts: { port-hold-down: 2m }"),
            "f.yaml:7:94: error: 'port-hold-down' is not built yet: remove it");
}

TEST(Nat, RulesHaveANameAndAnInterface) {
  EXPECT_THAT(rule_findings("{ source: [10.0.0.0/8], address: [192.0.2.1] }"),
              ElementsAre("f.yaml:7:7: error: this rule has no 'name': add it",
                          "f.yaml:7:7: error: this rule has no 'interface': add it"));
  EXPECT_THAT(rule_findings("{ name: a b, interface: ap, source: [10.0.0.0/8], address: interface }"),
              ElementsAre(StartsWith("f.yaml:7:15: error: name 'a b': write letters"),
                          "f.yaml:7:31: error: unknown interface 'ap': did you mean 'up'?"));
  EXPECT_THAT(rule_findings("{ name: " + std::string(32, 'n') +
                            ", interface: up, source: [10.0.0.0/8], address: interface }"),
              ElementsAre(HasSubstr("has 32 characters: write at most 31")));
}

TEST(Nat, RulesHaveDifferentNames) {
  EXPECT_THAT(rule_findings(masquerade("hairpinning: true") + ",\n  " + masquerade("hairpinning: true")),
              ElementsAre("f.yaml:8:11: error: rule 'out' is in line 7 already: write another name"));
}

TEST(Nat, NeedsASourceForAnAddress) {
  EXPECT_EQ(rule_finding("address: interface"),
            "f.yaml:7:44: error: 'address' needs a 'source' to translate: add it, like [192.168.10.0/24]");
}

TEST(Nat, NeedsAnAddressForASource) {
  EXPECT_EQ(rule_finding("source: [10.0.0.0/8]"),
            "f.yaml:7:43: error: 'source' needs an 'address' to translate to: add 'address: interface', or a "
            "pool");
}

TEST(Nat, RulesDoSomething) {
  EXPECT_EQ(rule_finding("hairpinning: true"),
            "f.yaml:7:7: error: this rule does nothing: add 'source' and 'address', 'port-forward' or "
            "'static'");
}

TEST(Nat, MasqueradesOnlyBehindIpv4) {
  EXPECT_THAT(rule_findings("{ name: out, interface: bare, source: [10.0.0.0/8], address: interface }"),
              ElementsAre("f.yaml:7:68: error: interface 'bare' has no IPv4 address: add one there, or write "
                          "a pool here"));
}

TEST(Nat, SourcesArePrefixesOfIpv4) {
  EXPECT_EQ(rule_finding("address: interface, source: 10.0.0.0/8"),
            "f.yaml:7:63: error: 'source' must be a list of prefixes like [192.168.10.0/24], not "
            "'10.0.0.0/8'");
  EXPECT_EQ(rule_finding("address: interface, source: []"),
            "f.yaml:7:63: error: 'source' must be a list of at least one prefix like [192.168.10.0/24], not "
            "an empty list");
  EXPECT_EQ(rule_finding("address: interface, source: [\"fd00::/64\"]"),
            "f.yaml:7:64: error: fd00:: is IPv6, and NAT is for IPv4 only: write an IPv4 address, or remove "
            "it");
  EXPECT_THAT(rule_finding("address: interface, source: [10.0.0.1/8]"),
              HasSubstr("has bits behind its length: write 10.0.0.0/8"));
}

TEST(Nat, ExemptsPrefixesOfIpv4) {
  EXPECT_EQ(rules(masquerade("exempt: [10.0.0.0/8, 172.16.0.0/12]")).at(0).exempt.size(), 2U);
  EXPECT_THAT(rules(masquerade("exempt: []")).at(0).exempt, IsEmpty());
  EXPECT_EQ(masquerade_finding("exempt: [\"fd00::/64\"]"),
            "f.yaml:7:91: error: fd00:: is IPv6, and NAT is for IPv4 only: write an IPv4 address, or remove "
            "it");
  EXPECT_THAT(masquerade_finding("exempt: 10.0.0.0/8"), HasSubstr("'exempt' must be a list of prefixes"));
}

TEST(NatPools, AreListsOfAddressesAndRanges) {
  const std::string expected =
      "f.yaml:7:71: error: 'address' must be 'interface' or a list of addresses like "
      "[203.0.113.10-203.0.113.13], not ";
  EXPECT_EQ(pool_finding("203.0.113.10"), expected + "'203.0.113.10'");
  EXPECT_EQ(pool_finding("interfce"), expected + "'interfce'");
  EXPECT_EQ(pool_finding("[]"), expected + "an empty list");
  for (const std::string text : {"203.0.113.8/29", "203.0.113.10-", "-203.0.113.10", "203.0.113.10-13",
                                 "203.0.113.10-203.0.113.11-203.0.113.12", "interface"}) {
    EXPECT_EQ(pool_finding("[" + text + "]"),
              "f.yaml:7:72: error: 'address' must be an address or a range like 203.0.113.10-203.0.113.13, "
              "not '" +
                  text + "'");
  }
}

TEST(NatPools, RunForwards) {
  EXPECT_EQ(pool_finding("[203.0.113.13-203.0.113.10]"),
            "f.yaml:7:72: error: range '203.0.113.13-203.0.113.10' runs backwards: write "
            "203.0.113.10-203.0.113.13");
}

TEST(NatPools, AreIpv4) {
  EXPECT_EQ(pool_finding("[\"2001:db8::7\"]"),
            "f.yaml:7:72: error: 2001:db8::7 is IPv6, and NAT is for IPv4 only: write an IPv4 address, or "
            "remove it");
}

TEST(NatPools, AreAddressesOfHosts) {
  EXPECT_THAT(pool_finding("[127.0.0.1]"), HasSubstr("127.0.0.1 is a loopback address"));
  EXPECT_THAT(pool_finding("[223.255.255.254-224.0.0.1]"), HasSubstr("224.0.0.1 is a multicast address"));
}

TEST(NatPools, DoNotHoldTheRoutersOwnAddresses) {
  EXPECT_EQ(pool_finding("[203.0.113.3]"),
            "f.yaml:7:72: error: 203.0.113.3 holds the router's own address on interface 'up': leave that "
            "out, or write 'address: interface'");
  EXPECT_THAT(pool_finding("[203.0.113.3-203.0.113.9]"), HasSubstr("own address on interface 'up'"));
  EXPECT_THAT(pool_finding("[203.0.113.1-203.0.113.2]"), HasSubstr("own address on interface 'up'"));
  EXPECT_THAT(pool_finding("[198.51.100.1-198.51.100.9]"), HasSubstr("own address on interface 'up2'"));
  EXPECT_EQ(rules(rule("source: [10.0.0.0/8], address: [203.0.113.1, 203.0.113.4]")).size(), 1U);
}

TEST(NatPools, AreDisjoint) {
  EXPECT_EQ(pool_finding("[203.0.113.10-203.0.113.13, 203.0.113.13]"),
            "f.yaml:7:99: error: 203.0.113.13 overlaps with the pool in line 7: write each outside address "
            "once");
  EXPECT_THAT(pool_finding("[203.0.113.10-203.0.113.13, 203.0.113.9-203.0.113.20]"),
              HasSubstr("203.0.113.9-203.0.113.20 overlaps"));
  EXPECT_EQ(rules(rule("source: [10.0.0.0/8], address: [203.0.113.10-203.0.113.13, 203.0.113.14]")).size(),
            1U);
}

TEST(NatPools, OfDifferentRulesAreDisjoint) {
  EXPECT_THAT(
      rule_findings("{ name: a, interface: up, source: [10.0.0.0/8], address: [192.0.2.1-192.0.2.9] "
                    "},\n  { name: b, interface: up2, source: [10.0.0.0/8], address: [192.0.2.9] }"),
      ElementsAre("f.yaml:8:62: error: 192.0.2.9 overlaps with the pool in line 7: write each outside "
                  "address once"));
}

TEST(NatPools, HoldAtMost1024Addresses) {
  EXPECT_EQ(rules(rule("source: [10.0.0.0/8], address: [100.64.0.0-100.64.3.255]")).size(), 1U);
  EXPECT_EQ(pool_finding("[100.64.0.0-100.64.4.0]"),
            "f.yaml:7:72: error: more than 1024 addresses in the pools of all rules: write fewer");
  EXPECT_EQ(pool_finding("[1.0.0.0-100.64.4.0, 205.0.0.0-210.0.0.0]"),
            "f.yaml:7:72: error: more than 1024 addresses in the pools of all rules: write fewer");
  EXPECT_THAT(rule_findings("{ name: a, interface: up, source: [10.0.0.0/8], address: "
                            "[100.64.0.0-100.64.3.255] },\n"
                            "  { name: b, interface: up, source: [10.0.0.0/8], address: [192.0.2.9] }"),
              ElementsAre(HasSubstr("f.yaml:8:61: error: more than 1024 addresses")));
}

TEST(Nat, HasPorts) {
  const NatRule out = rules(masquerade("ports: 1024-65535")).at(0);
  EXPECT_EQ(out.port_min, 1024);
  EXPECT_EQ(out.port_max, 65535);
  EXPECT_EQ(rules(masquerade("ports: \"1-1\"")).at(0).port_max, 1);
  EXPECT_EQ(masquerade_finding("ports: 0-10"),
            "f.yaml:7:89: error: 'ports' must be a decimal number from 1 to 65535, not '0'");
  EXPECT_EQ(masquerade_finding("ports: 1-65536"),
            "f.yaml:7:89: error: 'ports' must be a decimal number from 1 to 65535, not '65536'");
  EXPECT_EQ(masquerade_finding("ports: 20-10"),
            "f.yaml:7:89: error: range '20-10' runs backwards: write 10-20");
}

TEST(Nat, HasAMapping) {
  EXPECT_EQ(rules(masquerade("mapping: endpoint-independent")).at(0).mapping,
            NatRule::Mapping::endpoint_independent);
  EXPECT_EQ(rules(masquerade("mapping: address-and-port-dependent")).at(0).mapping,
            NatRule::Mapping::address_and_port_dependent);
  EXPECT_EQ(masquerade_finding("mapping: symmetric"),
            "f.yaml:7:91: error: 'mapping' must be 'endpoint-independent' or 'address-and-port-dependent', "
            "not 'symmetric'");
}

TEST(Nat, HasAFiltering) {
  EXPECT_EQ(rules(masquerade("filtering: endpoint-independent")).at(0).filtering,
            NatRule::Filtering::endpoint_independent);
  EXPECT_EQ(rules(masquerade("filtering: address-dependent")).at(0).filtering,
            NatRule::Filtering::address_dependent);
  EXPECT_EQ(rules(masquerade("filtering: address-and-port-dependent")).at(0).filtering,
            NatRule::Filtering::address_and_port_dependent);
  EXPECT_EQ(masquerade_finding("filtering: adress-dependent"),
            "f.yaml:7:93: error: unknown word 'adress-dependent': did you mean 'address-dependent'?");
}

TEST(Nat, HairpinsUnlessSwitchedOff) {
  EXPECT_FALSE(rules(masquerade("hairpinning: false")).at(0).hairpinning);
  EXPECT_EQ(masquerade_finding("hairpinning: off"),
            "f.yaml:7:95: error: 'hairpinning' must be true or false, not 'off'");
}

TEST(NatTimeouts, AreTimes) {
  const NatRule::Timeouts timeouts =
      rules(masquerade("timeouts: { udp: 2m, icmp: 61s, tcp-established: 168h, tcp-transitory: 5m }"
                       ""))
          .at(0)
          .timeouts;
  EXPECT_EQ(timeouts.udp_s, 120U);
  EXPECT_EQ(timeouts.icmp_s, 61U);
  EXPECT_EQ(timeouts.tcp_established_s, 604800U);
  EXPECT_EQ(timeouts.tcp_transitory_s, 300U);
}

TEST(NatTimeouts, LastFromASecondToAWeek) {
  for (const std::string key : {"udp", "icmp", "tcp-established", "tcp-transitory"}) {
    for (const std::string text : {"0s", "604801s", "500ms", "soon"}) {
      EXPECT_THAT(masquerade_finding("timeouts: { " + key + ": " + text + " }"),
                  HasSubstr("error: '" + key + "' must be a time in whole seconds from 1s to 604800s, not '" +
                            text + "'"));
    }
    EXPECT_THAT(masquerade_finding("timeouts: { " + key + ": 300 }"), HasSubstr("has no unit"));
  }
}

TEST(NatTimeouts, BelowTheRfcsMinimumAreWarnedOf) {
  EXPECT_EQ(masquerade_finding("timeouts: { udp: 119s }"),
            "f.yaml:7:99: warning: 'udp' is below the 120s that RFC 4787 REQ-5 asks for: connections that "
            "pause for longer will break");
  EXPECT_THAT(masquerade_finding("timeouts: { icmp: 59s }"),
              HasSubstr("warning: 'icmp' is below the 60s that RFC 5508 REQ-2"));
  EXPECT_THAT(masquerade_finding("timeouts: { tcp-established: 2h3m59s }"),
              HasSubstr("warning: 'tcp-established' is below the 7440s that RFC 5382 REQ-5"));
  EXPECT_THAT(masquerade_finding("timeouts: { tcp-transitory: 1s }"),
              HasSubstr("warning: 'tcp-transitory' is below the 240s that RFC 5382 REQ-5"));
  EXPECT_EQ(rules(masquerade("timeouts: { udp: 1s }")).at(0).timeouts.udp_s, 1U) << "and accepted";
  EXPECT_THAT(rule_findings(masquerade("timeouts: { udp: 2m, icmp: 1m, tcp-established: 2h4m, "
                                       "tcp-transitory: 4m }")),
              IsEmpty());
}

TEST(Nat, BesideIpv6IsWarnedOfOnce) {
  const std::string text =
      "ports: { a: { device: tap }, b: { device: tap } }\n"
      "interfaces:\n"
      "  up: { port: a, addresses: [192.0.2.1/24] }\n"
      "  lan: { port: b, addresses: [10.0.0.1/24, \"fd00::1/64\"] }\n";
  const std::string nat =
      "nat:\n"
      "  - { name: a, interface: up, source: [10.0.0.0/24], address: interface }\n"
      "  - { name: b, interface: up, source: [10.1.0.0/24], address: interface }\n";
  EXPECT_THAT(findings(text), IsEmpty()) << "without NAT nobody relies on it";
  EXPECT_THAT(findings(text + nat),
              ElementsAre("f.yaml:6:5: warning: NAT is for IPv4, and interface 'lan' has IPv6: IPv6 is "
                          "routed, neither translated nor filtered, so IPv6 hosts behind this gateway can be "
                          "reached from outside"));
}

TEST(Nat, IsNotBlamedForTheErrorsOfItsInterface) {
  EXPECT_THAT(
      findings("ports: { a: { device: tap } }\n"
               "interfaces: { up: { port: a, addresses: [192.168.10.1/33] } }\n"
               "nat:\n"
               "  - name: a\n"
               "    interface: up\n"
               "    source: [10.0.0.0/8]\n"
               "    address: interface\n"
               "    port-forward: [{ protocol: tcp, port: 1, to: 10.0.0.1, address: 192.168.10.1 }]\n"),
      ElementsAre(HasSubstr("2:42: error: the prefix length")));
}

}  // namespace
}  // namespace sluice::config
