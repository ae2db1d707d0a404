// SPDX-License-Identifier: BSD-3-Clause
//
// session: finds the session that an IPv4 packet belongs to, and with it everything that was decided about
// its flow. One look-up a packet, for a whole lane at a time.
//
// Uses:  packet, interface, flags, protocol, l3, l4, ip_length, source4, destination4, ports, steered
// Sets:  session, target; destination4 and translated_port, as destination translation has them; the ports of
//        a later fragment and of an ICMP error
// Next:  neighbour, with a session that holds; route, without one, or when routes or rules have changed
// Drops: nat_wrong_interface, nat_no_mapping, nat_filtered, nat_bad_quote, nat_untranslatable,
//        nat_sessions_full, steer_full
#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/ip_header.h"
#include "dataplane/nat_flow.h"
#include "dataplane/punt.h"
#include "dataplane/quote.h"
#include "dataplane/session_state.h"
#include "dataplane/steer.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::session, Stage::route, Stage::neighbour, Stage::drop>;

struct Keys {
  Lane asking;    ///< for a session
  Lane nameless;  ///< that have none: see is_nameless()
  Batch::Field<Flow> flows;
  Batch::Field<uint64_t> hashes;
};

// ---- fragments

DatagramKey datagram(const Batch& batch, uint8_t place) {
  return {batch.source4[place], batch.destination4[place], l3_header<Ipv4Header>(batch, place)->id.host(),
          batch.protocol[place]};
}

uint64_t hash_of(const Context& context, const DatagramKey& key) {
  return context.shared.hash(uint64_t{key.source} << 32 | key.destination,
                             uint64_t{key.id} << 8 | key.protocol);
}

// The first part leaves its ports for the others. One that comes too early goes on without: it is dropped
// where it would need them.
void share_ports(Context& context, Batch& batch, uint8_t place) {
  const DatagramKey key = datagram(batch, place);
  const uint64_t hash = hash_of(context, key);
  if ((batch.flags[place] & kIsLaterFragment) == 0) {
    if ((batch.flags[place] & kHasPorts) == 0) return;
    return context.fragments.remember(key, hash, {batch.source_port[place], batch.destination_port[place]},
                                      context.now_ms);
  }
  const FragmentPorts::Ports* ports = context.fragments.find(key, hash, context.now_ms);
  if (ports == nullptr) return;
  batch.source_port[place] = ports->source;
  batch.destination_port[place] = ports->destination;
  batch.flags[place] |= kHasPorts;
}

// False: another worker has it now.
bool gather_fragment(Context& context, Batch& batch, uint8_t place) {
  if ((batch.steered[place] & kIsGathered) != 0) {
    if ((batch.steered[place] & kKnowsPorts) == 0) return true;
    const SteerNote& note = arrival_note(batch.packet[place]).steer;
    batch.source_port[place] = note.source_port;
    batch.destination_port[place] = note.destination_port;
    batch.flags[place] |= kHasPorts;
    return true;
  }
  const unsigned first =
      context.shared.workers == 1 ? context.worker : owner_of_fragments(context, batch, place);
  if (first != context.worker) {
    steer(context, batch, place, first, {});
    return false;
  }
  share_ports(context, batch, place);
  return true;
}

// ---- the question

// An error is about the packet that it quotes: it goes the way of an answer to that.
// False: there is nothing to be read, and what NAT cannot translate it must not let pass.
bool take_quoted_flow(const Context& context, Batch& batch, uint8_t place, Flow& flow) {
  const std::optional<Quote> quote = read_quote(batch, place);
  if (!quote) {
    const NatRules& rules = context.snapshot->nat;
    batch.flags[place] = static_cast<uint8_t>(batch.flags[place] & ~kIsIcmpError);
    return !rules.is_inside(flow.source) && rules.external(flow.destination) == nullptr;
  }
  flow = quote->flow.reversed();
  batch.source_port[place] = flow.source_port;
  batch.destination_port[place] = flow.destination_port;
  batch.flags[place] |= kHasPorts;
  return true;
}

void gather(Context& context, Batch& batch, Keys& keys) {
  for (uint8_t place : batch.lane(Stage::session)) {
    const uint8_t flags = batch.flags[place];
    if ((flags & kIsFragment) != 0 && !gather_fragment(context, batch, place)) continue;
    Flow flow = flow_of(batch, place);
    if ((flags & kIsIcmpError) != 0 && !take_quoted_flow(context, batch, place, flow)) {
      Next::drop(batch, place, DropReason::nat_untranslatable);
      continue;
    }
    batch.translated_port[place] = flow.destination_port;
    keys.flows[place] = flow;
    if (is_nameless(batch, place)) {
      keys.nameless.push(place);
      continue;
    }
    keys.hashes[place] = context.nat->sessions.hash(flow);
    context.nat->sessions.prefetch_bucket(keys.hashes[place]);
    keys.asking.push(place);
  }
}

// ---- a session

bool routes_hold(const Context& context, Session& session, unsigned direction) {
  if (session.route[direction] == 0) return false;
  if (session.routes_stamp == context.epoch) [[likely]]
    return true;
  const RouteEpochs& epochs = *context.shared.epochs;
  if (epochs.changed_since(session.leaving(0).destination, session.routes_stamp) ||
      epochs.changed_since(session.leaving(1).destination, session.routes_stamp)) {
    return false;
  }
  session.routes_stamp = context.epoch;
  return true;
}

