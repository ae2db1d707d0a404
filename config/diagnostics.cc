// SPDX-License-Identifier: BSD-3-Clause
#include "config/diagnostics.h"
#include "config/text.h"

#include <algorithm>
#include <utility>

namespace sluice::config {

void Diagnostics::error(Location location, std::string message) {
  found_.push_back({Diagnostic::Severity::error, location, std::move(message)});
  if (++errors_ < kMaxErrors) return;
  found_.push_back({Diagnostic::Severity::error, location, "too many errors: mend these first"});
  throw TooManyErrors();
}

void Diagnostics::warning(Location location, std::string message) {
  found_.push_back({Diagnostic::Severity::warning, location, std::move(message)});
}

std::vector<Diagnostic> Diagnostics::take() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.location < b.location; });
  errors_ = 0;
  return std::exchange(found_, {});
}

std::string to_string(const Diagnostic& diagnostic, std::string_view file) {
  const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
  return concat(file, ":", diagnostic.location.line, ":", diagnostic.location.column, ": ",
                is_error ? "error: " : "warning: ", diagnostic.message);
}

}  // namespace sluice::config
