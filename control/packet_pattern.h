// SPDX-License-Identifier: BSD-3-Clause
//
// A frame as a scenario writes it: a packet line, octets in hex where '?' leaves four bits open, or a frame
// of a capture.
//
// Thread safety: plain data.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "control/packet_line.h"

namespace sluice::control {

class PacketPattern {
 public:
  /// Error of both: input_error, a sentence.
  static absl::StatusOr<PacketPattern> from_line(std::string_view text);
  /// Octets as "02 00 ?? ff"; blanks do not count.
  static absl::StatusOr<PacketPattern> from_hex(std::string_view text);
  static PacketPattern from_frame(Octets frame);

  /// Whether it stands for one frame.
  [[nodiscard]] bool is_exact() const;
  /// REQUIRES: is_exact().
  [[nodiscard]] std::vector<uint8_t> frame() const;
  /// How `actual` differs, a sentence a field; empty: not at all.
  [[nodiscard]] std::vector<std::string> differences(Octets actual) const;
  /// As it was written.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Masked {
    std::vector<uint8_t> octets, mask;
  };
  std::string text_;
  std::variant<Masked, PacketLine> what_;
};

}  // namespace sluice::control
