// SPDX-License-Identifier: BSD-3-Clause
//
// IP addresses and prefixes: between text and structs, and what may be asked of them.
//
// Thread safety: pure functions, but for the diagnostics that a Value carries.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/values.h"

namespace sluice::config {

/// `192.0.2.1` without leading zeros, or IPv6 as inet_pton(3) takes it. IPv4 in IPv6's form (::ffff:0:0/96)
/// is no address here.
std::optional<IpAddress> parse_address(std::string_view text);

/// `192.0.2.1`; IPv6 as RFC 5952 writes it.
std::string to_text(const IpAddress& address);
/// `192.0.2.0/24`
std::string to_text(const Prefix& prefix);
/// `192.168.10.1/24`
std::string to_text(const InterfaceAddress& address);
/// `203.0.113.10-203.0.113.13`, or the address of a range of one.
std::string to_text(const NatRule::Range& range);

/// The network that holds `address`. REQUIRES: length <= address.bits().
Prefix network_of(const IpAddress& address, uint8_t length);
/// The highest address in `prefix`; the lowest is its own.
IpAddress last_address(const Prefix& prefix);
/// fe80::/10 (RFC 4291 2.5.6). IPv4's 169.254.0.0/16 is treated like any other network.
bool is_link_local(const IpAddress& address);
/// REQUIRES: IPv4.
uint32_t ipv4_number(const IpAddress& address);

/// What no host has for an address, or nothing: "a multicast address", "a loopback address" and so on.
std::string_view special_use(const IpAddress& address);
/// What `address` is in `network` if not a host's, or nothing: "the broadcast address" and so on.
std::string_view role_in(const Prefix& network, const IpAddress& address);

/// Reports an address that no host has. \return whether a host may have it.
bool check_host(const Value& value, const IpAddress& address);
/// Reports an address that is the network, broadcast or anycast address of `network`. \return whether not.
bool check_host_in(const Value& value, const IpAddress& address, const Prefix& network);

std::optional<IpAddress> read_address(const Value& value);
/// `10.0.0.0/8`: bits behind the length are an error.
std::optional<Prefix> read_prefix(const Value& value);
/// `192.168.10.1/24`: a host in a network of at least one bit.
std::optional<InterfaceAddress> read_interface_address(const Value& value);

/// As read_address and read_prefix, for what knows IPv4 alone.
std::optional<IpAddress> read_ipv4_address(const Value& value);
std::optional<Prefix> read_ipv4_prefix(const Value& value);
/// `203.0.113.10-203.0.113.13`, or one address; both ends are hosts.
std::optional<NatRule::Range> read_ipv4_range(const Value& value);

}  // namespace sluice::config
