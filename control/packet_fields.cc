// SPDX-License-Identifier: BSD-3-Clause
#include "control/packet_fields.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "dataplane/ethernet.h"
#include "dataplane/ip.h"

namespace sluice::control {
namespace {

using Kind = FieldKind;

constexpr std::array kEthernet = {Field{"dst", 0, 48, Kind::mac}, Field{"src", 48, 48, Kind::mac},
                                  Field{"type", 96, 16}};
constexpr std::array kVlan = {Field{"pcp", 0, 3}, Field{"dei", 3, 1}, Field{"vid", 4, 12},
                              Field{"type", 16, 16}};
constexpr std::array kArp = {Field{"htype", 0, 16},
                             Field{"ptype", 16, 16},
                             Field{"hlen", 32, 8},
                             Field{"plen", 40, 8},
                             Field{"op", 48, 16},
                             Field{"sha", 64, 48, Kind::mac},
                             Field{"spa", 112, 32, Kind::ipv4},
                             Field{"tha", 144, 48, Kind::mac},
                             Field{"tpa", 192, 32, Kind::ipv4}};
constexpr std::array kIpv4 = {Field{"version", 0, 4},
                              Field{"ihl", 4, 4},
                              Field{"tos", 8, 8},
                              Field{"length", 16, 16},
                              Field{"id", 32, 16},
                              Field{"df", 49, 1},
                              Field{"mf", 50, 1},
                              Field{"offset", 51, 13},
                              Field{"ttl", 64, 8},
                              Field{"protocol", 72, 8},
                              Field{"checksum", 80, 16},
                              Field{"src", 96, 32, Kind::ipv4},
                              Field{"dst", 128, 32, Kind::ipv4}};
constexpr std::array kIpv6 = {Field{"version", 0, 4},
                              Field{"class", 4, 8},
                              Field{"flow", 12, 20},
                              Field{"length", 32, 16},
                              Field{"next", 48, 8},
                              Field{"hops", 56, 8},
                              Field{"src", 64, 128, Kind::ipv6},
                              Field{"dst", 192, 128, Kind::ipv6}};
constexpr std::array kFragment = {Field{"next", 0, 8}, Field{"offset", 16, 13}, Field{"more", 31, 1},
                                  Field{"id", 32, 32}};
constexpr std::array kUdp = {Field{"sport", 0, 16}, Field{"dport", 16, 16}, Field{"length", 32, 16},
                             Field{"checksum", 48, 16}};
constexpr std::array kTcp = {
    Field{"sport", 0, 16},    Field{"dport", 16, 16},     Field{"seq", 32, 32},
    Field{"ack", 64, 32},     Field{"header", 96, 4},     Field{"flags", 104, 8, Kind::tcp_flags},
    Field{"window", 112, 16}, Field{"checksum", 128, 16}, Field{"urgent", 144, 16}};
constexpr std::array kIcmp = {Field{"type", 0, 8}, Field{"code", 8, 8},  Field{"checksum", 16, 16},
                              Field{"id", 32, 16}, Field{"seq", 48, 16}, Field{"mtu", 48, 16}};
constexpr std::array kIcmpv6 = {Field{"type", 0, 8}, Field{"code", 8, 8},  Field{"checksum", 16, 16},
                                Field{"id", 32, 16}, Field{"seq", 48, 16}, Field{"mtu", 32, 32}};
constexpr std::array kNd = {Field{"target", 0, 128, Kind::ipv6}};
constexpr std::array kLinkLayerAddress = {Field{"type", 0, 8}, Field{"length", 8, 8},
                                          Field{"mac", 16, 48, Kind::mac}};

constexpr std::array kHeaders = {
    HeaderFormat{"eth", kEthernet, 14, {}, {}},
    HeaderFormat{"vlan", kVlan, 4, dataplane::kEtherTypeVlan, {}},
    HeaderFormat{"svlan", kVlan, 4, dataplane::kEtherTypeServiceVlan, {}},
    HeaderFormat{"arp", kArp, 28, dataplane::kEtherTypeArp, {}},
    HeaderFormat{"ipv4", kIpv4, 20, dataplane::kEtherTypeIpv4, 4},
    HeaderFormat{"ipv6", kIpv6, 40, dataplane::kEtherTypeIpv6, 41},
    HeaderFormat{"frag", kFragment, 8, {}, dataplane::kProtocolFragment},
    HeaderFormat{"udp", kUdp, 8, {}, dataplane::kProtocolUdp},
    HeaderFormat{"tcp", kTcp, 20, {}, dataplane::kProtocolTcp},
    HeaderFormat{"icmp", kIcmp, 8, {}, dataplane::kProtocolIcmp},
    HeaderFormat{"icmpv6", kIcmpv6, 8, {}, dataplane::kProtocolIcmpv6},
    HeaderFormat{"nd", kNd, 16, {}, {}},
    HeaderFormat{"lladdr", kLinkLayerAddress, 8, {}, {}},
};

constexpr std::array<std::string_view, 8> kTcpFlags = {"fin", "syn", "rst", "psh",
                                                       "ack", "urg", "ece", "cwr"};

Bits from_number(uint64_t number, size_t octets) {
  Bits bits(octets);
  for (auto octet = bits.rbegin(); octet != bits.rend(); ++octet, number >>= 8)
    *octet = static_cast<uint8_t>(number);
  return bits;
}

uint64_t to_number(const Bits& bits) {
  uint64_t number = 0;
  for (const uint8_t octet : bits) number = number << 8 | octet;
  return number;
}

std::optional<Bits> read_number(std::string_view text, const Field& field) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || number >> field.bits != 0)
    return std::nullopt;
  return from_number(number, all_ones(field).size());
}

