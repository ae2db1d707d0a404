// SPDX-License-Identifier: BSD-3-Clause
//
// bridge_in: the switch. Admits the frame to a VLAN, learns its source, looks up its destination
// (IEEE 802.1Q-2018 clauses 8.6.1 to 8.6.3, 8.7 and 8.8).
//
// Uses:  ingress, destination, source, tagged, tci
// Sets:  domain, egress, routed; interface, when it is for the router
// Next:  ip_in, when the destination is the router's own; transmit, when it is known; replicate, when it is
//        not, or is a group; punt (ARP and neighbor discovery on a port of the router's own)
// Drops: no_bridge, reserved_address, group_source, tagged_on_access, untagged_on_trunk, vlan_not_allowed,
//        vlan_reserved, same_port, not_ours, group_not_routed
#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/listen.h"

namespace sluice::dataplane {
namespace {

using Next =
    Edges<Stage::bridge_in, Stage::ip_in, Stage::replicate, Stage::transmit, Stage::punt, Stage::drop>;

/// The frames that were admitted, and what their two addresses hash to.
struct Keys {
  Lane admitted;
  Batch::Field<uint64_t> source_hash;
  Batch::Field<uint64_t> destination_hash;
};

uint64_t source_key(const Batch& batch, uint8_t place) {
  return MacTable::key(batch.source[place], batch.domain[place]);
}

uint64_t destination_key(const Batch& batch, uint8_t place) {
  return MacTable::key(batch.destination[place], batch.domain[place]);
}

DropReason why_refused(const Port& port, const Batch& batch, uint8_t place) {
  if (port.mode == PortMode::no_bridge) return DropReason::no_bridge;
  const uint16_t vid = batch.vid(place);
  if (vid == 0) return DropReason::untagged_on_trunk;
  if (vid == kVidReserved) return DropReason::vlan_reserved;
  return port.mode == PortMode::access ? DropReason::tagged_on_access : DropReason::vlan_not_allowed;
}

// A port that is no bridge's but an interface's: no VLANs, and nothing is learned.
void take_routed(Context& context, Batch& batch, uint8_t place, InterfaceIndex index) {
  if (batch.vid(place) != 0) return Next::drop(batch, place, DropReason::vlan_not_allowed);
  if (is_group(batch.source[place])) return Next::drop(batch, place, DropReason::group_source);
  batch.interface[place] = index;
  if (batch.destination[place] == context.snapshot->interfaces[index].mac) {
    Next::send<Stage::ip_in>(batch, place);
  } else if (!is_group(batch.destination[place])) {
    Next::drop(batch, place, DropReason::not_ours);
  } else if (concerns_router(context, batch, place, index)) {
    Next::send<Stage::punt>(batch, place);
  } else {
    Next::drop(batch, place, DropReason::group_not_routed);
  }
}

// Ingress rules: which frames take part at all, and in which domain.
void admit(Context& context, Batch& batch, Lane& admitted) {
  for (uint8_t place : batch.lane(Stage::bridge_in)) {
    const Port& port = context.port(batch.ingress[place]);
    batch.domain[place] = port.domain_of_vid[batch.vid(place)];
    batch.routed[place] = 0;
    if (port.mode == PortMode::routed) {
      take_routed(context, batch, place, port.interface);
    } else if (port.mode == PortMode::no_bridge) {
      Next::drop(batch, place, DropReason::no_bridge);
    } else if (is_bridge_reserved(batch.destination[place])) {
      Next::drop(batch, place, DropReason::reserved_address);
    } else if (batch.domain[place] == 0) {
      Next::drop(batch, place, why_refused(port, batch, place));
    } else if (is_group(batch.source[place])) {
      Next::drop(batch, place, DropReason::group_source);
    } else {
      admitted.push(place);
    }
  }
}

// All buckets are asked for before the first is used, so that the misses overlap.
void hash_and_prefetch(const MacTable& macs, const Batch& batch, Keys& keys) {
  for (uint8_t place : keys.admitted) {
    keys.source_hash[place] = macs.hash(source_key(batch, place));
    keys.destination_hash[place] = macs.hash(destination_key(batch, place));
    macs.prefetch(keys.source_hash[place]);
    macs.prefetch(keys.destination_hash[place]);
  }
}

void count(Counters& counters, Learned learned) {
  if (learned == Learned::known) [[likely]]
    return;
  counters.macs_learned += learned == Learned::added;
  counters.macs_moved += learned == Learned::moved;
  counters.macs_refused += learned == Learned::refused;
  counters.macs_busy += learned == Learned::busy;
}

void learn(Context& context, const Batch& batch, const Keys& keys) {
  for (uint8_t place : keys.admitted) {
    if (!context.domain(batch.domain[place]).learning) continue;
    count(context.counters, context.shared.macs->learn(source_key(batch, place), keys.source_hash[place],
                                                       batch.ingress[place], context.now_s));
  }
}

PortIndex look_up(const Context& context, const Batch& batch, const Keys& keys, uint8_t place) {
  if (is_group(batch.destination[place])) return kNoPort;
  const DomainId id = batch.domain[place];
  const PortIndex port =
      context.shared.macs->find(destination_key(batch, place), keys.destination_hash[place]);
  // An entry may outlive its port's membership for the instant that control needs to erase it.
  if (port >= context.snapshot->ports.size()) return kNoPort;
  return egress_tag(context.port(port), id, context.domain(id)).member ? port : kNoPort;
}

// Whether the frame ends in the router. Of a group's frames the router gets a copy, if there is anybody else.
bool goes_up(Context& context, Batch& batch, uint8_t place) {
  const Domain& domain = context.domain(batch.domain[place]);
  const InterfaceIndex index = domain.interface;
  if (index == 0) return false;
  if (batch.destination[place] == context.snapshot->interfaces[index].mac) {
    batch.interface[place] = index;
    Next::send<Stage::ip_in>(batch, place);
    return true;
  }
  if (!is_group(batch.destination[place]) || !concerns_router(context, batch, place, index)) return false;
  if (domain.members > 1) {
    punt_copy(context, batch, place);
    return false;
  }
  Next::send<Stage::punt>(batch, place);
  return true;
}

void forward(Context& context, Batch& batch, const Keys& keys) {
  for (uint8_t place : keys.admitted) {
    if (goes_up(context, batch, place)) continue;
    const PortIndex egress = look_up(context, batch, keys, place);
    batch.egress[place] = egress;
    if (egress == kNoPort) {
      Next::send<Stage::replicate>(batch, place);
    } else if (egress == batch.ingress[place]) {
      Next::drop(batch, place, DropReason::same_port);
    } else {
      Next::send<Stage::transmit>(batch, place);
    }
  }
}

}  // namespace

void stages::bridge_in(Context& context, Batch& batch) {
  Keys keys;
  admit(context, batch, keys.admitted);
  hash_and_prefetch(*context.shared.macs, batch, keys);
  learn(context, batch, keys);
  forward(context, batch, keys);
}

}  // namespace sluice::dataplane
