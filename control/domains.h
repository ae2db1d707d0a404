// SPDX-License-Identifier: BSD-3-Clause
//
// Gives every VLAN of every bridge its DomainId, and keeps it as long as the VLAN is there: a reload then
// finds the MAC addresses that were learned before it.
//
// Thread safety: the control thread alone.
// Owner:         Runtime.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "config/config.h"
#include "dataplane/batch.h"

namespace sluice::control {

/// A VLAN of a bridge, by name.
using DomainName = std::pair<std::string, config::VlanId>;

/// The VLANs that the ports of `config`'s bridges carry.
std::set<DomainName> domains_of(const config::Config& config);

class Domains {
 public:
  /// Finds or makes ids for all of `names`; false, and no change, if there are more than 65535.
  bool allocate(const std::set<DomainName>& names);
  /// Forgets all but `names`. Their MAC addresses must be gone from the table.
  void retain(const std::set<DomainName>& names);

  /// REQUIRES: allocated.
  [[nodiscard]] dataplane::DomainId id(const DomainName& name) const { return ids_.at(name); }
  [[nodiscard]] const DomainName* name(dataplane::DomainId id) const;
  [[nodiscard]] const std::map<DomainName, dataplane::DomainId>& all() const { return ids_; }

  /// A bridge's number, for its mac-limit; stable like the ids. REQUIRES: it has a domain.
  [[nodiscard]] uint8_t bridge(const std::string& name) const { return bridges_.at(name); }

 private:
  std::map<DomainName, dataplane::DomainId> ids_;
  std::map<dataplane::DomainId, DomainName> names_;
  std::map<std::string, uint8_t> bridges_;
  dataplane::DomainId last_ = 0;
};

}  // namespace sluice::control