std::optional<Bits> read_mac(std::string_view text) {
  Bits bits;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ':')) {
    uint8_t octet = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), octet, 16);
    if (part.size() != 2 || error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    bits.push_back(octet);
  }
  return bits.size() == 6 ? std::optional(bits) : std::nullopt;
}

std::optional<Bits> read_address(std::string_view text, int family, size_t octets) {
  Bits bits(octets);
  if (inet_pton(family, std::string(text).c_str(), bits.data()) != 1) return std::nullopt;
  return bits;
}

std::optional<Bits> read_flags(std::string_view text) {
  uint8_t flags = 0;
  if (text == "none") return Bits{0};
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const auto found =
        std::find(kTcpFlags.begin(), kTcpFlags.end(), std::string_view(part.data(), part.size()));
    if (found == kTcpFlags.end()) return std::nullopt;
    flags |= static_cast<uint8_t>(1u << (found - kTcpFlags.begin()));
  }
  return Bits{flags};
}

}  // namespace

const HeaderFormat* header_named(std::string_view name) {
  const auto found = std::find_if(kHeaders.begin(), kHeaders.end(),
                                  [&](const HeaderFormat& header) { return header.name == name; });
  return found == kHeaders.end() ? nullptr : &*found;
}

const HeaderFormat* header_of_type(uint16_t ethertype) {
  const auto found = std::find_if(kHeaders.begin(), kHeaders.end(),
                                  [&](const HeaderFormat& header) { return header.ethertype == ethertype; });
  return found == kHeaders.end() ? nullptr : &*found;
}

const HeaderFormat* header_of_protocol(uint8_t protocol) {
  const auto found = std::find_if(kHeaders.begin(), kHeaders.end(),
                                  [&](const HeaderFormat& header) { return header.protocol == protocol; });
  return found == kHeaders.end() ? nullptr : &*found;
}

std::string header_names() {
  return absl::StrJoin(kHeaders, ", ",
                       [](std::string* out, const HeaderFormat& header) { *out += header.name; });
}

const Field* field_named(const HeaderFormat& header, std::string_view name) {
  const auto found = std::find_if(header.fields.begin(), header.fields.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == header.fields.end() ? nullptr : &*found;
}

Bits all_ones(const Field& field) {
  Bits bits((field.bits + 7u) / 8u, 0xFF);
  if (field.bits % 8 != 0) bits[0] = static_cast<uint8_t>((1u << field.bits % 8) - 1);
  return bits;
}

std::optional<Bits> read_bits(const Field& field, std::string_view text) {
  switch (field.kind) {
    case Kind::number:
      return read_number(text, field);
    case Kind::mac:
      return read_mac(text);
    case Kind::ipv4:
      return read_address(text, AF_INET, 4);
    case Kind::ipv6:
      return read_address(text, AF_INET6, 16);
    case Kind::tcp_flags:
      return text.starts_with("0x") ? read_number(text, field) : read_flags(text);
  }
  return std::nullopt;
}

std::string bits_text(const Field& field, const Bits& bits) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (field.kind) {
    case Kind::number:
      return absl::StrCat(to_number(bits));
    case Kind::mac:
      return absl::StrJoin(bits, ":", [](std::string* out, uint8_t octet) {
        absl::StrAppend(out, absl::Hex(octet, absl::kZeroPad2));
      });
    case Kind::ipv4:
      return inet_ntop(AF_INET, bits.data(), text.data(), text.size());
    case Kind::ipv6:
      return inet_ntop(AF_INET6, bits.data(), text.data(), text.size());
    case Kind::tcp_flags:
      break;
  }
  std::vector<std::string_view> names;
  for (size_t bit = 0; bit < kTcpFlags.size(); ++bit) {
    if ((bits[0] >> bit & 1) != 0) names.push_back(kTcpFlags[bit]);
  }
  return names.empty()
             ? "none"
             : absl::StrJoin(names, ",", [](std::string* out, std::string_view name) { *out += name; });
}

// From the last bit to the first: both end at an octet's last bit or within one.
Bits get_bits(Octets header, const Field& field) {
  Bits bits(all_ones(field).size());
  for (unsigned i = 0; i < field.bits; ++i) {
    const unsigned from = field.bit + field.bits - 1u - i;
    const bool one = (header[from / 8] >> (7 - from % 8) & 1) != 0;
    if (one) bits[bits.size() - 1 - i / 8] |= static_cast<uint8_t>(1u << i % 8);
  }
  return bits;
}

void set_bits(std::span<uint8_t> header, const Field& field, const Bits& value, const Bits& mask) {
  for (unsigned i = 0; i < field.bits; ++i) {
    const size_t octet = value.size() - 1 - i / 8;
    if ((mask[octet] >> i % 8 & 1) == 0) continue;
    const unsigned to = field.bit + field.bits - 1u - i;
    const auto bit = static_cast<uint8_t>(1u << (7 - to % 8));
    const bool one = (value[octet] >> i % 8 & 1) != 0;
    header[to / 8] = static_cast<uint8_t>(one ? header[to / 8] | bit : header[to / 8] & ~bit);
  }
}

}  // namespace sluice::control
