// SPDX-License-Identifier: BSD-3-Clause
//
// Opens the devices that a file names, through DPDK: taps, rings, captures, NICs, and any DPDK device string.
//
// Thread safety: the control thread alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/devices.h"

struct rte_ring;

namespace sluice::control {

class DpdkDevices final : public Devices {
 public:
  absl::StatusOr<Device> open(const config::Port& port, const config::Config& all, const Wish& wish) override;
  absl::Status check(const config::Port& port) override;
  bool can_coexist(const config::Port& old_form, const config::Port& new_form) override;
  void close(const config::Port& port, const Device& device) override;
  bool link_up(const Device& device) override;

 private:
  /// What a ring port receives from: one ring a queue. Its peer transmits into it.
  struct Inbox {
    std::vector<rte_ring*> rings;
    unsigned users = 0;
  };

  absl::StatusOr<Device> open_tap(const config::Port& port, const Wish& wish);
  absl::StatusOr<Device> open_ring(const config::Port& port, const config::Config& all, const Wish& wish);
  absl::StatusOr<Device> open_vdev(const config::Port& port, const Wish& wish);
  absl::StatusOr<Device> open_pci(const config::Port& port, const Wish& wish);
  absl::StatusOr<Inbox*> take_inbox(const config::Port& port, const Wish& wish);
  void give_inbox(const std::string& port);

  std::map<std::string, Inbox> inboxes_;  ///< by port
  unsigned taps_made_ = 0;
  unsigned rings_made_ = 0;  ///< ring names are short: a number makes them unique
};

/// Adds a device to its bus and starts it: the way of all but rings. `bus`: "vdev" or "pci".
absl::StatusOr<Device> plug_and_start(const char* bus, const std::string& name, const std::string& arguments,
                                      const config::Port& port, const Wish& wish);

/// Stops a device, closes it and takes it off its bus.
void unplug(uint16_t id);

}  // namespace sluice::control
