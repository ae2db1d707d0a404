// SPDX-License-Identifier: BSD-3-Clause
//
// What no single line does wrong, but the file as a whole.
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

TEST(Sums, MoreStaticMacsThanTheTableHoldsAreAnErrorAtTheFirstTooMany) {
  EXPECT_THAT(
      findings("tables: { macs: 1 }\n"
               "ports: { a: { device: tap } }\n"
               "bridges:\n  lan:\n    ports: [a]\n    static-macs:\n"
               "      - { mac: \"02:00:00:00:00:01\", port: a }\n"
               "      - { mac: \"02:00:00:00:00:02\", port: a }\n"),
      ElementsAre("f.yaml:8:9: error: more static-macs than 'tables: macs' has room for: raise it above 1"));
}

TEST(Sums, TheTableMayBeFullOfStaticMacs) {
  EXPECT_THAT(
      findings("tables: { macs: 1 }\nports: { a: { device: tap } }\n"
               "bridges: { lan: { ports: [a], static-macs: [{ mac: \"02:00:00:00:00:01\", port: a }] } }\n"),
      IsEmpty());
}

TEST(Sums, MoreThan65535VlansAreAnError) {
  std::string ports = "ports:\n", bridges = "bridges:\n";
  for (int i = 0; i < 17; ++i) {
    const std::string n = std::to_string(i);
    ports += "  p" + n + ": { device: tap }\n";
    bridges += "  b" + n + ": { ports: { p" + n + ": { vlans: [1-4094] } } }\n";
  }
  const auto found = findings(ports + bridges);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], StartsWith("f.yaml:36:3: error: more than 65535 VLANs on all bridges together"));
}

TEST(Sums, MoreThan256BridgesAreAnError) {
  std::string text = "ports: { a: { device: tap } }\nbridges:\n";
  for (int i = 0; i < 257; ++i)
    text += "  b" + std::to_string(i) + ": { ports: [" + (i == 0 ? "a" : "") + "] }\n";
  const auto found = findings(text);
  ASSERT_EQ(found.size(), 1u) << testing::PrintToString(found);
  EXPECT_EQ(found[0], "f.yaml:259:3: error: more than 256 bridges: use VLANs");
}

TEST(Sums, ARingToItselfBesideOtherPortsIsWarnedOf) {
  const std::string ports = "ports: { a: { device: tap }, loop: { device: ring } }\n";
  const auto found = findings(ports + "bridges: { lan: { ports: [a, loop] } }\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], StartsWith("f.yaml:1:30: warning: port 'loop' is a ring to itself"));
  EXPECT_THAT(findings(ports + "bridges: { lan: { ports: [a] }, alone: { ports: [loop] } }\n"), IsEmpty());
}

}  // namespace
}  // namespace sluice::config
