// SPDX-License-Identifier: BSD-3-Clause
#include "config/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr std::string_view kAddress = "an IPv4 or IPv6 address";
constexpr std::string_view kIpv4Address = "an IPv4 address";

bool is_all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

/// A decimal number up to `max`; without leading zeros, which some read as octal.
std::optional<unsigned> to_small_number(std::string_view digits, unsigned max) {
  if (!is_all_digits(digits) || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  return error == std::errc() && number <= max ? std::optional(number) : std::nullopt;
}

/// Takes what stands before `separator`, and that, off the front of `text`; or all of it.
std::string_view take_part(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<IpAddress> parse_ipv4(std::string_view text) {
  if (std::count(text.begin(), text.end(), '.') != 3) return std::nullopt;
  IpAddress address;
  for (size_t i = 0; i < 4; ++i) {
    const std::optional<unsigned> octet = to_small_number(take_part(text, '.'), 255);
    if (!octet) return std::nullopt;
    address.octets[i] = static_cast<uint8_t>(*octet);
  }
  return address;
}

/// ::ffff:0:0/96 included.
std::optional<IpAddress> parse_any_ipv6(std::string_view text) {
  if (text.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return std::nullopt;
  IpAddress address{.family = IpAddress::Family::ipv6};
  const bool is_valid = inet_pton(AF_INET6, std::string(text).c_str(), address.octets.data()) == 1;
  return is_valid ? std::optional(address) : std::nullopt;
}

/// The IPv4 address that ::ffff:0:0/96 maps (RFC 4291 2.5.5.2), if it is one of those.
std::optional<IpAddress> mapped_ipv4(const IpAddress& address) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.is_ipv4() || !std::equal(kMapped.begin(), kMapped.end(), address.octets.begin())) {
    return std::nullopt;
  }
  IpAddress ipv4;
  std::copy_n(address.octets.begin() + kMapped.size(), 4, ipv4.octets.begin());
  return ipv4;
}

/// Whether `text` would be an IPv4 address but for its leading zeros.
bool has_leading_zeros(std::string_view text) {
  if (std::count(text.begin(), text.end(), '.') != 3) return false;
  for (int i = 0; i < 4; ++i) {
    if (!is_all_digits(take_part(text, '.'))) return false;
  }
  return true;
}

bool is_too_large(std::string_view text) {
  for (int i = 0; i < 4; ++i) {
    std::string_view octet = take_part(text, '.');
    octet.remove_prefix(std::min(octet.find_first_not_of('0'), octet.size()));
    if (octet.size() > 3 || (!octet.empty() && !to_small_number(octet, 255))) return true;
  }
  return false;
}

/// Reads `text`, the whole of `value` or the part of it that is an address.
std::optional<IpAddress> read_address_text(const Value& value, std::string_view text,
                                           std::string_view expected) {
  if (const std::optional<IpAddress> address = parse_address(text)) return address;
  const std::optional<IpAddress> ipv6 = parse_any_ipv6(text);
  const std::optional<IpAddress> mapped = ipv6 ? mapped_ipv4(*ipv6) : std::nullopt;
  if (mapped) {
    value.error(concat(quote(text), " is an IPv4 address in IPv6's form: write ", to_text(*mapped)));
  } else if (has_leading_zeros(text) && !is_too_large(text)) {
    value.error(concat(quote(text), " could be meant as octal: write the octets without leading zeros"));
  } else {
    value.mismatch(expected);
  }
  return std::nullopt;
}

/// Both parts of `ADDRESS/LENGTH`, host bits kept.
std::optional<InterfaceAddress> read_with_length(const Value& value, unsigned min_length,
                                                 std::string_view expected, std::string_view lengthless) {
  if (!value.is_scalar()) {
    value.mismatch(expected);
    return std::nullopt;
  }
  std::string_view rest = value.text();
  const bool has_length = rest.find('/') != std::string_view::npos;
  const std::optional<IpAddress> address = read_address_text(value, take_part(rest, '/'), expected);
  if (!address) return std::nullopt;
  if (!has_length) {
    value.error(concat(quote(value.text()), " has no prefix length: write ", to_text(*address), lengthless));
    return std::nullopt;
  }
  const std::optional<unsigned> length = to_small_number(rest, address->bits());
  if (!length || *length < min_length) {
    value.error(concat("the prefix length of ", quote(value.text()), " must be a decimal number from ",
                       min_length, " to ", address->bits()));
    return std::nullopt;
  }
  return InterfaceAddress{*address, static_cast<uint8_t>(*length), value.node.location};
}

/// Reports IPv6. \return whether there was none.
bool check_ipv4(const Value& value, const IpAddress& address) {
  if (address.is_ipv4()) return true;
  value.error(
      concat(to_text(address), " is IPv6, and NAT is for IPv4 only: write ", kIpv4Address, ", or remove it"));
  return false;
}

IpAddress next_address(IpAddress address) {
  for (size_t i = address.bits() / 8; i-- > 0;) {
    if (++address.octets[i] != 0) break;
  }
  return address;
}

}  // namespace

