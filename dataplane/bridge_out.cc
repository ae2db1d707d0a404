// SPDX-License-Identifier: BSD-3-Clause
//
// bridge_out: a frame of the router's leaves through the switch: by the port behind which its destination was
// learned, or by all of the VLAN.
//
// Uses:  destination, domain
// Sets:  egress
// Next:  transmit, when the destination is known; replicate, when it is not, or is a group
// Drops: -
#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {
namespace {

using Next = Edges<Stage::bridge_out, Stage::replicate, Stage::transmit>;

uint64_t key_of(const Batch& batch, uint8_t place) {
  return MacTable::key(batch.destination[place], batch.domain[place]);
}

PortIndex look_up(const Context& context, const Batch& batch, uint8_t place, uint64_t hash) {
  if (is_group(batch.destination[place])) return kNoPort;
  const DomainId id = batch.domain[place];
  const PortIndex port = context.shared.macs->find(key_of(batch, place), hash);
  if (port >= context.snapshot->ports.size()) return kNoPort;
  return egress_tag(context.port(port), id, context.domain(id)).member ? port : kNoPort;
}

}  // namespace

void stages::bridge_out(Context& context, Batch& batch) {
  const MacTable& macs = *context.shared.macs;
  Batch::Field<uint64_t> hashes;
  for (uint8_t place : batch.lane(Stage::bridge_out)) {
    hashes[place] = macs.hash(key_of(batch, place));
    macs.prefetch(hashes[place]);
  }
  for (uint8_t place : batch.lane(Stage::bridge_out)) {
    batch.egress[place] = look_up(context, batch, place, hashes[place]);
    if (batch.egress[place] == kNoPort) {
      Next::send<Stage::replicate>(batch, place);
    } else {
      Next::send<Stage::transmit>(batch, place);
    }
  }
}

}  // namespace sluice::dataplane