bool quote_is_bad(const Batch& batch, uint8_t place) {
  return (batch.flags[place] & kIsIcmpError) != 0 && !read_quote(batch, place)->checksum_is_right;
}

// The session in whose name a packet comes, if there still is one.
SessionHandle living(Context& context, SessionHandle found) {
  if (!found || !context.nat->is_stray(context.nat->sessions[found.index()])) [[likely]]
    return found;
  context.nat->retire(found.index());
  return {};
}

void hit(Context& context, Batch& batch, uint8_t place, SessionHandle handle) {
  Session& session = context.nat->sessions[handle.index()];
  const unsigned direction = handle.direction();
  if (session.ingress[direction] != batch.interface[place])
    return Next::drop(batch, place, DropReason::nat_wrong_interface);
  if (quote_is_bad(batch, place)) return Next::drop(batch, place, DropReason::nat_bad_quote);
  const bool error = (batch.flags[place] & kIsIcmpError) != 0;
  if ((session.flags & kUnanswered) != 0 && direction == 1 && !error) context.nat->answered(session);
  const Flow leaving = session.leaving(direction);
  batch.session[place] = handle.bits();
  batch.destination4[place] = leaving.destination;
  batch.translated_port[place] = leaving.destination_port;
  const NatRules& rules = context.snapshot->nat;
  const bool rules_hold = session.rules_stamp == rules.generation;
  // An error neither keeps a session nor ends it (RFC 4787 REQ-12, RFC 5508 REQ-3).
  if (rules_hold && !error) {
    note_packet(session, direction, tcp_flags_of(batch, place), rules.rules[session.rule], context.now_ms);
  }
  if (rules_hold && routes_hold(context, session, direction)) {
    batch.target[place] = RouteTarget::from_bits(session.route[direction]);
    return Next::send<Stage::neighbour>(batch, place);
  }
  batch.flags[place] |= kRenews;
  Next::send<Stage::route>(batch, place);
}

// ---- none

SteerNote note_of(const Batch& batch, uint8_t place) {
  SteerNote note;
  if ((batch.flags[place] & kIsFragment) == 0) return note;
  note.flags = kIsGathered;
  if ((batch.flags[place] & kHasPorts) != 0) {
    note.flags |= kKnowsPorts;
    note.source_port = batch.source_port[place];
    note.destination_port = batch.destination_port[place];
  }
  return note;
}

void answer(Context& context, Batch& batch, uint8_t place, const Flow& flow) {
  const Destination destination =
      destination_of(context, flow, is_nameless(batch, place), batch.interface[place]);
  if (destination.drop != DropReason::none) return Next::drop(batch, place, destination.drop);
  SteerNote note = note_of(batch, place);
  note.flags |= kIsAnswered;
  if (destination.mapping != kNoIndex) {
    note.loan = context.nat->lend(destination.mapping);
    if (note.loan == kNoLoan) return Next::drop(batch, place, DropReason::nat_sessions_full);
  }
  note.translated = destination.address;
  note.translated_port = destination.port;
  steer(context, batch, place, arrival_note(batch.packet[place]).steer.asked_by, note);
}

// True: another worker has the packet now, or it was dropped.
bool went_elsewhere(Context& context, Batch& batch, uint8_t place, const Flow& flow) {
  if ((batch.steered[place] & kIsAsked) != 0) {
    answer(context, batch, place, flow);
    return true;
  }
  const InterfaceIndex ingress = batch.interface[place];
  const unsigned owner = owner_of(context, flow, ingress);
  if (owner != context.worker) {
    steer(context, batch, place, owner, note_of(batch, place));
    return true;
  }
  const unsigned other = owner_of_destination(context, flow, ingress);
  if (other == context.worker) return false;
  SteerNote note = note_of(batch, place);
  note.flags |= kIsAsked;
  note.asked_by = static_cast<uint8_t>(context.worker);
  steer(context, batch, place, other, note);
  return true;
}

void miss(Context& context, Batch& batch, uint8_t place, const Flow& flow) {
  if ((batch.steered[place] & kIsAnswered) != 0) {
    const SteerNote& note = arrival_note(batch.packet[place]).steer;
    batch.destination4[place] = note.translated;
    batch.translated_port[place] = note.translated_port;
    return Next::send<Stage::route>(batch, place);
  }
  if (context.shared.workers > 1 && went_elsewhere(context, batch, place, flow)) return;
  const bool opens = (batch.flags[place] & kIsIcmpError) == 0 && is_known(batch, place);
  if (opens) {
    const Destination destination =
        destination_of(context, flow, is_nameless(batch, place), batch.interface[place]);
    if (destination.drop != DropReason::none) return Next::drop(batch, place, destination.drop);
    batch.destination4[place] = destination.address;
    batch.translated_port[place] = destination.port;
  }
  Next::send<Stage::route>(batch, place);
}

}  // namespace

void stages::session(Context& context, Batch& batch) {
  const SessionTable& sessions = context.nat->sessions;
  Keys keys;
  gather(context, batch, keys);
  for (uint8_t place : keys.asking) sessions.candidate(keys.hashes[place]);
  for (uint8_t place : keys.asking) {
    const SessionHandle found = sessions.find(keys.flows[place], keys.hashes[place], context.now_ms);
    if (const SessionHandle session = living(context, found)) {
      hit(context, batch, place, session);
    } else {
      miss(context, batch, place, keys.flows[place]);
    }
  }
  for (uint8_t place : keys.nameless) miss(context, batch, place, keys.flows[place]);
}

}  // namespace sluice::dataplane
