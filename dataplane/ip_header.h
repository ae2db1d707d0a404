// SPDX-License-Identifier: BSD-3-Clause
//
// Reading an IP header into the batch, and refusing what is none.
//
// Thread safety: none; the packet belongs to the calling worker.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {

/// The type behind the addresses and the tag. REQUIRES: the first `l3` octets are there.
inline uint16_t ethertype(const rte_mbuf* packet, unsigned l3) {
  BigEndian<uint16_t> type;
  std::memcpy(&type, rte_pktmbuf_mtod_offset(packet, const void*, l3 - sizeof type), sizeof type);
  return type.host();
}

/// What the IP header is behind. REQUIRES: ip_in has seen the packet.
template <class Header>
const Header* l3_header(const Batch& batch, uint8_t place) {
  return rte_pktmbuf_mtod_offset(batch.packet[place], const Header*, batch.l3[place]);
}
inline const uint8_t* l4_header(const Batch& batch, uint8_t place) {
  return l3_header<uint8_t>(batch, place) + batch.l4[place];
}

/// Octets from the IP header on that lie in one piece: all of a packet's headers, see ip_in.
inline unsigned contiguous(const Batch& batch, uint8_t place) {
  const unsigned here = batch.packet[place]->data_len - unsigned{batch.l3[place]};
  return batch.ip_length[place] < here ? batch.ip_length[place] : here;
}

/// Sets what ip_in sets for IPv4, or says what is wrong (RFC 1812 5.2.2, 5.3.7, RFC 7126, RFC 3128).
DropReason read_ipv4(Batch& batch, uint8_t place);

struct Ipv6Verdict {
  DropReason drop = DropReason::none;
  bool answer = false;     ///< the sender is told: parameter problem at `pointer`
  bool discovery = false;  ///< neighbor discovery: for control
  uint16_t pointer = 0;
};

/// Sets what ip_in sets for IPv6, or says what is wrong (RFC 8200, RFC 5095, RFC 4291).
Ipv6Verdict read_ipv6(const Context& context, Batch& batch, uint8_t place);

}  // namespace sluice::dataplane
