// SPDX-License-Identifier: BSD-3-Clause
//
// The layer 3 interfaces by name, each with an index that it keeps as long as it exists: neighbors, routes
// and sessions refer to it.
//
// Thread safety: the control thread alone.
// Owner:         Router.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "control/l3_interface.h"
#include "control/snapshot_builder.h"

namespace sluice::control {

class InterfaceTable {
 public:
  /// The interfaces of `config` whose port is open. Indices of those that went are not used again before
  /// forget_old().
  void update(const config::Config& config, const OpenPorts& ports);
  void forget_old();

  [[nodiscard]] const std::vector<L3Interface>& all() const { return interfaces_; }
  /// Null: there is none.
  [[nodiscard]] const L3Interface* find(const std::string& name) const;
  [[nodiscard]] const L3Interface* find(dataplane::InterfaceIndex index) const;
  [[nodiscard]] dataplane::InterfaceIndex index(const std::string& name) const;

 private:
  dataplane::InterfaceIndex index_for(const std::string& name);

  std::map<std::string, dataplane::InterfaceIndex> indices_;  ///< of those that went, too
  std::vector<L3Interface> interfaces_;                       ///< in the order of the file
};

dataplane::Ip4 to_ip4(const config::IpAddress& address);
dataplane::Ip6 to_ip6(const config::IpAddress& address);

}  // namespace sluice::control
