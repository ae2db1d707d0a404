// SPDX-License-Identifier: BSD-3-Clause
//
// Headers and packets from their parts, all valid: lengths and checksums are right until a mutation comes.
//
// Thread safety: plain data.
#pragma once

#include <optional>

#include "tests/fuzz/addresses.h"

namespace sluice::fuzz {

/// A frame, where it arrives, and how it lies in memory.
struct Packet {
  PortName port = kA;
  uint8_t queue = 0;
  bool is_chained = false;
  Frame octets;
};

/// How a frame gets to the router, or to a neighbor.
struct Link {
  uint64_t destination, source;  ///< MAC addresses
  uint16_t tag = 0;              ///< VLAN; 0: untagged
  uint16_t outer = 0;            ///< another tag before it, of a provider; 0: none
};

/// What stands in an IP header beside addresses and lengths.
struct Header {
  uint8_t protocol = 0;
  uint8_t hops = 64;
  uint8_t traffic_class = 0;
  uint16_t id = 0;
  uint16_t part = 0;       ///< IPv4: flags and offset as on the wire
  Frame options{};         ///< IPv4: options, a multiple of 4 octets; IPv6: extension headers
  uint8_t first_next = 0;  ///< IPv6 with extension headers: the protocol of the first
};

Frame begin(const Link& link, uint16_t type);
void append(Frame& frame, Octets octets);
/// The header and `segment`, with the checksums of both.
void add_ip(Frame& frame, const Address& source, const Address& destination, const Header& header,
            Octets segment);

Frame udp(Random& random, uint16_t source, uint16_t destination, size_t data);
Frame tcp(Random& random, uint16_t source, uint16_t destination, uint8_t flags, size_t data);
Frame icmp(Random& random, uint8_t type, uint8_t code, uint16_t id, size_t data);
/// `about`: what is quoted, from its IP header on. `rest`: octets 4 to 7.
Frame icmp_error(uint8_t type, uint8_t code, uint32_t rest, Octets about);

Frame arp(const Link& link, uint16_t operation, uint32_t sender, uint32_t target);
/// A message of neighbor discovery with the address of the sender's link in an option.
Frame discovery(const Link& link, uint8_t type, const Address& source, const Address& destination,
                const Address& target);

/// The parts of an IP frame, in order: at most `length` octets of the transport in each. Of a frame that is
/// no whole IP packet: itself.
std::vector<Frame> parts_of(const Frame& whole, size_t length, uint32_t id);

}  // namespace sluice::fuzz
