// SPDX-License-Identifier: BSD-3-Clause
//
// The one seam to the devices: what control needs of whatever stands behind a port. DpdkDevices opens what
// the file names; tests put rings that they hold the other end of in its place.
//
// Thread safety: the control thread alone.
// Owner:         Runtime borrows it and outlives no device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config.h"

struct rte_mempool;

namespace sluice::control {

/// A started device.
struct Device {
  uint16_t id = 0;  ///< DPDK's port id
  config::MacAddress mac{};
  uint16_t rx_queues = 1;
  uint16_t tx_queues = 1;
  bool needs_linear = false;         ///< takes only packets of one segment
  bool finishes_checksums = false;   ///< completes TCP and UDP checksums when asked
  bool interrupts = false;           ///< can wake a sleeping worker
  std::vector<int> tap_descriptors;  ///< of a tap, one a queue; else empty
};

/// What a device is opened for.
struct Wish {
  unsigned workers = 1;     ///< so many queues each way, where the driver can
  bool interrupts = false;  ///< the workers sleep
  rte_mempool* pool = nullptr;
};

class Devices {
 public:
  virtual ~Devices() = default;

  /// Opens and starts the device of `port`, which is one of `all`'s. Nothing is left behind on an error:
  /// input_error or machine_error, a sentence that starts with the port's name.
  virtual absl::StatusOr<Device> open(const config::Port& port, const config::Config& all,
                                      const Wish& wish) = 0;

  /// What can be known to stand in the way of open() without touching anything: a port that must close before
  /// it opens anew should not close in vain.
  virtual absl::Status check(const config::Port& port) = 0;

  /// Whether the new form of a port can be open beside its old one: then it is opened first, and nothing is
  /// lost if that fails. False where both need the same kernel device, NIC, file or ring.
  virtual bool can_coexist(const config::Port& old_form, const config::Port& new_form) = 0;

  /// Stops and closes it. No worker uses it any more.
  virtual void close(const config::Port& port, const Device& device) = 0;

  virtual bool link_up(const Device& device) = 0;
};

}  // namespace sluice::control
