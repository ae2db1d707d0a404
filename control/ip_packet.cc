// SPDX-License-Identifier: BSD-3-Clause
#include "control/ip_packet.h"

#include <algorithm>

#include "control/checksums.h"

namespace sluice::control {
namespace {

using dataplane::BigEndian;
using dataplane::IcmpHeader;
using dataplane::Ipv4Header;
using dataplane::Ipv6Header;

constexpr uint8_t kHopLimit = 64;
constexpr uint8_t kProtocolAuthentication = 51;

/// RFC 8200 section 4.5; every other extension header that is read begins with its first two octets.
struct FragmentHeader {
  uint8_t next_header;
  uint8_t reserved;
  BigEndian<uint16_t> offset_more;
  BigEndian<uint32_t> id;
};
static_assert(sizeof(FragmentHeader) == 8);

constexpr uint16_t kMoreFollow = 1, kOffset = 0xFFF8;

bool is_extension(uint8_t protocol) {
  return protocol == dataplane::kProtocolHopByHop || protocol == dataplane::kProtocolRouting ||
         protocol == dataplane::kProtocolFragment || protocol == dataplane::kProtocolDestinationOptions ||
         protocol == kProtocolAuthentication;
}

size_t extension_length(const FragmentHeader& header, uint8_t protocol) {
  if (protocol == dataplane::kProtocolFragment) return sizeof header;
  const size_t units = header.reserved;  // where other extension headers say how long they are
  return protocol == kProtocolAuthentication ? (units + 2) * 4 : (units + 1) * 8;  // RFC 4302 2.2
}

// Leaves the payload empty where the chain does not end within the octets.
void skip_extensions(IpPacket& packet) {
  while (is_extension(packet.protocol) && !packet.later_fragment) {
    const auto header = read<FragmentHeader>(packet.payload);
    const size_t length = header ? extension_length(*header, packet.protocol) : 0;
    if (!header || length > packet.payload.size()) {
      packet.payload = {};
      packet.unreadable = true;
      return;
    }
    if (packet.protocol == dataplane::kProtocolFragment) {
      const uint16_t where = header->offset_more.host();
      packet.later_fragment = (where & kOffset) != 0;
      packet.fragment = (where & (kOffset | kMoreFollow)) != 0;
    }
    packet.protocol = header->next_header;
    packet.payload = packet.payload.subspan(length);
  }
}

std::optional<IpPacket> read_ipv4(Octets octets) {
  const auto ip = read<Ipv4Header>(octets);
  if (!ip) return std::nullopt;
  const size_t header = ip->header_length(), length = ip->total_length.host();
  if (header < sizeof *ip || length < header || octets.size() < header) return std::nullopt;
  IpPacket packet;
  packet.source = ip->source.host();
  packet.destination = ip->destination.host();
  packet.whole = octets.first(std::min(length, octets.size()));
  packet.payload = packet.whole.subspan(header);
  packet.traffic_class = ip->tos;
  packet.hop_limit = ip->ttl;
  packet.protocol = ip->protocol;
  packet.complete = length <= octets.size();
  const uint16_t where = ip->fragment.host();
  packet.later_fragment = (where & dataplane::kFragmentOffset) != 0;
  packet.fragment = (where & (dataplane::kFragmentOffset | dataplane::kMoreFragments)) != 0;
  return packet;
}

std::optional<IpPacket> read_ipv6(Octets octets) {
  const auto ip = read<Ipv6Header>(octets);
  if (!ip) return std::nullopt;
  const size_t length = sizeof *ip + ip->payload_length.host();
  IpPacket packet;
  packet.source = dataplane::load_ip6(ip->source.data());
  packet.destination = dataplane::load_ip6(ip->destination.data());
  packet.whole = octets.first(std::min(length, octets.size()));
  packet.payload = packet.whole.subspan(sizeof *ip);
  packet.traffic_class = static_cast<uint8_t>(ip->version_class_flow.host() >> 20);
  packet.hop_limit = ip->hop_limit;
  packet.protocol = ip->next_header;
  packet.complete = length <= octets.size();
  skip_extensions(packet);
  return packet;
}

Ipv6Header ipv6_header(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                       uint8_t traffic_class, size_t payload_length) {
  Ipv6Header ip{};
  ip.version_class_flow = BigEndian<uint32_t>(0x6000'0000 | uint32_t{traffic_class} << 20);
  ip.payload_length = BigEndian<uint16_t>(static_cast<uint16_t>(payload_length));
  ip.next_header = protocol;
  ip.hop_limit = kHopLimit;
  dataplane::store_ip6(source.ip6(), ip.source.data());
  dataplane::store_ip6(destination.ip6(), ip.destination.data());
  return ip;
}

std::vector<uint8_t> ipv4_header(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                                 uint8_t traffic_class, size_t payload_length, uint16_t id) {
  Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.tos = traffic_class;
  ip.total_length = BigEndian<uint16_t>(static_cast<uint16_t>(sizeof ip + payload_length));
  ip.id = BigEndian<uint16_t>(id);
  ip.ttl = kHopLimit;
  ip.protocol = protocol;
  ip.source = BigEndian<uint32_t>(source.ip4());
  ip.destination = BigEndian<uint32_t>(destination.ip4());
  std::vector<uint8_t> out;
  append(out, ip);
  ip.checksum = InternetChecksum().add(out).value();
  overwrite(out, 0, ip);
  return out;
}

// REQUIRES: `ip` begins with a whole IPv6 header.
InternetChecksum pseudo_header(Octets ip, size_t length) {
  return InternetChecksum().add_pseudo_header(*read<Ipv6Header>(ip), static_cast<uint32_t>(length),
                                              dataplane::kProtocolIcmpv6);
}

}  // namespace

std::optional<IpPacket> read_ip(Octets octets) {
  if (octets.empty()) return std::nullopt;
  const unsigned version = octets[0] >> 4;
  if (version == 4) return read_ipv4(octets);
  if (version == 6) return read_ipv6(octets);
  return std::nullopt;
}

std::vector<uint8_t> ip_header(const IpAddress& source, const IpAddress& destination, uint8_t protocol,
                               uint8_t traffic_class, size_t payload_length, uint16_t id) {
  if (source.is_ipv4()) return ipv4_header(source, destination, protocol, traffic_class, payload_length, id);
  std::vector<uint8_t> out;
  append(out, ipv6_header(source, destination, protocol, traffic_class, payload_length));
  return out;
}

std::vector<uint8_t> icmp_packet(const IpAddress& source, const IpAddress& destination, IcmpHeader header,
                                 Octets body, uint8_t traffic_class, uint16_t id) {
  const uint8_t protocol = source.is_ipv4() ? dataplane::kProtocolIcmp : dataplane::kProtocolIcmpv6;
  const size_t length = sizeof header + body.size();
  std::vector<uint8_t> out = ip_header(source, destination, protocol, traffic_class, length, id);
  const size_t at = out.size();
  out.reserve(at + length);
  header.checksum = 0;
  append(out, header);
  out.insert(out.end(), body.begin(), body.end());
  InternetChecksum sum = source.is_ipv4() ? InternetChecksum() : pseudo_header(out, length);
  header.checksum = sum.add(Octets(out).subspan(at)).value();
  overwrite(out, at, header);
  return out;
}

bool icmp_checksum_is_right(const IpPacket& packet) {
  InternetChecksum sum =
      packet.source.is_ipv4() ? InternetChecksum() : pseudo_header(packet.whole, packet.payload.size());
  return sum.add(packet.payload).value() == 0;
}

bool is_single_host(const IpAddress& address) {
  if (address.is_ipv4()) {
    const dataplane::Ip4 ip = address.ip4();
    return ip >> 24 != 0 && ip >> 28 < 0xE && !dataplane::is_loopback(ip);
  }
  const dataplane::Ip6& ip = address.ip6();
  return !dataplane::is_multicast(ip) && !dataplane::is_unspecified(ip) && !dataplane::is_loopback(ip);
}

}  // namespace sluice::control
