// SPDX-License-Identifier: BSD-3-Clause
//
// The ports of datagrams that came in parts: the first part has them, the later ones need them to find their
// session. They must come behind the first.
//
// Thread safety: none; belongs to one worker.
// Invariants:    bounded: a set that is full forgets its oldest datagram.
// Owner:         Context.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/ip.h"

namespace sluice::dataplane {

/// What the parts of one datagram have in common (RFC 791 section 3.2).
struct DatagramKey {
  Ip4 source, destination;
  uint16_t id;
  uint8_t protocol;
  friend bool operator==(const DatagramKey&, const DatagramKey&) = default;
};

class FragmentPorts {
 public:
  struct Ports {
    uint16_t source, destination;
  };

  /// The first part was seen. `hash`: keyed, of the key.
  void remember(const DatagramKey& key, uint64_t hash, Ports ports, uint32_t now_ms);
  /// The ports that the first part had; null: it was not seen, or too long ago.
  [[nodiscard]] const Ports* find(const DatagramKey& key, uint64_t hash, uint32_t now_ms) const;

 private:
  static constexpr unsigned kSets = 256, kWays = 8;
  static constexpr uint32_t kLifetime_ms = 30'000;  ///< of a datagram in parts (RFC 791: at most the TTL)

  struct Entry {
    DatagramKey key;
    Ports ports;
    uint32_t seen_ms;
    bool used;
  };
  using Set = std::array<Entry, kWays>;

  std::array<Set, kSets> sets_{};
};

}  // namespace sluice::dataplane
