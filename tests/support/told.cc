// SPDX-License-Identifier: BSD-3-Clause
//
// What a frame is, as a sentence. It reads with bounds: what is cut off is told, or told to be BAD.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

#include "tests/support/checksum16.h"
#include "tests/support/ip.h"

namespace sluice::test {
namespace {

constexpr uint8_t kHopByHop = 0, kIcmp = 1, kTcp = 6, kUdp = 17, kRouting = 43, kFragment = 44, kIcmpv6 = 58,
                  kDestinationOptions = 60;
constexpr uint16_t kIpv4 = 0x0800, kArp = 0x0806, kVlan = 0x8100, kProviderVlan = 0x88A8, kIpv6 = 0x86DD;

using Octets = std::span<const uint8_t>;

/// A sentence and what is wrong with it.
struct Sentence {
  std::string text, bad;
};

// What is behind the end reads as 0: whoever cares has asked for the size.
unsigned octet(Octets octets, size_t at) {
  return at < octets.size() ? octets[at] : 0;
}

unsigned number16(Octets octets, size_t at) {
  return octet(octets, at) << 8 | octet(octets, at + 1);
}

uint32_t number32(Octets octets, size_t at) {
  return static_cast<uint32_t>(number16(octets, at)) << 16 | number16(octets, at + 2);
}

Octets behind(Octets octets, size_t count) {
  return octets.subspan(std::min(count, octets.size()));
}

Octets up_to(Octets octets, size_t count) {
  return octets.first(std::min(count, octets.size()));
}

std::string number(size_t value) {
  return std::to_string(value);
}

std::string mac_at(Octets octets, size_t at) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", octet(octets, at), octet(octets, at + 1),
                octet(octets, at + 2), octet(octets, at + 3), octet(octets, at + 4), octet(octets, at + 5));
  return text;
}

// `length`: 4 or 16.
std::string address_at(Octets octets, size_t at, size_t length) {
  std::array<uint8_t, 16> raw{};
  for (size_t i = 0; i < length; ++i) raw[i] = static_cast<uint8_t>(octet(octets, at + i));
  char text[INET6_ADDRSTRLEN];
  inet_ntop(length == 4 ? AF_INET : AF_INET6, raw.data(), text, sizeof text);
  return text;
}

/// A packet's addresses and the part of a datagram that it carries.
struct IpPart {
  Frame source, destination;
  Frame summed;  ///< the destination that checksums cover: behind a source route, its last one
  uint8_t protocol = 0;
  unsigned ttl = 0;
  bool is_part = false, more = false;
  size_t offset = 0;
  Octets payload;       ///< what there is of it
  size_t length = 0;    ///< what there should be
  bool quoted = false;  ///< in an ICMP error, and perhaps cut off
  std::string bad;

  [[nodiscard]] bool is_ipv4() const { return source.size() == 4; }
  [[nodiscard]] bool is_whole() const { return !is_part && payload.size() == length; }
};

Sentence tell_ip(Octets packet, bool quoted);

std::string endpoint(const Frame& address, bool with_port, unsigned port) {
  const std::string text = address_at(address, 0, address.size());
  if (!with_port) return text;
  return (address.size() == 4 ? text : "[" + text + "]") + ":" + number(port);
}

std::string head(const IpPart& ip, const std::string& name) {
  const bool has_ports =
      (ip.protocol == kTcp || ip.protocol == kUdp) && ip.offset == 0 && ip.payload.size() >= 4;
  return name + " " + endpoint(ip.source, has_ports, number16(ip.payload, 0)) + " > " +
         endpoint(ip.destination, has_ports, number16(ip.payload, 2)) + " ttl " + number(ip.ttl);
}

std::string part(const IpPart& ip) {
  if (!ip.is_part) return "";
  return " part " + number(ip.offset) + "+" + number(ip.length) + (ip.more ? " more" : "");
}

