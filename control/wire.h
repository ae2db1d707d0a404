// SPDX-License-Identifier: BSD-3-Clause
//
// Headers out of octets and into octets, without a step over their end.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "dataplane/ethernet.h"

namespace sluice::control {

using Octets = std::span<const uint8_t>;

/// The header at `offset`; nothing if the octets end before it does.
template <class Header>
std::optional<Header> read(Octets octets, size_t offset = 0) {
  static_assert(std::is_trivially_copyable_v<Header>);
  if (offset > octets.size() || octets.size() - offset < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, octets.data() + offset, sizeof header);
  return header;
}

template <class Header>
void append(std::vector<uint8_t>& out, const Header& header) {
  static_assert(std::is_trivially_copyable_v<Header> && std::has_unique_object_representations_v<Header>);
  out.resize(out.size() + sizeof header);
  std::memcpy(out.data() + out.size() - sizeof header, &header, sizeof header);
}

/// REQUIRES: a header of that size is at `offset`.
template <class Header>
void overwrite(std::vector<uint8_t>& out, size_t offset, const Header& header) {
  static_assert(std::is_trivially_copyable_v<Header>);
  std::memcpy(out.data() + offset, &header, sizeof header);
}

inline void append_ethernet(std::vector<uint8_t>& out, dataplane::Mac48 destination, dataplane::Mac48 source,
                            uint16_t type) {
  append(out, dataplane::EthernetHeader{dataplane::octets(destination), dataplane::octets(source),
                                        dataplane::BigEndian<uint16_t>(type)});
}

}  // namespace sluice::control
