// SPDX-License-Identifier: BSD-3-Clause
//
// The packet that an ICMP error quotes (RFC 792, RFC 5508 section 4): the beginning of one that we translated
// before, in the other direction.
//
// Thread safety: none; the packet belongs to the calling worker.
#pragma once

#include <optional>

#include "dataplane/batch.h"
#include "dataplane/flow.h"

namespace sluice::dataplane {

struct Quote {
  Flow flow;               ///< as it stands in the quote
  uint16_t offset;         ///< of its IP header, counted from the outer one
  uint16_t transport;      ///< of its transport header, counted likewise; at least 8 octets are there
  uint16_t length;         ///< of the quote's transport part that is there, octets
  bool checksum_is_right;  ///< of its IP header
};

/// Nothing: there is no whole IPv4 header with 8 octets behind it, or the quoted part has no ports.
/// REQUIRES: the packet has kIsIcmpError.
std::optional<Quote> read_quote(const Batch& batch, uint8_t place);

}  // namespace sluice::dataplane
