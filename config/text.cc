// SPDX-License-Identifier: BSD-3-Clause
#include "config/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sluice::config {
namespace {

constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr size_t kMaxQuotedBytes = 64;

bool is_control(char c) {
  return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
}

bool is_continuation(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) == 0x80;
}

/// The length of the UTF-8 sequence that `text` begins with (RFC 3629 section 4); 0 where there is none.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) -> uint8_t { return i < text.size() ? text[i] : 0; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  // Overlong forms (C0, C1, E0 below A0, F0 below 90), surrogates (ED above 9F) and all beyond U+10FFFF.
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (i >= text.size() || !is_continuation(text[i])) return 0;
  }
  return length;
}

Location locate(std::string_view before) {
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  return {.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          .column = 1 + static_cast<int>(before.size() - line_start)};
}

bool is_allowed_control(std::string_view text, size_t at) {
  if (text[at] == '\r') return at + 1 < text.size() && text[at + 1] == '\n';
  return text[at] == '\n' || text[at] == '\t';
}

}  // namespace

bool check_text(std::string_view text, Diagnostics& diagnostics) {
  if (text.size() > kMaxBytes) {
    diagnostics.error({}, concat("the file has ", text.size(), " bytes: at most ", kMaxBytes, " are read"));
    return false;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text.substr(at));
    if (length == 0) {
      diagnostics.error(locate(text.substr(0, at)), "this byte is not UTF-8: save the file as UTF-8 text");
      return false;
    }
    if (is_control(text[at]) && !is_allowed_control(text, at)) {
      diagnostics.error(locate(text.substr(0, at)),
                        concat("control character ", static_cast<int>(text[at]), ": remove it"));
      return false;
    }
    at += length;
  }
  return true;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::string quote(std::string_view text) {
  size_t length = std::min(text.size(), kMaxQuotedBytes);
  while (length < text.size() && length > 0 && is_continuation(text[length])) --length;
  std::string shown(text.substr(0, length));
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return concat("'", shown, length < text.size() ? "…'" : "'");
}

}  // namespace sluice::config
