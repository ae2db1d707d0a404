// SPDX-License-Identifier: BSD-3-Clause
#include "control/icmp_errors.h"

#include <algorithm>
#include <optional>

#include "control/ip_packet.h"

namespace sluice::control {
namespace {

using dataplane::BigEndian;
using dataplane::ErrorKind;
using dataplane::IcmpHeader;
using dataplane::Ip4;
using dataplane::Ip6;

namespace icmp = dataplane::icmp;
namespace icmpv6 = dataplane::icmpv6;

constexpr size_t kMostIpv4 = 576;  // RFC 1812 4.3.2.3
constexpr size_t kMostIpv6 = dataplane::kMinimumIpv6Mtu;
constexpr uint8_t kInternetworkControl = 0xC0;  // RFC 1812 4.3.2.5: precedence 6

IcmpHeader header(uint8_t type, uint8_t code, uint32_t value = 0) {
  return {type, code, 0, BigEndian<uint16_t>(static_cast<uint16_t>(value >> 16)),
          BigEndian<uint16_t>(static_cast<uint16_t>(value))};
}

std::optional<IcmpHeader> message4(const IcmpErrors::Offence& offence) {
  switch (offence.kind) {
    case ErrorKind::time_exceeded:
      return header(icmp::kTimeExceeded, 0);
    case ErrorKind::net_unreachable:
      return header(icmp::kUnreachable, icmp::kNetUnreachable);
    case ErrorKind::host_unreachable:
      return header(icmp::kUnreachable, icmp::kHostUnreachable);
    case ErrorKind::port_unreachable:
      return header(icmp::kUnreachable, icmp::kPortUnreachable);
    case ErrorKind::prohibited:
      return header(icmp::kUnreachable, icmp::kProhibited);
    case ErrorKind::packet_too_big:
      return header(icmp::kUnreachable, icmp::kFragmentationNeeded, offence.mtu);
    case ErrorKind::source_route_failed:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<IcmpHeader> message6(const IcmpErrors::Offence& offence) {
  switch (offence.kind) {
    case ErrorKind::time_exceeded:
      return header(icmpv6::kTimeExceeded, 0);
    case ErrorKind::net_unreachable:
      return header(icmpv6::kUnreachable, icmpv6::kNoRoute);
    case ErrorKind::host_unreachable:
      return header(icmpv6::kUnreachable, icmpv6::kAddressUnreachable);
    case ErrorKind::port_unreachable:
      return header(icmpv6::kUnreachable, icmpv6::kPortUnreachable);
    case ErrorKind::prohibited:
      return header(icmpv6::kUnreachable, icmpv6::kProhibited);
    case ErrorKind::packet_too_big:
      return header(icmpv6::kPacketTooBig, 0, std::max<uint32_t>(offence.mtu, dataplane::kMinimumIpv6Mtu));
    case ErrorKind::source_route_failed:
      return header(icmpv6::kParameterProblem, 0, offence.pointer);
  }
  return std::nullopt;
}

// One whose type cannot be read counts as an error: two routers must never tell each other about it for ever.
bool is_icmp_error(const IpPacket& packet) {
  if (packet.source.is_ipv4()) {
    return packet.protocol == dataplane::kProtocolIcmp &&
           (packet.payload.empty() || icmp::is_error(packet.payload[0]));
  }
  return packet.protocol == dataplane::kProtocolIcmpv6 &&
         (packet.payload.empty() || icmpv6::is_error(packet.payload[0]) ||
          packet.payload[0] == icmpv6::kRedirect);
}

bool went_to_group(const IpPacket& packet, const IcmpErrors::Offence& offence,
                   const IcmpErrors::IsBroadcast& is_broadcast) {
  if (packet.source.is_ipv4()) {
    const Ip4 to = packet.destination.ip4();
    return offence.link_group || dataplane::is_multicast(to) || to == ~Ip4{0} || to == 0 || is_broadcast(to);
  }
  // RFC 4443 2.4 e.3: path MTU discovery has to work for multicast as well.
  if (offence.kind == ErrorKind::packet_too_big) return false;
  return offence.link_group || dataplane::is_multicast(packet.destination.ip6());
}

// RFC 1812 4.3.2.7 and RFC 4443 2.4 e; B35 refuses later fragments of both families.
Silence must_be_silent(const IpPacket& packet, const IcmpErrors::Offence& offence,
                       const IcmpErrors::IsBroadcast& is_broadcast) {
  if (packet.later_fragment) return Silence::later_fragment;
  if (is_icmp_error(packet)) return Silence::icmp_error;
  if (went_to_group(packet, offence, is_broadcast)) return Silence::group_destination;
  if (!is_single_host(packet.source)) return Silence::source;
  if (packet.source.is_ipv4() && is_broadcast(packet.source.ip4())) return Silence::source;
  return Silence::none;
}

// Of an interface's addresses of one family: the one in whose network the offender is, else the first that
// hosts elsewhere can be told, else the first.
template <class Address>
std::optional<IpAddress> address_on(const std::vector<OwnAddress<Address>>& addresses,
                                    const Address& offender) {
  for (const auto& own : addresses)
    if (network(own.address, own.length) == network(offender, own.length)) return own.address;
  for (const auto& own : addresses)
    if (!is_link_local(IpAddress(own.address))) return own.address;
  return std::nullopt;
}

std::optional<IpAddress> source_address(const IpPacket& packet, const IcmpErrors::Offence& offence,
                                        const std::vector<IpAddress>& fallback) {
  // The packet was ours: answered from the address that it went to (RFC 4443 2.2 a).
  if (offence.kind == ErrorKind::port_unreachable) return packet.destination;
  const bool ipv4 = packet.source.is_ipv4();
  const L3Interface* ingress = offence.ingress;
  if (ingress != nullptr) {
    const auto found = ipv4 ? address_on(ingress->ipv4, packet.source.ip4())
                            : address_on(ingress->ipv6, packet.source.ip6());
    if (found) return found;
  }
  const auto other = std::find_if(fallback.begin(), fallback.end(), [&](const IpAddress& address) {
    return address.family() == packet.source.family() && !is_link_local(address);
  });
  if (other != fallback.end()) return *other;
  // A link-local source is better than silence: it still tells that, if not from where.
  if (!ipv4 && ingress != nullptr && !ingress->ipv6.empty()) return ingress->ipv6.front().address;
  return std::nullopt;
}

}  // namespace

IcmpErrors::Answer IcmpErrors::answer(const Offence& offence, uint64_t now_ns) {
  const auto packet = read_ip(offence.packet);
  if (!packet || packet->unreadable) return {{}, Silence::malformed};
  const bool ipv4 = packet->source.is_ipv4();
  const auto message = ipv4 ? message4(offence) : message6(offence);
  if (!message) return {{}, Silence::no_message};
  const Silence silence = must_be_silent(*packet, offence, is_broadcast_);
  if (silence != Silence::none) return {{}, silence};
  const auto from = source_address(*packet, offence, fallback_);
  if (!from) return {{}, Silence::no_address};
  if (!bucket_.take(now_ns)) return {{}, Silence::rate};
  const size_t room = ipv4 ? kMostIpv4 - sizeof(dataplane::Ipv4Header) - sizeof(IcmpHeader)
                           : kMostIpv6 - sizeof(dataplane::Ipv6Header) - sizeof(IcmpHeader);
  const Octets quote = packet->whole.first(std::min(packet->whole.size(), room));
  return {icmp_packet(*from, packet->source, *message, quote, ipv4 ? kInternetworkControl : 0, next_id_++),
          Silence::none};
}

}  // namespace sluice::control
