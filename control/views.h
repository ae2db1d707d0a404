// SPDX-License-Identifier: BSD-3-Clause
//
// The documents behind `sluice show … --json` and the API: their shapes are described in docs/json.md.
//
// Thread safety: the control thread alone.
#pragma once

#include <nlohmann/json.hpp>

#include "control/runtime.h"

namespace sluice::control {

nlohmann::json ports_view(Runtime& runtime);
/// The counters alone, without what is known of devices: the same on every machine.
nlohmann::json replay_view(Runtime& runtime);
nlohmann::json drops_view(Runtime& runtime);
nlohmann::json macs_view(Runtime& runtime, const MacFilter& filter);
nlohmann::json workers_view(Runtime& runtime);

}  // namespace sluice::control
