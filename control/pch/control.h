// SPDX-License-Identifier: BSD-3-Clause
// Precompiled for speed of building alone: every file still includes what it uses.
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
