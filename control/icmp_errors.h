// SPDX-License-Identifier: BSD-3-Clause
//
// What the sender of a packet that we drop is told (RFC 1812 section 4.3, RFC 4443), and when it is told
// nothing.
//
// Thread safety: none; the control thread's.
// Invariants:    one bucket limits all errors of both families; only an error that is sent takes a token.
// Owner:         whoever takes the punted packets of class `error`.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "config/config.h"
#include "control/ip_address.h"
#include "control/l3_interface.h"
#include "control/token_bucket.h"
#include "control/wire.h"
#include "dataplane/punt.h"

namespace sluice::control {

/// Why no error was sent.
enum class Silence : uint8_t {
  none,               ///< one was
  malformed,          ///< the packet cannot be read
  no_message,         ///< this family has no message for this kind
  icmp_error,         ///< it is an error itself, or a redirect
  later_fragment,     ///< it is a fragment that is not the first
  group_destination,  ///< it went to a broadcast or multicast address, on the link or in IP
  source,             ///< its source is not one host
  no_address,         ///< we have no address of its family to send from
  rate,               ///< the bucket is empty
};

class IcmpErrors {
 public:
  using IsBroadcast = std::function<bool(dataplane::Ip4)>;

  struct Offence {
    Octets packet;  ///< from its IP header on, as it came; padding may follow
    dataplane::ErrorKind kind = dataplane::ErrorKind::time_exceeded;
    uint16_t mtu = 0;                      ///< packet_too_big: of the next hop, octets
    uint16_t pointer = 0;                  ///< source_route_failed: where the trouble is
    bool link_group = false;               ///< its frame was sent to a group address
    const L3Interface* ingress = nullptr;  ///< that it came in by; null: none that still is
  };

  struct Answer {
    std::vector<uint8_t> packet;  ///< an IP packet; empty: nothing is sent
    Silence silence = Silence::none;
  };

  /// `is_broadcast`: whether an address is the broadcast or network address of a network of ours.
  IcmpErrors(const config::Icmp& limits, IsBroadcast is_broadcast)
      : bucket_(limits.rate_limit, limits.burst), is_broadcast_(std::move(is_broadcast)) {}

  /// Other limits from now on.
  void configure(const config::Icmp& limits, uint64_t now_ns) {
    bucket_.change(limits.rate_limit, limits.burst, now_ns);
  }
  /// Where an error comes from whose ingress interface has no address of the family: the first that fits.
  void set_fallback(std::vector<IpAddress> addresses) { fallback_ = std::move(addresses); }

  Answer answer(const Offence& offence, uint64_t now_ns);

 private:
  TokenBucket bucket_;
  IsBroadcast is_broadcast_;
  std::vector<IpAddress> fallback_;
  uint16_t next_id_ = 1;
};

}  // namespace sluice::control
