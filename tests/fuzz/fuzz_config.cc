// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a configuration file: parse() must come back, with a Config or with errors.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::config::Diagnostic;
  const auto result = sluice::config::parse({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
  const bool has_error = std::any_of(
      result.diagnostics.begin(), result.diagnostics.end(),
      [](const Diagnostic& diagnostic) { return diagnostic.severity == Diagnostic::Severity::error; });
  if (result.config.has_value() == has_error) std::abort();
  for (const Diagnostic& diagnostic : result.diagnostics) {
    const bool is_one_line = to_string(diagnostic, "fuzz.yaml").find('\n') == std::string::npos;
    if (!is_one_line || diagnostic.location.line < 1 || diagnostic.location.column < 1) std::abort();
  }
  return 0;
}
