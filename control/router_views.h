// SPDX-License-Identifier: BSD-3-Clause
//
// Layer 3 and NAT as JSON: what `show interfaces|routes|neighbors|nat|sessions` print. docs/json.md says what
// the keys mean.
//
// Thread safety: the control thread alone.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "control/runtime.h"

namespace sluice::control {

nlohmann::json interfaces_view(Runtime& runtime);
/// \param family 4 or 6; 0: both
nlohmann::json routes_view(Runtime& runtime, unsigned family);
nlohmann::json neighbors_view(Runtime& runtime, const NeighborFilter& filter);
nlohmann::json nat_view(Runtime& runtime);
nlohmann::json sessions_view(Runtime& runtime, const dataplane::SessionFilter& filter);

}  // namespace sluice::control
