// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/packet_maker.h"

#include <algorithm>
#include <utility>

namespace sluice::fuzz {
namespace {

constexpr uint64_t kEverybody = 0xFFFF'FFFF'FFFF;
constexpr unsigned kStorm = 1200;
constexpr uint8_t kTcpFlags[] = {0x02, 0x02, 0x02, 0x12, 0x10, 0x18, 0x11,
                                 0x01, 0x04, 0x14, 0x00, 0x3F, 0xC2};
constexpr uint16_t kPortsOfServices[] = {53, 80, 80, 443, 123, 8080, 5000, 5004, 5009, 0, 1, 65535};

uint16_t host_port(Random& random) {
  if (random.percent(80)) return static_cast<uint16_t>(1024 + random.below(48));
  return random.percent(50) ? random.pick(kPortsOfServices) : random.word();
}

uint16_t service_port(Random& random) {
  return random.percent(70) ? random.pick(kPortsOfServices) : host_port(random);
}

uint64_t multicast_mac(const Address& address) {
  if (!address.is_ipv4()) return 0x3333'0000'0000 | load32(&address.octets[12]);
  return address.v4() == 0xFFFF'FFFF ? kEverybody : 0x0100'5E00'0000 | (address.v4() & 0x7F'FFFF);
}

bool is_group(const Address& address) {
  return address.is_ipv4() ? address.octets[0] >= 224 : address.octets[0] == 0xFF;
}

bool is_near(const Site& site, const Address& address) {
  const Address first = host_at(site, 0, address.is_ipv4());
  const size_t network = address.is_ipv4() ? 3 : 8;
  return std::equal(address.octets.begin(), address.octets.begin() + static_cast<ptrdiff_t>(network),
                    first.octets.begin());
}

Frame extension(Random& random, uint8_t kind, uint8_t next) {
  Frame header(8 * random.between(1, 3), 0);
  header[0] = next;
  header[1] = static_cast<uint8_t>(header.size() / 8 - 1);
  if (kind == kFragment) header = {next, 0, 0, random.octet(), 0, 0, 0, 1};
  if (kind == kRouting) header[2] = random.percent(50) ? 0 : 4, header[3] = random.octet() & 1;
  if (kind == kHopByHop || kind == kDestinationOptions) {
    header[2] = 1;  // PadN
    header[3] = static_cast<uint8_t>(header.size() - 4);
  }
  return header;
}

}  // namespace

size_t PacketMaker::data_length(Random& random) {
  const unsigned kind = random.below(100);
  if (kind < 70) return random.below(80);
  if (kind < 80) return 0;
  if (kind < 95) return random.between(400, 1472);
  return kind < 99 ? random.between(1200, 1500) : random.between(1500, 8900);
}

