// SPDX-License-Identifier: BSD-3-Clause
#include "control/interface_table.h"

#include <algorithm>

namespace sluice::control {
namespace {

using dataplane::Mac48;

constexpr uint8_t kLocallyAdministered = 0x02, kGroup = 0x01;

// 64-bit FNV-1a: the same name gives the same address on every machine and in every run.
uint64_t hash_of(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) hash = (hash ^ static_cast<uint8_t>(letter)) * 0x100000001b3;
  return hash;
}

Mac48 mac_from_name(const std::string& name) {
  config::MacAddress mac{};
  for (size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<uint8_t>(hash_of(name) >> (8 * i));
  mac[0] = static_cast<uint8_t>((mac[0] | kLocallyAdministered) & ~kGroup);
  return dataplane::mac48(mac);
}

// A tap's address is that of the kernel's device, which is the host at the other end of the wire.
// A ring has none at all.
Mac48 mac_of_port(const OpenPort& port) {
  config::MacAddress mac = port.device.mac;
  if (mac == config::MacAddress{}) return mac_from_name(port.config.name);
  if (port.config.device == config::Port::Device::tap) {
    mac[0] = static_cast<uint8_t>((mac[0] | kLocallyAdministered) & ~kGroup);
    mac[5] ^= 0x80;
  }
  return dataplane::mac48(mac);
}

Mac48 mac_of(const config::Interface& interface, const OpenPorts& ports) {
  if (interface.mac) return dataplane::mac48(*interface.mac);
  return interface.port.empty() ? mac_from_name(interface.bridge) : mac_of_port(ports.at(interface.port));
}

void add_addresses(const config::Interface& from, L3Interface& to) {
  std::vector<OwnAddress<dataplane::Ip6>> link_locals;
  for (const config::InterfaceAddress& own : from.addresses) {
    if (own.address.is_ipv4()) {
      to.ipv4.push_back({to_ip4(own.address), own.length});
    } else {
      const dataplane::Ip6 address = to_ip6(own.address);
      (dataplane::is_link_local(address) ? link_locals : to.ipv6).push_back({address, own.length});
    }
  }
  if (to.ipv6.empty() && link_locals.empty()) return;  // no IPv6 here
  if (link_locals.empty()) link_locals.push_back({link_local(to.mac), 64});
  to.ipv6.insert(to.ipv6.end(), link_locals.begin(), link_locals.end());
}

}  // namespace

dataplane::Ip4 to_ip4(const config::IpAddress& address) {
  dataplane::Ip4 number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | address.octets[i];
  return number;
}

dataplane::Ip6 to_ip6(const config::IpAddress& address) {
  return dataplane::load_ip6(address.octets.data());
}

void InterfaceTable::update(const config::Config& config, const OpenPorts& ports) {
  const std::vector<L3Interface> before = std::move(interfaces_);
  interfaces_.clear();
  for (const config::Interface& interface : config.interfaces) {
    if (!interface.port.empty() && !ports.contains(interface.port)) {
      // Its port restarts just now: what hangs on the interface stays, it only reaches nobody.
      const auto known = std::find_if(before.begin(), before.end(),
                                      [&](const auto& old) { return old.name == interface.name; });
      if (known != before.end()) interfaces_.push_back(*known);
      continue;
    }
    L3Interface built{.name = interface.name,
                      .index = index_for(interface.name),
                      .mac = mac_of(interface, ports),
                      .mtu = interface.mtu,
                      .ipv4 = {},
                      .ipv6 = {}};
    add_addresses(interface, built);
    interfaces_.push_back(std::move(built));
  }
}

void InterfaceTable::forget_old() {
  std::erase_if(indices_, [&](const auto& item) { return find(item.first) == nullptr; });
}

const L3Interface* InterfaceTable::find(const std::string& name) const {
  const auto found = std::find_if(interfaces_.begin(), interfaces_.end(),
                                  [&](const L3Interface& interface) { return interface.name == name; });
  return found == interfaces_.end() ? nullptr : &*found;
}

const L3Interface* InterfaceTable::find(dataplane::InterfaceIndex index) const {
  const auto found = std::find_if(interfaces_.begin(), interfaces_.end(),
                                  [&](const L3Interface& interface) { return interface.index == index; });
  return found == interfaces_.end() ? nullptr : &*found;
}

dataplane::InterfaceIndex InterfaceTable::index(const std::string& name) const {
  const L3Interface* interface = find(name);
  return interface == nullptr ? dataplane::InterfaceIndex{0} : interface->index;
}

dataplane::InterfaceIndex InterfaceTable::index_for(const std::string& name) {
  if (const auto known = indices_.find(name); known != indices_.end()) return known->second;
  const auto is_taken = [&](dataplane::InterfaceIndex index) {
    return std::any_of(indices_.begin(), indices_.end(),
                       [&](const auto& item) { return item.second == index; });
  };
  dataplane::InterfaceIndex index = 1;
  while (is_taken(index)) ++index;
  indices_.emplace(name, index);
  return index;
}

}  // namespace sluice::control
