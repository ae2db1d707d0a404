// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat_flow.h"

#include "dataplane/ip_header.h"
#include "dataplane/session_state.h"

namespace sluice::dataplane {
namespace {

// RFC 4787 REQ-8, RFC 5382 REQ-3: who may answer to a mapping.
bool may_enter(const NatTables& nat, const NatRule& rule, const Flow& flow) {
  switch (rule.filtering) {
    case NatRule::Filtering::endpoint_independent:
      return true;
    case NatRule::Filtering::address_dependent:
      return nat.permits.contains({flow.destination, flow.destination_port, flow.protocol, flow.source});
    case NatRule::Filtering::address_and_port_dependent:
      return false;  // it would have had a session
  }
  return false;
}

// The rule that a mapping was made under; null: it is gone.
const NatRule* rule_of(const NatRules& rules, const Mapping& mapping) {
  for (const NatRule& rule : rules.rules) {
    if (rule.scope == mapping.scope) return &rule;
  }
  return nullptr;
}

// The interface whose rules translate the session's source.
InterfaceIndex translating_interface(const NatRules& rules, const Session& session) {
  const ExternalAddress* external = rules.external(session.arriving(1).destination);
  return external == nullptr ? InterfaceIndex{0} : external->interface;
}

bool source_holds(const NatRules& rules, Session& session) {
  const Flow original = session.arriving(0), reply = session.arriving(1);
  const SourceDecision decision = rules.source(original.source, original.protocol, original.source_port,
                                               original.destination, translating_interface(rules, session));
  if (decision.action == SourceAction::keep) return false;
  const bool holds = decision.action == SourceAction::pool
                         ? rules.in_pool(rules.rules[decision.rule], reply.destination)
                         : decision.address == reply.destination && decision.port == reply.destination_port;
  if (holds) session.rule = decision.rule;
  return holds;
}

bool destination_holds(const Context& context, Session& session) {
  const Flow original = session.arriving(0), reply = session.arriving(1);
  const NatRules& rules = context.snapshot->nat;
  InsideEndpoint inside;
  if (rules.inside_of(original.destination, original.protocol, original.destination_port, inside)) {
    session.rule = inside.rule;
    return inside.address == reply.source && inside.port == reply.source_port;
  }
  if ((session.flags & kIsForwarded) != 0) return false;
  // Else a mapping led to it, and lives as long as the rule that still covers the host.
  for (size_t index = 0; index < rules.rules.size(); ++index) {
    const NatRule& rule = rules.rules[index];
    if (!rules.covers(rule, reply.source) || !rules.in_pool(rule, original.destination)) continue;
    session.rule = static_cast<uint16_t>(index);
    return true;
  }
  return false;
}

}  // namespace

Ip4 packet_destination(const Batch& batch, uint8_t place) {
  return l3_header<Ipv4Header>(batch, place)->destination.host();
}

Flow flow_of(const Batch& batch, uint8_t place) {
  return {batch.source4[place], packet_destination(batch, place), batch.source_port[place],
          batch.destination_port[place], batch.protocol[place]};
}

uint8_t tcp_flags_of(const Batch& batch, uint8_t place) {
  if (batch.protocol[place] != kProtocolTcp || (batch.flags[place] & kIsLaterFragment) != 0) return 0;
  if ((batch.flags[place] & kHasPorts) == 0) return 0;
  return reinterpret_cast<const TcpHeader*>(l4_header(batch, place))->flags;
}

Destination destination_of(const Context& context, const Flow& flow, bool nameless, InterfaceIndex ingress) {
  const NatRules& rules = context.snapshot->nat;
  const ExternalAddress* external = rules.external(flow.destination);
  if (external == nullptr) return {DropReason::none, flow.destination, flow.destination_port};
  InsideEndpoint inside;
  if (rules.inside_of(flow.destination, flow.protocol, flow.destination_port, inside))
    return {DropReason::none, inside.address, inside.port};
  const External endpoint{flow.destination, flow.destination_port, flow.protocol};
  const MappingIndex index = nameless ? kNoIndex : context.nat->mappings.find(endpoint);
  if (index == kNoIndex) {
    const DropReason drop = external->own ? DropReason::none : DropReason::nat_no_mapping;
    return {drop, flow.destination, flow.destination_port};
  }
  const Mapping& mapping = context.nat->mappings[index];
  const NatRule* rule = rule_of(rules, mapping);
  if (rule != nullptr && !rules.in_pool(*rule, flow.destination)) rule = nullptr;  // not any more
  const bool filtered = rules.outside(ingress);
  if (rule == nullptr || (filtered && !may_enter(*context.nat, *rule, flow)))
    return {DropReason::nat_filtered};
  return {DropReason::none, mapping.inside, mapping.inside_port, index};
}

bool still_holds(const Context& context, Session& session) {
  const Flow original = session.arriving(0), leaving = session.leaving(0);
  // The identifier of an ICMP query is the source's: it says nothing about the destination.
  const bool two_ports = original.protocol != kProtocolIcmp;
  const bool source = original.source != leaving.source || original.source_port != leaving.source_port;
  const bool destination = original.destination != leaving.destination ||
                           (two_ports && original.destination_port != leaving.destination_port);
  // 1:1 and forwards may keep ports and addresses alike only by chance; a session that translates nothing in
  // one half has nothing to lose there.
  if (!source && !destination) return false;  // no rule would make it
  if (destination && !destination_holds(context, session)) return false;
  return !source || source_holds(context.snapshot->nat, session);
}

}  // namespace sluice::dataplane
