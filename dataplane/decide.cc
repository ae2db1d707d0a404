// SPDX-License-Identifier: BSD-3-Clause
//
// decide: the NAT rules. Runs for packets without a session that holds, now that ingress, egress and both
// sides' addresses are known: opens a session, renews one, lets the packet go as it is, or refuses it.
//
// Uses:  packet, interface, flags, protocol, ports, source4, destination4, translated_port, target, session
// Sets:  session
// Next:  neighbour; punt, for what is for us or is refused
// Drops: those of route; nat_untranslated, nat_untranslatable, nat_no_session, nat_fragment_unknown,
//        nat_hairpin_off, nat_session_stale, nat_no_mapping; by way of punt nat_exhausted, nat_sessions_full
#include <optional>

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/dispatch.h"
#include "dataplane/nat_flow.h"
#include "dataplane/punt.h"
#include "dataplane/session_state.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::decide, Stage::neighbour, Stage::punt, Stage::drop>;

/// A session that is about to be opened.
struct Draft {
  Flow original;
  Ip4 destination;  ///< where it goes
  uint16_t destination_port;
  InterfaceIndex egress;
  bool translates_destination;
  bool hairpin;  ///< from inside, for an external address
  bool misled;   ///< what led to the destination has gone since the batch asked
  SourceDecision source;
  MappingIndex target = kNoIndex;  ///< the mapping that the destination was found by

  /// Whether it comes in by a mapping from somebody whom no rule translates.
  [[nodiscard]] bool comes_in() const { return source.action == SourceAction::keep && target != kNoIndex; }
};

bool goes_out(RouteTarget target) {
  return target.kind() == RouteKind::adjacency || target.kind() == RouteKind::connected;
}

Draft draft_of(const Context& context, const Batch& batch, uint8_t place) {
  const NatRules& rules = context.snapshot->nat;
  Draft draft{.original = flow_of(batch, place),
              .destination = batch.destination4[place],
              .destination_port = batch.translated_port[place],
              .egress = egress_of(context, batch.target[place]),
              .translates_destination = false,
              .hairpin = false,
              .misled = false,
              .source = {}};
  const Flow& flow = draft.original;
  draft.translates_destination =
      flow.destination != draft.destination || flow.destination_port != draft.destination_port;
  const ExternalAddress* external = draft.translates_destination ? rules.external(flow.destination) : nullptr;
  draft.hairpin = external != nullptr && external->interface != batch.interface[place];
  const InterfaceIndex translating = draft.hairpin ? external->interface : draft.egress;
  const Ip4 destination = draft.hairpin ? flow.destination : draft.destination;
  draft.source = rules.source(flow.source, flow.protocol, flow.source_port, destination, translating);
  if (external != nullptr && (batch.steered[place] & kIsAnswered) == 0) {
    const Destination now = destination_of(context, flow, is_nameless(batch, place), batch.interface[place]);
    draft.target = now.mapping;
    draft.misled = now.drop != DropReason::none || now.address != draft.destination ||
                   now.port != draft.destination_port;
  }
  return draft;
}

// ---- what cannot open a session

// A later fragment of TCP or ICMP says nothing of what its first part was: it goes with the session that that
// one has opened, maybe in the same batch.
bool follows_nothing(const Context& context, const Batch& batch, uint8_t place) {
  const bool later = (batch.flags[place] & kIsLaterFragment) != 0;
  if (!later || batch.protocol[place] == kProtocolUdp || !PortBlocks::has_ports(batch.protocol[place]))
    return false;
  const SessionTable& sessions = context.nat->sessions;
  const Flow flow = flow_of(batch, place);
  return !sessions.find(flow, sessions.hash(flow), context.now_ms);
}

// SYN ACK is an answer, and SYN FIN nobody's who means well (RFC 9293 section 3.10.7.2).
bool is_first_syn(uint8_t tcp_flags) {
  return (tcp_flags & (kTcpSyn | kTcpAck | kTcpFin | kTcpRst)) == kTcpSyn;
}

