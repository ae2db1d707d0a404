// SPDX-License-Identifier: BSD-3-Clause
//
// A flow: what tells the packets of one conversation, in one direction, from all others.
//
// Thread safety: plain data.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/ip.h"

namespace sluice::dataplane {

/// Host order. An ICMP query has its identifier in both ports; protocols without ports have 0.
struct Flow {
  Ip4 source, destination;
  uint16_t source_port, destination_port;
  uint8_t protocol;

  [[nodiscard]] constexpr Flow reversed() const {
    return {destination, source, destination_port, source_port, protocol};
  }
  [[nodiscard]] constexpr uint64_t addresses() const { return uint64_t{source} << 32 | destination; }
  [[nodiscard]] constexpr uint32_t ports() const { return uint32_t{source_port} << 16 | destination_port; }
  /// All of it in two words, for hashing.
  [[nodiscard]] constexpr std::array<uint64_t, 2> words() const {
    return {addresses(), uint64_t{protocol} << 32 | ports()};
  }
  friend constexpr bool operator==(const Flow&, const Flow&) = default;
};
static_assert(sizeof(Flow) == 16 && std::is_trivial_v<Flow>);

}  // namespace sluice::dataplane
