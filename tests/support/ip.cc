// SPDX-License-Identifier: BSD-3-Clause
//
// IP packets from sentences. What told() says of them is in told.cc.
#include "tests/support/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "tests/support/checksum16.h"

namespace sluice::test {
namespace {

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kFragment = 44, kIcmpv6 = 58;
constexpr uint16_t kIpv4 = 0x0800, kArp = 0x0806, kVlan = 0x8100, kIpv6 = 0x86DD;
constexpr size_t kMinimumFrame = 60;
constexpr size_t kArpLength = 28;

void append8(Frame& out, unsigned number) {
  out.push_back(static_cast<uint8_t>(number));
}

void append16(Frame& out, unsigned number) {
  append8(out, number >> 8);
  append8(out, number);
}

void append32(Frame& out, uint32_t number) {
  append16(out, number >> 16);
  append16(out, number);
}

void append(Frame& out, const Frame& more) {
  out.insert(out.end(), more.begin(), more.end());
}

void store16(Frame& out, size_t at, unsigned number) {
  out.at(at) = static_cast<uint8_t>(number >> 8);
  out.at(at + 1) = static_cast<uint8_t>(number);
}

Frame mac_octets(const std::string& text) {
  unsigned octet[6];
  if (std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &octet[0], &octet[1], &octet[2], &octet[3], &octet[4],
                  &octet[5]) != 6) {
    throw std::invalid_argument("no MAC address: " + text);
  }
  return Frame(octet, octet + 6);
}

// "192.0.2.1", "2001:db8::1": 4 or 16 octets.
Frame address_octets(const std::string& text) {
  Frame octets(16);
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  octets.resize(4);
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) return octets;
  throw std::invalid_argument("no address: " + text);
}

struct Endpoint {
  Frame address;
  uint16_t port = 0;
};

// An address, or an address and a port: "192.0.2.1:80", "[2001:db8::1]:80".
Endpoint endpoint(const std::string& text) {
  const size_t bracket = text.find(']');
  const bool is_ipv6 = bracket != std::string::npos;
  const auto colons = std::count(text.begin(), text.end(), ':');
  if (!is_ipv6 && colons != 1) return {address_octets(text), 0};
  const size_t colon = is_ipv6 ? bracket + 1 : text.find(':');
  if (colon >= text.size() || text[colon] != ':') throw std::invalid_argument("no port: " + text);
  const std::string address = is_ipv6 ? text.substr(1, bracket - 1) : text.substr(0, colon);
  return {address_octets(address), static_cast<uint16_t>(std::stoul(text.substr(colon + 1)))};
}

Frame ethernet(const Frame& destination, const Frame& source, int vid, uint16_t type, const Frame& payload) {
  Frame frame = destination;
  append(frame, source);
  if (vid >= 0) {
    append16(frame, kVlan);
    append16(frame, static_cast<unsigned>(vid));
  }
  append16(frame, type);
  append(frame, payload);
  return frame;
}

// Where the checksum stands in a transport header; 0: it has none.
size_t checksum_offset(uint8_t protocol) {
  switch (protocol) {
    case kTcp:
      return 16;
    case kUdp:
      return 6;
    case kIcmp:
    case kIcmpv6:
      return 2;
    default:
      return 0;
  }
}

Frame counting_up(size_t octets) {
  Frame out(octets);
  for (size_t i = 0; i < octets; ++i) out[i] = static_cast<uint8_t>(i);
  return out;
}

}  // namespace

PacketBuilder::PacketBuilder(uint8_t protocol, const std::string& source, const std::string& destination)
    : protocol_(protocol), ipv6_(false), data_(counting_up(18)) {
  const Endpoint from = endpoint(source), to = endpoint(destination);
  if (from.address.size() != to.address.size()) throw std::invalid_argument(source + " > " + destination);
  source_ = from.address;
  destination_ = to.address;
  ipv6_ = source_.size() == 16;
  source_port_ = from.port;
  destination_port_ = to.port;
}

PacketBuilder& PacketBuilder::via(const std::string& source_mac, const std::string& destination_mac) {
  source_mac_ = source_mac;
  destination_mac_ = destination_mac;
  return *this;
}

PacketBuilder& PacketBuilder::vlan(uint16_t vid) {
  vid_ = vid;
  return *this;
}

PacketBuilder& PacketBuilder::ttl(uint8_t hops) {
  ttl_ = hops;
  return *this;
}

PacketBuilder& PacketBuilder::tos(uint8_t octet) {
  tos_ = octet;
  return *this;
}

PacketBuilder& PacketBuilder::flags(uint8_t tcp_flags) {
  tcp_flags_ = tcp_flags;
  return *this;
}

PacketBuilder& PacketBuilder::data(size_t octets) {
  data_ = counting_up(octets);
  return *this;
}

