// SPDX-License-Identifier: BSD-3-Clause
//
// What `session` and `decide` both ask about a flow: which it is, where its destination leads, and whether
// what was decided about it still holds.
//
// Thread safety: none; everything here is of the calling worker.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/flow.h"

namespace sluice::dataplane {

/// The flow of the packet as it came. Of an ICMP error: that of an answer to the packet that it quotes.
Flow flow_of(const Batch& batch, uint8_t place);

/// The IPv4 destination as it stands in the packet, whatever translation `destination4` has seen.
Ip4 packet_destination(const Batch& batch, uint8_t place);

/// The flags of a TCP packet with its header; else 0.
uint8_t tcp_flags_of(const Batch& batch, uint8_t place);

/// Whether the packet's flow is all there is to know of it: a later fragment without its first part's ports
/// is not.
inline bool is_known(const Batch& batch, uint8_t place) {
  return (batch.flags[place] & (kIsLaterFragment | kHasPorts)) != kIsLaterFragment;
}

/// Whether the packet's ports are not known though its protocol has some: a later fragment that came too
/// early, an ICMP message that is no echo. Its flow must not be taken for one with port 0.
inline bool is_nameless(const Batch& batch, uint8_t place) {
  return (batch.flags[place] & kHasPorts) == 0 && PortBlocks::has_ports(batch.protocol[place]);
}

/// Where a flow without a session is to go (destination translation).
struct Destination {
  DropReason drop = DropReason::none;
  Ip4 address = 0;
  uint16_t port = 0;
  MappingIndex mapping = kNoIndex;  ///< by which it was found; kNoIndex: by the file, or it stays as it is
};
/// \param nameless only 1:1 leads anywhere; \param ingress filters hold against what comes from outside: a
/// host behind the same NAT could reach the other one by its inside address
Destination destination_of(const Context& context, const Flow& flow, bool nameless, InterfaceIndex ingress);

/// Whether the rules and routes in force would decide about the session as it was decided; then its rule is
/// set to the one that does.
bool still_holds(const Context& context, Session& session);

}  // namespace sluice::dataplane
