// SPDX-License-Identifier: BSD-3-Clause
#include "control/packet_words.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "control/config_json.h"
#include "dataplane/ethernet.h"

namespace sluice::control {
namespace {

using namespace dataplane;  // NOLINT: header fields and protocol numbers

constexpr size_t kAddresses = 12;  // octets before the type

uint16_t word(Octets octets, size_t at) {
  return static_cast<uint16_t>(octets[at] << 8 | octets[at + 1]);
}

/// What stands before the payload of a frame.
struct Head {
  std::string tags;    ///< "untagged", "vlan 10", "vlan 10 priority 3, vlan 20"
  uint16_t type = 0;   ///< 0: it is cut off
  size_t length = 14;  ///< octets
};

Head head_of(Octets frame) {
  Head head;
  size_t at = kAddresses;
  while (at + 4 <= frame.size() &&
         (word(frame, at) == kEtherTypeVlan || word(frame, at) == kEtherTypeServiceVlan)) {
    const uint16_t tci = word(frame, at + 2);
    absl::StrAppend(&head.tags, head.tags.empty() ? "" : ", ",
                    word(frame, at) == kEtherTypeVlan ? "" : "service ", "vlan ", tci & kVidMask);
    if (tci >> 13 != 0) absl::StrAppend(&head.tags, " priority ", tci >> 13);
    at += 4;
  }
  if (head.tags.empty()) head.tags = "untagged";
  head.length = at + 2;
  if (head.length <= frame.size()) head.type = word(frame, at);
  return head;
}

std::string protocol_name(uint8_t protocol) {
  switch (protocol) {
    case kProtocolIcmp:
      return "icmp";
    case kProtocolTcp:
      return "tcp";
    case kProtocolUdp:
      return "udp";
    case kProtocolIcmpv6:
      return "icmpv6";
    default:
      return absl::StrCat("protocol ", protocol);
  }
}

std::string tcp_flags(uint8_t flags) {
  static constexpr const char* kNames[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
  std::string text;
  for (unsigned bit = 0; bit < 6; ++bit) {
    if ((flags >> bit & 1) != 0) absl::StrAppend(&text, " ", kNames[bit]);
  }
  return text;
}

std::string icmp_words(const IpPacket& packet) {
  const uint8_t type = packet.payload[0], code = packet.payload[1];
  const bool six = packet.source.is_ipv6();
  const std::string id = packet.payload.size() < 8 ? ""
                                                   : absl::StrCat(" id ", word(packet.payload, 4),
                                                                  " sequence ", word(packet.payload, 6));
  if (type == (six ? icmpv6::kEcho : icmp::kEcho)) return absl::StrCat(" echo request", id);
  if (type == (six ? icmpv6::kEchoReply : icmp::kEchoReply)) return absl::StrCat(" echo reply", id);
  if (six && type == icmpv6::kNeighborSolicitation) return " neighbor solicitation";
  if (six && type == icmpv6::kNeighborAdvertisement) return " neighbor advertisement";
  const std::string quoted = packet.payload.size() > 8 ? ip_text(packet.payload.subspan(8)) : "";
  return absl::StrCat(" type ", type, " code ", code,
                      quoted.empty() ? "" : absl::StrCat(" about (", quoted, ")"));
}

std::string arp_text(Octets packet) {
  if (packet.size() < 28) return "arp, cut off";
  const auto address = [&](size_t at) {
    return to_text(IpAddress(Ip4{uint32_t{word(packet, at)} << 16 | word(packet, at + 2)}));
  };
  if (word(packet, 6) == 1) return absl::StrCat("arp who-has ", address(24), " tell ", address(14));
  config::MacAddress mac;
  std::copy_n(packet.begin() + 8, mac.size(), mac.begin());
  return absl::StrCat("arp ", address(14), " is-at ", mac_text(mac));
}

}  // namespace

std::string layers_text(Octets frame) {
  if (frame.size() < 14) return absl::StrCat("cut off after ", frame.size(), " octets");
  const Head head = head_of(frame);
  if (head.type == 0) return absl::StrCat(head.tags, " ethernet, cut off");
  const std::string text = absl::StrCat(head.tags, " ethernet, ");
  if (head.type == kEtherTypeArp) return text + "arp";
  if (head.type != kEtherTypeIpv4 && head.type != kEtherTypeIpv6)
    return text + (head.type < 1536 ? absl::StrFormat("802.3 length %d", head.type)
                                    : absl::StrFormat("type 0x%04x", head.type));
  const std::string family = head.type == kEtherTypeIpv4 ? "ipv4" : "ipv6";
  const auto packet = read_ip(frame.subspan(head.length));
  return text + family + (packet ? ", " + protocol_name(packet->protocol) : ", whose header is wrong");
}

std::string ip_text(Octets octets) {
  const auto packet = read_ip(octets);
  if (!packet) return "";
  const bool has_ports = (packet->protocol == kProtocolTcp || packet->protocol == kProtocolUdp) &&
                         !packet->later_fragment && packet->payload.size() >= 4;
  const auto endpoint = [&](const IpAddress& address, size_t at) {
    if (!has_ports) return to_text(address);
    const std::string text = address.is_ipv6() ? "[" + to_text(address) + "]" : to_text(address);
    return absl::StrCat(text, ":", word(packet->payload, at));
  };
  std::string text = absl::StrCat(protocol_name(packet->protocol), " ", endpoint(packet->source, 0), " > ",
                                  endpoint(packet->destination, 2));
  if (packet->later_fragment) return text + " later fragment";
  if (packet->protocol == kProtocolTcp && packet->payload.size() >= 14)
    text += tcp_flags(packet->payload[13]);
  const uint8_t icmp = packet->source.is_ipv6() ? kProtocolIcmpv6 : kProtocolIcmp;
  if (packet->protocol == icmp && packet->payload.size() >= 2) text += icmp_words(*packet);
  return text + (packet->fragment ? " first fragment" : "");
}

std::string frame_text(Octets frame) {
  if (frame.size() < 14) return "no frame";
  const Head head = head_of(frame);
  const Octets payload = frame.subspan(std::min(head.length, frame.size()));
  if (head.type == kEtherTypeArp) return arp_text(payload);
  const std::string text = ip_text(payload);
  if (!text.empty()) return text;
  config::MacAddress to, from;
  std::copy_n(frame.begin(), to.size(), to.begin());
  std::copy_n(frame.begin() + 6, from.size(), from.begin());
  return absl::StrCat(mac_text(from), " > ", mac_text(to), absl::StrFormat(" type 0x%04x", head.type));
}

}  // namespace sluice::control
