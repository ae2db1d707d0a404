// SPDX-License-Identifier: BSD-3-Clause
//
// The router's control side: it owns the tables of layer 3 and NAT that workers read, keeps them as the
// configuration and the neighbors say, and answers what the workers hand up to it.
//
// Thread safety: the control thread alone; the workers only meet it in the tables and rings of Shared.
// Invariants:    its own book balances like a worker's: what it takes from the rings it holds, consumes,
//                drops or gives back.
// Owner:         Runtime.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"
#include "control/domains.h"
#include "control/echo.h"
#include "control/icmp_errors.h"
#include "control/interface_table.h"
#include "control/mapped_array.h"
#include "control/nat_plan.h"
#include "control/neighbors.h"
#include "control/next_hops.h"
#include "control/reclaimer.h"
#include "control/rib.h"
#include "control/snapshot_builder.h"
#include "dataplane/punt.h"
#include "dataplane/shared.h"

namespace sluice::control {

/// A route as `show` names it.
struct RouteView {
  std::string to, type, origin;
  std::vector<config::NextHop> via;  ///< connected: only the interface
};

class Router final : public NeighborPort {
 public:
  /// An echo's identifier and sequence number.
  using EchoId = std::pair<uint16_t, uint16_t>;

  /// Allocates the tables and enters them into `shared`. machine_error: there is no memory.
  static absl::StatusOr<std::unique_ptr<Router>> create(const config::Config& config, uint64_t seed[2],
                                                        dataplane::Shared& shared);
  ~Router() override;

  /// Octets of its tables: neighbors and next hops; routes; sessions.
  static uint64_t memory_bytes(const config::Config& config, unsigned workers);
  static uint64_t route_bytes(const config::Config& config);
  static uint64_t session_bytes(const config::Config& config, unsigned workers);

  // A change, in this order; packets flow all the time.

  /// input_error: something of `next` finds no room.
  [[nodiscard]] absl::Status acceptable(const config::Config& next) const;
  /// Gives the interfaces their indices.
  void plan(const config::Config& next, const OpenPorts& ports);
  /// Adds layer 3 to a snapshot of the same configuration.
  void describe(dataplane::Snapshot& snapshot, const config::Config& config, const OpenPorts& ports,
                const Domains& domains);
  /// Takes away routes that `next` does not have, while the old snapshot is still in force.
  void withdraw(const config::Config& next);
  /// Adds what is new, when the new snapshot is in force.
  void install(const config::Config& next, uint64_t now_ns);
  /// No worker can see the old snapshot any more.
  void settle();

  // Work.

  /// Answers all that workers have handed up. Returns how many packets there were.
  unsigned serve(uint64_t now_ns);
  /// Does what is due.
  void advance(uint64_t now_ns);
  [[nodiscard]] std::optional<uint64_t> next_due() const;
  /// Drops everything that waits; workers have stopped.
  void drop_all(dataplane::DropReason reason = dataplane::DropReason::ended);

  /// Sends an echo request; the answer is found by take_reply().
  /// False: there is no way to the destination, or no address to send from.
  bool ping(const IpAddress& destination, const EchoId& id, uint16_t data_length);
  std::optional<Echo> take_reply(const EchoId& id);

  // Looking.

  [[nodiscard]] Neighbors& neighbors() { return neighbors_; }
  [[nodiscard]] const InterfaceTable& interfaces() const { return interfaces_; }
  [[nodiscard]] dataplane::Counters book() const {
    dataplane::Counters book = book_;
    book.held = neighbors_.counts().held;
    return book;
  }
  /// Packets on the rings between workers and control, and with neighbors.
  [[nodiscard]] uint64_t held() const;
  [[nodiscard]] static std::vector<RouteView> routes(const config::Config& config);
  [[nodiscard]] const dataplane::NatArena& nat_arena() const { return arena_; }
  [[nodiscard]] uint32_t route_count() const { return rib4_.writer().size() + rib6_.writer().size(); }