PacketBuilder& PacketBuilder::data(const Frame& octets) {
  data_ = octets;
  return *this;
}

PacketBuilder& PacketBuilder::may_not_fragment() {
  may_not_fragment_ = true;
  return *this;
}

PacketBuilder& PacketBuilder::id(uint16_t identification) {
  id_ = identification;
  return *this;
}

PacketBuilder& PacketBuilder::part(size_t offset, size_t length) {
  if (offset % 8 != 0) throw std::invalid_argument("a part begins at a multiple of 8 octets");
  part_offset_ = offset;
  part_length_ = length;
  return *this;
}

PacketBuilder& PacketBuilder::options(const Frame& octets) {
  if (octets.size() % 4 != 0 || octets.size() > 40) throw std::invalid_argument("options of whole words");
  options_ = octets;
  return *this;
}

PacketBuilder& PacketBuilder::no_checksum() {
  no_checksum_ = true;
  return *this;
}

PacketBuilder& PacketBuilder::bad_ip_checksum() {
  bad_ip_checksum_ = true;
  return *this;
}

PacketBuilder& PacketBuilder::icmp(uint8_t type, uint8_t code, uint32_t rest) {
  icmp_type_ = type;
  icmp_code_ = code;
  icmp_rest_ = rest;
  return *this;
}

PacketBuilder& PacketBuilder::poke(size_t at, uint8_t octet) {
  pokes_.emplace_back(at, octet);
  return *this;
}

// The whole transport header and the data, with its checksum.
Frame PacketBuilder::transport() const {
  Frame out;
  if (protocol_ == kTcp || protocol_ == kUdp) {
    append16(out, source_port_);
    append16(out, destination_port_);
  }
  if (protocol_ == kTcp) {
    append32(out, 1);  // sequence
    append32(out, (tcp_flags_ & 0x10) != 0 ? 1 : 0);
    append8(out, 5 << 4);
    append8(out, tcp_flags_);
    append16(out, 65535);  // window
    append32(out, 0);      // checksum, urgent
  } else if (protocol_ == kUdp) {
    append16(out, static_cast<unsigned>(8 + data_.size()));
    append16(out, 0);
  } else if (protocol_ == kIcmp || protocol_ == kIcmpv6) {
    append8(out, icmp_type_);
    append8(out, icmp_code_);
    append16(out, 0);
    append32(out, icmp_rest_);
  }
  append(out, data_);
  const size_t at = checksum_offset(protocol_);
  if (at == 0 || no_checksum_) return out;
  Frame summed = protocol_ == kIcmp ? Frame() : pseudo_header(source_, destination_, protocol_, out.size());
  append(summed, out);
  uint16_t checksum = static_cast<uint16_t>(~sum16(summed));
  if (protocol_ == kUdp && checksum == 0) checksum = 0xFFFF;
  store16(out, at, checksum);
  return out;
}

Frame PacketBuilder::ipv4(const Frame& payload) const {
  const Frame whole = transport();
  const bool more = part_offset_ + payload.size() < whole.size();
  Frame out;
  append8(out, 0x40 | static_cast<unsigned>(5 + options_.size() / 4));
  append8(out, tos_);
  append16(out, static_cast<unsigned>(20 + options_.size() + payload.size()));
  append16(out, id_);
  append16(out, (may_not_fragment_ ? 0x4000u : 0u) | (more ? 0x2000u : 0u) |
                    static_cast<unsigned>(part_offset_ / 8));
  append8(out, ttl_);
  append8(out, protocol_);
  append16(out, 0);
  append(out, source_);
  append(out, destination_);
  append(out, options_);
  const auto checksum = static_cast<uint16_t>(~sum16(out));
  store16(out, 10, bad_ip_checksum_ ? checksum ^ 0x0100u : checksum);
  append(out, payload);
  return out;
}

Frame PacketBuilder::ipv6(const Frame& payload) const {
  const bool is_part = part_length_ != SIZE_MAX;
  Frame out;
  append32(out, 6u << 28 | static_cast<uint32_t>(tos_) << 20);
  append16(out, static_cast<unsigned>(payload.size() + (is_part ? 8 : 0)));
  append8(out, is_part ? kFragment : protocol_);
  append8(out, ttl_);
  append(out, source_);
  append(out, destination_);
  if (is_part) {
    const bool more = part_offset_ + payload.size() < transport().size();
    append8(out, protocol_);
    append8(out, 0);
    append16(out, static_cast<unsigned>(part_offset_) | (more ? 1u : 0u));
    append32(out, id_);
  }
  append(out, payload);
  return out;
}

Frame PacketBuilder::packet() const {
  const Frame whole = transport();
  const size_t begin = std::min(part_offset_, whole.size());
  const size_t length = std::min(part_length_, whole.size() - begin);
  const Frame payload(whole.begin() + static_cast<ptrdiff_t>(begin),
                      whole.begin() + static_cast<ptrdiff_t>(begin + length));
  Frame out = ipv6_ ? ipv6(payload) : ipv4(payload);
  for (const auto& [at, octet] : pokes_) out.at(at) = octet;
  return out;
}

