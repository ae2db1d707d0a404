// SPDX-License-Identifier: BSD-3-Clause
#include "control/arp.h"

namespace sluice::control {
namespace {

using dataplane::BigEndian;
using dataplane::Ip4;
using dataplane::Mac48;

constexpr uint16_t kEthernet = 1;  // ar$hrd

/// RFC 826, with addresses of 6 and 4 octets; the IPv4 addresses as octets, for they stand at odd places.
struct ArpPacket {
  BigEndian<uint16_t> hardware, protocol;
  uint8_t hardware_length, protocol_length;
  BigEndian<uint16_t> operation;
  std::array<uint8_t, 6> sender_mac;
  std::array<uint8_t, 4> sender;
  std::array<uint8_t, 6> target_mac;
  std::array<uint8_t, 4> target;
};
static_assert(sizeof(ArpPacket) == 28);

std::array<uint8_t, 4> octets_of(Ip4 address) {
  return {static_cast<uint8_t>(address >> 24), static_cast<uint8_t>(address >> 16),
          static_cast<uint8_t>(address >> 8), static_cast<uint8_t>(address)};
}

Ip4 address_of(const std::array<uint8_t, 4>& octets) {
  return Ip4{octets[0]} << 24 | Ip4{octets[1]} << 16 | Ip4{octets[2]} << 8 | octets[3];
}

std::vector<uint8_t> frame(const Arp& arp, Mac48 to) {
  ArpPacket packet{};
  packet.hardware = BigEndian<uint16_t>(kEthernet);
  packet.protocol = BigEndian<uint16_t>(dataplane::kEtherTypeIpv4);
  packet.hardware_length = sizeof packet.sender_mac;
  packet.protocol_length = sizeof packet.sender;
  packet.operation = BigEndian<uint16_t>(static_cast<uint16_t>(arp.operation));
  packet.sender_mac = dataplane::octets(arp.sender_mac);
  packet.sender = octets_of(arp.sender);
  packet.target_mac = dataplane::octets(arp.target_mac);
  packet.target = octets_of(arp.target);
  std::vector<uint8_t> out;
  append_ethernet(out, to, arp.sender_mac, dataplane::kEtherTypeArp);
  append(out, packet);
  return out;
}

}  // namespace

std::optional<Arp> read_arp(Octets packet) {
  const auto arp = read<ArpPacket>(packet);
  if (!arp || arp->hardware.host() != kEthernet || arp->protocol.host() != dataplane::kEtherTypeIpv4 ||
      arp->hardware_length != sizeof arp->sender_mac || arp->protocol_length != sizeof arp->sender)
    return std::nullopt;
  const uint16_t operation = arp->operation.host();
  if (operation != 1 && operation != 2) return std::nullopt;
  return Arp{static_cast<ArpOperation>(operation), dataplane::mac48(arp->sender_mac), address_of(arp->sender),
             dataplane::mac48(arp->target_mac), address_of(arp->target)};
}

std::vector<uint8_t> arp_request(Mac48 mac, Ip4 sender, Ip4 target, Mac48 to) {
  return frame({ArpOperation::request, mac, sender, 0, target}, to);
}

std::vector<uint8_t> arp_reply(Mac48 mac, Ip4 address, const Arp& request) {
  return frame({ArpOperation::reply, mac, address, request.sender_mac, request.sender}, request.sender_mac);
}

std::vector<uint8_t> arp_announcement(Mac48 mac, Ip4 address) {
  return frame({ArpOperation::request, mac, address, 0, address}, kBroadcastMac);
}

}  // namespace sluice::control
