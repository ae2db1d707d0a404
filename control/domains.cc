// SPDX-License-Identifier: BSD-3-Clause
#include "control/domains.h"

#include <algorithm>
#include <limits>

namespace sluice::control {

std::set<DomainName> domains_of(const config::Config& config) {
  std::set<DomainName> names;
  for (const config::Bridge& bridge : config.bridges) {
    for (const config::BridgePort& port : bridge.ports) {
      for (config::VlanId vlan : port.vlans) names.emplace(bridge.name, vlan);
    }
  }
  return names;
}

bool Domains::allocate(const std::set<DomainName>& names) {
  const auto unknown =
      std::count_if(names.begin(), names.end(), [&](const auto& name) { return !ids_.contains(name); });
  if (ids_.size() + static_cast<size_t>(unknown) > std::numeric_limits<dataplane::DomainId>::max())
    return false;
  for (const DomainName& name : names) {
    if (ids_.contains(name)) continue;
    // The next number that is free: one that was given back lately stays unused for long.
    do ++last_;
    while (last_ == 0 || names_.contains(last_));
    ids_.emplace(name, last_);
    names_.emplace(last_, name);
  }
  for (const DomainName& name : names) {
    if (bridges_.contains(name.first)) continue;
    uint8_t number = 0;
    const auto taken = [&] {
      return std::any_of(bridges_.begin(), bridges_.end(),
                         [&](const auto& item) { return item.second == number; });
    };
    while (taken()) ++number;
    bridges_.emplace(name.first, number);
  }
  return true;
}

void Domains::retain(const std::set<DomainName>& names) {
  std::erase_if(names_, [&](const auto& item) { return !names.contains(item.second); });
  std::erase_if(ids_, [&](const auto& item) { return !names.contains(item.first); });
  std::erase_if(bridges_, [&](const auto& item) {
    return std::none_of(names.begin(), names.end(),
                        [&](const auto& name) { return name.first == item.first; });
  });
}

const DomainName* Domains::name(dataplane::DomainId id) const {
  const auto found = names_.find(id);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace sluice::control
