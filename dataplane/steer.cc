// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/steer.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <bit>

#include "dataplane/ip_header.h"
#include "dataplane/punt.h"

namespace sluice::dataplane {
namespace {

// To the fragments' worker, the owner, the one that is asked, and back: workers that cannot agree are a bug,
// which must not become a loop.
constexpr uint8_t kMaxSteers = 6;

unsigned owner_of_external(const Context& context, const ExternalAddress& external, const Flow& flow) {
  InsideEndpoint inside;
  if (context.snapshot->nat.inside_of(flow.destination, flow.protocol, flow.destination_port, inside))
    return worker_of(context, inside.address);
  if (!PortBlocks::has_ports(flow.protocol)) return context.worker;
  const unsigned owner = context.nat->ports.owner(external.slot, flow.destination_port);
  return owner == PortBlocks::kNoWorker ? context.worker : owner;
}

}  // namespace

unsigned worker_of(const Context& context, Ip4 inside) {
  return static_cast<unsigned>(context.shared.hash(inside) % context.shared.workers);
}

unsigned owner_of(const Context& context, const Flow& flow, InterfaceIndex ingress) {
  const NatRules& rules = context.snapshot->nat;
  const bool has_inside_source = rules.is_inside(flow.source);
  const ExternalAddress* external = rules.external(flow.destination);
  if (external != nullptr) {
    // Of what keeps its source the destination's worker alone can tell the answers.
    const bool keeps =
        rules.outside(ingress) || !has_inside_source ||
        rules.source(flow.source, flow.protocol, flow.source_port, flow.destination, external->interface)
                .action == SourceAction::keep;
    if (keeps) return owner_of_external(context, *external, flow);
  }
  return has_inside_source ? worker_of(context, flow.source) : context.worker;
}

unsigned owner_of_destination(const Context& context, const Flow& flow, InterfaceIndex ingress) {
  const NatRules& rules = context.snapshot->nat;
  const ExternalAddress* external = rules.outside(ingress) ? nullptr : rules.external(flow.destination);
  return external == nullptr ? context.worker : owner_of_external(context, *external, flow);
}

unsigned owner_of_fragments(const Context& context, const Batch& batch, uint8_t place) {
  const NatRules& rules = context.snapshot->nat;
  if (!rules.outside(batch.interface[place])) {
    return rules.is_inside(batch.source4[place]) ? worker_of(context, batch.source4[place]) : context.worker;
  }
  const uint64_t key = uint64_t{batch.source4[place]} << 32 | batch.destination4[place];
  const uint16_t id = l3_header<Ipv4Header>(batch, place)->id.host();
  return static_cast<unsigned>(context.shared.hash(std::rotl(key, 17) + id) % context.shared.workers);
}

void steer(Context& context, const Batch& batch, uint8_t place, unsigned owner, const SteerNote& note) {
  rte_mbuf* packet = batch.packet[place];
  const bool again = (batch.steered[place] & kWasSteered) != 0;
  const auto hops = static_cast<uint8_t>(again ? arrival_note(packet).steer.hops + 1 : 1);
  if (hops > kMaxSteers) return discard(context, packet, batch.ingress[place], DropReason::loop);
  arrival_note(packet) = {Arrival::steered, batch.passes[place], batch.ingress[place], 0, note};
  arrival_note(packet).steer.hops = hops;
  if (rte_ring_sp_enqueue(context.shared.rings[context.worker][owner], packet) != 0)
    return discard(context, packet, batch.ingress[place], DropReason::steer_full);
  ++context.counters.handed_over;
  wake(context.shared, owner);
}

}  // namespace sluice::dataplane
