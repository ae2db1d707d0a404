// SPDX-License-Identifier: BSD-3-Clause
//
// IP packets as sentences, going in and coming out:
//   udp("192.168.10.7:5000", "198.51.100.9:53").ttl(9).via(kAnn, router)   makes a frame;
//   told(frame) == "udp 192.168.10.7:5000 > 198.51.100.9:53 ttl 9"         says what a frame is.
// told() checks every checksum, and ends in " BAD …" if one is wrong: a test that compares sentences has
// compared those, too.
//
// Thread safety: plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/frame.h"

namespace sluice::test {

/// Both families, by the look of the addresses. Ports stand behind a colon: "192.0.2.1:80",
/// "[2001:db8::1]:80".
class PacketBuilder {
 public:
  PacketBuilder(uint8_t protocol, const std::string& source, const std::string& destination);
  PacketBuilder& via(const std::string& source_mac, const std::string& destination_mac);
  PacketBuilder& vlan(uint16_t vid);
  PacketBuilder& ttl(uint8_t hops);  ///< 64 if not said; IPv6: the hop limit
  PacketBuilder& tos(uint8_t octet);
  PacketBuilder& flags(uint8_t tcp_flags);  ///< SYN if not said
  PacketBuilder& data(size_t octets);       ///< behind the transport header, counting up; 18 if not said
  PacketBuilder& data(const Frame& octets);
  PacketBuilder& may_not_fragment();
  PacketBuilder& id(uint16_t identification);
  /// A part of a datagram, cut from the whole transport header and data: `length` octets from `offset` on.
  PacketBuilder& part(size_t offset, size_t length);
  PacketBuilder& options(const Frame& octets);  ///< IPv4; a multiple of 4
  PacketBuilder& no_checksum();                 ///< UDP's is 0
  PacketBuilder& bad_ip_checksum();
  PacketBuilder& icmp(uint8_t type, uint8_t code, uint32_t rest);
  /// For what no builder makes: changes octet `at`, counted from the IP header, afterwards. Checksums stay.
  PacketBuilder& poke(size_t at, uint8_t octet);
  operator Frame() const;              // NOLINT: a builder is meant to become its frame
  [[nodiscard]] Frame packet() const;  ///< from the IP header on

 private:
  [[nodiscard]] Frame transport() const;
  [[nodiscard]] Frame ipv4(const Frame& payload) const;
  [[nodiscard]] Frame ipv6(const Frame& payload) const;
  uint8_t protocol_;
  bool ipv6_;
  Frame source_, destination_;
  uint16_t source_port_ = 0, destination_port_ = 0;
  std::string source_mac_ = kAnn, destination_mac_ = kBob;
  int vid_ = -1;
  uint8_t ttl_ = 64, tos_ = 0, tcp_flags_ = 0x02;
  Frame data_;
  uint16_t id_ = 0x1234;
  bool may_not_fragment_ = false, no_checksum_ = false, bad_ip_checksum_ = false;
  size_t part_offset_ = 0, part_length_ = SIZE_MAX;
  Frame options_;
  uint8_t icmp_type_ = 0, icmp_code_ = 0;
  uint32_t icmp_rest_ = 0;
  std::vector<std::pair<size_t, uint8_t>> pokes_;
};

PacketBuilder udp(const std::string& source, const std::string& destination);
PacketBuilder tcp(const std::string& source, const std::string& destination);
/// ICMP or ICMPv6 by the family.
PacketBuilder echo_request(const std::string& source, const std::string& destination, uint16_t id,
                           uint16_t sequence = 1);
PacketBuilder echo_reply(const std::string& source, const std::string& destination, uint16_t id,
                         uint16_t sequence = 1);
/// An ICMP or ICMPv6 error that quotes `quoted`, a packet from its IP header on, at most `octets` of it.
PacketBuilder icmp_error(const std::string& source, const std::string& destination, uint8_t type,
                         uint8_t code, const Frame& quoted, size_t octets = 28, uint32_t rest = 0);
/// Any other protocol.
PacketBuilder ip(uint8_t protocol, const std::string& source, const std::string& destination);

/// ARP frames. Addresses of hosts: MAC and IPv4.
Frame arp_request(const std::string& mac, const std::string& address, const std::string& target);
Frame arp_reply(const std::string& mac, const std::string& address, const std::string& to_mac,
                const std::string& to_address);
/// Neighbor discovery, for `target`.
Frame neighbor_solicitation(const std::string& mac, const std::string& address, const std::string& target);
Frame neighbor_advertisement(const std::string& mac, const std::string& address, const std::string& to_mac,
                             const std::string& to_address);

/// What a frame is:
///   "tcp 192.0.2.1:80 > 192.0.2.2:5000 ttl 63 syn ack"
///   "udp … ttl 64 part 0+1480 more" (offset + octets), "udp … ttl 64 no checksum"
///   "icmp 192.0.2.1 > 192.0.2.2 ttl 64 echo 7/1" (id/sequence), "… echo-reply 7/1"
///   "icmp 192.0.2.1 > 192.0.2.2 ttl 64 error 3/4 mtu 1400 about (udp 192.0.2.2:5000 > 198.51.100.1:53 ttl
///   63)" "arp who-has 192.0.2.1 tell 192.0.2.2", "arp 192.0.2.1 is-at 02:…" "nd who-has fd00::1 from
///   fd00::2", "nd fd00::1 is-at 02:…"
/// with " vlan N" behind it if the frame has a tag, and " BAD ip checksum", " BAD checksum", " BAD length".
std::string told(const Frame& frame);
std::vector<std::string> told(const Frames& frames);
/// "02:00:00:00:00:0a > 02:00:00:00:00:0b"
std::string told_macs(const Frame& frame);
/// From the IP header on, without padding.
Frame ip_packet_of(const Frame& frame);

}  // namespace sluice::test
