// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/addresses.h"

#include <algorithm>

namespace sluice::fuzz {
namespace {

constexpr uint64_t kDocumentation = 0x2001'0DB8'0000'0000;
constexpr unsigned kFarHosts = 40;
constexpr unsigned kSilentHost = 7;  // of eight

Address strange4(Random& random, const Site& from) {
  const uint32_t strange[] = {0xFFFF'FFFF,
                              from.network,
                              from.network | 255,
                              ip4(0, 0, 0, random.octet()),
                              ip4(127, 0, 0, 1),
                              ip4(224, 0, 0, random.octet()),
                              ip4(239, 1, 2, 3),
                              ip4(240, 0, 0, 1),
                              ip4(169, 254, 1, random.octet()),
                              static_cast<uint32_t>(random.next())};
  return address4(random.pick(strange));
}

Address strange6(Random& random) {
  const Address strange[] = {address6(0, 0),
                             address6(0, 1),
                             address6(0xFE80'0000'0000'0000, 1 + random.below(8)),
                             address6(0xFF02'0000'0000'0000, 1 + random.below(4)),
                             address6(0xFF02'0000'0000'0000, 0x0000'0001'FF00'0000 + random.below(64)),
                             address6(0xFF0E'0000'0000'0000, 0x42),
                             address6(random.next(), random.next())};
  return random.pick(strange);
}

uint32_t far4(Random& random) {
  const uint32_t host = random.below(kFarHosts);
  const uint32_t far[] = {
      ip4(93, 184, 216, host), ip4(93, 184, 216, host), ip4(93, 184, 216, host),          ip4(10, 1, 2, host),
      ip4(172, 16, 5, host),   ip4(172, 16, 5, host),   ip4(198, 51, 100, random.octet())};
  return random.pick(far);
}

uint32_t external4(Random& random) {
  const uint32_t external[] = {ip4(203, 0, 113, 2),  ip4(203, 0, 113, 10), ip4(203, 0, 113, 11),
                               ip4(203, 0, 113, 12), ip4(203, 0, 113, 20), ip4(198, 18, 0, 2)};
  return random.pick(external);
}

Address far6(Random& random) {
  static constexpr uint64_t kFar[] = {0x0007, 0x0007, 0x0008, 0x0009, 0x000A, 0x000B, 0x0100, 0x0100, 0x0100};
  return address6(kDocumentation | random.pick(kFar) << 16, 1 + random.below(kFarHosts));
}

}  // namespace

Address address4(uint32_t number) {
  Address address;
  store32(address.octets.data(), number);
  return address;
}

Address address6(uint64_t network, uint64_t host) {
  Address address{.size = 16};
  for (unsigned i = 0; i < 4; ++i) {
    store16(&address.octets[i * 2], static_cast<uint32_t>(network >> (48 - 16 * i)));
    store16(&address.octets[8 + i * 2], static_cast<uint32_t>(host >> (48 - 16 * i)));
  }
  return address;
}

Address address_at(const uint8_t* at, unsigned size) {
  Address address{.size = static_cast<uint8_t>(size)};
  std::copy(at, at + size, address.octets.begin());
  return address;
}

Address host_at(const Site& site, unsigned n, bool ipv4) {
  return ipv4 ? address4(site.network + n) : address6(site.network6, n);
}

Address router_at(const Site& site, bool ipv4) {
  return host_at(site, is_outside(site) ? 2 : 1, ipv4);
}

uint64_t mac_of(uint32_t address) {
  return 0x0200'0000'0000 | address;
}

uint64_t mac_of(const Site& site, const Address& address) {
  const unsigned gateway = is_outside(site) ? 1 : 2;
  if (address.is_ipv4())
    return mac_of((address.v4() ^ site.network) < 256 ? address.v4() : site.network + gateway);
  const Address first = address6(site.network6, 0);
  const bool near = std::equal(address.octets.begin(), address.octets.begin() + 8, first.octets.begin()) ||
                    address.octets[0] == 0xFE;
  return mac_of(site.network + (near ? address.octets[15] : gateway));
}

// A network's hosts are spread over its sites, so that its VLANs are bridged, too.
bool lives_at(const Site& site, const Address& host) {
  const unsigned n = host.octets[host.size - 1];
  if (n % 8 == kSilentHost || n == 0 || n == 255) return false;
  unsigned sites = 0, mine = 0;
  for (const Site& other : kSites) {
    if (other.network != site.network) continue;
    if (other.port == site.port && other.tag == site.tag) mine = sites;
    ++sites;
  }
  return n / 2 % sites == mine;
}

const Site* site_at(PortName port, uint16_t tag) {
  const auto found = std::find_if(kSites.begin(), kSites.end(),
                                  [&](const Site& site) { return site.port == port && site.tag == tag; });
  return found == kSites.end() ? nullptr : &*found;
}

Address interesting_destination(Random& random, const Site& from, bool ipv4) {
  const Site& other = random.pick(kSites);
  const unsigned kind = random.below(100);
  if (kind < 5) return ipv4 ? strange4(random, from) : strange6(random);
  if (kind < 12) return router_at(other, ipv4);
  if (kind < 28) return host_at(other, 2 + random.below(kHostsOfSite), ipv4);
  if (kind < 36) return host_at(from, 2 + random.below(kHostsOfSite), ipv4);
  if (ipv4 && kind < (is_outside(from) ? 92u : 44u)) return address4(external4(random));
  return ipv4 ? address4(far4(random)) : far6(random);
}

}  // namespace sluice::fuzz
