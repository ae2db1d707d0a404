// SPDX-License-Identifier: BSD-3-Clause
//
// Enters a network namespace for as long as the object lives.
//
// Thread safety: changes the calling thread alone.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace sluice::control {

class NetnsGuard {
 public:
  /// `name` as `ip netns` knows it; "" stays where we are. Error: machine_error, with what mends it.
  static absl::StatusOr<NetnsGuard> enter(const std::string& name);

  ~NetnsGuard();
  NetnsGuard(NetnsGuard&& other) noexcept;
  NetnsGuard& operator=(NetnsGuard&&) = delete;

 private:
  explicit NetnsGuard(int home) : home_(home) {}
  int home_;  ///< a descriptor of the namespace to return to; -1: nowhere
};

}  // namespace sluice::control
