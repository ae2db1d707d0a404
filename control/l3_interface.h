// SPDX-License-Identifier: BSD-3-Clause
//
// A layer 3 interface as the control plane works with it.
//
// Thread safety: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/adjacency.h"
#include "dataplane/ethernet.h"
#include "dataplane/ip.h"

namespace sluice::control {

/// An address of ours and the length of the network that it connects to.
template <class Address>
struct OwnAddress {
  Address address;
  uint8_t length;
  auto operator<=>(const OwnAddress&) const = default;
};

struct L3Interface {
  std::string name;
  dataplane::InterfaceIndex index = 0;
  dataplane::Mac48 mac = 0;
  uint16_t mtu = 1500;
  std::vector<OwnAddress<dataplane::Ip4>> ipv4;  ///< in the order of the file
  std::vector<OwnAddress<dataplane::Ip6>> ipv6;  ///< in the order of the file; link-local ones last
};

/// The network of an address: its host bits cleared.
constexpr dataplane::Ip4 network(dataplane::Ip4 address, uint8_t length) {
  return length == 0 ? 0 : address & ~uint32_t{0} << (32 - length);
}
constexpr dataplane::Ip6 network(const dataplane::Ip6& address, uint8_t length) {
  const auto mask = [](unsigned bits) { return bits == 0 ? 0 : ~uint64_t{0} << (64 - bits); };
  return length <= 64 ? dataplane::Ip6{address.high & mask(length), 0}
                      : dataplane::Ip6{address.high, address.low & mask(length - 64u)};
}

/// EUI-64 of the MAC behind fe80::/64 (RFC 4291 section 2.5.1 and appendix A).
constexpr dataplane::Ip6 link_local(dataplane::Mac48 mac) {
  uint64_t big = 0;  // the MAC in the order of the wire, most significant octet first
  for (int i = 0; i < 6; ++i) big = big << 8 | (mac >> (8 * i) & 0xFF);
  const uint64_t upper = big >> 24 ^ 0x020000, lower = big & 0xFFFFFF;
  return {0xFE80'0000'0000'0000, upper << 40 | uint64_t{0xFFFE} << 24 | lower};
}

}  // namespace sluice::control
