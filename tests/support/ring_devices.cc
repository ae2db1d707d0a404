// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/ring_devices.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "control/dpdk_devices.h"
#include "control/ethdev.h"
#include "control/status.h"
#include "tests/support/thread_sanitizer.h"

namespace sluice::test {
namespace {

// The rings of the whole process share one space of names.
unsigned next_number() {
  static unsigned number = 0;
  return number++;
}

void destroy(rte_ring* ring) {
  void* packet = nullptr;
  while (rte_ring_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring);
}

}  // namespace

rte_ring* RingDevices::make_ring() {
  const std::string name = "test" + std::to_string(next_number());
  return rte_ring_create(name.c_str(), slots_, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

absl::StatusOr<control::Device> RingDevices::open(const config::Port& port, const config::Config&,
                                                  const control::Wish& wish) {
  if (refused_.contains(port.name))
    return control::machine_error("port '" + port.name + "': refused by the test");
  Rings rings;
  const auto workers = static_cast<uint16_t>(wish.workers);
  for (unsigned i = 0; i < port.rx_queues.value_or(workers); ++i) rings.in.push_back(make_ring());
  for (unsigned i = 0; i < port.tx_queues.value_or(workers); ++i) rings.out.push_back(make_ring());
  const std::string name = std::to_string(next_number());
  const int id = rte_eth_from_rings(name.c_str(), rings.in.data(), static_cast<unsigned>(rings.in.size()),
                                    rings.out.data(), static_cast<unsigned>(rings.out.size()), 0);
  if (id < 0) return control::machine_error("no ring device");
  rings.id = static_cast<uint16_t>(id);
  absl::StatusOr<control::Device> device = control::start_ethdev(rings.id, port, wish);
  if (!device.ok()) return device;
  device->needs_linear = needs_linear_;
  show_queues(device->id, device->rx_queues, device->tx_queues);
  const std::lock_guard lock(mutex_);
  ports_[port.name] = rings;
  ++opened;
  return device;
}

void RingDevices::close(const config::Port& port, const control::Device& device) {
  control::unplug(device.id);
  const std::lock_guard lock(mutex_);
  for (const std::vector<rte_ring*>* rings : {&ports_.at(port.name).in, &ports_.at(port.name).out}) {
    for (rte_ring* ring : *rings) destroy(ring);
  }
  ports_.erase(port.name);
  ++closed;
}

bool RingDevices::link_up(const control::Device& device) {
  for (const auto& [name, rings] : ports_) {
    if (rings.id == device.id) return rings.link_up;
  }
  return false;
}

void RingDevices::set_link(const std::string& port, bool up) {
  ports_.at(port).link_up = up;
}

bool RingDevices::give(const std::string& port, rte_mbuf* packet, unsigned queue) {
  const std::lock_guard lock(mutex_);
  giving(packet);
  return rte_ring_enqueue(ports_.at(port).in.at(queue), packet) == 0;
}

rte_mbuf* RingDevices::take(const std::string& port) {
  const std::lock_guard lock(mutex_);
  void* packet = nullptr;
  for (rte_ring* ring : ports_.at(port).out) {
    if (rte_ring_dequeue(ring, &packet) != 0) continue;
    taking(static_cast<rte_mbuf*>(packet));
    return static_cast<rte_mbuf*>(packet);
  }
  return nullptr;
}

}  // namespace sluice::test
