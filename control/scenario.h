// SPDX-License-Identifier: BSD-3-Clause
//
// A scenario: a configuration, and steps that send, wait and look (docs/scenarios.md).
//
// Thread safety: plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/parse.h"
#include "config/yaml_tree.h"
#include "control/packet_pattern.h"

namespace sluice::control {

struct SentPacket {
  std::string port;
  PacketPattern packet;  ///< exact
};

/// What has to have left by one port.
struct ExpectedPackets {
  bool same = false;       ///< all that the step sends, as it was
  bool any_order = false;  ///< else in this order
  std::vector<PacketPattern> packets;
};

struct Expectation {
  bool any = false;  ///< whatever left is forgotten
  std::map<std::string, ExpectedPackets> ports;
};

/// Rows of a table, as trees of YAML: a mapping stands for all objects that have at least its keys.
struct ExpectedRows {
  std::optional<std::vector<config::Node>> exactly;
  std::vector<config::Node> contains, lacks;
  std::optional<uint64_t> count;
};

struct ExpectedCounters {
  std::map<std::string, uint64_t> all;                           ///< by name
  std::map<std::string, std::map<std::string, uint64_t>> ports;  ///< by port and name
};

struct ScenarioStep {
  enum class Clear { nothing, macs, neighbors, sessions };

  config::Location location;
  std::string name;
  std::vector<SentPacket> send;
  uint64_t time_ms = 0;
  std::optional<config::Config> reload;
  std::vector<std::string> reload_errors;  ///< why `reload` is no configuration
  std::optional<std::string> refused;      ///< the reload is to fail with a message that has this in it
  Clear clear = Clear::nothing;
  std::optional<Expectation> expect;
  std::optional<std::map<std::string, uint64_t>> drops;
  std::optional<ExpectedCounters> counters;
  std::map<std::string, ExpectedRows> show;  ///< by table
};

struct Scenario {
  std::string folder, file;
  config::Config config;
  unsigned workers = 1;
  uint64_t seed = 1;
  uint64_t settle_ms = 3000;
  std::vector<ScenarioStep> steps;
};

/// The tables that a step may look at.
inline constexpr std::string_view kShownTables[] = {"macs",       "sessions", "neighbors", "routes",
                                                    "interfaces", "nat",      "ports",     "workers"};

/// Nothing: `errors` has a line for each mistake, FILE:LINE:COLUMN: error: …
std::optional<Scenario> read_scenario(const std::string& folder, std::vector<std::string>& errors);

}  // namespace sluice::control
