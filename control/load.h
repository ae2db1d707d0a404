// SPDX-License-Identifier: BSD-3-Clause
//
// A configuration file, read for a command.
//
// Thread safety: any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "config/config.h"

namespace sluice::control {

struct Loaded {
  std::string text;
  config::Config config;
};

/// Every finding is printed to standard error; the status only carries the exit code on.
absl::StatusOr<Loaded> load(const std::string& file);

}  // namespace sluice::control
