// SPDX-License-Identifier: BSD-3-Clause
//
// What the interfaces say about the world: their names, the router's own addresses, the networks that are
// connected to them.
//
// Thread safety: none; each section has its own.
// Invariants:    connected networks are disjoint, but for those that one interface is in twice.
//                Link-local ones are not among them: every interface has fe80::/64.
// Owner:         the decode function of a section. The interfaces must outlive it, where they are.
#pragma once

#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/ranges.h"
#include "config/values.h"

namespace sluice::config {

/// An interface that an error has left incomplete: what depends on its addresses is not blamed for that.
/// It is told by an address of length 0, which none has otherwise.
void mark_in_error(Interface& interface);
bool is_in_error(const Interface& interface);

class Networks {
 public:
  struct Connected {
    Prefix prefix;
    const Interface* interface = nullptr;
  };

  Networks() = default;
  /// Holds all that `interfaces` have; of networks that overlap, the first.
  explicit Networks(const std::vector<Interface>& interfaces);

  /// \return what the network of `address` overlaps with, and then does not add it.
  const Connected* add(const Interface& interface, const InterfaceAddress& address);

  const Interface* find_interface(std::string_view name) const;
  /// The interface that `value` names; if there is none, that is reported.
  const Interface* read_interface(const Value& value) const;

  /// The connected network that holds `address`; never a link-local one.
  const Connected* find(const IpAddress& address) const { return connected_.find(address, address); }
  /// The interface whose own address lies in `first`..`last`, which is of one family and not link-local.
  const Interface* find_own(const IpAddress& first, const IpAddress& last) const;
  /// Reports `address` if it is the router's own; if it is link-local, that of `interface`, if given.
  /// \return whether it is another's.
  bool check_not_own(const Value& value, const IpAddress& address, const Interface* interface) const;

  /// Whether all interfaces are free of errors, so that what is not here is nowhere.
  bool is_complete() const { return is_complete_; }

 private:
  std::map<std::string_view, const Interface*> by_name_;
  std::map<IpAddress, const Interface*> own_;
  std::set<std::pair<const Interface*, IpAddress>> own_link_local_;
  Ranges<IpAddress, Connected> connected_;
  bool is_complete_ = true;
};

}  // namespace sluice::config
