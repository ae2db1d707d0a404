// SPDX-License-Identifier: BSD-3-Clause
//
// The NAT rules in the form in which the stages ask. They are asked once a flow: what they say stands in its
// session from then on.
//
// Thread safety: immutable once published.
// Invariants:    the lists are sorted as their comments say; every rule index is in range.
// Owner:         Snapshot.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/adjacency.h"
#include "dataplane/ip.h"

namespace sluice::dataplane {

struct Ipv4Prefix {
  Ip4 address;
  Ip4 mask;
  [[nodiscard]] bool holds(Ip4 candidate) const { return (candidate & mask) == address; }
};

/// An address that hosts outside see, and its place among the tables of ports.
struct ExternalAddress {
  Ip4 address;
  uint16_t slot;
  bool own;  ///< the interface's: what no flow claims is for the router itself
  InterfaceIndex interface;
};

struct PortForwardRule {
  Ip4 external;
  uint8_t protocol;
  uint16_t first, last;  ///< external ports
  Ip4 to;
  uint16_t to_first;
  uint16_t rule;
};

struct StaticNatRule {
  Ip4 outside, inside;
  uint16_t rule;
};

/// Where a packet from outside is to go.
struct InsideEndpoint {
  Ip4 address;
  uint16_t port;
  uint16_t rule;
};

/// What a flow's source becomes.
enum class SourceAction : uint8_t {
  keep,   ///< no rule covers it, or its destination is exempt
  pool,   ///< an address of the rule's pool, and a port of it
  fixed,  ///< exactly `address` and `port`: 1:1, or the host of a port forward
};

struct SourceDecision {
  SourceAction action = SourceAction::keep;
  uint16_t rule = 0;
  bool covered = false;  ///< a rule covers the source: untranslated it may leave only for exempt destinations
  bool exempt = false;
  Ip4 address = 0;
  uint16_t port = 0;
};

struct NatRule {
  enum class Mapping : uint8_t { endpoint_independent, address_and_port_dependent };
  enum class Filtering : uint8_t { endpoint_independent, address_dependent, address_and_port_dependent };
  enum Timeout : uint8_t { kUdp, kIcmp, kTcpEstablished, kTcpTransitory, kTimeouts };

  InterfaceIndex interface = 0;  ///< outside
  uint16_t scope = 0;            ///< a number of its name, which it keeps when others come and go
  uint32_t first_source = 0, sources = 0;
  uint32_t first_exempt = 0, exempts = 0;
  uint32_t first_external = 0, externals = 0;  ///< the pool
  uint16_t port_min = 1, port_max = 65535;
  Mapping mapping = Mapping::endpoint_independent;
  Filtering filtering = Filtering::address_dependent;
  bool hairpinning = true;
  std::array<uint32_t, kTimeouts> timeout_ms{};
};

struct NatRules {
  uint32_t generation = 0;             ///< of the rules alone: a reload that leaves them does not change it
  std::vector<NatRule> rules;          ///< in the order in which they match
  std::vector<Ipv4Prefix> prefixes;    ///< sources and exempt destinations of all rules
  std::vector<ExternalAddress> pools;  ///< of all rules, one after another
  std::vector<ExternalAddress> externals;           ///< by address: pools, forwards and 1:1, each once
  std::vector<PortForwardRule> forwards;            ///< by external, protocol, first
  std::vector<PortForwardRule> forwards_by_inside;  ///< by to, protocol, to_first
  std::vector<StaticNatRule> statics;               ///< by outside
  std::vector<StaticNatRule> statics_by_inside;     ///< by inside
  std::vector<uint8_t> is_outside;                  ///< by interface: some rule's

  [[nodiscard]] bool enabled() const { return !rules.empty(); }
  [[nodiscard]] bool outside(InterfaceIndex interface) const {
    return interface < is_outside.size() && is_outside[interface] != 0;
  }
  /// The external address `address`, or null.
  [[nodiscard]] const ExternalAddress* external(Ip4 address) const;
  /// Where the file says that what comes for an external endpoint goes: port forwards, then 1:1.
  [[nodiscard]] bool inside_of(Ip4 address, uint8_t protocol, uint16_t port, InsideEndpoint& inside) const;
  /// Whether the external port belongs to a port forward.
  [[nodiscard]] bool is_forwarded(Ip4 address, uint8_t protocol, uint16_t port) const;
  /// What becomes of a source that leaves by interface `egress` for `destination`.
  [[nodiscard]] SourceDecision source(Ip4 source, uint8_t protocol, uint16_t port, Ip4 destination,
                                      InterfaceIndex egress) const;
  /// The port forward by which what leaves from an inside endpoint is seen; null: none.
  [[nodiscard]] const PortForwardRule* forward_from(Ip4 inside, uint8_t protocol, uint16_t port,
                                                    InterfaceIndex egress) const;
  [[nodiscard]] bool covers(const NatRule& rule, Ip4 source) const;
  [[nodiscard]] bool exempts(const NatRule& rule, Ip4 destination) const;
  /// Whether any rule could translate the source.
  [[nodiscard]] bool is_inside(Ip4 source) const;
  /// Whether a packet that came in by `ingress` untranslated is for a source that a rule hides there.
  [[nodiscard]] bool hidden(Ip4 source, Ip4 destination, InterfaceIndex ingress) const;
  /// Whether `address` is in the rule's pool.
  [[nodiscard]] bool in_pool(const NatRule& rule, Ip4 address) const;
  /// The pool address of the inside host whose address hashes to `hash`: always the same one (RFC 4787 REQ-2,
  /// "paired"). REQUIRES: the rule has a pool.
  [[nodiscard]] const ExternalAddress& paired(const NatRule& rule, uint64_t hash) const;
};

}  // namespace sluice::dataplane
