// SPDX-License-Identifier: BSD-3-Clause
//
// A snapshot: everything that the configuration says about forwarding, in the form in which the stages ask.
// Control builds a new one whole for every change and swaps it in with one pointer.
//
// Thread safety: immutable once published.
// Invariants:    every index in it is in range; a member's port exists; members of a domain are unique.
// Owner:         control; retired when every worker has passed a quiescent point since the swap.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/adjacency.h"
#include "dataplane/batch.h"
#include "dataplane/ip.h"
#include "dataplane/nat_rules.h"

namespace sluice::dataplane {

inline constexpr uint16_t kNoDevice = UINT16_MAX;
inline constexpr unsigned kMaxWorkers = 16;
inline constexpr unsigned kVids = 4096;

/// How a port takes part in its bridge; it decides only why a frame is refused, never whether.
enum class PortMode : uint8_t { no_bridge, access, trunk, routed };

struct Port {
  uint16_t device = kNoDevice;   ///< DPDK's port id; kNoDevice: no such port (any more)
  uint16_t transmit_queues = 0;  ///< worker i uses queue i; a worker without one hands over to another
  uint16_t mtu = 1500;           ///< octets after the Ethernet header and up to two tags
  PortMode mode = PortMode::no_bridge;
  InterfaceIndex interface = 0;                    ///< routed: the one on this port
  bool tap = false;                                ///< packets leave by `tap_descriptors`, see tap.h
  bool needs_linear = false;                       ///< the driver takes one segment a packet
  bool finishes_checksums = false;                 ///< the driver completes TCP and UDP checksums
  std::array<int, kMaxWorkers> tap_descriptors{};  ///< by worker, as far as there are transmit queues
  /// The domain that a received VID belongs to; 0: refused. Index 0 is for frames without a tag and with a
  /// priority tag (VID 0): the access VLAN or the native VLAN.
  std::array<DomainId, kVids> domain_of_vid{};
};

/// A port that a domain is flooded to. `vid` 0: the frame leaves untagged.
struct Member {
  PortIndex port;
  uint16_t vid;
};

/// One VLAN of one bridge. Learning is independent for each (IEEE 802.1Q-2018 clause 8.8.8, "IVL").
struct Domain {
  uint16_t vid = 0;
  bool learning = true;          ///< false: nothing is learned and every frame is flooded
  InterfaceIndex interface = 0;  ///< layer 3 on this VLAN; 0: none
  uint32_t first_member = 0;
  uint32_t members = 0;
};

/// Layer 3 on a port or on a VLAN of a bridge.
struct Interface {
  Mac48 mac = 0;             ///< 0: there is no such interface (any more)
  PortIndex port = kNoPort;  ///< kNoPort: on `domain`
  DomainId domain = 0;
  uint16_t mtu = 1500;  ///< octets of an IP packet
  /// Addresses that we answer for on this link: our own, and NAT's external ones in its networks.
  uint32_t first_ipv4 = 0, ipv4 = 0;  ///< in Snapshot::ipv4
  uint32_t first_ipv6 = 0, ipv6 = 0;  ///< in Snapshot::ipv6; with the link-local one
};

/// A receive queue and the worker that polls it.
struct ReceiveQueue {
  PortIndex port;
  uint16_t device;
  uint16_t queue;
  bool interrupts;  ///< the driver can wake a sleeping worker
  bool tap;         ///< the queue's descriptor is level-triggered and must not be read from
};

struct Snapshot {
  uint64_t generation = 0;
  std::vector<Port> ports;            ///< by PortIndex
  std::vector<Domain> domains;        ///< by DomainId; [0] is none
  std::vector<Member> members;        ///< of all domains, one after another
  std::vector<Interface> interfaces;  ///< by InterfaceIndex; [0] is none
  std::vector<Ip4> ipv4;              ///< of all interfaces, one after another
  std::vector<Ip6> ipv6;              ///< of all interfaces, one after another
  NatRules nat;
  std::vector<std::vector<ReceiveQueue>> queues;  ///< by worker
};

/// How a frame of `domain` leaves by `port`.
struct EgressTag {
  bool member;   ///< false: the port does not carry the domain
  uint16_t vid;  ///< 0: untagged
};

inline EgressTag egress_tag(const Port& port, DomainId id, const Domain& domain) {
  if (port.domain_of_vid[0] == id) return {true, 0};
  return {port.domain_of_vid[domain.vid] == id, domain.vid};
}

}  // namespace sluice::dataplane
