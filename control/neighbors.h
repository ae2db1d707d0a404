// SPDX-License-Identifier: BSD-3-Clause
//
// The neighbors: who is at which MAC address, how sure we are of it, and the packets that wait to know.
// One state machine for ARP (RFC 826, RFC 1122 section 2.3.2) and neighbor discovery (RFC 4861 section 7.3).
//
//   unresolved ── a packet ──▶ incomplete ── an answer ──▶ reachable ── 30 s ──▶ stale ── used ──▶ delay
//       ▲                          │                          ▲                    │               │ 5 s
//       └ only those that routes   │ 3 requests               │                    │ 20 min         ▼
//         name; others are gone ◀──┴──────────────────────────│──── 3 requests ◀───┴──────────── probe
//                                                              └────────────── an answer ──────────┘
//
// Thread safety: none; the control thread's. The port may be called from any of its functions.
// Invariants:    a neighbor keeps its index as long as it lives; an index rests after its neighbor until
//                release_index(). Neighbors that are asked for take a quarter of the table at most, the
//                pinned ones aside, so that a scan keeps no live neighbor out (RFC 6583).
// Owner:         the control plane's runtime.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "control/arp.h"
#include "control/asked_lately.h"
#include "control/ip_address.h"
#include "control/l3_interface.h"
#include "control/nd.h"
#include "control/own_addresses.h"
#include "dataplane/adjacency.h"
#include "dataplane/drop_reasons.h"

struct rte_mbuf;

namespace sluice::control {

/// What the neighbors need of the packet path. No function of it may call back into Neighbors.
class NeighborPort {
 public:
  virtual ~NeighborPort() = default;
  /// A whole untagged Ethernet frame, to leave by the interface.
  virtual void send(dataplane::InterfaceIndex interface, std::vector<uint8_t> frame) = 0;
  virtual void set_adjacency(dataplane::AdjacencyIndex index, dataplane::Adjacency adjacency) = 0;
  /// Reads and clears whether a worker sent to this neighbor while it was stale.
  virtual bool take_use(dataplane::AdjacencyIndex index) = 0;
  /// From now on a look-up of `address` leads to `index`. Not called for link-local addresses, which mean
  /// another host on each interface.
  virtual void add_host_route(dataplane::InterfaceIndex interface, const IpAddress& address,
                              dataplane::AdjacencyIndex index) = 0;
  virtual void remove_host_route(dataplane::InterfaceIndex interface, const IpAddress& address) = 0;
  /// The neighbor of `index` is gone, its host route removed: call release_index(index) when no worker can
  /// hold the index any more.
  virtual void retire_index(dataplane::AdjacencyIndex index) = 0;
  /// Sends a held packet round again: its neighbor is known.
  virtual void release(rte_mbuf* packet) = 0;
  /// Drops a packet that was given to hold(). `unreachable`: its sender is told (3/1, ICMPv6 1/3).
  virtual void give_up(rte_mbuf* packet, dataplane::DropReason reason, bool unreachable) = 0;
};

enum class NeighborState : uint8_t {
  unresolved,  ///< a route names it, and nobody has sent to it since it did not answer
  incomplete,  ///< being asked for
  reachable,   ///< confirmed within 30 s
  stale,       ///< not confirmed of late
  delay,       ///< was stale and is used: about to be probed
  probe,       ///< being asked whether it is still there
  permanent,   ///< static
};
inline constexpr size_t kNeighborStates = 7;
std::string_view state_text(NeighborState state);

struct StaticNeighbor {
  dataplane::InterfaceIndex interface = 0;
  IpAddress address;
  dataplane::Mac48 mac = 0;
};

/// One line of `show neighbors`.
struct NeighborInfo {
  IpAddress address;
  dataplane::InterfaceIndex interface = 0;
  dataplane::AdjacencyIndex index = 0;
  std::optional<dataplane::Mac48> mac;
  NeighborState state = NeighborState::unresolved;
  bool is_static = false;
  size_t held = 0;
  uint64_t age_ns = 0;  ///< since it was last confirmed; if it never was, since it was made
};

/// What clear() clears: everything that is not excluded.
struct NeighborFilter {
  std::optional<dataplane::InterfaceIndex> interface;
  std::optional<IpAddress> address;
};

struct NeighborCounts {
  // Now.
  size_t neighbors = 0, permanent = 0, incomplete = 0, held = 0;
  // Since the start.
  uint64_t requests = 0;   ///< sent, probes included
  uint64_t answers = 0;    ///< sent
  uint64_t ignored = 0;    ///< ARP and ND packets that were malformed, or claimed what they may not
  uint64_t failed = 0;     ///< neighbors that did not answer
  uint64_t evicted = 0;    ///< neighbors that gave way to another one
  uint64_t refused = 0;    ///< neighbors that found no room
  uint64_t conflicts = 0;  ///< claims to an address of ours
};

struct NeighborLimits {
  uint32_t neighbors = 4096;
  uint32_t held_packets = 4096;  ///< of all neighbors together: a scan must not take all buffers
};

class Neighbors {
 public:
  using InterfaceIndex = dataplane::InterfaceIndex;
  using AdjacencyIndex = dataplane::AdjacencyIndex;

