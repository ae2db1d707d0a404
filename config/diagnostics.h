// SPDX-License-Identifier: BSD-3-Clause
//
// Where the findings about one file gather.
//
// Thread safety: none; one parse() owns one.
// Invariants:    holds at most kMaxErrors errors: a hostile file makes neither their list grow without bound,
//                nor the work that goes into wording them.
// Owner:         parse().
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/parse.h"

namespace sluice::config {

/// Thrown by Diagnostics::error when the list is full, and caught by parse(): nothing more would be shown.
struct TooManyErrors {};

class Diagnostics {
 public:
  static constexpr size_t kMaxErrors = 1000;

  void error(Location location, std::string message);
  void warning(Location location, std::string message);
  bool has_errors() const { return errors_ > 0; }
  size_t errors() const { return errors_; }

  /// Everything found, in the order of the file; leaves this empty.
  std::vector<Diagnostic> take();

 private:
  std::vector<Diagnostic> found_;
  size_t errors_ = 0;
};

}  // namespace sluice::config
