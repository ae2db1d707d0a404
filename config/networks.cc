// SPDX-License-Identifier: BSD-3-Clause
#include "config/networks.h"

#include <algorithm>
#include <optional>
#include <string>

#include "config/addresses.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxListed = 16;  // names in one message

}  // namespace

void mark_in_error(Interface& interface) {
  interface.addresses.push_back({});
}

bool is_in_error(const Interface& interface) {
  return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                     [](const InterfaceAddress& address) { return address.length == 0; });
}

Networks::Networks(const std::vector<Interface>& interfaces) {
  for (const Interface& interface : interfaces) {
    by_name_.emplace(interface.name, &interface);
    is_complete_ = is_complete_ && !is_in_error(interface);
    for (const InterfaceAddress& address : interface.addresses) add(interface, address);
  }
}

const Networks::Connected* Networks::add(const Interface& interface, const InterfaceAddress& address) {
  if (address.length == 0) return nullptr;
  if (is_link_local(address.address)) {
    own_link_local_.emplace(&interface, address.address);
    return nullptr;
  }
  own_.emplace(address.address, &interface);
  const Prefix prefix = network_of(address.address, address.length);
  const IpAddress last = last_address(prefix);
  const Connected* other = connected_.find(prefix.address, last);
  if (!other) {
    connected_.add(prefix.address, last, {prefix, &interface});
    return nullptr;
  }
  return other->interface == &interface && other->prefix == prefix ? nullptr : other;
}

const Interface* Networks::find_interface(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const Interface* Networks::read_interface(const Value& value) const {
  const std::optional<std::string> name = read_text(value);
  if (!name) return nullptr;
  if (const Interface* interface = find_interface(*name)) return interface;
  std::vector<std::string_view> names;
  for (const auto& [known, unused] : by_name_) names.push_back(known);
  const bool is_listed = names.size() <= kMaxListed || nearest(*name, names);
  value.error(concat("unknown interface ", quote(*name),
                     names.empty() ? ": add it to 'interfaces'"
                     : is_listed   ? suggest(*name, names, "write")
                                   : ": write one of 'interfaces'"));
  return nullptr;
}

const Interface* Networks::find_own(const IpAddress& first, const IpAddress& last) const {
  const auto own = own_.lower_bound(first);
  return own == own_.end() || last < own->first ? nullptr : own->second;
}

bool Networks::check_not_own(const Value& value, const IpAddress& address, const Interface* interface) const {
  const Interface* owner = find_own(address, address);
  if (!owner && own_link_local_.count({interface, address}) != 0) owner = interface;
  if (!owner) return true;
  value.error(concat(to_text(address), " is the router's own address, on interface ", quote(owner->name),
                     ": write that of another host"));
  return false;
}

}  // namespace sluice::config
