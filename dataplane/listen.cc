// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/listen.h"

#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/ip_header.h"

namespace sluice::dataplane {
namespace {

// RFC 826, for Ethernet and IPv4.
struct ArpPacket {
  BigEndian<uint16_t> hardware, protocol;
  uint8_t hardware_length, protocol_length;
  BigEndian<uint16_t> operation;
  std::array<uint8_t, 6> sender_mac;
  std::array<uint8_t, 4> sender;
  std::array<uint8_t, 6> target_mac;
  std::array<uint8_t, 4> target;
};
static_assert(sizeof(ArpPacket) == 28 && alignof(ArpPacket) <= 2);

constexpr uint16_t kRequest = 1;

// RFC 4861 sections 4.3 and 4.4.
struct Discovery {
  Ipv6Header ip;
  IcmpHeader icmp;
  std::array<uint8_t, 16> target;
};

bool owns(const Snapshot& snapshot, const Interface& interface, Ip4 address) {
  const Ip4* own = snapshot.ipv4.data() + interface.first_ipv4;
  return std::find(own, own + interface.ipv4, address) != own + interface.ipv4;
}

bool owns(const Snapshot& snapshot, const Interface& interface, const Ip6& address) {
  const Ip6* own = snapshot.ipv6.data() + interface.first_ipv6;
  return std::find(own, own + interface.ipv6, address) != own + interface.ipv6;
}

bool concerns_arp(const Context& context, const Interface& interface, const rte_mbuf* packet, unsigned l3) {
  if (packet->data_len < l3 + sizeof(ArpPacket)) return false;
  const auto* arp = rte_pktmbuf_mtod_offset(packet, const ArpPacket*, l3);
  if (arp->operation.host() != kRequest || arp->sender == arp->target) return true;
  BigEndian<uint32_t> target;
  std::memcpy(&target, arp->target.data(), sizeof target);
  return owns(*context.snapshot, interface, target.host());
}

bool concerns_nd(const Context& context, const Interface& interface, const rte_mbuf* packet, unsigned l3) {
  if (packet->data_len < l3 + sizeof(Discovery)) return false;
  const auto* message = rte_pktmbuf_mtod_offset(packet, const Discovery*, l3);
  if (message->ip.next_header != kProtocolIcmpv6) return false;
  if (message->icmp.type == icmpv6::kNeighborAdvertisement) return true;
  return message->icmp.type == icmpv6::kNeighborSolicitation &&
         owns(*context.snapshot, interface, load_ip6(message->target.data()));
}

}  // namespace

bool concerns_router(const Context& context, Batch& batch, uint8_t place, InterfaceIndex index) {
  const Interface& interface = context.snapshot->interfaces[index];
  const rte_mbuf* packet = batch.packet[place];
  const unsigned l3 = kEthernetHeaderLength + (batch.tagged[place] != 0 ? kVlanTagLength : 0);
  const uint16_t type = ethertype(packet, l3);
  const bool arp = type == kEtherTypeArp && concerns_arp(context, interface, packet, l3);
  if (!arp && !(type == kEtherTypeIpv6 && concerns_nd(context, interface, packet, l3))) return false;
  batch.punt_reason[place] = arp ? PuntReason::arp : PuntReason::nd;
  batch.interface[place] = index;
  batch.l3[place] = static_cast<uint8_t>(l3);
  return true;
}

}  // namespace sluice::dataplane
