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
  uint32_t macs = 16384;  ///< 1..4 194 304 entries, all bridges together
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
  std::vector<Port> ports;      ///< in the order of the file
  std::vector<Bridge> bridges;  ///< in the order of the file
  Control control;
};

}  // namespace sluice::config
