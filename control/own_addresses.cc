// SPDX-License-Identifier: BSD-3-Clause
#include "control/own_addresses.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "control/arp.h"
#include "control/config_json.h"
#include "control/ip_packet.h"
#include "control/log.h"
#include "control/nd.h"

namespace sluice::control {
namespace {

using dataplane::InterfaceIndex;
using dataplane::Ip4;
using dataplane::Mac48;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kProbe_ns = kSecond;       // RFC 4862: one DupAddrDetectTransmit, one RetransTimer
constexpr uint64_t kQuiet_ns = 10 * kSecond;  // between two lines of the log about one address
constexpr size_t kMostLogged = 1024;          // addresses whose lines are remembered
constexpr uint64_t kMostAnnounced = 256;      // of one range; more would be a storm of broadcasts

bool has(const L3Interface& interface, const IpAddress& address) {
  const auto is_it = [&](const auto& own) { return IpAddress(own.address) == address; };
  return address.is_ipv4() ? std::any_of(interface.ipv4.begin(), interface.ipv4.end(), is_it)
                           : std::any_of(interface.ipv6.begin(), interface.ipv6.end(), is_it);
}

// The network's own two addresses are nobody's, but in a network of two (RFC 3021) or one.
bool connects(const OwnAddress<Ip4>& own, Ip4 address) {
  if (network(own.address, own.length) != network(address, own.length)) return false;
  const Ip4 hosts = own.length == 0 ? ~Ip4{0} : ~(~Ip4{0} << (32 - own.length));
  return own.length >= 31 || ((address & hosts) != 0 && (address & hosts) != hosts);
}

bool connects(const OwnAddress<dataplane::Ip6>& own, const dataplane::Ip6& address) {
  return network(own.address, own.length) == network(address, own.length);
}

template <class Address>
std::optional<IpAddress> nearest(const std::vector<OwnAddress<Address>>& addresses, const Address& target) {
  for (const auto& own : addresses)
    if (connects(own, target)) return own.address;
  if (addresses.empty()) return std::nullopt;
  return addresses.front().address;
}

}  // namespace

void OwnAddresses::set_interfaces(std::span<const L3Interface> interfaces, uint64_t now_ns) {
  std::map<InterfaceIndex, L3Interface> old;
  old.swap(interfaces_);
  for (const L3Interface& interface : interfaces) interfaces_[interface.index] = interface;
  forget_old();
  for (const L3Interface& interface : interfaces) {
    const auto before = old.find(interface.index);
    const auto is_new = [&](const IpAddress& address) {
      return before == old.end() || before->second.mac != interface.mac || !has(before->second, address);
    };
    for (const auto& own : interface.ipv4)
      if (is_new(own.address)) begin(interface, own.address, now_ns);
    for (const auto& own : interface.ipv6)
      if (is_new(own.address)) begin(interface, own.address, now_ns);
  }
}

void OwnAddresses::set_answered(std::vector<AnsweredRange> ranges) {
  std::set<AnsweredRange> old;
  old.swap(ranges_);
  ranges_.insert(ranges.begin(), ranges.end());
  for (const AnsweredRange& range : ranges_) {
    const L3Interface* on = interface(range.interface);
    if (old.contains(range) || on == nullptr || uint64_t{range.last} - range.first >= kMostAnnounced)
      continue;
    for (uint64_t address = range.first; address <= range.last; ++address)
      announce(*on, static_cast<Ip4>(address));
  }
}

void OwnAddresses::announce(InterfaceIndex index) {
  const L3Interface* on = interface(index);
  if (on == nullptr) return;
  for (const auto& own : on->ipv4) announce(*on, own.address);
  for (const auto& own : on->ipv6)
    if (answers(index, own.address)) announce(*on, own.address);
}

const L3Interface* OwnAddresses::interface(InterfaceIndex index) const {
  const auto found = interfaces_.find(index);
  return found == interfaces_.end() ? nullptr : &found->second;
}

bool OwnAddresses::in_range(InterfaceIndex interface, const IpAddress& address) const {
  return address.is_ipv4() && std::any_of(ranges_.begin(), ranges_.end(), [&](const AnsweredRange& range) {
           return range.interface == interface && range.first <= address.ip4() && address.ip4() <= range.last;
         });
}

bool OwnAddresses::is_own(InterfaceIndex index, const IpAddress& address) const {
  const L3Interface* on = interface(index);
  return on != nullptr && (has(*on, address) || in_range(index, address));
}

bool OwnAddresses::answers(InterfaceIndex index, const IpAddress& address) const {
  return is_own(index, address) && !duplicates_.contains({index, address});
}

bool OwnAddresses::is_on_link(InterfaceIndex index, const IpAddress& address) const {
  const L3Interface* on = interface(index);
  if (on == nullptr || !is_single_host(address) || is_own(index, address)) return false;
  if (address.is_ipv4()) {
    return std::any_of(on->ipv4.begin(), on->ipv4.end(),
                       [&](const auto& own) { return connects(own, address.ip4()); });
  }
  return std::any_of(on->ipv6.begin(), on->ipv6.end(),
                     [&](const auto& own) { return connects(own, address.ip6()); });
}

std::optional<IpAddress> OwnAddresses::source_for(InterfaceIndex index, const IpAddress& target) const {
  const L3Interface* on = interface(index);
  if (on == nullptr) return std::nullopt;
  return target.is_ipv4() ? nearest(on->ipv4, target.ip4()) : nearest(on->ipv6, target.ip6());
}

void OwnAddresses::conflict(InterfaceIndex index, const IpAddress& address, Mac48 claimant, uint64_t now_ns) {
  ++conflicts_;
  const Place place{index, address};
  const std::string what =
      absl::StrCat("interface ", interface(index)->name, ": ", mac_text(dataplane::octets(claimant)),
                   " claims our address ", to_text(address));
  if (tentative_.erase(place) != 0) {
    duplicates_.insert(place);
    ++conflicts_logged_;
    return log_error(absl::StrCat(what, ", which was there first: we do not answer for it"));
  }
  if (logged_ns_.size() > kMostLogged) logged_ns_.clear();
  const auto [last, first] = logged_ns_.try_emplace(place, now_ns);
  if (!first && now_ns < last->second + kQuiet_ns) return;
  last->second = now_ns;
  ++conflicts_logged_;
  log_warning(absl::StrCat(what, ": ignored"));
}

void OwnAddresses::advance(uint64_t now_ns) {
  std::erase_if(tentative_, [&](const auto& item) {
    if (item.second > now_ns) return false;
    announce(*interface(item.first.first), item.first.second);
    return true;
  });
}

std::optional<uint64_t> OwnAddresses::next_due() const {
  const auto first = std::min_element(tentative_.begin(), tentative_.end(),
                                      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (first == tentative_.end()) return std::nullopt;
  return first->second;
}

void OwnAddresses::announce(const L3Interface& interface, const IpAddress& address) {
  send_(interface.index, address.is_ipv4() ? arp_announcement(interface.mac, address.ip4())
                                           : unsolicited_advertisement(interface.mac, address.ip6()));
}

void OwnAddresses::begin(const L3Interface& interface, const IpAddress& address, uint64_t now_ns) {
  if (address.is_ipv4()) return announce(interface, address);
  tentative_[{interface.index, address}] = now_ns + kProbe_ns;
  duplicates_.erase({interface.index, address});
  send_(interface.index, duplicate_probe(interface.mac, address.ip6()));
}

void OwnAddresses::forget_old() {
  const auto is_old = [&](const Place& place) { return !is_own(place.first, place.second); };
  std::erase_if(tentative_, [&](const auto& item) { return is_old(item.first); });
  std::erase_if(logged_ns_, [&](const auto& item) { return is_old(item.first); });
  std::erase_if(duplicates_, is_old);
}

}  // namespace sluice::control