std::string tcp_flags(unsigned flags) {
  static constexpr std::array<std::pair<unsigned, const char*>, 8> kNames = {{{0x02, " syn"},
                                                                              {0x01, " fin"},
                                                                              {0x04, " rst"},
                                                                              {0x08, " psh"},
                                                                              {0x10, " ack"},
                                                                              {0x20, " urg"},
                                                                              {0x40, " ece"},
                                                                              {0x80, " cwr"}}};
  std::string text;
  for (const auto& [bit, name] : kNames) text += (flags & bit) != 0 ? name : "";
  return text;
}

bool sums_up(const IpPart& ip) {
  Frame summed;
  if (ip.protocol != kIcmp) summed = pseudo_header(ip.source, ip.summed, ip.protocol, ip.payload.size());
  summed.insert(summed.end(), ip.payload.begin(), ip.payload.end());
  return sum16(summed) == 0xFFFF;
}

std::string check(const IpPart& ip, size_t header, bool fits) {
  if (ip.offset != 0) return "";
  if (ip.payload.size() < header) return ip.quoted || ip.is_part ? "" : " BAD length";
  if (!ip.is_whole()) return "";
  return fits ? sums_up(ip) ? "" : " BAD checksum" : " BAD length";
}

Sentence tell_udp(const IpPart& ip) {
  const bool has_checksum = ip.offset != 0 || ip.payload.size() < 8 || number16(ip.payload, 6) != 0;
  const std::string text = head(ip, "udp") + part(ip);
  if (!has_checksum && ip.is_ipv4()) {
    const bool fits = !ip.is_whole() || number16(ip.payload, 4) == ip.length;
    return {text + " no checksum", fits ? "" : " BAD length"};
  }
  if (!has_checksum) return {text, " BAD checksum"};  // RFC 8200 section 8.1
  return {text, check(ip, 8, number16(ip.payload, 4) == ip.length)};
}

Sentence tell_tcp(const IpPart& ip) {
  const bool has_flags = ip.offset == 0 && ip.payload.size() >= 14 && !ip.quoted;
  const size_t header = (octet(ip.payload, 12) >> 4) * 4;
  return {head(ip, "tcp") + part(ip) + (has_flags ? tcp_flags(octet(ip.payload, 13)) : ""),
          check(ip, 20, header >= 20 && header <= ip.length)};
}

std::string tell_error(unsigned type, unsigned code, bool ipv4, Octets payload) {
  const uint32_t rest = number32(payload, 4);
  std::string text = "error " + number(type) + "/" + number(code);
  if (ipv4 && type == 3 && code == 4) {
    text += " mtu " + number(rest);  // RFC 1191: the upper half is 0, or this looks odd
  } else if (!ipv4 && type == 2) {
    text += " mtu " + number(rest);
  } else if (type == (ipv4 ? 12u : 4u)) {
    text += " pointer " + number(ipv4 ? rest >> 24 : rest);
  } else if (rest != 0) {
    text += " rest " + number(rest);
  }
  const Sentence about = tell_ip(behind(payload, 8), true);
  return text + " about (" + about.text + about.bad + ")";
}

std::string tell_nd(const IpPart& ip, unsigned type) {
  const std::string target = address_at(ip.payload, 8, 16);
  if (type == 135) return "nd who-has " + target + " from " + address_at(ip.source, 0, 16);
  const bool has_option = ip.payload.size() >= 32 && ip.payload[24] == 2;
  return "nd " + target + " is-at " + (has_option ? mac_at(ip.payload, 26) : "an unsaid address");
}

