// SPDX-License-Identifier: BSD-3-Clause
//
// What a packet does to its session: the state of a TCP connection, as far as its timers need it (RFC 5382
// REQ-2 and REQ-5, RFC 7857 section 2), and the deadline (RFC 4787 REQ-5 and REQ-6, RFC 5508 REQ-2).
//
// Thread safety: none; a session belongs to one worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/nat_rules.h"
#include "dataplane/session.h"

namespace sluice::dataplane {

/// Bits of Session::state, for TCP.
enum TcpState : uint8_t {
  kOpened = 0x01,     ///< by direction 0; shifted left by one: by direction 1
  kClosed = 0x04,     ///< likewise: a FIN was seen
  kReset = 0x10,      ///< a RST was seen
  kMidstream = 0x20,  ///< its first packet was no SYN: any packet counts as opening
};

/// Bits of Session::flags beside those of the tables: packets of which direction keep the session.
enum RefreshFlags : uint8_t { kRefreshedBy0 = 0x01, kRefreshedBy1 = 0x02 };
/// The file says where its destination leads: a port forward or 1:1, not a mapping.
inline constexpr uint8_t kIsForwarded = 0x04;

/// Open both ways, and not closed both ways.
bool is_established(const Session& session);

/// opening, established, half-closed, closed or reset; for other protocols "active".
std::string_view state_name(const Session& session);

/// Notes a packet that arrives in `direction`: the state, and the deadline if the direction keeps the
/// session. \param tcp_flags of a TCP packet with its header, else 0
void note_packet(Session& session, unsigned direction, uint8_t tcp_flags, const NatRule& rule,
                 uint32_t now_ms);

/// The same for the packet that opens the session: it always counts.
void note_first_packet(Session& session, uint8_t tcp_flags, const NatRule& rule, uint32_t now_ms);

}  // namespace sluice::dataplane