PacketMaker::Way PacketMaker::way(bool ipv4) {
  const Site& site = random_.pick(kSites);
  const unsigned host = 2 + random_.below(kHostsOfSite);
  Address source = host_at(site, host, ipv4);
  if (is_outside(site) && random_.percent(60)) source = interesting_destination(random_, kSites[0], ipv4);
  if (!ipv4 && random_.one_in(16)) source = address6(0xFE80'0000'0000'0000, host);
  const Address destination = interesting_destination(random_, site, ipv4);
  Link link{.destination = site.router_mac, .source = mac_of(site, source), .tag = site.tag};
  if (is_group(destination)) {
    link.destination = multicast_mac(destination);
  } else if (is_near(site, destination) && !(destination == router_at(site, ipv4)) && random_.percent(70)) {
    link.destination = mac_of(site, destination);
  }
  return {site, source, destination, link};
}

void PacketMaker::add(std::vector<Packet>& burst, const Site& site, Frame frame) {
  Packet packet{.port = site.port, .octets = std::move(frame)};
  if (packet.octets.size() < 60 && random_.percent(80)) packet.octets.resize(60);
  burst.push_back(std::move(packet));
}

Frame PacketMaker::segment(uint8_t& protocol) {
  const size_t data = data_length(random_);
  const unsigned kind = random_.below(100);
  if (kind < 42) {
    protocol = kTcp;
    return tcp(random_, host_port(random_), service_port(random_), random_.pick(kTcpFlags),
               random_.percent(60) ? 0 : data);
  }
  if (kind < 82) {
    protocol = kUdp;
    return udp(random_, host_port(random_), service_port(random_), data);
  }
  if (kind < 96) {
    const bool ipv4 = protocol == kIcmp;
    const uint8_t types[] = {8, 8, 8, 8, 0, 13, 17, 30};
    const uint8_t types6[] = {128, 128, 128, 128, 129, 130, 143, 200};
    return icmp(random_, ipv4 ? random_.pick(types) : random_.pick(types6), 0, host_port(random_), data);
  }
  static constexpr uint8_t kOthers[] = {2, 47, 50, 51, 89, 132, 255, kNoNext};
  protocol = random_.pick(kOthers);
  return udp(random_, random_.word(), random_.word(), data);
}

Frame PacketMaker::around(const Way& way, uint8_t protocol, const Frame& segment) {
  static constexpr uint8_t kHops[] = {64, 64, 64, 64, 64, 255, 2, 1, 0};
  Header header{.protocol = protocol, .hops = random_.pick(kHops)};
  header.traffic_class = random_.one_in(4) ? random_.octet() : 0;
  header.id = random_.word();
  if (random_.percent(30)) header.part = 0x4000;
  Frame frame = begin(way.link, way.source.is_ipv4() ? kTypeIpv4 : kTypeIpv6);
  add_ip(frame, way.source, way.destination, header, segment);
  const View view = view_of(frame);
  if (protocol == kUdp && way.source.is_ipv4() && random_.one_in(12) && view.l4_length() >= 8)
    store16(frame.data() + view.l4 + 6, 0);
  return frame;
}

Frame PacketMaker::with_arp(const Site& site) {
  const uint32_t sender = site.network + 2 + random_.below(kHostsOfSite);
  const bool gratuitous = random_.one_in(8);
  const uint32_t target = gratuitous            ? sender
                          : random_.percent(60) ? router_at(site, true).v4()
                                                : interesting_destination(random_, site, true).v4();
  const bool answer = random_.percent(30);
  const Link link{
      .destination = answer ? site.router_mac : kEverybody, .source = mac_of(sender), .tag = site.tag};
  return arp(link, answer ? 2 : 1, random_.one_in(16) ? target : sender, target);
}

Frame PacketMaker::with_discovery(const Site& site) {
  static constexpr uint8_t kTypes[] = {135, 135, 135, 136, 136, 133, 134, 137};
  const uint8_t type = random_.pick(kTypes);
  const unsigned host = 2 + random_.below(kHostsOfSite);
  const Address source = random_.one_in(8) ? address6(0, 0) : host_at(site, host, false);
  const Address target = random_.percent(60) ? router_at(site, false) : host_at(site, host, false);
  const Address group = address6(0xFF02'0000'0000'0000, 0x0000'0001'FF00'0000 | load32(&target.octets[12]));
  const bool to_group = type == 135 ? random_.percent(70) : random_.percent(30);
  const Address destination =
      to_group ? type == 135 ? group : address6(0xFF02'0000'0000'0000, 1) : router_at(site, false);
  const Link link{.destination = to_group ? multicast_mac(destination) : site.router_mac,
                  .source = mac_of(site.network + host),
                  .tag = site.tag};
  return discovery(link, type, source, destination, target);
}

// About a packet that nobody sent, or that went the other way.
void PacketMaker::with_error(std::vector<Packet>& burst) {
  const Way way = this->way(random_.percent(60));
  const bool ipv4 = way.source.is_ipv4();
  uint8_t protocol = ipv4 ? kIcmp : kIcmpv6;
  const Frame inner = segment(protocol);
  Frame about;
  add_ip(about, way.destination, way.source, {.protocol = protocol, .hops = 1}, inner);
  about.resize(std::min<size_t>(about.size(), random_.percent(50) ? 28 : random_.between(1, 576)));
  static constexpr uint8_t kTypes[] = {3, 3, 3, 11, 12, 4, 5}, kTypes6[] = {1, 2, 3, 4};
  const uint8_t type = ipv4 ? random_.pick(kTypes) : random_.pick(kTypes6);
  add(burst, way.site,
      around(way, ipv4 ? kIcmp : kIcmpv6,
             icmp_error(type, static_cast<uint8_t>(random_.below(6)), 1280, about)));
}

void PacketMaker::with_options(std::vector<Packet>& burst) {
  const Way way = this->way(random_.percent(50));
  uint8_t protocol = way.source.is_ipv4() ? kIcmp : kIcmpv6;
  const Frame inside = segment(protocol);
  Header header{.protocol = protocol};
  if (way.source.is_ipv4()) {
    static constexpr uint8_t kKinds[] = {1, 7, 68, 131, 137, 148, 130, 0};
    for (unsigned words = random_.between(1, 10); words > 0; --words) {
      const uint8_t option[] = {random_.pick(kKinds), random_.one_in(4) ? random_.octet() : uint8_t{4},
                                random_.octet(), random_.octet()};
      append(header.options, option);
    }
  } else {
    static constexpr uint8_t kKinds[] = {kHopByHop, kRouting, kFragment, kDestinationOptions, 135, 200};
    uint8_t next = protocol;
    for (unsigned count = random_.between(1, 3); count > 0; --count) {
      const uint8_t kind = random_.pick(kKinds);
      Frame before = extension(random_, kind, next);
      append(before, header.options);
      header.options = std::move(before);
      next = kind;
    }
    header.first_next = next;
  }
  Frame frame = begin(way.link, way.source.is_ipv4() ? kTypeIpv4 : kTypeIpv6);
  add_ip(frame, way.source, way.destination, header, inside);
  add(burst, way.site, std::move(frame));
}

// What bridges keep to themselves: STP, pause, LACP, LLDP and their kin.
Frame PacketMaker::on_the_link(const Site& site) {
  static constexpr uint16_t kTypes[] = {0x88CC, 0x8808, 0x8809, 0x0026, 0x888E};
  const Link link{.destination = uint64_t{0x0180'C200'0000} + random_.below(0x22),
                  .source = mac_of(site.network + 2 + random_.below(kHostsOfSite)),
                  .tag = site.tag};
  Frame frame = begin(link, random_.pick(kTypes));
  append(frame, udp(random_, 0x4242, 3, data_length(random_)));
  return frame;
}

Frame PacketMaker::bridged(const Site& site) {
  const uint32_t host = site.network + 2 + random_.below(kHostsOfSite);
  Link link{.destination = mac_of(site.network + 2 + random_.below(kHostsOfSite)),
            .source = random_.one_in(4) ? mac_of(host + 256 * random_.below(64)) : mac_of(host),
            .tag = site.tag};
  if (random_.one_in(6)) link.destination = kEverybody;
  if (random_.one_in(10)) link.source |= 0x0100'0000'0000;
  if (random_.one_in(6)) link.tag = static_cast<uint16_t>(random_.pick(kSites).tag | random_.below(16) << 12);
  if (random_.one_in(12)) link.tag = static_cast<uint16_t>(random_.one_in(2) ? 4095 : random_.word());
  if (random_.one_in(8))
    link.outer = random_.one_in(2) ? site.tag : static_cast<uint16_t>(random_.between(1, 40));
  Frame frame = begin(link, random_.one_in(3) ? kTypeVlan : 0x88B5);
  append(frame, udp(random_, random_.pick(kSites).tag, random_.word(), data_length(random_)));
  return frame;
}

Frame PacketMaker::odd_length(const Site& site) {
  Frame frame = bridged(site);
  const bool is_jumbo = random_.one_in(3);
  frame.resize(is_jumbo ? random_.between(1501, 9030) : random_.between(1, 20));
  return frame;
}

void PacketMaker::in_parts(std::vector<Packet>& burst) {
  const Way way = this->way(random_.percent(75));
  uint8_t protocol = way.source.is_ipv4() ? kIcmp : kIcmpv6;
  Frame inside = segment(protocol);
  if (inside.size() < 64) append(inside, Frame(random_.between(64, 2000), 0x5A));
  if (protocol == kUdp) store16(inside.data() + 4, static_cast<uint32_t>(inside.size()));
  Frame whole = begin(way.link, way.source.is_ipv4() ? kTypeIpv4 : kTypeIpv6);
  add_ip(whole, way.source, way.destination, {.protocol = protocol}, inside);
  const size_t length = random_.one_in(8) ? 8 : 8 * random_.between(3, 180);
  std::vector<Frame> parts = parts_of(whole, length, random_.word());
  if (parts.size() > 8) parts.resize(8);
  if (random_.percent(20)) std::swap(parts.front(), parts.back());
  if (random_.percent(10)) parts.push_back(parts[random_.below(static_cast<uint32_t>(parts.size()))]);
  for (Frame& part : parts) add(burst, way.site, std::move(part));
}

void PacketMaker::storm(std::vector<Packet>& burst) {
  const Site& site = random_.pick(kSites);
  for (unsigned i = 0; i < kStorm; ++i) {
    const uint32_t host = site.network + 2 + random_.below(kHostsOfSite);
    const Link link{.destination = kEverybody, .source = mac_of(host), .tag = site.tag};
    add(burst, site, arp(link, 1, host, router_at(site, true).v4()));
  }
}

void PacketMaker::make(std::vector<Packet>& burst) {
  const unsigned kind = random_.below(100);
  const Site& site = random_.pick(kSites);
  if (kind < 8) return add(burst, site, with_arp(site));
  if (kind < 14) return add(burst, site, with_discovery(site));
  if (kind < 18) return with_error(burst);
  if (kind < 21) return add(burst, site, on_the_link(site));
  if (kind < 28) return add(burst, site, bridged(site));
  if (kind < 30) return add(burst, site, odd_length(site));
  if (kind < 36) return in_parts(burst);
  if (kind < 41) return with_options(burst);
  if (kind < 44 && !corpus_.empty()) return burst.push_back(random_.pick(corpus_));
  const Way way = this->way(random_.percent(75));
  uint8_t protocol = way.source.is_ipv4() ? kIcmp : kIcmpv6;
  const Frame inside = segment(protocol);
  add(burst, way.site, around(way, protocol, inside));
}

}  // namespace sluice::fuzz
