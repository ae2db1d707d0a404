// SPDX-License-Identifier: BSD-3-Clause
#include "control/echo.h"

#include "control/ip_packet.h"

namespace sluice::control {
namespace {

using dataplane::BigEndian;
using dataplane::IcmpHeader;

struct Kind {
  uint8_t protocol, request, reply;
};

Kind kind_of(const IpAddress& address) {
  if (address.is_ipv4())
    return {dataplane::kProtocolIcmp, dataplane::icmp::kEcho, dataplane::icmp::kEchoReply};
  return {dataplane::kProtocolIcmpv6, dataplane::icmpv6::kEcho, dataplane::icmpv6::kEchoReply};
}

// The ICMP header, if the packet is whole and sound. A fragment is not: nobody puts datagrams together here.
std::optional<IcmpHeader> read_icmp(const std::optional<IpPacket>& packet) {
  if (!packet || !packet->complete || packet->fragment) return std::nullopt;
  const auto header = read<IcmpHeader>(packet->payload);
  if (!header || packet->protocol != kind_of(packet->source).protocol || header->code != 0 ||
      !icmp_checksum_is_right(*packet))
    return std::nullopt;
  return header;
}

bool is_group(const IpAddress& address) {
  if (address.is_ipv4()) return dataplane::is_multicast(address.ip4()) || address.ip4() == ~dataplane::Ip4{0};
  return dataplane::is_multicast(address.ip6());
}

}  // namespace

std::optional<std::vector<uint8_t>> echo_reply(Octets request, bool link_group, uint16_t id) {
  const auto packet = read_ip(request);
  auto header = read_icmp(packet);
  if (!header || header->type != kind_of(packet->source).request) return std::nullopt;
  // RFC 1812 4.3.3.6 lets a router be silent to groups: an echo to many is the start of an amplification.
  if (link_group || is_group(packet->destination) || !is_single_host(packet->source)) return std::nullopt;
  header->type = kind_of(packet->source).reply;
  // The request's class of service, so that the time that is measured is that class's, both ways (RFC 1349
  // section 5.1: "an ICMP reply message is sent with the same value in the TOS field").
  return icmp_packet(packet->destination, packet->source, *header,
                     packet->payload.subspan(sizeof(IcmpHeader)), packet->traffic_class, id);
}

std::optional<Echo> read_echo_reply(Octets octets) {
  const auto packet = read_ip(octets);
  const auto header = read_icmp(packet);
  if (!header || header->type != kind_of(packet->source).reply) return std::nullopt;
  Echo echo;
  echo.source = packet->source;
  echo.destination = packet->destination;
  echo.id = header->a.host();
  echo.sequence = header->b.host();
  echo.hop_limit = packet->hop_limit;
  echo.data_length = static_cast<uint16_t>(packet->payload.size() - sizeof(IcmpHeader));
  return echo;
}

std::vector<uint8_t> echo_request(const IpAddress& source, const IpAddress& destination, uint16_t identifier,
                                  uint16_t sequence, uint16_t data_length, uint16_t id) {
  IcmpHeader header{};
  header.type = kind_of(source).request;
  header.a = BigEndian<uint16_t>(identifier);
  header.b = BigEndian<uint16_t>(sequence);
  std::vector<uint8_t> data(data_length);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i);
  return icmp_packet(source, destination, header, data, 0, id);
}

}  // namespace sluice::control
