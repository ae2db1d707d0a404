// SPDX-License-Identifier: BSD-3-Clause
#include "control/packet_pattern.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "control/packet_words.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr size_t kShown = 8;  // differing octets of a frame; the rest is counted

uint8_t nibble(char digit) {
  if (absl::ascii_isdigit(digit)) return static_cast<uint8_t>(digit - '0');
  return static_cast<uint8_t>(absl::ascii_tolower(digit) - 'a' + 10);
}

std::string hex_octet(uint8_t octet) {
  return absl::StrCat("0x", absl::Hex(octet, absl::kZeroPad2));
}

}  // namespace

absl::StatusOr<PacketPattern> PacketPattern::from_line(std::string_view text) {
  absl::StatusOr<PacketLine> line = PacketLine::parse(text);
  if (!line.ok()) return line.status();
  PacketPattern pattern;
  pattern.text_ = text;
  pattern.what_ = *std::move(line);
  return pattern;
}

absl::StatusOr<PacketPattern> PacketPattern::from_hex(std::string_view text) {
  std::string digits(text);
  absl::RemoveExtraAsciiWhitespace(&digits);
  std::erase(digits, ' ');
  const bool right = std::all_of(digits.begin(), digits.end(),
                                 [](char digit) { return digit == '?' || absl::ascii_isxdigit(digit); });
  if (!right || digits.empty() || digits.size() % 2 != 0)
    return input_error("hex takes two digits for each octet, or '?' for any four bits");
  PacketPattern pattern;
  pattern.text_ = absl::StrCat("hex ", std::string(text));
  Masked& masked = std::get<Masked>(pattern.what_);
  for (size_t i = 0; i < digits.size(); i += 2) {
    uint8_t octet = 0, mask = 0;
    for (size_t half = 0; half < 2; ++half) {
      const char digit = digits[i + half];
      octet = static_cast<uint8_t>(octet << 4 | (digit == '?' ? 0 : nibble(digit)));
      mask = static_cast<uint8_t>(mask << 4 | (digit == '?' ? 0 : 0xF));
    }
    masked.octets.push_back(octet);
    masked.mask.push_back(mask);
  }
  return pattern;
}

PacketPattern PacketPattern::from_frame(Octets frame) {
  PacketPattern pattern;
  pattern.text_ = frame_text(frame);
  Masked& masked = std::get<Masked>(pattern.what_);
  masked.octets.assign(frame.begin(), frame.end());
  masked.mask.assign(frame.size(), 0xFF);
  return pattern;
}

bool PacketPattern::is_exact() const {
  if (const auto* line = std::get_if<PacketLine>(&what_)) return line->is_exact();
  const std::vector<uint8_t>& mask = std::get<Masked>(what_).mask;
  return std::all_of(mask.begin(), mask.end(), [](uint8_t bits) { return bits == 0xFF; });
}

std::vector<uint8_t> PacketPattern::frame() const {
  if (const auto* line = std::get_if<PacketLine>(&what_)) return line->frame();
  return std::get<Masked>(what_).octets;
}

std::vector<std::string> PacketPattern::differences(Octets actual) const {
  if (const auto* line = std::get_if<PacketLine>(&what_)) return line->differences(actual);
  const Masked& masked = std::get<Masked>(what_);
  std::vector<std::string> found;
  if (masked.octets.size() != actual.size())
    found.push_back(
        absl::StrCat("length: expected ", masked.octets.size(), " octets, found ", actual.size()));
  size_t differing = 0;
  for (size_t at = 0; at < std::min(masked.octets.size(), actual.size()); ++at) {
    if (((masked.octets[at] ^ actual[at]) & masked.mask[at]) == 0) continue;
    if (++differing > kShown) continue;
    found.push_back(absl::StrCat("octet ", at, ": expected ", hex_octet(masked.octets[at]), ", found ",
                                 hex_octet(actual[at])));
  }
  if (differing > kShown) found.push_back(absl::StrCat("and ", differing - kShown, " more octets differ"));
  return found;
}

}  // namespace sluice::control
