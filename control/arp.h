// SPDX-License-Identifier: BSD-3-Clause
//
// ARP for IPv4 over Ethernet (RFC 826), its announcements (RFC 5227) and nothing else that it could carry.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "control/wire.h"
#include "dataplane/ethernet.h"
#include "dataplane/ip.h"

namespace sluice::control {

inline constexpr dataplane::Mac48 kBroadcastMac = dataplane::kMacMask;

enum class ArpOperation : uint16_t { request = 1, reply = 2 };

struct Arp {
  ArpOperation operation = ArpOperation::request;
  dataplane::Mac48 sender_mac = 0;
  dataplane::Ip4 sender = 0;
  dataplane::Mac48 target_mac = 0;
  dataplane::Ip4 target = 0;
};

/// `packet`: from the ARP header on; what pads the frame may follow. Nothing unless it is Ethernet and IPv4
/// with addresses of 6 and 4 octets, and a request or a reply.
std::optional<Arp> read_arp(Octets packet);

// Whole untagged Ethernet frames, not padded.

/// Who has `target`? `to`: kBroadcastMac, or the address that is probed (RFC 1122 section 2.3.2.1).
std::vector<uint8_t> arp_request(dataplane::Mac48 mac, dataplane::Ip4 sender, dataplane::Ip4 target,
                                 dataplane::Mac48 to = kBroadcastMac);
/// `address` is at `mac`, in answer to `request`.
std::vector<uint8_t> arp_reply(dataplane::Mac48 mac, dataplane::Ip4 address, const Arp& request);
/// A broadcast request whose sender and target are both `address` (RFC 5227 section 2.3).
std::vector<uint8_t> arp_announcement(dataplane::Mac48 mac, dataplane::Ip4 address);

}  // namespace sluice::control
