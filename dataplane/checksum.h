// SPDX-License-Identifier: BSD-3-Clause
//
// Transport checksums that a sender left to be finished: a vhost guest or a veth peer hands over TCP and UDP
// with the checksum still open, and says so in the buffer's offload flags.
//
// Thread safety: none; the packet belongs to the calling worker.
#pragma once

#include <rte_mbuf.h>

namespace sluice::dataplane {

/// The one's complement sum of `length` octets, folded and not inverted; over a header with a right checksum
/// it is 0xFFFF (RFC 1071).
uint16_t internet_checksum(const void* octets, unsigned length);

/// The driver says that the data is sound and the checksum field is not (yet).
inline bool has_partial_checksum(const rte_mbuf* packet) {
  return (packet->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

/// Completes the TCP or UDP checksum (RFC 9293 3.1, RFC 768) in the packet, or, where `by_driver`, asks the
/// driver that transmits it to. A packet without such a header, and a fragment, is left alone.
/// REQUIRES: the packet's bytes are not shared.
void finish_checksum(rte_mbuf* packet, bool by_driver);

}  // namespace sluice::dataplane