  static constexpr uint64_t kSecond = 1'000'000'000;
  // RFC 4861 section 10. ReachableTime is not randomised, so that runs repeat: neighbors of a router do not
  // come in step as hosts do after a router advertisement.
  static constexpr unsigned kRequests = 3;                  ///< MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT
  static constexpr uint64_t kRetransmit_ns = kSecond;       ///< RetransTimer
  static constexpr uint64_t kReachable_ns = 30 * kSecond;   ///< ReachableTime
  static constexpr uint64_t kDelay_ns = 5 * kSecond;        ///< DELAY_FIRST_PROBE_TIME
  static constexpr uint64_t kStale_ns = 20 * 60 * kSecond;  ///< then an unused one goes
  static constexpr uint64_t kSweep_ns = kSecond;            ///< how often stale ones are looked at for use
  static constexpr size_t kHeld = 8;                        ///< packets a neighbor

  /// Words that the adjacency table needs for a capacity: index 0 is nobody's, and a quarter more, so that
  /// indices may rest.
  static constexpr uint32_t table_size(uint32_t neighbors) { return neighbors + neighbors / 4 + 2; }

  /// `port` must outlive it.
  Neighbors(const NeighborLimits& limits, NeighborPort& port);

  // Configuration. In the order: set_interfaces, set_answered, set_static; pin() what new routes name before
  // they are published, unpin() what old ones named when they are gone.

  /// Neighbors that are in no network of their interface any more go; the others stay as they are. New
  /// addresses are announced.
  void set_interfaces(std::span<const L3Interface> interfaces, uint64_t now_ns);
  /// IPv4 addresses beside the interfaces' own that are answered for.
  void set_answered(std::vector<AnsweredRange> ranges);
  /// Replaces all static neighbors; makes room for them if need be. Returns how many found none, or are in no
  /// network of their interface: 0, if the configuration was checked.
  size_t set_static(std::span<const StaticNeighbor> neighbors, uint64_t now_ns);
  /// For a route through this neighbor: makes it if need be, and keeps its index until unpin(), known or not.
  /// Once for each route. Nothing if it is in no network of the interface, or there is no room.
  std::optional<AdjacencyIndex> pin(InterfaceIndex interface, const IpAddress& address, uint64_t now_ns);
  void unpin(AdjacencyIndex index);
  /// The index has rested.
  void release_index(AdjacencyIndex index);
  /// Announces the interface's addresses once more: it took over from another router.
  void announce(InterfaceIndex interface) { own_.announce(interface); }

  // Packets. Each is answered, sooner or later, by one call of release() or give_up().

  /// Holds `packet` until `address` is known.
  void hold(InterfaceIndex interface, const IpAddress& address, rte_mbuf* packet, uint64_t now_ns);
  /// Holds `packet` until neighbor `index` is known.
  void hold(AdjacencyIndex index, rte_mbuf* packet, uint64_t now_ns);

  /// `packet`: from the ARP header on.
  void arp(InterfaceIndex interface, Octets packet, uint64_t now_ns);
  /// `packet`: from the IPv6 header on. `link_source`: the frame's, for an answer to who did not say it.
  void nd(InterfaceIndex interface, Octets packet, dataplane::Mac48 link_source, uint64_t now_ns);

  // Time.

  /// Does all that is due.
  void advance(uint64_t now_ns);
  /// When advance() is next needed.
  [[nodiscard]] std::optional<uint64_t> next_due() const;

  // Looking.

  /// Forgets the MAC addresses of dynamic neighbors; one that is being asked for has none, and is asked on.
  /// Returns how many.
  size_t clear(const NeighborFilter& filter);
  /// Drops the packets that wait for a neighbor.
  void drop_held(dataplane::DropReason reason);
  /// By interface and address. The reach tells whether it is known.
  [[nodiscard]] std::optional<dataplane::Adjacency> find(InterfaceIndex interface,
                                                         const IpAddress& address) const;
  [[nodiscard]] std::vector<NeighborInfo> list(uint64_t now_ns) const;
  [[nodiscard]] NeighborCounts counts() const;
  [[nodiscard]] const OwnAddresses& own() const { return own_; }

