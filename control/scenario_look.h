// SPDX-License-Identifier: BSD-3-Clause
//
// What a step expects beside what there is, and the differences in words.
//
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/scenario_run.h"

namespace sluice::control {

/// Adds a finding for each packet that is missing, differs or was not expected.
void compare_packets(const Expectation& expected, const std::vector<SentPacket>& sent,
                     const std::vector<ScenarioRun::Left>& left, std::vector<std::string>& findings);

/// \param before, now documents as of `replay --json`
void compare_drops(const std::map<std::string, uint64_t>& expected, const nlohmann::json& before,
                   const nlohmann::json& now, std::vector<std::string>& findings);
void compare_counters(const ExpectedCounters& expected, const nlohmann::json& before,
                      const nlohmann::json& now, std::vector<std::string>& findings);

/// \param rows an array of objects
void compare_rows(const std::string& table, const ExpectedRows& expected, const nlohmann::json& rows,
                  std::vector<std::string>& findings);

}  // namespace sluice::control
