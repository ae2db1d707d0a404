// SPDX-License-Identifier: BSD-3-Clause
//
// What a configuration file says, as plain typed structs: no YAML, no DPDK.
//
// Thread safety: plain data; share it const.
// Invariants:    a Config that parse() returned is complete and consistent: every name refers to something
// that
//                exists, every number is in its range, every default is filled in. Nothing behind it checks
//                again.
// Owner:         whoever called parse(); control turns it into a snapshot and keeps it for `show config`.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

/// Where in the file something was said. Both count from 1.
struct Location {
  int line = 1;
  int column = 1;
  auto operator<=>(const Location&) const = default;
};

/// A 48-bit IEEE 802 address, in the order of the wire.
using MacAddress = std::array<uint8_t, 6>;

/// An IPv4 or IPv6 address in the order of the wire; IPv4 uses the first 4 octets, the others are 0.
struct IpAddress {
  enum class Family : uint8_t { ipv4, ipv6 };
  Family family = Family::ipv4;
  std::array<uint8_t, 16> octets{};
  [[nodiscard]] bool is_ipv4() const { return family == Family::ipv4; }
  [[nodiscard]] unsigned bits() const { return is_ipv4() ? 32 : 128; }
  auto operator<=>(const IpAddress&) const = default;
};

/// A network: the bits behind `length` are 0.
struct Prefix {
  IpAddress address;
  uint8_t length = 0;  ///< bits, 0..32 or 0..128
  auto operator<=>(const Prefix&) const = default;
};

/// A VLAN identifier, 1..4094 (IEEE 802.1Q-2018 table 9-2); 0 stands for "none" where that is said.
using VlanId = uint16_t;

struct Workers {
  enum class Idle { spin, sleep };
  std::vector<unsigned> cores;  ///< one worker each; empty: one worker on a core that control chooses
  Idle idle = Idle::sleep;
  Location location;
};

struct Dpdk {
  enum class Hugepages { automatic, never, required };
  Hugepages hugepages = Hugepages::automatic;
  std::optional<uint64_t> memory_bytes;  ///< unset: as much as the buffers need
  std::optional<uint32_t> mbufs;         ///< unset: as many as the ports and workers need
  std::vector<std::string> args;         ///< handed to EAL as they are
};

/// Capacities: allocated once at start, never grown.
struct Tables {
  uint32_t macs = 16384;      ///< 1..4 194 304 entries, all bridges together
  uint32_t sessions = 65536;  ///< 1..4 194 304 sessions, all workers together
  uint32_t routes = 65536;    ///< 1..4 194 304 routes, both families together
  uint32_t neighbors = 4096;  ///< 1..1 048 576 neighbors of all interfaces together, static ones included
};

struct Log {
  enum class Level { debug, info, warning, error };
  enum class Target { standard_error, journal, file };
  Level level = Level::info;
  Target target = Target::standard_error;
  std::string file;  ///< where target is file
};

struct Port {
  enum class Device { tap, ring, null, pcap, pci, dpdk };
  std::string name;
  Device device = Device::tap;
  std::string address;  ///< pci: "0000:3b:00.0"; dpdk: the device string, "net_xyz0,arg=…"
  std::string netns;    ///< tap: the network namespace that the kernel device is made in; empty: our own
  std::string peer;     ///< ring: the port at the other end; its own name: what leaves comes back in
  std::string read;     ///< pcap: the capture to receive from; empty: nothing is received
  std::string write;    ///< pcap: the capture to transmit to; empty: what is transmitted is discarded
  std::optional<MacAddress> mac;
  uint16_t mtu = 1500;                ///< octets after the Ethernet header and up to two tags, 68..65521
  std::optional<uint16_t> rx_queues;  ///< 1..64; unset: one a worker where the driver can
  std::optional<uint16_t> tx_queues;  ///< 1..64; unset: one a worker where the driver can
  bool promiscuous = true;
  Location location;
};

/// A port's place in a bridge (IEEE 802.1Q-2018 clause 8.4, "VLAN-aware bridge port").
struct BridgePort {
  std::string port;
  /// An access port carries `native_vlan` alone and untagged. A trunk carries `vlans` tagged, but for
  /// `native_vlan`, which leaves untagged.
  bool trunk = false;
  VlanId native_vlan = 1;     ///< access: the port's VLAN; trunk: 0 when untagged frames are dropped
  std::vector<VlanId> vlans;  ///< trunk: sorted, unique, native_vlan among them; access: {native_vlan}
  uint32_t mac_limit = 0;     ///< dynamic MACs learned on this port at most; 0: no limit
  Location location;
};

struct StaticMac {
  MacAddress mac{};
  VlanId vlan = 1;
  std::string port;
  Location location;
};

