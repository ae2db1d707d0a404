// SPDX-License-Identifier: BSD-3-Clause
//
// The control thread's log. Workers do not log, they count.
//
// Thread safety: may be used from any control thread.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "config/config.h"

namespace sluice::control {

// To standard error, from level info up, until start_log() says otherwise.
void log_debug(std::string_view message);
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// Error: the file cannot be written.
absl::Status start_log(const config::Log& wanted);

}  // namespace sluice::control
