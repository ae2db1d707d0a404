// SPDX-License-Identifier: BSD-3-Clause
//
// The way between the packet path and control: packets that control has to see, and packets that control
// sends. A note in the buffer's private area says what is meant.
//
// Thread safety: a note belongs to whoever holds the packet.
// Invariants:    each ring has one producer and one consumer.
// Owner:         the rings are Shared's.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

#include "dataplane/adjacency.h"
#include "dataplane/batch.h"
#include "dataplane/ip.h"
#include "dataplane/punt_reasons.h"

namespace sluice::dataplane {

struct PuntNote {
  PuntReason reason;
  ErrorKind error;
  DropReason drop;    ///< what it counts as if it ends here
  uint8_t passes;     ///< rounds through the pipeline so far
  uint8_t worker;     ///< that sent it, and gets it back
  uint8_t l3_offset;  ///< where its IP or ARP header begins
  PortIndex ingress;
  InterfaceIndex interface;  ///< that it came in by; 0: our own packet
  InterfaceIndex egress;     ///< connected: the network that the neighbor is on
  uint16_t mtu;
  uint16_t pointer;
  uint32_t adjacency;
  Ip4 address4;  ///< connected: whom to ask for, after translation
};

/// What a packet on the way to a worker is.
enum class Arrival : uint8_t {
  transmit,  ///< from a worker: ready to leave by `port`
  steered,   ///< from a worker: to be processed here from the start
  again,     ///< from control: was held; to be processed from the start
  own,       ///< from control: an IP packet of ours behind an empty Ethernet header, to be routed
  link,      ///< from control: a whole frame of ours, to leave by interface `interface`
};

/// What a worker says about a packet that it gives to another one.
struct SteerNote {
  uint8_t flags = 0;  ///< SteerFlags
  uint8_t asked_by = 0;
  uint8_t hops = 0;                                ///< from worker to worker so far
  uint16_t loan = 0;                               ///< kIsAnswered: of the mapping that leads there
  uint16_t source_port = 0, destination_port = 0;  ///< kKnowsPorts
  uint16_t translated_port = 0;                    ///< kIsAnswered, with `translated`
  Ip4 translated = 0;                              ///< kIsAnswered: where the packet is to go
};

struct ArrivalNote {
  Arrival arrival;
  uint8_t passes;
  PortIndex port;  ///< transmit: to leave by; else: that it came in by
  InterfaceIndex interface;
  SteerNote steer;
};

inline constexpr uint16_t kPrivateArea = 32;  ///< octets in front of every buffer's data
static_assert(sizeof(PuntNote) <= kPrivateArea && sizeof(ArrivalNote) <= kPrivateArea);

inline PuntNote& punt_note(rte_mbuf* packet) {
  return *static_cast<PuntNote*>(rte_mbuf_to_priv(packet));
}
inline ArrivalNote& arrival_note(rte_mbuf* packet) {
  return *static_cast<ArrivalNote*>(rte_mbuf_to_priv(packet));
}

}  // namespace sluice::dataplane