Sentence tell_icmp(const IpPart& ip) {
  const std::string bad = check(ip, 8, true);
  const std::string start = head(ip, "icmp") + part(ip);
  if (ip.offset != 0 || ip.payload.size() < 8) return {start, bad};
  const bool ipv4 = ip.is_ipv4();
  const unsigned type = ip.payload[0], code = ip.payload[1];
  if (!ipv4 && (type == 135 || type == 136))
    return {tell_nd(ip, type), (ip.payload.size() < 24 ? " BAD length" : bad) +
                                   (ip.ttl == 255 ? "" : " BAD hop limit") + (code == 0 ? "" : " BAD code")};
  const std::string id = number(number16(ip.payload, 4)) + "/" + number(number16(ip.payload, 6));
  if (type == (ipv4 ? 8u : 128u) && code == 0) return {start + " echo " + id, bad};
  if (type == (ipv4 ? 0u : 129u) && code == 0) return {start + " echo-reply " + id, bad};
  const bool is_error = ipv4 ? type == 3 || type == 4 || type == 5 || type == 11 || type == 12 : type < 128;
  if (is_error && ip.quoted) return {start + " error " + number(type) + "/" + number(code), bad};
  if (is_error) return {start + " " + tell_error(type, code, ipv4, ip.payload), bad};
  return {start + " type " + number(type) + "/" + number(code), bad};
}

Sentence tell_payload(const IpPart& ip) {
  if (ip.protocol == kUdp) return tell_udp(ip);
  if (ip.protocol == kTcp) return tell_tcp(ip);
  if (ip.protocol == (ip.is_ipv4() ? kIcmp : kIcmpv6)) return tell_icmp(ip);
  return {head(ip, "ip " + number(ip.protocol)) + part(ip), ""};
}

Frame copy(Octets octets, size_t at, size_t length) {
  Frame out;
  for (size_t i = 0; i < length; ++i) out.push_back(static_cast<uint8_t>(octet(octets, at + i)));
  return out;
}

IpPart read_ipv4(Octets packet, bool quoted) {
  IpPart ip;
  const size_t header = (octet(packet, 0) & 0xF) * 4, total = number16(packet, 2);
  if (header < 20 || total < header || packet.size() < (quoted ? header : total)) ip.bad = " BAD length";
  if (header >= 20 && packet.size() >= header && sum16(copy(packet, 0, header)) != 0xFFFF)
    ip.bad += " BAD ip checksum";
  ip.source = copy(packet, 12, 4);
  ip.destination = ip.summed = copy(packet, 16, 4);
  ip.protocol = static_cast<uint8_t>(octet(packet, 9));
  ip.ttl = octet(packet, 8);
  ip.more = (octet(packet, 6) & 0x20) != 0;
  ip.offset = (number16(packet, 6) & 0x1FFF) * 8;
  ip.is_part = ip.more || ip.offset != 0;
  ip.length = total < header ? 0 : total - header;
  ip.payload = up_to(behind(packet, header), ip.length);
  return ip;
}

// Steps over an extension header. False: `protocol` is none.
bool step_over(IpPart& ip) {
  if (ip.protocol == kFragment && !ip.is_part && ip.payload.size() >= 8) {
    ip.protocol = ip.payload[0];
    ip.is_part = true;
    ip.more = (ip.payload[3] & 1) != 0;
    ip.offset = number16(ip.payload, 2) & 0xFFF8;
    ip.payload = behind(ip.payload, 8);
    ip.length -= 8;
    return true;
  }
  if (ip.protocol != kHopByHop && ip.protocol != kRouting && ip.protocol != kDestinationOptions) return false;
  const size_t length = 8 + octet(ip.payload, 1) * 8;
  if (ip.payload.size() < length || ip.offset != 0) return false;
  // The last address of a source route is the one that is summed up (RFC 8200 section 8.1).
  if (ip.protocol == kRouting && octet(ip.payload, 3) > 0 && length >= 24)
    ip.summed = copy(ip.payload, length - 16, 16);
  ip.protocol = ip.payload[0];
  ip.payload = behind(ip.payload, length);
  ip.length -= length;
  return true;
}

