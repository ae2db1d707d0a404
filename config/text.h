// SPDX-License-Identifier: BSD-3-Clause
//
// The bytes of a file before YAML is read from them, and how pieces of them are quoted in a message.
//
// Thread safety: pure functions.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "config/diagnostics.h"

namespace sluice::config {

inline void append(std::string& text, std::string_view part) {
  text += part;
}
inline void append(std::string& text, std::integral auto number) {
  text += std::to_string(number);
}

/// The parts one after the other: text, and numbers in decimal. (absl::StrCat takes no std::string_view where
/// Abseil is built with a string_view of its own, as Debian's is.)
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string text;
  (append(text, parts), ...);
  return text;
}

/// Refuses what no configuration holds: more than 16 MiB, bytes that are not UTF-8, control characters
/// (yaml-cpp takes U+0004 for the end of the file, and a lone carriage return for part of a word).
/// \return whether `text` may be read further; if not, the first reason is in `diagnostics`.
bool check_text(std::string_view text, Diagnostics& diagnostics);

/// Whether a value holds a control character: a quoted one may, by way of an escape such as "\0".
bool has_control_character(std::string_view text);

/// `'text'`, on one line and of bounded length whatever the text: fit for a message.
std::string quote(std::string_view text);

}  // namespace sluice::config
