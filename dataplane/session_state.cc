// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/session_state.h"

#include "dataplane/ip.h"

namespace sluice::dataplane {
namespace {

constexpr uint8_t kOpenedBoth = kOpened | kOpened << 1;
constexpr uint8_t kClosedBoth = kClosed | kClosed << 1;

bool is_closed(const Session& session) {
  return (session.state & kReset) != 0 || (session.state & kClosedBoth) == kClosedBoth;
}

void follow_tcp(Session& session, unsigned direction, uint8_t tcp_flags) {
  const bool opening = (tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
  // A new connection takes the place of one in TIME_WAIT (RFC 6191), or of one that was reset.
  if (opening && is_closed(session)) session.state = 0;
  const bool opens = (tcp_flags & kTcpSyn) != 0 || (session.state & kMidstream) != 0;
  if (opens) session.state |= static_cast<uint8_t>(kOpened << direction);
  if ((tcp_flags & kTcpFin) != 0) session.state |= static_cast<uint8_t>(kClosed << direction);
  if ((tcp_flags & kTcpRst) != 0) session.state |= kReset;
}

uint32_t timeout_ms(const Session& session, const NatRule& rule) {
  switch (session.protocol) {
    case kProtocolTcp:
      return rule.timeout_ms[is_established(session) ? NatRule::kTcpEstablished : NatRule::kTcpTransitory];
    case kProtocolIcmp:
      return rule.timeout_ms[NatRule::kIcmp];
    default:
      return rule.timeout_ms[NatRule::kUdp];
  }
}

}  // namespace

bool is_established(const Session& session) {
  return (session.state & kOpenedBoth) == kOpenedBoth && !is_closed(session);
}

std::string_view state_name(const Session& session) {
  if (session.protocol != kProtocolTcp) return "active";
  if ((session.state & kReset) != 0) return "reset";
  if (is_closed(session)) return "closed";
  if ((session.state & kOpenedBoth) != kOpenedBoth) return "opening";
  return (session.state & kClosedBoth) != 0 ? "half-closed" : "established";
}

void note_packet(Session& session, unsigned direction, uint8_t tcp_flags, const NatRule& rule,
                 uint32_t now_ms) {
  if (session.protocol == kProtocolTcp) {
    follow_tcp(session, direction, tcp_flags);
  } else if ((session.flags & (kRefreshedBy0 << direction)) == 0) {
    return;  // a stranger must not keep a mapping open (RFC 4787 REQ-6)
  }
  session.deadline_ms = now_ms + timeout_ms(session, rule);
}

void note_first_packet(Session& session, uint8_t tcp_flags, const NatRule& rule, uint32_t now_ms) {
  if (session.protocol == kProtocolTcp) {
    session.state = (tcp_flags & kTcpSyn) != 0 ? 0 : kMidstream;
    follow_tcp(session, 0, tcp_flags);
  }
  session.deadline_ms = now_ms + timeout_ms(session, rule);
}

}  // namespace sluice::dataplane
