// SPDX-License-Identifier: BSD-3-Clause
#include "control/cpus.h"

#include <sched.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/status.h"

namespace sluice::control {

std::vector<unsigned> available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

absl::StatusOr<CpuPlan> plan_cpus(const config::Workers& workers, const std::vector<unsigned>& available) {
  CpuPlan plan;
  plan.workers = workers.cores.empty() ? std::vector{available.back()} : workers.cores;
  const auto contains = [](const std::vector<unsigned>& set, unsigned cpu) {
    return std::find(set.begin(), set.end(), cpu) != set.end();
  };
  for (unsigned core : plan.workers) {
    if (contains(available, core)) continue;
    return machine_error(absl::StrCat("core ", core, " is not available to this process here: choose from ",
                                      absl::StrJoin(available, ", "),
                                      ", or allow it with taskset or the cpuset"));
  }
  for (unsigned cpu : available) {
    if (!contains(plan.workers, cpu)) plan.control.push_back(cpu);
  }
  plan.shared = plan.control.empty();
  if (plan.shared) plan.control = available;
  return plan;
}

}  // namespace sluice::control
