// SPDX-License-Identifier: BSD-3-Clause
#include "control/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "control/status.h"

namespace sluice::control {

absl::StatusOr<NetnsGuard> NetnsGuard::enter(const std::string& name) {
  if (name.empty()) return NetnsGuard(-1);
  const int target = open(absl::StrCat("/run/netns/", name).c_str(), O_RDONLY | O_CLOEXEC);
  if (target < 0) {
    return machine_error(absl::StrCat("network namespace '", name, "': ", std::strerror(errno),
                                      ": make it with: ip netns add ", name));
  }
  const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const int result = home < 0 ? -1 : setns(target, CLONE_NEWNET);
  const int error = errno;
  close(target);
  if (result == 0) return NetnsGuard(home);
  if (home >= 0) close(home);
  return machine_error(absl::StrCat("network namespace '", name, "': ", std::strerror(error),
                                    ": run as root, or with CAP_SYS_ADMIN"));
}

NetnsGuard::NetnsGuard(NetnsGuard&& other) noexcept : home_(std::exchange(other.home_, -1)) {}

NetnsGuard::~NetnsGuard() {
  if (home_ < 0) return;
  setns(home_, CLONE_NEWNET);
  close(home_);
}

}  // namespace sluice::control