// A TCP reset or an echo reply answers something; there is nothing that it answers. From outside nothing but
// a SYN opens a connection; a host inside may go on with one that we have forgotten.
bool opens_nothing(const Context& context, const Batch& batch, uint8_t place) {
  if ((batch.flags[place] & kIsIcmpError) != 0) return true;
  const uint8_t tcp_flags = tcp_flags_of(batch, place);
  if ((tcp_flags & kTcpRst) != 0) return true;
  const bool tcp = batch.protocol[place] == kProtocolTcp && (batch.flags[place] & kIsLaterFragment) == 0;
  if (tcp && context.snapshot->nat.outside(batch.interface[place]) && !is_first_syn(tcp_flags)) return true;
  const bool has_icmp =
      batch.protocol[place] == kProtocolIcmp && (batch.flags[place] & kIsLaterFragment) == 0;
  return has_icmp && (batch.flags[place] & kHasPorts) != 0 && *l4_header(batch, place) == icmp::kEchoReply;
}

/// Why the flow cannot be translated as the draft says; none if it can.
DropReason obstacle(const Context& context, const Batch& batch, uint8_t place, const Draft& draft) {
  if (!is_known(batch, place)) return DropReason::nat_fragment_unknown;
  if (opens_nothing(context, batch, place) || follows_nothing(context, batch, place))
    return DropReason::nat_no_session;
  const bool has_ports = (batch.flags[place] & kHasPorts) != 0;
  if (draft.source.action == SourceAction::pool && !has_ports) return DropReason::nat_untranslatable;
  return DropReason::none;
}

// ---- opening one

const ExternalAddress& pool_address(const Context& context, const NatRule& rule, Ip4 inside) {
  return context.snapshot->nat.paired(rule, context.shared.hash(inside));
}

NatTables::MapResult map_source(Context& context, const Draft& draft, const NatRule& rule) {
  const Flow& flow = draft.original;
  MappingKey key{flow.source, flow.source_port, flow.protocol, rule.scope};
  if (rule.mapping == NatRule::Mapping::address_and_port_dependent) {
    key.remote = draft.destination;
    key.remote_port = draft.destination_port;
  }
  const ExternalAddress& external = pool_address(context, rule, flow.source);
  const NatRules& rules = context.snapshot->nat;
  return context.nat->map(key, external.slot, {rule.port_min, rule.port_max}, [&](uint16_t port) {
    return rules.is_forwarded(external.address, flow.protocol, port);
  });
}

// The answers' flow, given what the source becomes. An ICMP query has one identifier for both ports.
Flow reply_of(const Draft& draft, Ip4 source, uint16_t source_port) {
  const bool one_port = draft.original.protocol == kProtocolIcmp;
  const bool by_destination = draft.source.action == SourceAction::keep;
  const uint16_t shared_port = by_destination ? draft.destination_port : source_port;
  return {draft.destination, source, one_port ? shared_port : draft.destination_port,
          one_port ? shared_port : source_port, draft.original.protocol};
}

/// The flow as it leaves is settled: the mapping of its source, if it needs one.
struct Settled {
  DropReason drop = DropReason::none;
  Flow reply{};
  MappingIndex mapping = kNoIndex;
};

Settled settle(Context& context, const Draft& draft) {
  const Flow& flow = draft.original;
  switch (draft.source.action) {
    case SourceAction::keep:
      return {DropReason::none, reply_of(draft, flow.source, flow.source_port)};
    case SourceAction::fixed:
      return {DropReason::none, reply_of(draft, draft.source.address, draft.source.port)};
    case SourceAction::pool:
      break;
  }
  const NatRule& rule = context.snapshot->nat.rules[draft.source.rule];
  const NatTables::MapResult result = map_source(context, draft, rule);
  if (result.outcome == NatTables::Mapped::no_port) return {DropReason::nat_exhausted};
  if (result.outcome == NatTables::Mapped::full) return {DropReason::nat_sessions_full};
  const External external = context.nat->mappings[result.index].outside();
  // The pool has changed, and the sweep has not yet ended the sessions of this mapping: soon it has.
  if (!context.snapshot->nat.in_pool(rule, external.address)) {
    context.nat->release(result.index);
    return {DropReason::nat_session_stale};
  }
  return {DropReason::none, reply_of(draft, external.address, external.port), result.index};
}

