// SPDX-License-Identifier: BSD-3-Clause
//
// Rings inside the process: what one port transmits its peer receives. Every ring port has an inbox, one ring
// for each of its receive queues, and transmits into its peer's; a port that is its own peer hears itself.
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/dpdk_devices.h"
#include "control/ethdev.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr unsigned kSlots = 4096;
constexpr unsigned kNumaNode = 0;

const config::Port* find_port(const config::Config& all, const std::string& name) {
  const auto found = std::find_if(all.ports.begin(), all.ports.end(),
                                  [&](const config::Port& port) { return port.name == name; });
  return found == all.ports.end() ? nullptr : &*found;
}

// What was under way when the last port closed is lost with it.
void destroy(rte_ring* ring) {
  void* packet = nullptr;
  while (rte_ring_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring);
}

}  // namespace

absl::StatusOr<DpdkDevices::Inbox*> DpdkDevices::take_inbox(const config::Port& port, const Wish& wish) {
  Inbox& inbox = inboxes_[port.name];
  ++inbox.users;
  if (inbox.users > 1) return &inbox;
  const unsigned queues = port.rx_queues.value_or(static_cast<uint16_t>(wish.workers));
  for (unsigned queue = 0; queue < queues; ++queue) {
    const std::string name = absl::StrCat("inbox", rings_made_++);
    rte_ring* ring = rte_ring_create(name.c_str(), kSlots, kNumaNode, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == nullptr) {
      give_inbox(port.name);
      return machine_error(
          absl::StrCat("port '", port.name, "': no memory for its ring: raise dpdk: memory"));
    }
    inbox.rings.push_back(ring);
  }
  return &inbox;
}

void DpdkDevices::give_inbox(const std::string& port) {
  const auto found = inboxes_.find(port);
  if (--found->second.users != 0) return;
  for (rte_ring* ring : found->second.rings) destroy(ring);
  inboxes_.erase(found);
}

absl::StatusOr<Device> DpdkDevices::open_ring(const config::Port& port, const config::Config& all,
                                              const Wish& wish) {
  const config::Port* peer = find_port(all, port.peer);
  if (peer == nullptr) return input_error(absl::StrCat("port '", port.name, "': no port '", port.peer, "'"));
  const absl::StatusOr<Inbox*> own = take_inbox(port, wish);
  if (!own.ok()) return own.status();
  const absl::StatusOr<Inbox*> other = take_inbox(*peer, wish);
  if (!other.ok()) {
    give_inbox(port.name);
    return other.status();
  }
  // The driver's names are shorter than a port's may be: a number will do.
  const std::string name = std::to_string(rings_made_++);
  const int id =
      rte_eth_from_rings(name.c_str(), (*own)->rings.data(), static_cast<unsigned>((*own)->rings.size()),
                         (*other)->rings.data(), static_cast<unsigned>((*other)->rings.size()), kNumaNode);
  absl::StatusOr<Device> device =
      id < 0 ? machine_error(absl::StrCat("port '", port.name, "': cannot be opened: ", driver_error(id)))
             : start_ethdev(static_cast<uint16_t>(id), port, wish);
  if (!device.ok()) {
    if (id >= 0) unplug(static_cast<uint16_t>(id));
    give_inbox(port.name);
    give_inbox(port.peer);
  }
  return device;
}

}  // namespace sluice::control
