// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/ring_devices.h"

#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include "control/status.h"
#include "tests/support/thread_sanitizer.h"

namespace sluice::test {

absl::StatusOr<control::Device> RingDevices::open(const config::Port& port, const config::Config& all,
                                                  const control::Wish& wish) {
  if (refused_.contains(port.name))
    return control::machine_error("port '" + port.name + "': refused by the test");
  absl::StatusOr<control::Device> device = OfflineDevices::open(port, all, wish);
  if (!device.ok()) return device;
  device->needs_linear = needs_linear_;
  show_queues(device->id, device->rx_queues, device->tx_queues);
  ids_[port.name] = device->id;
  devices_[device->id] = *device;
  ++opened;
  return device;
}

void RingDevices::close(const config::Port& port, const control::Device& device) {
  if (const auto wire = wires_.find(device.id); wire != wires_.end()) {
    const auto take_out = [&](const auto& callbacks, auto remove) {
      for (uint16_t queue = 0; queue < callbacks.size(); ++queue) {
        remove(device.id, queue, callbacks[queue]);
        rte_free(const_cast<rte_eth_rxtx_callback*>(callbacks[queue]));
      }
    };
    take_out(wire->second->receives, rte_eth_remove_rx_callback);
    take_out(wire->second->transmits, rte_eth_remove_tx_callback);
    wires_.erase(wire);
  }
  OfflineDevices::close(port, device);
  without_link_.erase(device.id);
  devices_.erase(device.id);
  ++closed;
}

void RingDevices::set_link(const std::string& port, bool up) {
  const uint16_t id = ids_.at(port);
  if (up) {
    without_link_.erase(id);
  } else {
    without_link_.insert(id);
  }
}

RingDevices::Wire& RingDevices::wire(const std::string& port) {
  const uint16_t id = ids_.at(port);
  std::unique_ptr<Wire>& wire = wires_[id];
  if (wire) return *wire;
  wire = std::make_unique<Wire>();
  giving(wire.get());
  const control::Device& device = devices_.at(id);
  for (uint16_t queue = 0; queue < device.rx_queues; ++queue)
    wire->receives.push_back(rte_eth_add_rx_callback(id, queue, receive, wire.get()));
  for (uint16_t queue = 0; queue < device.tx_queues; ++queue)
    wire->transmits.push_back(rte_eth_add_tx_callback(id, queue, transmit, wire.get()));
  return *wire;
}

uint16_t RingDevices::receive(uint16_t, uint16_t queue, rte_mbuf* packets[], uint16_t count, uint16_t,
                              void* self) {
  taking(self);
  auto& wire = *static_cast<Wire*>(self);
  while (wire.starved_queue == queue) {
    wire.is_starving = true;
    usleep(50);
  }
  if (!wire.pulled_out) return count;
  rte_pktmbuf_free_bulk(packets, count);  // they never arrived
  return 0;
}

uint16_t RingDevices::transmit(uint16_t, uint16_t, rte_mbuf*[], uint16_t count, void* self) {
  taking(self);
  const auto& wire = *static_cast<const Wire*>(self);
  return wire.blocked || wire.pulled_out ? uint16_t{0} : count;
}

void RingDevices::pull_out(const std::string& port) {
  wire(port).pulled_out = true;
  set_link(port, false);
}

void RingDevices::put_in(const std::string& port) {
  wire(port).pulled_out = false;
  set_link(port, true);
}

void RingDevices::starve_worker_at(const std::string& port, unsigned queue) {
  Wire& at = wire(port);
  at.is_starving = false;
  at.starved_queue = queue;
  while (!at.is_starving) usleep(50);
}

void RingDevices::let_go(const std::string& port) {
  wire(port).starved_queue = kNoQueue;
}

bool RingDevices::give(const std::string& port, rte_mbuf* packet, unsigned queue) {
  giving(packet);
  return OfflineDevices::give(port, packet, queue);
}

rte_mbuf* RingDevices::take(const std::string& port) {
  rte_mbuf* packet = OfflineDevices::take(port);
  if (packet != nullptr) taking(packet);
  return packet;
}

}  // namespace sluice::test
