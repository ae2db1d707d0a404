// SPDX-License-Identifier: BSD-3-Clause
//
// The documents of views.h as tables for people.
//
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::control {

/// Rows under a heading, columns as wide as they need to be; columns of numbers stand right.
std::string table(const std::vector<std::string>& heading, const std::vector<std::vector<std::string>>& rows);

std::string ports_table(const nlohmann::json& view);
std::string replay_table(const nlohmann::json& view);
std::string drops_table(const nlohmann::json& view);
std::string macs_table(const nlohmann::json& view);
std::string workers_table(const nlohmann::json& view);
std::string interfaces_table(const nlohmann::json& view);
std::string routes_table(const nlohmann::json& view);
std::string neighbors_table(const nlohmann::json& view);
std::string nat_table(const nlohmann::json& view);
std::string sessions_table(const nlohmann::json& view);
std::string config_text(const nlohmann::json& view);

}  // namespace sluice::control
