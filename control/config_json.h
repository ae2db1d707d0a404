// SPDX-License-Identifier: BSD-3-Clause
//
// A Config as JSON, in the words of the file, every default filled in: what `show config --json` prints, and
// what two configurations are compared by.
//
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/config.h"

namespace sluice::control {

/// "02:00:00:00:00:0a"
std::string mac_text(const config::MacAddress& mac);

nlohmann::json to_json(const config::Config& config);

}  // namespace sluice::control
