// SPDX-License-Identifier: BSD-3-Clause
//
// route: looks up where the destination is (RFC 1812 section 5.2.4), after destination translation, and
// chooses among equal-cost next hops by the flow (RFC 2991).
//
// Uses:  packet, family, flags, protocol, l3, l4, ip_length, source4, destination4, ports
// Sets:  target
// Next:  decide, for IPv4 when there are NAT rules; neighbour; punt, for what is for us or is refused
// Drops: martian_destination, directed_broadcast, link_local, blackhole, no_listener; by way of punt:
//        no_route, route_unreachable, route_prohibit
#include <bit>

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/dispatch.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::route, Stage::decide, Stage::neighbour, Stage::punt, Stage::drop>;

/// The places of one family, with their keys and the answers.
template <class Address>
struct Question {
  unsigned count = 0;
  std::array<uint8_t, kBatchSize> places;
  std::array<Address, kBatchSize> keys;
  std::array<RouteTarget, kBatchSize> targets;

  void add(uint8_t place, const Address& key) {
    places[count] = place;
    keys[count++] = key;
  }
  void ask(const RouteTable<Address>& table, Batch& batch) {
    table.look_up(keys.data(), targets.data(), count);
    for (unsigned i = 0; i < count; ++i) batch.target[places[i]] = targets[i];
  }
};

uint64_t mix(const KeyedHash& hash, uint64_t state, uint64_t word) {
  return hash(std::rotl(state, 29) ^ word);
}

// All parts of a datagram take one way, so nothing counts that later parts would not have: neither the ports
// nor, in IPv6, the protocol, which may stand behind headers that only the first part carries.
uint64_t flow_hash(const Context& context, const Batch& batch, uint8_t place) {
  const KeyedHash& hash = context.shared.hash;
  const bool whole = (batch.flags[place] & kIsFragment) == 0;
  const uint64_t ports = uint64_t{batch.source_port[place]} << 16 | batch.destination_port[place];
  const uint64_t state = hash(whole ? ports << 8 | batch.protocol[place] : 0);
  if (batch.family[place] == Family::ipv4)
    return mix(hash, state, uint64_t{batch.source4[place]} << 32 | batch.destination4[place]);
  const auto* header = l3_header<Ipv6Header>(batch, place);
  const Ip6 source = load_ip6(header->source.data()), destination = load_ip6(header->destination.data());
  return mix(hash, mix(hash, state, source.high ^ std::rotl(destination.high, 32)),
             source.low ^ std::rotl(destination.low, 32));
}

void look_up(const Context& context, Batch& batch) {
  Question<Ip4> ipv4;
  Question<Ip6> ipv6;
  for (uint8_t place : batch.lane(Stage::route)) {
    if (batch.family[place] == Family::ipv4) {
      ipv4.add(place, batch.destination4[place]);
    } else if (batch.target[place].kind() == RouteKind::none) {  // else a link-local address of ours
      ipv6.add(place, load_ip6(l3_header<Ipv6Header>(batch, place)->destination.data()));
    }
  }
  if (ipv4.count != 0) ipv4.ask(*context.shared.routes4, batch);
  if (ipv6.count != 0) ipv6.ask(*context.shared.routes6, batch);
}

}  // namespace

void stages::route(Context& context, Batch& batch) {
  look_up(context, batch);
  const bool nat = context.snapshot->nat.enabled();
  for (uint8_t place : batch.lane(Stage::route)) {
    const RouteTarget target = batch.target[place];
    if (target.kind() == RouteKind::group) {
      const NextHopGroup& group = context.shared.groups[target.index()];
      batch.target[place] = RouteTarget(RouteKind::adjacency, group.choose(flow_hash(context, batch, place)));
    }
    if (nat && batch.family[place] == Family::ipv4 && (batch.flags[place] & kIsOurs) == 0) {
      Next::send<Stage::decide>(batch, place);
    } else {
      dispatch<Next>(batch, place);
    }
  }
}

}  // namespace sluice::dataplane
