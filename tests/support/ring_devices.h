// SPDX-License-Identifier: BSD-3-Clause
//
// OfflineDevices that also do what devices do to control: refuse to open, lose their link, coexist.
//
// Thread safety: as OfflineDevices.
#pragma once

#include <set>
#include <string>

#include "control/offline_devices.h"

namespace sluice::test {

class RingDevices final : public control::OfflineDevices {
 public:
  absl::StatusOr<control::Device> open(const config::Port& port, const config::Config& all,
                                       const control::Wish& wish) override;
  bool can_coexist(const config::Port& old_form, const config::Port&) override {
    return coexisting_.contains(old_form.name);
  }
  void close(const config::Port& port, const control::Device& device) override;
  bool link_up(const control::Device& device) override { return !without_link_.contains(device.id); }

  bool give(const std::string& port, rte_mbuf* packet, unsigned queue = 0);
  rte_mbuf* take(const std::string& port);

  void refuse(const std::string& port) { refused_.insert(port); }
  void let_coexist(const std::string& port) { coexisting_.insert(port); }
  void accept(const std::string& port) { refused_.erase(port); }
  void set_link(const std::string& port, bool up);
  void set_needs_linear(bool needs) { needs_linear_ = needs; }

  unsigned opened = 0;  ///< calls of open() that succeeded
  unsigned closed = 0;

 private:
  std::map<std::string, uint16_t> ids_;
  std::set<std::string> refused_, coexisting_;
  std::set<uint16_t> without_link_;
  bool needs_linear_ = false;
};

}  // namespace sluice::test
