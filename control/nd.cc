// SPDX-License-Identifier: BSD-3-Clause
#include "control/nd.h"

#include <algorithm>

#include "control/checksums.h"

namespace sluice::control {
namespace {

using dataplane::BigEndian;
using dataplane::Ip6;
using dataplane::Ipv6Header;
using dataplane::Mac48;

constexpr uint8_t kHopLimit = 255;
constexpr uint8_t kSourceOption = 1, kTargetOption = 2;
constexpr uint32_t kRouter = 0x8000'0000, kSolicited = 0x4000'0000, kOverride = 0x2000'0000;

/// RFC 4861 sections 4.3 and 4.4. A solicitation has no flags.
struct Message {
  uint8_t type;
  uint8_t code;
  uint16_t checksum;  ///< as it lies in memory
  BigEndian<uint32_t> flags;
  std::array<uint8_t, 16> target;
};
static_assert(sizeof(Message) == 24);

/// RFC 4861 section 4.6.1.
struct AddressOption {
  uint8_t type;
  uint8_t units;  ///< of 8 octets
  std::array<uint8_t, 6> mac;
};
static_assert(sizeof(AddressOption) == 8);

bool is_solicited_node(const Ip6& group) {
  return solicited_node(group) == group;
}

// False if an option is longer than what is left, or has no length at all (4.6). Others than ours, and a link
// address that is no Ethernet address, are skipped (9: options that are not known are ignored).
bool read_options(Octets options, uint8_t wanted, std::optional<Mac48>& mac) {
  while (!options.empty()) {
    if (options.size() < 2 || options[1] == 0) return false;
    const size_t length = options[1] * size_t{8};
    if (length > options.size()) return false;
    if (options[0] == wanted && length == sizeof(AddressOption) && !mac)
      mac = dataplane::mac48(read<AddressOption>(options)->mac);
    options = options.subspan(length);
  }
  return true;
}

// RFC 4861 7.1.1: who has no address yet asks the target's group, and has no link address to tell.
bool is_valid_solicitation(const Nd& nd) {
  return !dataplane::is_unspecified(nd.source) || (is_solicited_node(nd.destination) && !nd.mac);
}

// 7.1.2: what goes to everybody answers nobody.
bool is_valid_advertisement(const Nd& nd) {
  return !dataplane::is_unspecified(nd.source) && !(nd.solicited && dataplane::is_multicast(nd.destination));
}

std::optional<Nd> read_message(const Ipv6Header& ip, Octets octets) {
  const auto message = read<Message>(octets);
  if (!message || message->code != 0) return std::nullopt;
  Nd nd;
  if (message->type == dataplane::icmpv6::kNeighborAdvertisement) {
    nd.kind = Nd::Kind::advertisement;
  } else if (message->type != dataplane::icmpv6::kNeighborSolicitation) {
    return std::nullopt;
  }
  const uint32_t flags = nd.kind == Nd::Kind::advertisement ? message->flags.host() : 0;
  nd.source = dataplane::load_ip6(ip.source.data());
  nd.destination = dataplane::load_ip6(ip.destination.data());
  nd.target = dataplane::load_ip6(message->target.data());
  nd.router = (flags & kRouter) != 0;
  nd.solicited = (flags & kSolicited) != 0;
  nd.override_ = (flags & kOverride) != 0;
  const uint8_t wanted = nd.kind == Nd::Kind::solicitation ? kSourceOption : kTargetOption;
  if (!read_options(octets.subspan(sizeof(Message)), wanted, nd.mac)) return std::nullopt;
  return nd;
}

std::vector<uint8_t> frame(Mac48 from, Mac48 to, const Ip6& source, const Ip6& destination,
                           const Message& message, std::optional<AddressOption> option) {
  const size_t length = sizeof message + (option ? sizeof *option : 0);
  Ipv6Header ip{};
  ip.version_class_flow = BigEndian<uint32_t>(0x6000'0000);
  ip.payload_length = BigEndian<uint16_t>(static_cast<uint16_t>(length));
  ip.next_header = dataplane::kProtocolIcmpv6;
  ip.hop_limit = kHopLimit;
  dataplane::store_ip6(source, ip.source.data());
  dataplane::store_ip6(destination, ip.destination.data());
  std::vector<uint8_t> out;
  append_ethernet(out, to, from, dataplane::kEtherTypeIpv6);
  append(out, ip);
  const size_t at = out.size();
  append(out, message);
  if (option) append(out, *option);
  Message checked = message;
  checked.checksum = InternetChecksum()
                         .add_pseudo_header(ip, static_cast<uint32_t>(length), dataplane::kProtocolIcmpv6)
                         .add(Octets(out).subspan(at))
                         .value();
  overwrite(out, at, checked);
  return out;
}

Message message(uint8_t type, uint32_t flags, const Ip6& target) {
  Message out{};
  out.type = type;
  out.flags = BigEndian<uint32_t>(flags);
  dataplane::store_ip6(target, out.target.data());
  return out;
}

AddressOption option(uint8_t type, Mac48 mac) {
  return {type, 1, dataplane::octets(mac)};
}

}  // namespace

std::optional<Nd> read_nd(Octets packet) {
  const auto ip = read<Ipv6Header>(packet);
  // Hop limit 255: no router has forwarded it, so it comes from this link (RFC 4861 section 11.2).
  if (!ip || packet[0] >> 4 != 6 || ip->next_header != dataplane::kProtocolIcmpv6 ||
      ip->hop_limit != kHopLimit)
    return std::nullopt;
  const size_t length = ip->payload_length.host();
  if (packet.size() - sizeof *ip < length) return std::nullopt;
  const Octets octets = packet.subspan(sizeof *ip, length);
  const auto nd = read_message(*ip, octets);
  if (!nd || dataplane::is_multicast(nd->target) || dataplane::is_multicast(nd->source)) return std::nullopt;
  const bool valid =
      nd->kind == Nd::Kind::solicitation ? is_valid_solicitation(*nd) : is_valid_advertisement(*nd);
  InternetChecksum sum;
  sum.add_pseudo_header(*ip, static_cast<uint32_t>(length), dataplane::kProtocolIcmpv6).add(octets);
  if (!valid || sum.value() != 0) return std::nullopt;
  return nd;
}

std::vector<uint8_t> neighbor_solicitation(Mac48 mac, const Ip6& source, const Ip6& target,
                                           std::optional<Mac48> to) {
  const Ip6 destination = to ? target : solicited_node(target);
  return frame(mac, to.value_or(multicast_mac(destination)), source, destination,
               message(dataplane::icmpv6::kNeighborSolicitation, 0, target), option(kSourceOption, mac));
}

std::vector<uint8_t> duplicate_probe(Mac48 mac, const Ip6& target) {
  const Ip6 destination = solicited_node(target);
  return frame(mac, multicast_mac(destination), Ip6{}, destination,
               message(dataplane::icmpv6::kNeighborSolicitation, 0, target), std::nullopt);
}

std::vector<uint8_t> neighbor_advertisement(Mac48 mac, const Nd& solicitation, Mac48 to, bool tentative) {
  const bool nobody = dataplane::is_unspecified(solicitation.source);
  const Ip6 destination = nobody ? kAllNodes : solicitation.source;
  const uint32_t flags = kRouter | (tentative ? 0 : kOverride) | (nobody ? 0 : kSolicited);
  return frame(mac, nobody ? multicast_mac(kAllNodes) : to, solicitation.target, destination,
               message(dataplane::icmpv6::kNeighborAdvertisement, flags, solicitation.target),
               option(kTargetOption, mac));
}

std::vector<uint8_t> unsolicited_advertisement(Mac48 mac, const Ip6& address) {
  return frame(mac, multicast_mac(kAllNodes), address, kAllNodes,
               message(dataplane::icmpv6::kNeighborAdvertisement, kRouter | kOverride, address),
               option(kTargetOption, mac));
}

}  // namespace sluice::control
