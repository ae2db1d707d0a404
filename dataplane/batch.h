// SPDX-License-Identifier: BSD-3-Clause
//
// A batch: the packets of one sweep, and what the stages have found out about each so far.
//
// The findings stand beside the packet pointers, one array a field, so that a stage touches only the fields
// it uses and the whole stays in the L1 cache. Packets never move: what travels from stage to stage is a
// packet's one-byte place in the batch, from lane to lane.
//
// Thread safety: none; a batch belongs to one worker.
// Invariants:    a place stands in at most one lane; lanes only fill ahead of the stage that runs.
// Owner:         Worker.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/drop_reasons.h"
#include "dataplane/ethernet.h"
#include "dataplane/ip.h"
#include "dataplane/punt_reasons.h"
#include "dataplane/route_target.h"
#include "dataplane/stages.h"

struct rte_mbuf;

namespace sluice::dataplane {

inline constexpr unsigned kBatchSize = 64;

/// A port's place in the snapshot. Stable while the port exists; see Snapshot::ports.
using PortIndex = uint16_t;
/// A filtering database: one VLAN of one bridge (IEEE 802.1Q-2018 clause 8.8.8, "FID"). 0: none.
using DomainId = uint16_t;

inline constexpr PortIndex kNoPort = 0x7FF;
inline constexpr unsigned kMaxPorts = 128;
/// The port of what we make ourselves, as far as drops are counted: no device has it.
inline constexpr PortIndex kSelfPort = kMaxPorts - 1;

/// The places of the packets that wait for one stage, in order of arrival.
struct Lane {
  uint8_t count = 0;
  std::array<uint8_t, kBatchSize> places;

  void push(uint8_t place) { places[count++] = place; }
  [[nodiscard]] const uint8_t* begin() const { return places.data(); }
  [[nodiscard]] const uint8_t* end() const { return places.data() + count; }
  [[nodiscard]] bool empty() const { return count == 0; }
};

/// What ip_in found out beside the fields.
enum IpFlags : uint8_t {
  kIsFragment = 0x01,       ///< a part of a datagram, the first or a later one
  kIsLaterFragment = 0x02,  ///< no transport header
  kHasPorts = 0x04,         ///< the ports are set: TCP, UDP, or the identifier of an echo
  kIsIcmpError = 0x08,      ///< quotes a packet; the ports and addresses are those of the packet's answer
  kMayNotFragment = 0x10,   ///< IPv4's DF; IPv6
  kIsLinkLocal = 0x20,      ///< its IPv6 source does not leave its link
  kIsOurs = 0x40,           ///< we made it: its TTL is not touched
  kRenews = 0x80,           ///< its session asks the route table again
};

/// Of a packet that another worker had before.
enum SteerFlags : uint8_t {
  kIsGathered = 0x08,  ///< a part of a datagram: the worker that all its parts pass has seen it
  kWasSteered = 0x80,  ///< by any worker: there is a note
  kKnowsPorts = 0x01,  ///< a part of a datagram, with the ports of the first
  kIsAsked = 0x02,     ///< its source's worker asks: is there a session, and where does its destination lead?
  kIsAnswered = 0x04,  ///< the answer
};

inline constexpr uint32_t kNoSession = UINT32_MAX;

struct alignas(64) Batch {
  template <class T>
  using Field = std::array<T, kBatchSize>;

  // Set on receipt.
  Field<rte_mbuf*> packet;
  Field<PortIndex> ingress;
  Field<uint8_t> passes;  ///< how often it went round the `again` queue

  // Set by parse.
  Field<Mac48> destination;
  Field<Mac48> source;
  Field<uint16_t> tci;    ///< of the C-tag, host order; 0 when there is none
  Field<uint8_t> tagged;  ///< 1: a C-tag is there, if only a priority tag

  // Set by bridge_in.
  Field<DomainId> domain;
  Field<PortIndex> egress;
  Field<uint8_t> routed;  ///< 1: it comes out of the router, and may leave by the port it came from

  // Set by ip_in, for what is routed.
  Field<uint16_t> interface;  ///< that it came in by; 0: it is our own
  Field<Family> family;
  Field<uint8_t> flags;     ///< IpFlags
  Field<uint8_t> protocol;  ///< behind IPv6's extension headers
  Field<uint8_t> ttl;
  Field<uint8_t> l3;          ///< where the IP header begins
  Field<uint8_t> l4;          ///< where the transport header begins, counted from l3
  Field<uint16_t> ip_length;  ///< of the IP packet
  Field<Ip4> source4;
  Field<Ip4> destination4;  ///< after destination translation
  Field<uint16_t> source_port;
  Field<uint16_t> destination_port;
  Field<uint16_t> translated_port;  ///< the destination's, after translation
  Field<uint8_t> steered;           ///< SteerFlags; if any, arrival_note() of the packet says more

  // Set by session and decide, by route, and by neighbour.
  Field<uint32_t> session;  ///< its session and direction; kNoSession: none
  Field<RouteTarget> target;
  Field<uint16_t> egress_interface;

  // Set with the edge to punt.
  Field<PuntReason> punt_reason;
  Field<ErrorKind> error;
  Field<uint16_t> error_value;  ///< MTU or pointer

  // Set with the edge to drop.
  Field<DropReason> drop_reason;

  std::array<Lane, kStages> lanes;

  Lane& lane(Stage stage) { return lanes[static_cast<size_t>(stage)]; }
  [[nodiscard]] uint16_t vid(uint8_t place) const { return tci[place] & kVidMask; }
};
static_assert(sizeof(Batch) <= 8192, "a batch must leave most of a 32 KiB L1 cache to headers and tables");
static_assert(std::is_standard_layout_v<Batch>);

/// The edges out of a stage. Sending along an edge that is not declared here, or backwards, does not compile.
template <Stage From, Stage... To>
struct Edges {
  static_assert(((To > From) && ...), "a packet only moves forward");

  template <Stage Next>
  static void send(Batch& batch, uint8_t place) {
    static_assert(((Next == To) || ...), "declare the edge before using it");
    batch.lane(Next).push(place);
  }

  static void drop(Batch& batch, uint8_t place, DropReason reason) {
    batch.drop_reason[place] = reason;
    send<Stage::drop>(batch, place);
  }
};

}  // namespace sluice::dataplane
