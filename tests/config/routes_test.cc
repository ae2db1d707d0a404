// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>

#include "config/addresses.h"
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// Interfaces `lan` and `up` with both families; the text begins in line 5.
std::string with_base(std::string_view text) {
  return "ports: { a: { device: tap }, b: { device: tap } }\n"
         "interfaces:\n"
         "  lan: { port: a, addresses: [192.168.10.1/24, 192.168.10.9/24, \"fd00:10::1/64\"] }\n"
         "  up: { port: b, addresses: [203.0.113.2/24, \"2001:db8::2/64\", \"fe80::2/64\"] }\n" +
         std::string(text);
}

/// The routes of this YAML flow sequence, without its brackets.
std::vector<Route> routes(std::string_view entries) {
  return parsed(with_base("routes: [" + std::string(entries) + "]")).routes;
}

std::vector<std::string> route_findings(std::string_view entries) {
  return findings(with_base("routes: [" + std::string(entries) + "]"));
}

/// The one finding about a route of these keys; they begin in column 12 of line 5.
std::string route_finding(std::string_view keys) {
  const auto all = route_findings("{ " + std::string(keys) + " }");
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

/// The one finding about the next hop of a route to 10.0.0.0/8, which stands in column 33 of line 5.
std::string via_finding(std::string_view via) {
  return route_finding("to: 10.0.0.0/8, via: " + std::string(via));
}

/// `ADDRESS INTERFACE WEIGHT` of each next hop of the one route.
std::vector<std::string> hops(std::string_view keys) {
  std::vector<std::string> hops;
  const std::vector<Route> all = routes("{ " + std::string(keys) + " }");
  if (all.empty()) return {"no route"};
  for (const NextHop& hop : all[0].via) {
    hops.push_back(to_text(hop.address) + " " + hop.interface + " " + std::to_string(hop.weight));
  }
  return hops;
}

TEST(Routes, LeadToANextHopByItsInterface) {
  const Route route = routes("{ to: 10.0.0.0/8, via: 192.168.10.2 }").at(0);
  EXPECT_EQ(to_text(route.to), "10.0.0.0/8");
  EXPECT_EQ(route.type, Route::Type::via);
  EXPECT_EQ(route.location, (Location{5, 10}));
  EXPECT_THAT(hops("to: 10.0.0.0/8, via: 192.168.10.2"), ElementsAre("192.168.10.2 lan 1"));
  EXPECT_THAT(hops("to: 10.0.0.0/8, via: 203.0.113.1"), ElementsAre("203.0.113.1 up 1"));
  EXPECT_THAT(hops("to: \"2001:db8:7::/48\", via: \"fd00:10::2\""), ElementsAre("fd00:10::2 lan 1"));
}

TEST(Routes, ToDefaultAreOfTheFamilyOfTheirNextHop) {
  const auto all = routes("{ to: default, via: 203.0.113.1 }, { to: default, via: \"2001:db8::1\" }");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(to_text(all[0].to), "0.0.0.0/0");
  EXPECT_EQ(to_text(all[1].to), "::/0");
  EXPECT_EQ(route_finding("to: default, type: blackhole"),
            "f.yaml:5:16: error: 'default' takes its family from 'via': write 0.0.0.0/0 or \"::/0\" here");
  EXPECT_EQ(route_finding("to: defualt, via: 203.0.113.1"),
            "f.yaml:5:16: error: unknown word 'defualt': did you mean 'default'?");
}

TEST(Routes, HaveATypeInPlaceOfANextHop) {
  const auto all = routes(
      "{ to: 10.0.0.0/8, type: blackhole }, { to: 11.0.0.0/8, type: unreachable }, "
      "{ to: 12.0.0.0/8, type: prohibit }");
  EXPECT_EQ(all.at(0).type, Route::Type::blackhole);
  EXPECT_EQ(all.at(1).type, Route::Type::unreachable);
  EXPECT_EQ(all.at(2).type, Route::Type::prohibit);
  EXPECT_THAT(all.at(0).via, IsEmpty());
  EXPECT_EQ(route_finding("to: 10.0.0.0/8, type: drop"),
            "f.yaml:5:34: error: 'type' must be 'blackhole', 'unreachable' or 'prohibit', not 'drop'");
  EXPECT_EQ(route_finding("to: 10.0.0.0/8, type: blackhole, via: 203.0.113.1"),
            "f.yaml:5:34: error: a route has 'via' or 'type': remove one of them");
}

TEST(Routes, NeedATargetAndAWay) {
  EXPECT_EQ(route_finding("via: 203.0.113.1"), "f.yaml:5:10: error: this route has no 'to': add it");
  EXPECT_EQ(route_finding("to: 10.0.0.0/8"),
            "f.yaml:5:10: error: this route has no 'via': add it, or a 'type' like blackhole");
  EXPECT_EQ(route_finding("to: default"),
            "f.yaml:5:10: error: this route has no 'via': add it, or a 'type' like blackhole");
}

TEST(Routes, RefuseWhatIsNotBuiltYet) {
  for (const std::string key : {"vrf", "leak-to"}) {
    EXPECT_EQ(route_finding(key + ": blue, to: 10.0.0.0/8, via: 203.0.113.1"),
              "f.yaml:5:12: error: '" + key + "' is not built yet: remove it");
  }
}

TEST(Routes, AreAListOfMappings) {
  EXPECT_EQ(findings(with_base("routes: { to: 10.0.0.0/8 }")).at(0),
            "f.yaml:5:9: error: 'routes' must be a list of entries like { to: 10.0.0.0/8, via: 192.168.10.2 "
            "}, not a mapping");
  EXPECT_THAT(
      route_findings("10.0.0.0/8"),
      ElementsAre("f.yaml:5:10: error: 'routes' must be a mapping of keys to values, not '10.0.0.0/8'"));
  EXPECT_THAT(routes(""), IsEmpty());
}

TEST(NextHops, MayBeSeveralWithWeights) {
  EXPECT_THAT(hops("to: 10.0.0.0/8, via: [192.168.10.2, { address: 203.0.113.1, weight: 256 }, "
                   "{ address: 192.168.10.3, weight: 1, interface: lan }]"),
              ElementsAre("192.168.10.2 lan 1", "203.0.113.1 up 256", "192.168.10.3 lan 1"));
  EXPECT_THAT(hops("to: 10.0.0.0/8, via: { address: 192.168.10.2, weight: 3 }"),
              ElementsAre("192.168.10.2 lan 3"));
}

TEST(NextHops, HaveAWeightUpTo256) {
  for (const std::string weight : {"0", "257"}) {
    EXPECT_EQ(via_finding("{ address: 192.168.10.2, weight: " + weight + " }"),
              "f.yaml:5:66: error: 'weight' must be a decimal number from 1 to 256, not '" + weight + "'");
  }
}

TEST(NextHops, AreOneTo64) {
  const auto list = [](int count) {
    std::string list = "[";
    for (int i = 0; i < count; ++i) list += (i ? ", 192.168.10." : "192.168.10.") + std::to_string(100 + i);
    return list + "]";
  };
  EXPECT_EQ(hops("to: 10.0.0.0/8, via: " + list(64)).size(), 64U);
  EXPECT_THAT(via_finding(list(65)), HasSubstr("error: more than 64 next hops: remove this one"));
  EXPECT_EQ(
      via_finding("[]"),
      "f.yaml:5:33: error: 'via' must be an address like 192.168.10.2, a mapping of address, weight and "
      "interface, or a list of 1 to 64 of these, not an empty list");
  EXPECT_THAT(via_finding("[[192.168.10.2]]"), StartsWith("f.yaml:5:34: error: 'via' must be an address"));
}

TEST(NextHops, NeedAnAddress) {
  EXPECT_EQ(via_finding("{ weight: 1 }"), "f.yaml:5:33: error: this next hop has no 'address': add it");
  EXPECT_EQ(via_finding("192.168.10.2/24"),
            "f.yaml:5:33: error: 'via' must be an IPv4 or IPv6 address, not '192.168.10.2/24'");
  EXPECT_EQ(via_finding("192.168.10.02"),
            "f.yaml:5:33: error: '192.168.10.02' could be meant as octal: write the octets without leading "
            "zeros");
  EXPECT_EQ(via_finding("224.0.0.5"),
            "f.yaml:5:33: error: 224.0.0.5 is a multicast address: write the address of a host");
}

TEST(NextHops, AreOfTheFamilyOfTheRoute) {
  EXPECT_EQ(via_finding("\"fd00:10::2\""),
            "f.yaml:5:33: error: fd00:10::2 is IPv6, and 'to' is IPv4: write an IPv4 address");
  EXPECT_EQ(route_finding("to: default, via: [\"fd00:10::2\", 192.168.10.2]"),
            "f.yaml:5:45: error: 192.168.10.2 is IPv4, and the next hop before it is IPv6: write an IPv6 "
            "address");
}

TEST(NextHops, LieInAConnectedNetwork) {
  EXPECT_EQ(via_finding("198.51.100.1"),
            "f.yaml:5:33: error: 198.51.100.1 lies in no connected network: write a next hop that does, or "
            "add its network to the 'addresses' of an interface");
  for (const std::string beside : {"192.168.9.255", "192.168.11.0"}) {
    EXPECT_THAT(via_finding(beside), HasSubstr(beside + " lies in no connected network"));
  }
}

TEST(NextHops, AreHostsOfTheirNetwork) {
  EXPECT_THAT(via_finding("192.168.10.0"), HasSubstr("is the network address of 192.168.10.0/24"));
  EXPECT_THAT(via_finding("192.168.10.255"), HasSubstr("is the broadcast address of 192.168.10.0/24"));
}

TEST(NextHops, AreNotTheRouterItself) {
  for (const std::string own : {"192.168.10.1", "192.168.10.9"}) {
    EXPECT_EQ(via_finding(own), "f.yaml:5:33: error: " + own +
                                    " is the router's own address, on interface 'lan': write that of another "
                                    "host");
  }
  EXPECT_EQ(route_finding("to: \"::/0\", via: { address: \"fe80::2\", interface: up }"),
            "f.yaml:5:40: error: fe80::2 is the router's own address, on interface 'up': write that of "
            "another host");
}

TEST(NextHops, ThatAreLinkLocalNeedTheirInterface) {
  EXPECT_THAT(hops("to: \"::/0\", via: { address: \"fe80::1\", interface: lan }"),
              ElementsAre("fe80::1 lan 1"));
  EXPECT_THAT(hops("to: \"::/0\", via: { address: \"fe80::2\", interface: lan }"),
              ElementsAre("fe80::2 lan 1"))
      << "our own address, on another interface";
  EXPECT_EQ(route_finding("to: default, via: \"fe80::1\""),
            "f.yaml:5:30: error: a link-local next hop needs its interface: write { address: \"fe80::1\", "
            "interface: NAME }");
}

TEST(NextHops, MayNameTheInterfaceThatTheyLieOn) {
  EXPECT_EQ(via_finding("{ address: 192.168.10.2, interface: up }"),
            "f.yaml:5:44: error: 192.168.10.2 lies in 192.168.10.0/24 on interface 'lan': write that, or "
            "remove 'interface'");
  EXPECT_EQ(via_finding("{ address: 192.168.10.2, interface: lam }"),
            "f.yaml:5:69: error: unknown interface 'lam': did you mean 'lan'?");
}

TEST(NextHops, AreListedOnce) {
  EXPECT_EQ(via_finding("[192.168.10.2, { address: 192.168.10.2, weight: 2 }]"),
            "f.yaml:5:59: error: next hop 192.168.10.2 is listed twice: remove one of them, and raise the "
            "'weight' of the other");
  EXPECT_EQ(hops("to: default, via: [{ address: \"fe80::1\", interface: lan }, "
                 "{ address: \"fe80::1\", interface: up }]")
                .size(),
            2U)
      << "on two interfaces they are two";
}

TEST(NextHops, AreNotBlamedForTheErrorsOfInterfaces) {
  EXPECT_THAT(findings("ports: { a: { device: tap } }\n"
                       "interfaces: { lan: { port: a, addresses: [192.168.10.1/33] } }\n"
                       "routes: [{ to: 10.0.0.0/8, via: 192.168.10.2 }]\n"),
              ElementsAre(HasSubstr("2:43: error: the prefix length")));
  EXPECT_THAT(findings("ports: { a: { device: tap }, b: { device: tap } }\n"
                       "interfaces:\n"
                       "  lan: { port: a, addresses: [192.168.10.1/25] }\n"
                       "  up: { port: b, addresses: [192.168.10.2/24] }\n"
                       "routes: [{ to: 10.0.0.0/8, via: 192.168.10.200 }]\n"),
              ElementsAre(HasSubstr("4:30: error: 192.168.10.2/24 overlaps")));
}

TEST(Routes, AreOnePrefixEach) {
  EXPECT_THAT(
      route_findings("{ to: default, via: 203.0.113.1 },\n"
                     "  { to: 0.0.0.0/0, type: blackhole }"),
      ElementsAre("f.yaml:6:9: error: there is a route to 0.0.0.0/0 in line 5: remove one of them, or "
                  "list the next hops in one 'via'"));
  EXPECT_EQ(routes("{ to: 10.0.0.0/8, type: blackhole }, { to: 10.0.0.0/9, type: blackhole }").size(), 2U)
      << "of another length it is another";
}

TEST(Routes, AreNoMoreThanTheTableHolds) {
  const std::string two = "{ to: 10.0.0.0/8, type: blackhole }, { to: 11.0.0.0/8, type: blackhole }";
  EXPECT_THAT(findings(with_base("routes: [" + two + "]\ntables: { routes: 2 }")), IsEmpty());
  EXPECT_THAT(
      findings(with_base("routes: [" + two + "]\ntables: { routes: 1 }")),
      ElementsAre("f.yaml:5:47: error: more routes than 'tables: routes' has room for: raise it above 1"));
}

TEST(Routes, OfABigTableAreReadInLittleTime) {
  std::string text =
      "ports: { a: { device: tap } }\nbridges: { br: { ports: { a: { vlans: [1-1000] } } } }\n";
  text += "interfaces:\n";
  for (int i = 1; i <= 1000; ++i) {
    text += "  i" + std::to_string(i) + ": { bridge: br, vlan: " + std::to_string(i) + ", addresses: [10." +
            std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1/24] }\n";
  }
  text += "routes:\n";
  for (int i = 0; i < 40'000; ++i) {
    text += "  - { to: 172." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24, via: 10." +
            std::to_string(i % 4) + "." + std::to_string(1 + i % 249) + ".2 }\n";
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(parsed(text).routes.size(), 40'000U);
  // Some 0.5 s; with a search through all routes for each it would be minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace sluice::config
