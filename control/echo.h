// SPDX-License-Identifier: BSD-3-Clause
//
// Echo requests and replies (RFC 792, RFC 4443 section 4), both families. Packets are from the IP header on;
// what pads the frame may follow.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/ip_address.h"
#include "control/wire.h"

namespace sluice::control {

/// The answer to an echo request (B42): its identifier, sequence number and data, from the address that was
/// probed. Nothing if the packet is no whole echo request, its ICMP checksum is wrong, it went to a group
/// (RFC 1812 4.3.3.6) or its source is not one host.
/// `link_group`: the frame was sent to a group address. `id`: the reply's IPv4 identification.
/// REQUIRES: the destination is ours: subnet broadcasts cannot be told here.
std::optional<std::vector<uint8_t>> echo_reply(Octets request, bool link_group, uint16_t id);

struct Echo {
  IpAddress source, destination;
  uint16_t id = 0, sequence = 0;
  uint8_t hop_limit = 0;
  uint16_t data_length = 0;  ///< octets behind the ICMP header
};

/// For `sluice ping`. Nothing unless the packet is a whole echo reply with a right checksum.
std::optional<Echo> read_echo_reply(Octets packet);

/// An echo request of ours with `data_length` octets of a pattern. `id`: of the IPv4 header.
/// REQUIRES: both addresses are of one family; data_length <= 65507.
std::vector<uint8_t> echo_request(const IpAddress& source, const IpAddress& destination, uint16_t identifier,
                                  uint16_t sequence, uint16_t data_length, uint16_t id);

}  // namespace sluice::control
