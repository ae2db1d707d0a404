// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/ring_devices.h"

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
  ++opened;
  return device;
}

void RingDevices::close(const config::Port& port, const control::Device& device) {
  OfflineDevices::close(port, device);
  without_link_.erase(device.id);
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
