// SPDX-License-Identifier: BSD-3-Clause
//
// A packet as a line that a person can write and read (docs/packet-lines.md):
//
//   eth src=02:00:00:00:00:0a dst=02:00:00:00:00:01 / ipv4 src=192.0.2.9 dst=198.51.100.7 / udp dport=53 /
//   payload 20
//
// Headers stand between " / "; what a header does not say is filled in: types, protocols, lengths, checksums,
// and zeroes or the usual for the rest. A field may be left open, whole (`id=*`) or in part
// (`dst=192.0.2.0/24`, `tos=0x10/0xf0`); then the line stands for many packets. `payload 20` is twenty octets
// that count up, `payload hex=c0ffee` those, `payload *` any, to the end; `cut 40` ends the frame after 40
// octets, and keeps it from being filled up to 60.
//
// Thread safety: plain data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "control/packet_fields.h"

namespace sluice::control {

class PacketLine {
 public:
  /// Error: input_error, a sentence that names the part of the line.
  static absl::StatusOr<PacketLine> parse(std::string_view text);

  /// The line of a frame, which does not differ from it. Of fewer than 14 octets: an empty line.
  static PacketLine of(Octets frame);
  /// As it can be read again. REQUIRES: is_exact().
  [[nodiscard]] std::string text() const;

  /// Whether it stands for one packet.
  [[nodiscard]] bool is_exact() const;
  /// The frame. REQUIRES: is_exact().
  [[nodiscard]] std::vector<uint8_t> frame() const { return fill({}); }
  /// How `actual` differs from what the line stands for, a sentence a field; empty: not at all.
  [[nodiscard]] std::vector<std::string> differences(Octets actual) const;

 private:
  /// A field that the line says, or leaves open where `mask` has zeroes.
  struct Said {
    const Field* field;
    Bits value, mask;
  };
  struct Header {
    const HeaderFormat* format;
    std::vector<Said> said;
    size_t at = 0;  ///< where it begins in the frame
    [[nodiscard]] bool says(std::string_view name) const;
  };

  [[nodiscard]] size_t end_of_packet(Octets frame) const;
  bool say_what_differs(Octets frame, bool checksums);
  absl::Status add_header(std::string_view text);
  absl::Status add_payload(std::string_view text);
  static absl::StatusOr<Said> read_said(const HeaderFormat& header, std::string_view text);
  [[nodiscard]] std::vector<uint8_t> fill(Octets actual) const;
  void fill_header(std::vector<uint8_t>& frame, size_t index, Octets actual) const;
  void fill_checksums(std::vector<uint8_t>& frame) const;
  void set(std::vector<uint8_t>& frame, const Header& header, std::string_view field, uint64_t number) const;

  std::vector<Header> headers_;
  std::vector<uint8_t> payload_;
  bool any_payload_ = false;
  size_t cut_ = 0;  ///< 0: not
};

}  // namespace sluice::control
