// SPDX-License-Identifier: BSD-3-Clause
//
// An address of either family, for what treats both alike.
//
// Thread safety: plain data and pure functions.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <compare>
#include <string>

#include "config/config.h"
#include "dataplane/ip.h"

namespace sluice::control {

class IpAddress {
 public:
  constexpr IpAddress() = default;
  constexpr IpAddress(dataplane::Ip4 address) : family_(dataplane::Family::ipv4), bits_{0, address} {}
  constexpr IpAddress(const dataplane::Ip6& address) : family_(dataplane::Family::ipv6), bits_(address) {}
  static IpAddress from_config(const config::IpAddress& address) {
    if (!address.is_ipv4()) return dataplane::load_ip6(address.octets.data());
    dataplane::Ip4 number = 0;
    for (size_t i = 0; i < 4; ++i) number = number << 8 | address.octets[i];
    return number;
  }

  [[nodiscard]] constexpr bool is_ipv4() const { return family_ == dataplane::Family::ipv4; }
  [[nodiscard]] constexpr bool is_ipv6() const { return family_ == dataplane::Family::ipv6; }
  [[nodiscard]] constexpr dataplane::Family family() const { return family_; }
  /// REQUIRES: is_ipv4().
  [[nodiscard]] constexpr dataplane::Ip4 ip4() const { return static_cast<dataplane::Ip4>(bits_.low); }
  /// REQUIRES: is_ipv6().
  [[nodiscard]] constexpr const dataplane::Ip6& ip6() const { return bits_; }
  auto operator<=>(const IpAddress&) const = default;

 private:
  dataplane::Family family_ = dataplane::Family::none;
  dataplane::Ip6 bits_;
};

constexpr bool is_link_local(const IpAddress& address) {
  return address.is_ipv6() && dataplane::is_link_local(address.ip6());
}

/// As people write it (IPv6: RFC 5952); "-" if there is none.
inline std::string to_text(const IpAddress& address) {
  if (address.family() == dataplane::Family::none) return "-";
  std::array<uint8_t, 16> octets{};
  if (address.is_ipv4()) {
    for (size_t i = 0; i < 4; ++i) octets[i] = static_cast<uint8_t>(address.ip4() >> (24 - 8 * i));
  } else {
    dataplane::store_ip6(address.ip6(), octets.data());
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(address.is_ipv4() ? AF_INET : AF_INET6, octets.data(), text.data(), text.size());
}

}  // namespace sluice::control