 private:
  using Place = OwnAddresses::Place;
  /// When and what: in order of time, and among equals of index.
  using Queue = std::set<std::pair<uint64_t, AdjacencyIndex>>;

  struct Neighbor {
    Place place;
    AdjacencyIndex index = 0;
    NeighborState state = NeighborState::unresolved;
    dataplane::Mac48 mac = 0;
    unsigned pins = 0;            ///< routes that name it
    unsigned asked = 0;           ///< requests since the state began
    uint64_t since_ns = 0;        ///< when the state began
    uint64_t due_ns = 0;          ///< its place in due_; 0: it waits for nothing
    uint64_t may_ask_ns = 0;      ///< when it may be asked for again
    uint64_t confirmed_ns = 0;    ///< when it was last confirmed, or made
    dataplane::Adjacency shown;   ///< what the packet path sees
    std::vector<rte_mbuf*> held;  ///< the oldest first
  };

  // neighbors.cc: coming and going.
  [[nodiscard]] Neighbor* at(const Place& place);
  [[nodiscard]] size_t count(NeighborState state) const { return states_[static_cast<size_t>(state)]; }
  Neighbor* make(const Place& place, uint64_t now_ns);
  void remove(Neighbor& neighbor, dataplane::DropReason reason, bool unreachable);
  void forget(Neighbor& neighbor, dataplane::DropReason reason, bool unreachable);
  void prune();
  void set_static(const StaticNeighbor& wanted, Neighbor& neighbor, uint64_t now_ns);
  [[nodiscard]] bool has_index() const;
  [[nodiscard]] bool is_full() const { return neighbors_.size() >= limits_.neighbors; }
  bool room_to_resolve(uint64_t now_ns);
  bool room_for_configured(uint64_t now_ns);
  bool evict_stale(uint64_t now_ns);
  bool evict_incomplete(uint64_t now_ns);
  bool evict_any();
  void evict(Neighbor& neighbor);

  // neighbor_states.cc: from state to state.
  void enter(Neighbor& neighbor, NeighborState state, uint64_t now_ns);
  void leave(Neighbor& neighbor);
  void show(Neighbor& neighbor);
  void schedule(Neighbor& neighbor, uint64_t due_ns);
  void ask_when_allowed(Neighbor& neighbor, uint64_t now_ns);
  void ask(Neighbor& neighbor, uint64_t now_ns);
  void expire(Neighbor& neighbor, uint64_t now_ns);
  void sweep(uint64_t now_ns);
  void learn(Neighbor& neighbor, dataplane::Mac48 mac, bool confirmed, uint64_t now_ns);
  void keep(Neighbor& neighbor, rte_mbuf* packet, uint64_t now_ns);
  bool room_to_hold(Neighbor& neighbor);
  void give_up_held(Neighbor& neighbor, dataplane::DropReason reason, bool unreachable);

  // neighbor_input.cc: what others say.
  [[nodiscard]] bool may_speak(InterfaceIndex interface, dataplane::Mac48 mac);
  void hear_arp(const Place& sender, const Arp& arp, bool for_us, uint64_t now_ns);
  void hear(const Place& place, dataplane::Mac48 mac, bool create, uint64_t now_ns);
  void solicited(InterfaceIndex interface, const Nd& nd, dataplane::Mac48 link_source, uint64_t now_ns);
  void advertised(InterfaceIndex interface, const Nd& nd, dataplane::Mac48 link_source, uint64_t now_ns);
  void update(Neighbor& neighbor, const Nd& nd, uint64_t now_ns);
  void answer(InterfaceIndex interface, std::vector<uint8_t> frame);

  NeighborLimits limits_;
  NeighborPort& port_;
  OwnAddresses own_;
  std::map<Place, Neighbor> neighbors_;  ///< ordered: strangers choose the keys, and a tree has no collisions
  std::vector<Neighbor*> by_index_;
  std::vector<AdjacencyIndex> free_indices_;      ///< that have rested
  AdjacencyIndex fresh_index_ = 1;                ///< never used yet, like all above it
  Queue due_;                                     ///< timers
  Queue stale_;                                   ///< by when they went stale
  Queue incomplete_;                              ///< by when they were first asked for; without the pinned
  uint64_t sweep_ns_ = 0;                         ///< the next one, while there are stale ones
  AskedLately<Place> lately_;                     ///< that are gone
  size_t held_ = 0;                               ///< packets
  std::array<size_t, kNeighborStates> states_{};  ///< neighbors in each state
  NeighborCounts counts_;                         ///< but for what is counted by the members above
};

}  // namespace sluice::control