PacketBuilder::operator Frame() const {
  return ethernet(mac_octets(destination_mac_), mac_octets(source_mac_), vid_, ipv6_ ? kIpv6 : kIpv4,
                  packet());
}

PacketBuilder udp(const std::string& source, const std::string& destination) {
  return {kUdp, source, destination};
}

PacketBuilder tcp(const std::string& source, const std::string& destination) {
  return {kTcp, source, destination};
}

PacketBuilder ip(uint8_t protocol, const std::string& source, const std::string& destination) {
  return {protocol, source, destination};
}

namespace {

// `types`: of ICMP and of ICMPv6.
PacketBuilder icmp_message(const std::string& source, const std::string& destination,
                           std::pair<uint8_t, uint8_t> types, uint8_t code, uint32_t rest) {
  const bool is_ipv6 = endpoint(source).address.size() == 16;
  PacketBuilder builder(is_ipv6 ? kIcmpv6 : kIcmp, source, destination);
  return builder.icmp(is_ipv6 ? types.second : types.first, code, rest);
}

}  // namespace

PacketBuilder echo_request(const std::string& source, const std::string& destination, uint16_t id,
                           uint16_t sequence) {
  return icmp_message(source, destination, {8, 128}, 0, static_cast<uint32_t>(id) << 16 | sequence);
}

PacketBuilder echo_reply(const std::string& source, const std::string& destination, uint16_t id,
                         uint16_t sequence) {
  return icmp_message(source, destination, {0, 129}, 0, static_cast<uint32_t>(id) << 16 | sequence);
}

PacketBuilder icmp_error(const std::string& source, const std::string& destination, uint8_t type,
                         uint8_t code, const Frame& quoted, size_t octets, uint32_t rest) {
  const auto length = static_cast<ptrdiff_t>(std::min(octets, quoted.size()));
  return icmp_message(source, destination, {type, type}, code, rest)
      .data(Frame(quoted.begin(), quoted.begin() + length));
}

namespace {

Frame arp(unsigned operation, const std::string& mac, const std::string& address, const std::string& to_mac,
          const std::string& to_address) {
  Frame out;
  append16(out, 1);  // Ethernet
  append16(out, kIpv4);
  append8(out, 6);
  append8(out, 4);
  append16(out, operation);
  append(out, mac_octets(mac));
  append(out, address_octets(address));
  append(out, mac_octets(to_mac));
  append(out, address_octets(to_address));
  if (out.size() != kArpLength) throw std::invalid_argument("ARP is for IPv4: " + address);
  return out;
}

// A target and its, or the source's, link-layer address.
Frame nd_body(const std::string& target, uint8_t option, const std::string& mac) {
  Frame out = address_octets(target);
  append8(out, option);
  append8(out, 1);  // times 8 octets
  append(out, mac_octets(mac));
  return out;
}

}  // namespace

Frame arp_request(const std::string& mac, const std::string& address, const std::string& target) {
  Frame frame = ethernet(mac_octets(kEverybody), mac_octets(mac), -1, kArp,
                         arp(1, mac, address, "00:00:00:00:00:00", target));
  frame.resize(kMinimumFrame);
  return frame;
}

Frame arp_reply(const std::string& mac, const std::string& address, const std::string& to_mac,
                const std::string& to_address) {
  Frame frame =
      ethernet(mac_octets(to_mac), mac_octets(mac), -1, kArp, arp(2, mac, address, to_mac, to_address));
  frame.resize(kMinimumFrame);
  return frame;
}

Frame neighbor_solicitation(const std::string& mac, const std::string& address, const std::string& target) {
  const Frame wanted = address_octets(target);
  char group[40], group_mac[18];
  std::snprintf(group, sizeof group, "ff02::1:ff%02x:%02x%02x", wanted.at(13), wanted.at(14), wanted.at(15));
  std::snprintf(group_mac, sizeof group_mac, "33:33:ff:%02x:%02x:%02x", wanted[13], wanted[14], wanted[15]);
  return PacketBuilder(kIcmpv6, address, group)
      .icmp(135, 0, 0)
      .data(nd_body(target, 1, mac))
      .ttl(255)
      .via(mac, group_mac);
}

Frame neighbor_advertisement(const std::string& mac, const std::string& address, const std::string& to_mac,
                             const std::string& to_address) {
  constexpr uint32_t kSolicitedAndOverride = 0x60000000;
  return PacketBuilder(kIcmpv6, address, to_address)
      .icmp(136, 0, kSolicitedAndOverride)
      .data(nd_body(address, 2, mac))
      .ttl(255)
      .via(mac, to_mac);
}

}  // namespace sluice::test
