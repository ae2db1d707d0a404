// SPDX-License-Identifier: BSD-3-Clause
//
// Which processors the workers get, and which are left to everything else.
//
// Thread safety: pure functions but for reading the affinity of the calling thread.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"

namespace sluice::control {

struct CpuPlan {
  std::vector<unsigned> workers;  ///< one core each
  std::vector<unsigned> control;  ///< all others; all of them when the workers take every one
  bool shared = false;            ///< control has no core of its own
};

/// Processors that this process may run on.
std::vector<unsigned> available_cpus();

/// A file that names no cores gets one worker, on the last processor: the first ones serve most interrupts.
/// Error: a named core is not among `available`.
absl::StatusOr<CpuPlan> plan_cpus(const config::Workers& workers, const std::vector<unsigned>& available);

}  // namespace sluice::control