// The rule whose timers and filter the session lives under.
uint16_t rule_of(const Context& context, const Draft& draft) {
  if (draft.source.action != SourceAction::keep) return draft.source.rule;
  const NatRules& rules = context.snapshot->nat;
  InsideEndpoint inside;
  const Flow& flow = draft.original;
  if (rules.inside_of(flow.destination, flow.protocol, flow.destination_port, inside)) return inside.rule;
  if (draft.target == kNoIndex) return 0;
  const uint16_t scope = context.nat->mappings[draft.target].scope;
  for (size_t index = 0; index < rules.rules.size(); ++index) {
    if (rules.rules[index].scope == scope) return static_cast<uint16_t>(index);
  }
  return 0;
}

uint8_t flags_of(const Context& context, const Draft& draft, const NatRule& rule) {
  const bool from_inside = draft.source.action != SourceAction::keep;
  uint8_t flags = from_inside ? kRefreshedBy0 : 0;
  if (draft.translates_destination) flags |= kRefreshedBy1;
  InsideEndpoint inside;
  const Flow& flow = draft.original;
  const bool forwarded =
      draft.translates_destination &&
      context.snapshot->nat.inside_of(flow.destination, flow.protocol, flow.destination_port, inside);
  if (forwarded) flags |= kIsForwarded;
  const bool guarded = rule.filtering == NatRule::Filtering::address_dependent &&
                       rule.mapping == NatRule::Mapping::endpoint_independent;
  if (draft.source.action == SourceAction::pool && guarded) flags |= kHoldsPermit;
  if (draft.comes_in()) return flags | kUnanswered;
  if (draft.target != kNoIndex && context.nat->mappings[draft.target].users != 0) flags |= kHoldsTarget;
  return flags;
}

Session session_of(const Context& context, const Batch& batch, uint8_t place, const Draft& draft,
                   const Settled& settled) {
  const NatRules& rules = context.snapshot->nat;
  Session session = Session::between(draft.original, settled.reply);
  session.rule = rule_of(context, draft);
  const NatRule& rule = rules.rules[session.rule];
  session.flags = flags_of(context, draft, rule);
  session.mapping = draft.comes_in() ? draft.target : settled.mapping;
  session.route = {batch.target[place].bits(), 0};  // the way back is looked up by the first answer
  session.ingress = {batch.interface[place], draft.egress};
  session.routes_stamp = context.epoch;
  session.rules_stamp = rules.generation;
  if ((batch.steered[place] & kIsAnswered) != 0) session.loan = arrival_note(batch.packet[place]).steer.loan;
  note_first_packet(session, tcp_flags_of(batch, place), rule, context.now_ms);
  return session;
}

// The session in the way may be the flow's own: a packet before it in the same batch opened it, or the packet
// is one that no session is looked up for (is_nameless()).
std::optional<unsigned> direction_of(const Context& context, const SessionTable::Creation& created,
                                     const Flow& flow) {
  if (created.outcome != SessionTable::Outcome::exists) return std::nullopt;
  const Session& session = context.nat->sessions[created.index];
  for (const unsigned direction : {0u, 1u}) {
    if (session.arriving(direction) == flow) return direction;
  }
  return std::nullopt;
}

void open(Context& context, Batch& batch, uint8_t place, const Draft& draft) {
  const Settled settled = settle(context, draft);
  // A second later it can be had: that is no refusal.
  if (settled.drop == DropReason::nat_session_stale) return Next::drop(batch, place, settled.drop);
  if (settled.drop != DropReason::none)
    return refuse<Next>(batch, place, settled.drop, ErrorKind::prohibited);
  const Session session = session_of(context, batch, place, draft, settled);
  if (session.loan != kNoLoan && !context.nat->borrow(session)) {
    context.nat->release(settled.mapping);
    return Next::drop(batch, place, DropReason::nat_no_mapping);
  }
  const auto created = context.nat->create(session, context.now_ms);
  const bool made = created.outcome == SessionTable::Outcome::made;
  const std::optional<unsigned> direction = made ? 0 : direction_of(context, created, draft.original);
  if (!direction) {
    const bool full = created.outcome == SessionTable::Outcome::full;
    return refuse<Next>(batch, place, full ? DropReason::nat_sessions_full : DropReason::nat_exhausted,
                        ErrorKind::prohibited);
  }
  context.counters.sessions_opened += made;
  // The session that was in the way may have been the last to use the mapping that this one came in by.
  if (context.nat->is_stray(context.nat->sessions[created.index])) {
    context.nat->retire(created.index);
    return Next::drop(batch, place, DropReason::nat_no_mapping);
  }
  batch.session[place] = SessionHandle(created.index, *direction).bits();
  Next::send<Stage::neighbour>(batch, place);
}

