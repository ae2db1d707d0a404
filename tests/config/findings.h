// SPDX-License-Identifier: BSD-3-Clause
//
// What the tests of the configuration say over and over.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "config/parse.h"

namespace sluice::config {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

inline std::vector<std::string> lines(const ParseResult& result) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : result.diagnostics) lines.push_back(to_string(diagnostic, "f.yaml"));
  return lines;
}

inline bool has_error(const ParseResult& result) {
  return std::any_of(result.diagnostics.begin(), result.diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Diagnostic::Severity::error;
  });
}

/// Every finding about `text`, as a person reads it.
inline std::vector<std::string> findings(std::string_view text) {
  const ParseResult result = parse(text, "f.yaml");
  EXPECT_NE(result.config.has_value(), has_error(result)) << "a Config if and only if there is no error";
  return lines(result);
}

/// What `text`, which must be free of errors, means.
inline Config parsed(std::string_view text) {
  ParseResult result = parse(text, "f.yaml");
  EXPECT_TRUE(result.config.has_value()) << testing::PrintToString(lines(result));
  return result.config.value_or(Config{});
}

/// `head` and the least that makes it a whole file.
inline std::string with_ports(std::string_view head) {
  return std::string(head) + "\nports: { a: { device: tap } }\nbridges: { lan: { ports: [a] } }\n";
}

}  // namespace sluice::config
