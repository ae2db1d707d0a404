// SPDX-License-Identifier: BSD-3-Clause
//
// What must hold whatever arrives:
//
//   books    nothing is unaccounted for, and no packet is lost between workers (after every burst)
//   buffers  when nothing is held, no packet buffer is in use; each held packet has few (after every burst).
//            Every 64 bursts all that is held is dropped, so that the first of these is really looked at
//   vlan     a frame leaves only on the VLAN that it came in on; one of the router's only on its interface's
//   source   no source that a NAT rule hides leaves by the rule's outside interface, in no header or quote
//   checksum a transport checksum that was right is right; one that was wrong is wrong by as much
//   header   what the router sends has a right IPv4 header, hops left, and fits the mtu of its interface
//
// How packets are recognised: NAT and routing leave most of a packet alone; of that a hash is kept of what
// arrives. A wrong checksum on a packet that leaves must then be that of one that arrived.
//
// Thread safety: one thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "tests/fuzz/outcomes.h"
#include "tests/fuzz/world.h"

namespace sluice::fuzz {

/// What the second half of a packet's life needs of the first: remembers at least the last `kMost` packets.
class Known {
 public:
  void add(uint64_t key);
  [[nodiscard]] bool has(uint64_t key) const { return young_.contains(key) || old_.contains(key); }

 private:
  static constexpr size_t kMost = 50'000;
  absl::flat_hash_set<uint64_t> young_, old_;
};

class Invariants {
 public:
  Invariants(World& world, Outcomes& outcomes) : world_(world), outcomes_(outcomes) {}

  void burst_begins();
  void arrives(const Packet& packet);
  void leaves(PortName port, Octets frame, const View& view);
  /// \param all_dropped nothing may be held any more
  void burst_ends(bool all_dropped);
  /// The first thing that did not hold: its name, and why.
  [[nodiscard]] const std::optional<std::string>& finding() const { return finding_; }

 private:
  /// A datagram that the router is sending in parts by a port.
  struct Datagram {
    Frame octets;  ///< header of the first part, and the payload so far
    size_t l3 = 0, l4 = 0;
  };
  void found(const char* invariant, const std::string& why);
  void check_leaving(PortName port, Octets frame, const View& view);
  [[nodiscard]] bool was_bridged(PortName port, Octets frame, const View& view) const;
  const InterfacePlan* sender(PortName port, Octets frame, const View& view) const;
  void check_routed(PortName port, const InterfacePlan& by, Octets frame, const View& view);
  void check_header(const InterfacePlan& by, Octets frame, const View& view);
  void check_source(PortName port, Octets frame, const View& view);
  void check_checksum(PortName port, Octets frame, const View& view);
  void check_quote(Octets frame, const View& view);
  void check_part(PortName port, Octets frame, const View& view);
  void check_whole(PortName port);
  [[nodiscard]] bool is_own(uint32_t address) const;
  [[nodiscard]] bool is_hidden(PortName port, uint32_t source, uint32_t destination) const;
  void count_routed(PortName port, Octets frame, const View& view);
  void count_own(Octets frame, const View& view);
  void count_translated(PortName port, Octets frame, const View& view);

  World& world_;
  Outcomes& outcomes_;
  Known frames_, wrong_, parts_, errors_;
  std::array<Datagram, kPorts> datagrams_;
  std::optional<std::string> finding_;
};

}  // namespace sluice::fuzz