  // NeighborPort
  void send(dataplane::InterfaceIndex interface, std::vector<uint8_t> frame) override;
  void set_adjacency(dataplane::AdjacencyIndex index, dataplane::Adjacency adjacency) override;
  bool take_use(dataplane::AdjacencyIndex index) override;
  void add_host_route(dataplane::InterfaceIndex interface, const IpAddress& address,
                      dataplane::AdjacencyIndex index) override;
  void remove_host_route(dataplane::InterfaceIndex interface, const IpAddress& address) override;
  void retire_index(dataplane::AdjacencyIndex index) override;
  void release(rte_mbuf* packet) override;
  void give_up(rte_mbuf* packet, dataplane::DropReason reason, bool unreachable) override;

 private:
  using Routes4 = std::map<Rib<dataplane::Ip4>::Prefix, dataplane::RouteTarget>;
  using Routes6 = std::map<Rib<dataplane::Ip6>::Prefix, dataplane::RouteTarget>;
  /// What the configuration says, by origin.
  struct Wanted {
    Routes4 own4, connected4, configured4;
    Routes6 own6, connected6, configured6;
  };
  /// A next hop that a configured route names: the neighbor is kept while it does.
  using HopName = std::pair<dataplane::InterfaceIndex, IpAddress>;

  Router(const config::Config& config, dataplane::Shared& shared, MappedArray<dataplane::AdjacencyWord> words,
         MappedArray<dataplane::NextHopGroup> groups, dataplane::NatArena arena,
         std::unique_ptr<RouteTableWriter<dataplane::Ip4>> writer4,
         std::unique_ptr<RouteTableWriter<dataplane::Ip6>> writer6, std::unique_ptr<Reclaimer> reclaimer);

  // router_routes.cc
  void want_own(Wanted& wanted) const;
  void want_connected(Wanted& wanted) const;
  void want_configured(const config::Config& next, Wanted& wanted);
  [[nodiscard]] HopSet hops_of(const config::Route& route) const;
  void replace(const Wanted& wanted, bool remove_only);
  void pin_new(const config::Config& next, uint64_t now_ns);
  void unpin_old(const config::Config& next);

  // router_packets.cc
  void take(rte_mbuf* packet, uint64_t now_ns);
  void take_echo(const dataplane::PuntNote& note, Octets packet);
  void tell(const dataplane::PuntNote& note, Octets packet, dataplane::ErrorKind kind);
  void finish(rte_mbuf* packet);
  void drop(rte_mbuf* packet, dataplane::DropReason reason);
  void send_own(Octets packet, dataplane::InterfaceIndex interface);
  void send_on_link(rte_mbuf* packet, dataplane::InterfaceIndex interface);
  void originate(Octets head, Octets body, dataplane::Arrival arrival, dataplane::InterfaceIndex interface);
  void inject(rte_mbuf* packet, unsigned worker, const dataplane::ArrivalNote& note);
  [[nodiscard]] rte_mbuf* make_packet(Octets head, Octets body);
  [[nodiscard]] dataplane::InterfaceIndex egress_of(const IpAddress& destination) const;

  dataplane::Shared& shared_;
  std::unique_ptr<Reclaimer> reclaimer_;
  MappedArray<dataplane::AdjacencyWord> words_;
  std::vector<MappedArray<dataplane::AdjacencyUse>> uses_;  ///< by worker
  MappedArray<dataplane::NextHopGroup> groups_;
  std::unique_ptr<dataplane::RouteEpochs> epochs_;
  dataplane::NatArena arena_;
  NatPlan nat_;
  InterfaceTable interfaces_;
  Rib<dataplane::Ip4> rib4_;
  Rib<dataplane::Ip6> rib6_;
  NextHops next_hops_;
  Neighbors neighbors_;
  IcmpErrors errors_;
  std::vector<AnsweredRange> answered_;    ///< addresses that we answer for
  std::vector<dataplane::Ip4> externals_;  ///< of NAT
  std::map<HopName, dataplane::AdjacencyIndex> pinned_;
  std::vector<HopSet> hop_sets_;                                         ///< of the routes in force
  std::vector<std::pair<uint64_t, dataplane::AdjacencyIndex>> retired_;  ///< mark, index
  dataplane::Counters book_{};
  uint64_t now_ns_ = 0;
  uint16_t next_id_ = 1;

  /// An echo request of ours, and its answer when there is one.
  struct Asked {
    IpAddress host;
    uint64_t at_ns;
    std::optional<Echo> reply;
  };
  std::map<EchoId, Asked> asked_;
};

}  // namespace sluice::control
