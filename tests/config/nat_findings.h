// SPDX-License-Identifier: BSD-3-Clause
//
// What the tests of NAT say over and over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/config/findings.h"

namespace sluice::config {

/// Interfaces `lan`, `up` and `up2` with IPv4, and `bare` without addresses; the text begins in line 7.
inline std::string with_gateway(std::string_view text) {
  return "ports: { a: { device: tap }, b: { device: tap }, c: { device: tap }, d: { device: tap } }\n"
         "interfaces:\n"
         "  lan: { port: a, addresses: [192.168.10.1/24] }\n"
         "  up: { port: b, addresses: [203.0.113.2/24, 203.0.113.3/24] }\n"
         "  up2: { port: c, addresses: [198.51.100.2/24] }\n"
         "  bare: { port: d }\n" +
         std::string(text);
}

/// The rules of this YAML flow sequence, without its brackets.
inline std::vector<NatRule> rules(std::string_view entries) {
  return parsed(with_gateway("nat: [" + std::string(entries) + "]")).nat;
}

inline std::vector<std::string> rule_findings(std::string_view entries) {
  return findings(with_gateway("nat: [" + std::string(entries) + "]"));
}

/// A rule on `up` of these keys.
inline std::string rule(std::string_view keys) {
  return "{ name: out, interface: up, " + std::string(keys) + " }";
}

/// The one finding about rule(keys), which stands in line 7; its keys begin in column 35.
inline std::string rule_finding(std::string_view keys) {
  const auto all = rule_findings(rule(keys));
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

}  // namespace sluice::config
