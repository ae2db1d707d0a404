// SPDX-License-Identifier: BSD-3-Clause
//
// Where the configuration says what was decided: the parts of a Config that concern a packet, with their
// place in the file.
//
// Thread safety: the Config is read only.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "control/ip_address.h"

namespace sluice::control {

/// "home.yaml:27".
std::string said_at(const config::Config& config, const config::Location& location);

/// A port's bridge and its place in it.
struct Membership {
  const config::Bridge* bridge = nullptr;  ///< null: none
  const config::BridgePort* port = nullptr;
};
Membership membership(const config::Config& config, const std::string& port);

/// The interface of that name; null: none.
const config::Interface* interface_named(const config::Config& config, const std::string& name);

/// The static entry of a MAC address; null: none.
const config::StaticMac* static_mac(const config::Bridge& bridge, config::VlanId vlan,
                                    const config::MacAddress& mac);

/// What the file says about a destination.
struct RouteSaid {
  enum class Kind { none, own, connected, route };
  Kind kind = Kind::none;
  config::Prefix prefix;
  const config::Interface* interface = nullptr;  ///< own, connected
  const config::Route* route = nullptr;
  config::Location location;
};
/// The longest prefix of the file that covers it.
RouteSaid route_said(const config::Config& config, const IpAddress& destination);

/// The static neighbor; null: none.
const config::Neighbor* static_neighbor(const config::Config& config, const std::string& interface,
                                        const IpAddress& address);

}  // namespace sluice::control