std::optional<IpAddress> parse_address(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return parse_ipv4(text);
  const std::optional<IpAddress> address = parse_any_ipv6(text);
  return address && !mapped_ipv4(*address) ? address : std::nullopt;
}

std::string to_text(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.is_ipv4() ? AF_INET : AF_INET6, address.octets.data(), text.data(), text.size());
  return text.data();
}

std::string to_text(const Prefix& prefix) {
  return concat(to_text(prefix.address), "/", prefix.length);
}

std::string to_text(const InterfaceAddress& address) {
  return concat(to_text(address.address), "/", address.length);
}

std::string to_text(const NatRule::Range& range) {
  if (range.first == range.last) return to_text(range.first);
  return concat(to_text(range.first), "-", to_text(range.last));
}

Prefix network_of(const IpAddress& address, uint8_t length) {
  Prefix network{address, length};
  for (unsigned bit = length; bit < address.bits(); ++bit) {
    network.address.octets[bit / 8] &= static_cast<uint8_t>(~(0x80u >> (bit % 8)));
  }
  return network;
}

IpAddress last_address(const Prefix& prefix) {
  IpAddress last = prefix.address;
  for (unsigned bit = prefix.length; bit < last.bits(); ++bit) {
    last.octets[bit / 8] |= static_cast<uint8_t>(0x80u >> (bit % 8));
  }
  return last;
}

bool is_link_local(const IpAddress& address) {
  return !address.is_ipv4() && address.octets[0] == 0xfe && (address.octets[1] & 0xc0) == 0x80;
}

uint32_t ipv4_number(const IpAddress& address) {
  const auto& octets = address.octets;
  return uint32_t{octets[0]} << 24 | uint32_t{octets[1]} << 16 | uint32_t{octets[2]} << 8 | octets[3];
}

std::string_view special_use(const IpAddress& address) {
  const uint8_t first = address.octets[0];
  if (address.is_ipv4()) {
    if (first == 0) return "in 0.0.0.0/8, which means this network (RFC 1122 3.2.1.3)";
    if (first == 127) return "a loopback address";
    if (first >= 240) return "in 240.0.0.0/4, which is reserved (RFC 1112 section 4)";
    return first >= 224 ? "a multicast address" : "";
  }
  if (first == 0xff) return "a multicast address";
  const IpAddress unspecified{.family = IpAddress::Family::ipv6};
  if (address == unspecified) return "the unspecified address";
  return address == next_address(unspecified) ? "the loopback address" : "";
}

std::string_view role_in(const Prefix& network, const IpAddress& address) {
  // A network of two addresses, or of one, has hosts alone (RFC 3021, RFC 6164).
  if (network.length + 1u >= address.bits()) return "";
  if (address == network.address) {
    return address.is_ipv4() ? "the network address" : "the subnet-router anycast address (RFC 4291 2.6.1)";
  }
  return address.is_ipv4() && address == last_address(network) ? "the broadcast address" : "";
}

