// SPDX-License-Identifier: BSD-3-Clause
//
// From the bytes of a YAML file to a Config, or to everything that is wrong with them.
//
// Thread safety: parse() touches nothing but its arguments and what it returns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace sluice::config {

/// One finding: what is wrong at that place, and what to write instead.
struct Diagnostic {
  enum class Severity { error, warning };
  Severity severity = Severity::error;
  Location location;
  std::string message;
};

struct ParseResult {
  std::optional<Config> config;         ///< set if and only if no diagnostic is an error
  std::vector<Diagnostic> diagnostics;  ///< in the order of the file
};

/// Reads `text`. Never throws, whatever the bytes; every error is reported, not the first alone.
/// `file` is only carried into Config::file.
ParseResult parse(std::string_view text, std::string_view file);

struct Node;
/// The same of a configuration that stands within another file: `root` is a part of its tree.
ParseResult parse(const Node& root, std::string_view file);

/// `FILE:LINE:COLUMN: error: message`, one line without its end.
std::string to_string(const Diagnostic& diagnostic, std::string_view file);

}  // namespace sluice::config
