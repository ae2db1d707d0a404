// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/ip_header.h"

#include <algorithm>

#include "dataplane/checksum.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned kMinimumIhl = 5;
constexpr uint8_t kOptionEnd = 0, kOptionNop = 1, kOptionLooseRoute = 0x83, kOptionStrictRoute = 0x89;
// Enough for every real packet; a longer chain is forwarded, its ports unread.
constexpr unsigned kMaxExtensionHeaders = 8;

struct Ports {
  BigEndian<uint16_t> source, destination;
};

template <class Wire>
Wire load(const uint8_t* at) {
  Wire value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

bool has_source_route(const uint8_t* options, unsigned length) {
  for (unsigned at = 0; at < length && options[at] != kOptionEnd;) {
    if (options[at] == kOptionNop) {
      ++at;
      continue;
    }
    if (options[at] == kOptionLooseRoute || options[at] == kOptionStrictRoute) return true;
    if (at + 1 >= length || options[at + 1] < 2) return false;  // malformed: not ours to judge
    at += options[at + 1];
  }
  return false;
}

// RFC 1812 5.3.7: never a source on a link of ours.
bool is_martian_source(Ip4 source) {
  return source >> 24 == 0 || is_loopback(source) || source >> 28 >= 0xE;
}

// The ports, or of an echo its identifier for both (RFC 5508 section 3).
void read_ports(Batch& batch, uint8_t place, const uint8_t* transport, unsigned length) {
  batch.source_port[place] = batch.destination_port[place] = 0;
  const uint8_t protocol = batch.protocol[place];
  const bool tcp_or_udp = protocol == kProtocolTcp || protocol == kProtocolUdp;
  if (tcp_or_udp && length >= (protocol == kProtocolTcp ? sizeof(TcpHeader) : sizeof(UdpHeader))) {
    const auto ports = load<Ports>(transport);
    batch.source_port[place] = ports.source.host();
    batch.destination_port[place] = ports.destination.host();
    batch.flags[place] |= kHasPorts;
  } else if (protocol == kProtocolIcmp && length >= sizeof(IcmpHeader)) {
    const auto header = load<IcmpHeader>(transport);
    if (header.type == icmp::kEcho || header.type == icmp::kEchoReply) {
      batch.source_port[place] = batch.destination_port[place] = header.a.host();
      batch.flags[place] |= kHasPorts;
    } else if (icmp::is_error(header.type)) {
      batch.flags[place] |= kIsIcmpError;
    }
  }
}

bool has_good_checksum(const rte_mbuf* packet, const Ipv4Header* header) {
  if ((packet->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD) return true;
  return internet_checksum(header, header->header_length()) == 0xFFFF;
}

DropReason check_ipv4(const rte_mbuf* packet, const Ipv4Header* header, unsigned l3) {
  const unsigned here = packet->data_len - l3, available = packet->pkt_len - l3;
  if (here < sizeof *header || header->version_ihl >> 4 != 4) return DropReason::bad_ip_header;
  const unsigned length = header->header_length();
  if (length < kMinimumIhl * 4 || length > here) return DropReason::bad_ip_header;
  const unsigned total = header->total_length.host();
  if (total < length || total > available) return DropReason::bad_ip_header;
  if (!has_good_checksum(packet, header)) return DropReason::bad_ip_checksum;
  if (is_martian_source(header->source.host())) return DropReason::martian_source;
  return DropReason::none;
}

uint8_t fragment_flags(uint16_t fragment) {
  uint8_t flags = (fragment & kDontFragment) != 0 ? kMayNotFragment : 0;
  if ((fragment & (kMoreFragments | kFragmentOffset)) != 0) flags |= kIsFragment;
  if ((fragment & kFragmentOffset) != 0) flags |= kIsLaterFragment;
  return flags;
}

// A second fragment at offset 1 overwrites TCP's flags (RFC 3128), a first one that ends before them hides
// them (RFC 1858).
bool is_tiny(const Batch& batch, uint8_t place, uint16_t fragment, unsigned payload) {
  if (batch.protocol[place] != kProtocolTcp || (batch.flags[place] & kIsFragment) == 0) return false;
  const unsigned offset = fragment & kFragmentOffset;
  return offset == 1 || (offset == 0 && payload < sizeof(TcpHeader));
}

}  // namespace

DropReason read_ipv4(Batch& batch, uint8_t place) {
  const rte_mbuf* packet = batch.packet[place];
  const auto* header = l3_header<Ipv4Header>(batch, place);
  const DropReason wrong = check_ipv4(packet, header, batch.l3[place]);
  if (wrong != DropReason::none) return wrong;

  const unsigned length = header->header_length(), payload = header->total_length.host() - length;
  if (length > sizeof *header &&
      has_source_route(reinterpret_cast<const uint8_t*>(header + 1), length - sizeof *header)) {
    return DropReason::source_route;
  }
  batch.family[place] = Family::ipv4;
  batch.protocol[place] = header->protocol;
  batch.ttl[place] = header->ttl;
  batch.l4[place] = static_cast<uint8_t>(length);
  batch.ip_length[place] = header->total_length.host();
  batch.source4[place] = header->source.host();
  batch.destination4[place] = header->destination.host();
  const uint16_t fragment = header->fragment.host();
  batch.flags[place] |= fragment_flags(fragment);
  if (is_tiny(batch, place, fragment, payload)) return DropReason::tiny_fragment;
  const bool has_transport = (batch.flags[place] & kIsLaterFragment) == 0;
  read_ports(batch, place, l4_header(batch, place), has_transport ? contiguous(batch, place) - length : 0);
  return DropReason::none;
}

namespace {

/// The chain of IPv6's headers, walked as far as it can be read.
struct Chain {
  uint8_t protocol;
  unsigned offset;  ///< of the header that `protocol` names
  bool fragment = false, later_fragment = false;
  uint16_t source_routing_at = 0;  ///< offset of the type octet of a type 0 routing header in use; 0: none
};

constexpr uint8_t kRoutingType0 = 0;

void walk(Chain& chain, const uint8_t* packet, unsigned length) {
  for (unsigned i = 0; i < kMaxExtensionHeaders; ++i) {
    const bool known = chain.protocol == kProtocolHopByHop || chain.protocol == kProtocolRouting ||
                       chain.protocol == kProtocolFragment || chain.protocol == kProtocolDestinationOptions;
    if (!known || chain.offset + 8 > length) return;
    const uint8_t* header = packet + chain.offset;
    unsigned size = (header[1] + 1u) * 8u;
    if (chain.protocol == kProtocolRouting && header[2] == kRoutingType0 && header[3] != 0) {
      chain.source_routing_at = static_cast<uint16_t>(chain.offset + 2);
      return;
    }
    if (chain.protocol == kProtocolFragment) {
      size = 8;
      const uint16_t field = load<BigEndian<uint16_t>>(header + 2).host();
      chain.fragment = (field & ~uint16_t{6}) != 0;  // an atomic fragment is whole (RFC 6946)
      chain.later_fragment = (field & 0xFFF8) != 0;
    }
    if (chain.later_fragment) return;
    chain.protocol = header[0];
    chain.offset += size;
    if (chain.offset > length) return;
  }
}

bool is_martian_source(const Ip6& source) {
  return is_multicast(source) || is_loopback(source);
}

bool is_discovery(uint8_t type) {
  return type >= icmpv6::kRouterSolicitation && type <= icmpv6::kRedirect;
}

// A link-local destination is ours or nobody's: it is not looked up, and never forwarded (RFC 4291 2.5.6).
DropReason place_link_local(const Context& context, Batch& batch, uint8_t place, const Ip6& destination) {
  const Interface& interface = context.snapshot->interfaces[batch.interface[place]];
  const Ip6* own = context.snapshot->ipv6.data() + interface.first_ipv6;
  if (std::find(own, own + interface.ipv6, destination) == own + interface.ipv6)
    return DropReason::link_local;
  batch.target[place] = RouteTarget(RouteKind::local);
  return DropReason::none;
}

void read_chain(Batch& batch, uint8_t place, const Chain& chain, unsigned length) {
  batch.protocol[place] = chain.protocol;
  batch.l4[place] = static_cast<uint8_t>(std::min(chain.offset, 255u));
  if (chain.fragment) batch.flags[place] |= kIsFragment;
  if (chain.later_fragment) batch.flags[place] |= kIsLaterFragment;
  batch.source_port[place] = batch.destination_port[place] = 0;
  const bool reachable = !chain.later_fragment && chain.offset < std::min(length, 255u);
  if (reachable && chain.protocol != kProtocolIcmp)
    read_ports(batch, place, l4_header(batch, place), length - chain.offset);
}

}  // namespace

Ipv6Verdict read_ipv6(const Context& context, Batch& batch, uint8_t place) {
  const rte_mbuf* packet = batch.packet[place];
  const auto* header = l3_header<Ipv6Header>(batch, place);
  if (unsigned(packet->data_len - batch.l3[place]) < sizeof *header ||
      header->version_class_flow.host() >> 28 != 6)
    return {DropReason::bad_ip_header};
  const unsigned length = sizeof *header + header->payload_length.host();
  if (length > packet->pkt_len - batch.l3[place]) return {DropReason::bad_ip_header};
  const Ip6 source = load_ip6(header->source.data()), destination = load_ip6(header->destination.data());
  if (is_martian_source(source)) return {DropReason::martian_source};

  Chain chain{header->next_header, sizeof *header};
  batch.ip_length[place] = static_cast<uint16_t>(std::min(length, 65535u));
  const unsigned here = contiguous(batch, place);
  walk(chain, l3_header<uint8_t>(batch, place), here);
  batch.family[place] = Family::ipv6;
  batch.ttl[place] = header->hop_limit;
  batch.flags[place] |= kMayNotFragment;
  read_chain(batch, place, chain, here);
  if (chain.source_routing_at != 0) return {DropReason::source_route, true, false, chain.source_routing_at};
  const bool has_icmp = chain.protocol == kProtocolIcmpv6 && !chain.later_fragment && chain.offset < here;
  if (has_icmp && is_discovery(l3_header<uint8_t>(batch, place)[chain.offset])) return {.discovery = true};
  if (is_unspecified(source)) return {DropReason::martian_source};
  if (is_multicast(destination)) return {DropReason::martian_destination};
  if (is_link_local(source)) batch.flags[place] |= kIsLinkLocal;
  if (is_link_local(destination)) return {place_link_local(context, batch, place, destination)};
  return {};
}

}  // namespace sluice::dataplane
