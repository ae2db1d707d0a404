// SPDX-License-Identifier: BSD-3-Clause
//
// The configurations that packets are fuzzed through, as YAML for the product and as tables for the checks:
//
//   bridge lan   a  VLAN 10          b  VLAN 20 (moved: 30)     t  trunk 10 native, 20, 30
//                u  trunk 20, 30, 40 without a native VLAN
//   bridge yard  h  VLAN 1           k  trunk 1 native, 7
//   routed       wan, the outside of NAT                        alt, another outside
//
// Thread safety: plain data.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::fuzz {

enum PortName : uint8_t { kA, kB, kT, kU, kH, kK, kWan, kAlt };
inline constexpr std::array<const char*, 8> kPortNames = {"a", "b", "t", "u", "h", "k", "wan", "alt"};
inline constexpr unsigned kPorts = kPortNames.size();

/// A VLAN of a bridge, by the bits of a set.
using Domains = uint8_t;
inline constexpr Domains kLan10 = 1, kLan20 = 2, kLan30 = 4, kLan40 = 8, kYard1 = 16, kYard7 = 32;

struct Prefix4 {
  uint32_t address;
  unsigned length;
  [[nodiscard]] bool has(uint32_t other) const {
    return length == 0 || (address ^ other) >> (32 - length) == 0;
  }
};

constexpr uint32_t ip4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return a << 24 | b << 16 | c << 8 | d;
}

struct PortPlan {
  bool is_routed = false;
  Domains untagged = 0;  ///< where untagged frames belong; 0: nowhere
  bool is_trunk = false;
  std::vector<std::pair<uint16_t, Domains>> tagged{};  ///< of a trunk, its native VLAN too
};

struct InterfacePlan {
  const char* name;
  uint64_t mac;
  Domains domain;    ///< 0: of a routed port
  PortName port;     ///< the routed one
  uint32_t network;  ///< /24; the router is .1, outside .2
  unsigned mtu;
};

/// On a port, sources that may not be seen there, but to the destinations that are exempt.
struct Hidden {
  PortName port;
  std::vector<Prefix4> sources, exempt;
};

struct Plan {
  std::string yaml;
  std::array<PortPlan, kPorts> ports;
  std::vector<InterfacePlan> interfaces;
  std::vector<Hidden> hidden;
  std::vector<uint32_t> own;  ///< IPv4 addresses of the router, which no host has

  [[nodiscard]] const InterfacePlan* on(Domains domain, PortName port) const;
};

/// base: everything. moved: other VLANs, rules, routes and pools. bare: no NAT, fewer interfaces.
enum class Variant { base, moved, bare };
inline constexpr unsigned kVariants = 3;
Plan make_plan(Variant variant);

}  // namespace sluice::fuzz