// ---- deciding

// Whoever sends from outside in the name of a host inside would open a way in to it.
bool is_spoofed(const NatRules& rules, const Draft& draft, InterfaceIndex ingress) {
  return draft.source.action != SourceAction::keep && !draft.hairpin && draft.egress == ingress &&
         rules.outside(ingress);
}

void decide_new(Context& context, Batch& batch, uint8_t place) {
  const NatRules& rules = context.snapshot->nat;
  const Ip4 source = batch.source4[place];
  const Draft draft = draft_of(context, batch, place);
  if (!draft.translates_destination && rules.hidden(source, draft.destination, batch.interface[place]))
    return Next::drop(batch, place, DropReason::nat_untranslated);
  if (draft.misled) return Next::drop(batch, place, DropReason::nat_no_mapping);
  if (!goes_out(batch.target[place])) return dispatch<Next>(batch, place);
  if (is_spoofed(rules, draft, batch.interface[place]))
    return Next::drop(batch, place, DropReason::nat_untranslated);
  const bool changes = draft.translates_destination || draft.source.action != SourceAction::keep;
  if (!changes) return dispatch<Next>(batch, place);
  if (draft.hairpin && draft.source.covered && !rules.rules[draft.source.rule].hairpinning)
    return Next::drop(batch, place, DropReason::nat_hairpin_off);
  if (const DropReason drop = obstacle(context, batch, place, draft); drop != DropReason::none)
    return Next::drop(batch, place, drop);
  open(context, batch, place, draft);
}

// An ICMP error neither ends a session nor decides about it (RFC 4787 REQ-12).
void pass_error(Context& context, Batch& batch, uint8_t place, const Session& session) {
  Session copy = session;
  const bool decided_before = session.rules_stamp != context.snapshot->nat.generation;
  if (decided_before && !still_holds(context, copy))
    return Next::drop(batch, place, DropReason::nat_session_stale);
  dispatch<Next>(batch, place);
}

// Routes or rules have changed since the session was decided.
void renew(Context& context, Batch& batch, uint8_t place) {
  const SessionHandle handle(batch.session[place]);
  Session& session = context.nat->sessions[handle.index()];
  const unsigned direction = handle.direction();
  const NatRules& rules = context.snapshot->nat;
  const bool decided_before = session.rules_stamp != rules.generation;
  const InterfaceIndex egress = egress_of(context, batch.target[place]);
  if (egress == 0 && goes_out(batch.target[place]))
    return Next::drop(batch, place, DropReason::neighbor_gone);
  if (session.live != kLive)  // since the batch met it
    return Next::drop(batch, place, DropReason::nat_session_stale);
  if ((batch.flags[place] & kIsIcmpError) != 0) return pass_error(context, batch, place, session);
  // Its source was translated for the interface that it left by.
  const bool moved = direction == 0 && egress != session.ingress[1] && (session.flags & kRefreshedBy0) != 0;
  if ((decided_before && !still_holds(context, session)) || (moved && goes_out(batch.target[place]))) {
    context.nat->retire(handle.index());
    return Next::drop(batch, place, DropReason::nat_session_stale);
  }
  session.rules_stamp = rules.generation;
  if (decided_before)
    note_packet(session, direction, tcp_flags_of(batch, place), rules.rules[session.rule], context.now_ms);
  if (!goes_out(batch.target[place])) return dispatch<Next>(batch, place);
  if (session.routes_stamp != context.epoch) session.route[1 - direction] = 0;
  session.route[direction] = batch.target[place].bits();
  session.routes_stamp = context.epoch;
  session.ingress[1 - direction] = egress;
  dispatch<Next>(batch, place);
}

}  // namespace

void stages::decide(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::decide)) {
    if (batch.session[place] == kNoSession) {
      decide_new(context, batch, place);
    } else {
      renew(context, batch, place);
    }
  }
}

}  // namespace sluice::dataplane
