// SPDX-License-Identifier: BSD-3-Clause
//
// The headers that a packet line can name, and their fields: where each stands, and how it is written.
//
// Thread safety: constants and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/wire.h"

namespace sluice::control {

enum class FieldKind : uint8_t {
  number,     ///< decimal or 0x…
  mac,        ///< 02:00:00:00:00:0a
  ipv4,       ///< 192.0.2.1
  ipv6,       ///< 2001:db8::1
  tcp_flags,  ///< syn,ack
};

struct Field {
  std::string_view name;
  uint16_t bit;   ///< where it begins, from the begin of the header
  uint16_t bits;  ///< how long it is
  FieldKind kind = FieldKind::number;
};

struct HeaderFormat {
  std::string_view name;
  std::span<const Field> fields;
  uint8_t octets;
  /// What says, in the header before, that this one follows: an Ethernet type, or an IP protocol.
  std::optional<uint16_t> ethertype, protocol;
};

/// Null: there is no header of that name.
const HeaderFormat* header_named(std::string_view name);
/// The header behind an Ethernet type, or an IP protocol; null: none that is known.
const HeaderFormat* header_of_type(uint16_t ethertype);
const HeaderFormat* header_of_protocol(uint8_t protocol);
/// Their names, for who looks for one.
std::string header_names();
/// Null: the header has no such field.
const Field* field_named(const HeaderFormat& header, std::string_view name);

/// Bits of a field, right-aligned in as many octets as they need.
using Bits = std::vector<uint8_t>;
Bits all_ones(const Field& field);

/// Nothing: the text is no value of the field, or is too large for it.
std::optional<Bits> read_bits(const Field& field, std::string_view text);
std::string bits_text(const Field& field, const Bits& bits);

Bits get_bits(Octets header, const Field& field);
/// Where `mask` has ones. REQUIRES: the header is as long as its format.
void set_bits(std::span<uint8_t> header, const Field& field, const Bits& value, const Bits& mask);

}  // namespace sluice::control
