// SPDX-License-Identifier: BSD-3-Clause
//
// The line of a test that calls a helper. (std::source_location, which clang 14 does not have.)
//
// Thread safety: plain data.
#pragma once

namespace sluice::test {

struct Here {
  const char* file;
  int line;
  /// As a default argument: where the function that has it is called.
  static constexpr Here current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace sluice::test
