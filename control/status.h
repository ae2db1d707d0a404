// SPDX-License-Identifier: BSD-3-Clause
//
// What went wrong, and the exit code that says so.
//
// Thread safety: pure functions.
#pragma once

#include "absl/status/status.h"

namespace sluice::control {

inline constexpr int kExitDone = 0;
inline constexpr int kExitInput = 1;     ///< the configuration or the arguments are wrong
inline constexpr int kExitMachine = 2;   ///< the machine lacks something
inline constexpr int kExitNoDaemon = 3;  ///< no running sluice

/// The input is wrong.
inline absl::Status input_error(absl::string_view message) {
  return absl::InvalidArgumentError(message);
}
/// The machine lacks something; the message ends with the command that mends it.
inline absl::Status machine_error(absl::string_view message) {
  return absl::FailedPreconditionError(message);
}
/// Nobody answers on the socket.
inline absl::Status no_daemon_error(absl::string_view message) {
  return absl::UnavailableError(message);
}

inline int exit_code(const absl::Status& status) {
  if (status.ok()) return kExitDone;
  if (absl::IsInvalidArgument(status)) return kExitInput;
  if (absl::IsUnavailable(status)) return kExitNoDaemon;
  return kExitMachine;
}

}  // namespace sluice::control