IpPart read_ipv6(Octets packet, bool quoted) {
  IpPart ip;
  ip.length = number16(packet, 4);
  if (packet.size() < 40 + (quoted ? 0 : ip.length)) ip.bad = " BAD length";
  ip.source = copy(packet, 8, 16);
  ip.destination = ip.summed = copy(packet, 24, 16);
  ip.protocol = static_cast<uint8_t>(octet(packet, 6));
  ip.ttl = octet(packet, 7);
  ip.payload = up_to(behind(packet, 40), ip.length);
  while (step_over(ip)) {
  }
  return ip;
}

Sentence tell_ip(Octets packet, bool quoted) {
  const unsigned version = octet(packet, 0) >> 4;
  if (version != 4 && version != 6) return {"ip", " BAD version"};
  IpPart ip = version == 4 ? read_ipv4(packet, quoted) : read_ipv6(packet, quoted);
  ip.quoted = quoted;
  Sentence told = tell_payload(ip);
  // With a wrong length the payload is not what was summed up.
  told.bad = ip.bad.find("length") != std::string::npos ? ip.bad : ip.bad + told.bad;
  return told;
}

Sentence tell_arp(Octets packet) {
  if (packet.size() < 28) return {"arp", " BAD length"};
  const bool is_known =
      number16(packet, 0) == 1 && number16(packet, 2) == kIpv4 && number16(packet, 4) == 0x0604;
  const unsigned operation = number16(packet, 6);
  if (!is_known || operation < 1 || operation > 2) return {"arp", " BAD header"};
  const std::string sender = address_at(packet, 14, 4);
  if (operation == 1) return {"arp who-has " + address_at(packet, 24, 4) + " tell " + sender, ""};
  return {"arp " + sender + " is-at " + mac_at(packet, 8), ""};
}

/// A frame without its Ethernet header and tags.
struct Inner {
  uint16_t type = 0;
  Octets payload;
  std::string vlans;
};

Inner read_ethernet(Octets frame) {
  Inner inner;
  inner.type = static_cast<uint16_t>(number16(frame, 12));
  size_t at = 14;
  while (inner.type == kVlan || inner.type == kProviderVlan) {
    inner.vlans += " vlan " + number(number16(frame, at) & 0xFFF);
    inner.type = static_cast<uint16_t>(number16(frame, at + 2));
    at += 4;
  }
  inner.payload = behind(frame, at);
  return inner;
}

Sentence tell_inner(const Inner& inner) {
  if (inner.type == kArp) return tell_arp(inner.payload);
  if (inner.type == kIpv4 || inner.type == kIpv6) {
    Sentence told = tell_ip(inner.payload, false);
    const unsigned version = octet(inner.payload, 0) >> 4;
    if ((version == 4) != (inner.type == kIpv4)) told.bad += " BAD ethertype";
    return told;
  }
  char text[20];
  std::snprintf(text, sizeof text, "ethertype 0x%04x", inner.type);
  return {text, ""};
}

}  // namespace

std::string told(const Frame& frame) {
  const Inner inner = read_ethernet(frame);
  const Sentence sentence = frame.size() < 14 ? Sentence{"frame", " BAD length"} : tell_inner(inner);
  return sentence.text + inner.vlans + sentence.bad;
}

std::vector<std::string> told(const Frames& frames) {
  std::vector<std::string> all;
  for (const Frame& frame : frames) all.push_back(told(frame));
  return all;
}

std::string told_macs(const Frame& frame) {
  return mac_at(frame, 6) + " > " + mac_at(frame, 0);
}

Frame ip_packet_of(const Frame& frame) {
  const Inner inner = read_ethernet(frame);
  const bool is_ipv6 = inner.type == kIpv6;
  const size_t length = is_ipv6 ? 40 + number16(inner.payload, 4) : number16(inner.payload, 2);
  const Octets packet = up_to(inner.payload, length);
  return {packet.begin(), packet.end()};
}

}  // namespace sluice::test