bool check_host(const Value& value, const IpAddress& address) {
  const std::string_view special = special_use(address);
  if (special.empty()) return true;
  value.error(concat(to_text(address), " is ", special, ": write the address of a host"));
  return false;
}

bool check_host_in(const Value& value, const IpAddress& address, const Prefix& network) {
  const std::string_view role = role_in(network, address);
  if (role.empty()) return true;
  value.error(concat(to_text(address), " is ", role, " of ", to_text(network),
                     ": write the address of a host, like ", to_text(next_address(network.address))));
  return false;
}

std::optional<IpAddress> read_address(const Value& value) {
  if (value.is_scalar()) return read_address_text(value, value.text(), kAddress);
  value.mismatch(kAddress);
  return std::nullopt;
}

std::optional<Prefix> read_prefix(const Value& value) {
  const auto read = read_with_length(value, 0, "a prefix like 10.0.0.0/8 or \"2001:db8::/32\"",
                                     value.text().find(':') == std::string_view::npos ? "/32" : "/128");
  if (!read) return std::nullopt;
  const Prefix prefix = network_of(read->address, read->length);
  if (prefix.address == read->address) return prefix;
  value.error(concat(quote(value.text()), " has bits behind its length: write ", to_text(prefix), ", or ",
                     to_text(Prefix{read->address, static_cast<uint8_t>(read->address.bits())})));
  return std::nullopt;
}

std::optional<InterfaceAddress> read_interface_address(const Value& value) {
  const auto read = read_with_length(
      value, 1, "an address with the length of its network, like 192.168.10.1/24 or \"fd00:10::1/64\"",
      value.text().find(':') == std::string_view::npos ? "/24, say" : "/64, say");
  if (!read || !check_host(value, read->address)) return std::nullopt;
  if (!is_link_local(read->address)) {
    const bool is_host = check_host_in(value, read->address, network_of(read->address, read->length));
    return is_host ? read : std::nullopt;
  }
  if (read->length == 64 || read->length == 128) return read;
  value.error(concat("the prefix length of a link-local address must be 64 or 128: write ",
                     to_text(read->address), "/64"));
  return std::nullopt;
}

std::optional<IpAddress> read_ipv4_address(const Value& value) {
  if (!value.is_scalar()) {
    value.mismatch(kIpv4Address);
    return std::nullopt;
  }
  const std::optional<IpAddress> address = read_address_text(value, value.text(), kIpv4Address);
  return address && check_ipv4(value, *address) ? address : std::nullopt;
}

std::optional<Prefix> read_ipv4_prefix(const Value& value) {
  const std::optional<Prefix> prefix = read_prefix(value);
  return prefix && check_ipv4(value, prefix->address) ? prefix : std::nullopt;
}

std::optional<NatRule::Range> read_ipv4_range(const Value& value) {
  constexpr std::string_view expected = "an address or a range like 203.0.113.10-203.0.113.13";
  if (!value.is_scalar()) {
    value.mismatch(expected);
    return std::nullopt;
  }
  std::string_view rest = value.text();
  const bool is_range = rest.find('-') != std::string_view::npos;
  const auto first = read_address_text(value, take_part(rest, '-'), expected);
  if (!first || !check_ipv4(value, *first) || !check_host(value, *first)) return std::nullopt;
  if (!is_range) return NatRule::Range{*first, *first};
  const auto last = read_address_text(value, rest, expected);
  if (!last || !check_ipv4(value, *last) || !check_host(value, *last)) return std::nullopt;
  if (*first <= *last) return NatRule::Range{*first, *last};
  value.error(concat("range ", quote(value.text()), " runs backwards: write ",
                     to_text(NatRule::Range{*last, *first})));
  return std::nullopt;
}

}  // namespace sluice::config
