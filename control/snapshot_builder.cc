// SPDX-License-Identifier: BSD-3-Clause
#include "control/snapshot_builder.h"

#include <algorithm>

namespace sluice::control {
namespace {

using dataplane::Snapshot;

void add_port(Snapshot& snapshot, const OpenPort& open) {
  dataplane::Port& port = snapshot.ports[open.index];
  port.device = open.device.id;
  port.transmit_queues = open.device.tx_queues;
  port.mtu = open.config.mtu;
  port.tap = !open.device.tap_descriptors.empty();
  std::copy(open.device.tap_descriptors.begin(), open.device.tap_descriptors.end(),
            port.tap_descriptors.begin());
  port.needs_linear = open.device.needs_linear;
  port.finishes_checksums = open.device.finishes_checksums;
  for (uint16_t queue = 0; queue < open.pollers.size(); ++queue) {
    snapshot.queues[open.pollers[queue]].push_back(
        {open.index, open.device.id, queue, open.device.interrupts, port.tap});
  }
}

void add_bridge_port(Snapshot& snapshot, const config::BridgePort& member, const std::string& bridge,
                     const OpenPort& open, const Domains& domains) {
  dataplane::Port& port = snapshot.ports[open.index];
  port.mode = member.trunk ? dataplane::PortMode::trunk : dataplane::PortMode::access;
  if (member.native_vlan != 0) port.domain_of_vid[0] = domains.id({bridge, member.native_vlan});
  if (!member.trunk) return;
  // The native VLAN is accepted tagged, too.
  for (config::VlanId vlan : member.vlans) port.domain_of_vid[vlan] = domains.id({bridge, vlan});
}

// Called for one domain after the other, so that the members of each stand together.
void add_members(Snapshot& snapshot, const config::Bridge& bridge, const OpenPorts& ports,
                 config::VlanId vlan, dataplane::Domain& domain) {
  domain.first_member = static_cast<uint32_t>(snapshot.members.size());
  for (const config::BridgePort& member : bridge.ports) {
    if (!std::binary_search(member.vlans.begin(), member.vlans.end(), vlan)) continue;
    const bool untagged = member.native_vlan == vlan;
    snapshot.members.push_back({ports.at(member.port).index, untagged ? uint16_t{0} : vlan});
  }
  domain.members = static_cast<uint32_t>(snapshot.members.size()) - domain.first_member;
}

void add_domain(Snapshot& snapshot, const config::Config& config, const OpenPorts& ports,
                const DomainName& name, dataplane::DomainId id) {
  const auto bridge =
      std::find_if(config.bridges.begin(), config.bridges.end(),
                   [&](const config::Bridge& candidate) { return candidate.name == name.first; });
  if (bridge == config.bridges.end()) return;  // it goes with this very change
  if (snapshot.domains.size() <= id) snapshot.domains.resize(id + 1u);
  dataplane::Domain& domain = snapshot.domains[id];
  domain.vid = name.second;
  domain.learning = bridge->learning;
  add_members(snapshot, *bridge, ports, name.second, domain);
}

}  // namespace

std::unique_ptr<Snapshot> build_snapshot(const config::Config& config, const OpenPorts& ports,
                                         const Domains& domains, unsigned workers, uint64_t generation) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->generation = generation;
  // All that there can be: packets on their way may still name one that has gone.
  snapshot->ports.resize(dataplane::kMaxPorts);
  snapshot->queues.resize(workers);
  snapshot->domains.resize(1);
  snapshot->interfaces.resize(1);
  for (const auto& [name, open] : ports) add_port(*snapshot, open);
  for (const config::Bridge& bridge : config.bridges) {
    for (const config::BridgePort& member : bridge.ports) {
      add_bridge_port(*snapshot, member, bridge.name, ports.at(member.port), domains);
    }
  }
  for (const auto& [name, id] : domains.all()) add_domain(*snapshot, config, ports, name, id);
  return snapshot;
}

}  // namespace sluice::control