struct Bridge {
  std::string name;
  std::vector<BridgePort> ports;  ///< in the order of the file
  std::vector<StaticMac> static_macs;
  uint32_t mac_ageing_s = 300;  ///< 10..1 000 000 s (IEEE 802.1Q-2018 table 8-6)
  uint32_t mac_limit = 0;       ///< dynamic MACs in this bridge at most; 0: no limit
  bool learning = true;         ///< false: every frame is flooded, as by a hub
  Location location;
};

/// An address of an interface, host bits kept, with the length of its connected network.
struct InterfaceAddress {
  IpAddress address;
  uint8_t length = 0;
  Location location;
};

/// Layer 3 on a port, or on a VLAN of a bridge: exactly one of `port` and `bridge` is set.
struct Interface {
  std::string name;
  std::string port;
  std::string bridge;
  VlanId vlan = 1;                          ///< on a bridge
  std::vector<InterfaceAddress> addresses;  ///< in the order of the file; may be empty
  std::optional<MacAddress> mac;            ///< unset: control chooses it
  uint16_t mtu = 1500;  ///< of IP; unset: the port's, or the smallest of the ports that carry the VLAN
  Location location;
};

struct NextHop {
  IpAddress address;
  std::string interface;  ///< the one whose connected network holds the address
  uint32_t weight = 1;    ///< 1..256
};

struct Route {
  enum class Type { via, blackhole, unreachable, prohibit };
  Prefix to;
  Type type = Type::via;
  std::vector<NextHop> via;  ///< 1..64 of one family, for Type::via; else empty
  Location location;
};

/// A neighbor that is not resolved.
struct Neighbor {
  IpAddress address;
  MacAddress mac{};
  std::string interface;
  Location location;
};

/// The router's own ICMP and ICMPv6 errors, one bucket for all (RFC 1812 4.3.2.8, RFC 4443 2.4 f).
struct Icmp {
  uint32_t rate_limit = 1000;  ///< errors a second, 1..1 000 000
  uint32_t burst = 100;        ///< 1..1 000 000
};

/// From outside `port`.. on the rule's external address to `to`; all of a range, one by one.
struct PortForward {
  enum class Protocol : uint8_t { tcp = 6, udp = 17 };
  Protocol protocol = Protocol::tcp;
  uint16_t first = 0, last = 0;      ///< external ports
  std::optional<IpAddress> address;  ///< external address; unset: every external address of the rule
  IpAddress to;                      ///< inside
  uint16_t to_first = 0;             ///< inside port of `first`
  Location location;
};

/// 1:1, all protocols, both ways.
struct StaticNat {
  IpAddress inside, outside;
  Location location;
};

struct NatRule {
  enum class Mapping { endpoint_independent, address_and_port_dependent };
  enum class Filtering { endpoint_independent, address_dependent, address_and_port_dependent };
  struct Range {
    IpAddress first, last;
  };
  /// Seconds (RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 5508 REQ-2).
  struct Timeouts {
    uint32_t udp_s = 300;
    uint32_t icmp_s = 60;
    uint32_t tcp_established_s = 7440;
    uint32_t tcp_transitory_s = 240;
  };
  std::string name;
  std::string interface;       ///< outside
  std::vector<Prefix> source;  ///< empty: only port forwards and static
  bool masquerade = false;     ///< `address: interface`: the interface's first IPv4 address
  std::vector<Range> pool;     ///< else; in the order of the file, disjoint. Both empty: only static
  uint16_t port_min = 1, port_max = 65535;
  Mapping mapping = Mapping::endpoint_independent;
  Filtering filtering = Filtering::address_dependent;
  bool hairpinning = true;
  std::vector<Prefix> exempt;  ///< destinations that are not translated
  Timeouts timeouts;
  std::vector<PortForward> port_forwards;
  std::vector<StaticNat> statics;
  Location location;
};

struct Control {
  std::string socket = "/run/sluice/sluice.sock";
  std::string socket_group;     ///< empty: the group of the process
  uint32_t socket_mode = 0660;  ///< permission bits
};

struct Config {
  std::string file;  ///< as it was given on the command line
  Workers workers;
  Dpdk dpdk;
  Tables tables;
  Log log;
  std::vector<Port> ports;            ///< in the order of the file
  std::vector<Bridge> bridges;        ///< in the order of the file
  std::vector<Interface> interfaces;  ///< in the order of the file
  std::vector<Route> routes;          ///< in the order of the file
  std::vector<Neighbor> neighbors;
  std::vector<NatRule> nat;  ///< in the order of the file, in which they match
  Icmp icmp;
  Control control;
};

}  // namespace sluice::config
