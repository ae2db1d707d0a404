// SPDX-License-Identifier: BSD-3-Clause
#include "control/offline_devices.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "absl/strings/str_cat.h"
#include "control/dpdk_devices.h"
#include "control/ethdev.h"
#include "control/status.h"

namespace sluice::control {
namespace {

// The rings of the whole process share one space of names.
std::string next_name() {
  static unsigned number = 0;
  return absl::StrCat("offline", number++);
}

}  // namespace

rte_mbuf* OfflineDevices::dequeue(rte_ring* ring) {
  void* packet = nullptr;
  return rte_ring_sc_dequeue(ring, &packet) == 0 ? static_cast<rte_mbuf*>(packet) : nullptr;
}

rte_ring* OfflineDevices::make_ring() {
  return rte_ring_create(next_name().c_str(), slots_, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

absl::StatusOr<Device> OfflineDevices::open(const config::Port& port, const config::Config&,
                                            const Wish& wish) {
  Rings rings;
  const auto queues = [&](std::optional<uint16_t> wanted) {
    return wanted.value_or(static_cast<uint16_t>(wish.workers));
  };
  for (unsigned i = 0; i < queues(port.rx_queues); ++i) rings.in.push_back(make_ring());
  for (unsigned i = 0; i < queues(port.tx_queues); ++i) rings.out.push_back(make_ring());
  const int id =
      rte_eth_from_rings(next_name().c_str(), rings.in.data(), static_cast<unsigned>(rings.in.size()),
                         rings.out.data(), static_cast<unsigned>(rings.out.size()), SOCKET_ID_ANY);
  if (id < 0) return machine_error(absl::StrCat("port '", port.name, "': no ring device could be made"));
  absl::StatusOr<Device> device = start_ethdev(static_cast<uint16_t>(id), port, wish);
  if (!device.ok()) return device;
  const std::lock_guard lock(mutex_);
  ports_[port.name] = std::move(rings);
  return device;
}

void OfflineDevices::close(const config::Port& port, const Device& device) {
  unplug(device.id);
  const std::lock_guard lock(mutex_);
  for (const std::vector<rte_ring*>* rings : {&ports_.at(port.name).in, &ports_.at(port.name).out}) {
    for (rte_ring* ring : *rings) {
      while (rte_mbuf* packet = dequeue(ring)) rte_pktmbuf_free(packet);
      rte_ring_free(ring);
    }
  }
  ports_.erase(port.name);
}

bool OfflineDevices::give(const std::string& port, rte_mbuf* packet, unsigned queue) {
  const std::lock_guard lock(mutex_);
  return rte_ring_enqueue(ports_.at(port).in.at(queue), packet) == 0;
}

rte_mbuf* OfflineDevices::take(const std::string& port) {
  const std::lock_guard lock(mutex_);
  for (rte_ring* ring : ports_.at(port).out) {
    if (rte_mbuf* packet = dequeue(ring)) return packet;
  }
  return nullptr;
}

}  // namespace sluice::control
