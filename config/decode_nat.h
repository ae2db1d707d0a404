// SPDX-License-Identifier: BSD-3-Clause
//
// A NAT rule while it is read, between the files that read its parts.
//
// Thread safety: none; decode_nat() owns all of this.
#pragma once

#include <map>
#include <vector>

#include "config/config.h"
#include "config/networks.h"
#include "config/ranges.h"
#include "config/values.h"

namespace sluice::config {

/// What the rules so far hold, for what may be held once.
struct NatHoldings {
  Ranges<IpAddress, int> pools;  ///< the line of each
  size_t pool_addresses = 0;
  std::map<IpAddress, int> static_insides;
  std::map<IpAddress, int> static_outsides;
};

struct NatRuleDraft {
  NatRule rule;
  const Node& node;
  const Networks& networks;
  NatHoldings& holdings;
  const Interface* interface = nullptr;  ///< if the file names one that exists
  bool is_address_in_error = false;      ///< `masquerade` and `pool` are not what was meant

  /// Whether the interface is known to have no IPv4 address.
  bool lacks_ipv4() const;
  bool is_in_pool(const IpAddress& address) const;
  /// Whether the rule may use `address` outside; if that cannot be told for errors, it may.
  bool is_external(const IpAddress& address) const;
};

/// Refers to the rule's interface and addresses: those are decoded first.
void decode_port_forwards(const Value& value, NatRuleDraft& draft);
void decode_statics(const Value& value, NatRuleDraft& draft);

/// Reports external ports that are forwarded twice, and static addresses that are in a pool.
void check_nat_entries(const std::vector<NatRuleDraft>& drafts, Diagnostics& diagnostics);

/// The first IPv4 address of the interface; nullptr if it has none, or an error hides it.
const InterfaceAddress* first_ipv4(const Interface& interface);

}  // namespace sluice::config
