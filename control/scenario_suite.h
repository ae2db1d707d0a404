// SPDX-License-Identifier: BSD-3-Clause
//
// Many scenarios: found in folders, each played in a process of its own, side by side. One that crashes or
// hangs is one that fails.
//
// Thread safety: the main thread, before it has started EAL or a thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::control {

struct ScenarioResult {
  std::string folder;
  bool holds = false;
  bool machine = false;  ///< it could not be played for what the machine lacks
  std::string message;   ///< why it does not hold, in one line
  std::string report;    ///< the same in full
  std::string stories;   ///< as explain tells them; only if asked for
  double seconds = 0;
};

struct SuiteOptions {
  unsigned jobs = 0;     ///< at once; 0: as many as there are cores
  bool explain = false;  ///< tell of every packet, also of scenarios that hold
};

/// The folders with a scenario.yaml in and below `directories`, sorted, each once. Error: input_error, there
/// is no such directory, or no scenario in it.
absl::StatusOr<std::vector<std::string>> find_scenarios(const std::vector<std::string>& directories);

/// Plays all; `tell` gets each result in the order of `folders`. Error: machine_error.
absl::Status play_scenarios(const std::vector<std::string>& folders, const SuiteOptions& options,
                            const std::function<void(const ScenarioResult&)>& tell);

/// A report for CI, as JUnit's XML.
std::string junit_xml(const std::vector<ScenarioResult>& results);

}  // namespace sluice::control
