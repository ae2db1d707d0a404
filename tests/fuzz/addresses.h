// SPDX-License-Identifier: BSD-3-Clause
//
// Who is where around the fuzzed switch: links, and the hosts on them. The MAC address of a host follows from
// its IPv4 address, and IPv6 host ::n of a network is its IPv4 host .n.
//
// Thread safety: plain data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tests/fuzz/frame_view.h"
#include "tests/fuzz/plan.h"
#include "tests/fuzz/random.h"

namespace sluice::fuzz {

struct Address {
  uint8_t size = 4;  ///< 4 or 16
  std::array<uint8_t, 16> octets{};

  [[nodiscard]] bool is_ipv4() const { return size == 4; }
  [[nodiscard]] uint32_t v4() const { return load32(octets.data()); }
  [[nodiscard]] Octets bytes() const { return {octets.data(), size}; }
  friend bool operator==(const Address&, const Address&) = default;
};
Address address4(uint32_t number);
/// The first 64 bits and the last 64.
Address address6(uint64_t network, uint64_t host);
Address address_at(const uint8_t* at, unsigned size);

/// A place to plug in: a port and a tag, 0: none. Hosts of `network`/24 and `network6`/64 are there.
struct Site {
  PortName port;
  uint16_t tag;
  Domains domain;
  uint32_t network;
  uint64_t network6;
  uint64_t router_mac;
};
inline constexpr uint64_t kRouter = 0x02'FF'00'00'00'00;
inline constexpr std::array<Site, 13> kSites = {{
    {kA, 0, kLan10, ip4(192, 168, 10, 0), 0xFD00'0010'0000'0000, kRouter + 0x10},
    {kT, 0, kLan10, ip4(192, 168, 10, 0), 0xFD00'0010'0000'0000, kRouter + 0x10},
    {kB, 0, kLan20, ip4(192, 168, 20, 0), 0xFD00'0020'0000'0000, kRouter + 0x20},
    {kT, 20, kLan20, ip4(192, 168, 20, 0), 0xFD00'0020'0000'0000, kRouter + 0x20},
    {kU, 20, kLan20, ip4(192, 168, 20, 0), 0xFD00'0020'0000'0000, kRouter + 0x20},
    {kT, 30, kLan30, ip4(192, 168, 30, 0), 0xFD00'0030'0000'0000, kRouter + 0x30},
    {kU, 30, kLan30, ip4(192, 168, 30, 0), 0xFD00'0030'0000'0000, kRouter + 0x30},
    {kH, 0, kYard1, ip4(192, 168, 40, 0), 0xFD00'0040'0000'0000, kRouter + 0x40},
    {kK, 0, kYard1, ip4(192, 168, 40, 0), 0xFD00'0040'0000'0000, kRouter + 0x40},
    {kU, 40, kLan40, ip4(192, 168, 50, 0), 0xFD00'0050'0000'0000, kRouter + 0x50},
    {kK, 7, kYard7, ip4(192, 168, 60, 0), 0xFD00'0060'0000'0000, kRouter + 0x60},
    {kWan, 0, 0, ip4(203, 0, 113, 0), 0x2001'0DB8'0000'0000, kRouter + 0x71},
    {kAlt, 0, 0, ip4(198, 18, 0, 0), 0x2001'0DB8'0001'0000, kRouter + 0x12},
}};
inline constexpr unsigned kHostsOfSite = 48;

inline bool is_outside(const Site& site) {
  return site.domain == 0;
}
/// The router there.
Address router_at(const Site& site, bool ipv4);
/// Host n of a site's network; its port is one of the network's.
Address host_at(const Site& site, unsigned n, bool ipv4);
uint64_t mac_of(uint32_t address);
/// Of whoever has this address on a link; the gateway's for what is farther away.
uint64_t mac_of(const Site& site, const Address& address);

/// Whether `host` is plugged in at this port and tag, and answers. Some hosts are nowhere.
bool lives_at(const Site& site, const Address& host);
/// The site of a port and tag; null: none.
const Site* site_at(PortName port, uint16_t tag);

/// The address `address` for a destination that makes something happen: near, far, refused, own, translated…
Address interesting_destination(Random& random, const Site& from, bool ipv4);

}  // namespace sluice::fuzz
