// SPDX-License-Identifier: BSD-3-Clause
//
// Packets as octets for the tests of control.
//
// Thread safety: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "control/ip_address.h"
#include "dataplane/ethernet.h"

namespace sluice::test {

using Bytes = std::vector<uint8_t>;

/// The octets that `text` spells in hexadecimal digits; anything else in it is ignored.
inline Bytes hex(std::string_view text) {
  Bytes out;
  int high = -1;
  for (char c : text) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) continue;
    if (high >= 0) out.push_back(static_cast<uint8_t>(high * 16 + static_cast<int>(digit)));
    high = high >= 0 ? -1 : static_cast<int>(digit);
  }
  return out;
}

/// What `address` is on the wire.
inline dataplane::Mac48 mac(std::string_view address) {
  std::array<uint8_t, 6> octets{};
  const Bytes bytes = hex(address);
  for (size_t i = 0; i < octets.size(); ++i) octets[i] = bytes.at(i);
  return dataplane::mac48(octets);
}

inline dataplane::Ip4 ip4(const std::string& text) {
  in_addr address{};
  inet_pton(AF_INET, text.c_str(), &address);
  return __builtin_bswap32(address.s_addr);
}

inline dataplane::Ip6 ip6(const std::string& text) {
  std::array<uint8_t, 16> octets{};
  inet_pton(AF_INET6, text.c_str(), octets.data());
  return dataplane::load_ip6(octets.data());
}

inline control::IpAddress ip(const std::string& text) {
  if (text.find(':') == std::string::npos) return ip4(text);
  return ip6(text);
}

inline Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Gives `reader` the sound `packet` cut short at every place, and then with octets changed at random; each
/// in memory of exactly its size, so that AddressSanitizer sees a step over the end.
inline void batter(const Bytes& packet, const std::function<void(const Bytes&)>& reader) {
  for (size_t size = 0; size <= packet.size(); ++size)
    reader(Bytes(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(size)));
  std::mt19937_64 random(20);
  for (int round = 0; round < 20'000; ++round) {
    Bytes changed(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(random() % (packet.size() + 1)));
    const size_t changes = random() % 6;
    for (size_t i = 0; i < changes && !changed.empty(); ++i)
      changed[random() % changed.size()] = static_cast<uint8_t>(random());
    reader(Bytes(changed));
  }
  for (int round = 0; round < 20'000; ++round) {
    Bytes noise(random() % 128);
    for (uint8_t& octet : noise) octet = static_cast<uint8_t>(random());
    if (!noise.empty() && random() % 2 != 0) noise[0] = random() % 2 != 0 ? 0x45 : 0x60;
    reader(noise);
  }
}

}  // namespace sluice::test
