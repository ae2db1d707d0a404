// SPDX-License-Identifier: BSD-3-Clause
//
// Transmission to a tap by its own descriptor. DPDK's tap driver says that its largest frame is 1522 octets,
// lets ethdev raise its mtu to no more than 1504, and then refuses to send what is larger, though the kernel
// would take it. What it does otherwise is what is done here: one writev() a packet.
//
// Thread safety: one worker a queue.
#pragma once

#include <cstdint>

struct rte_mbuf;

namespace sluice::dataplane {

/// Sends and frees packets from the first on, until one is not taken (the kernel's queue is full, the link is
/// down). Returns how many were sent; the rest are still the caller's.
uint16_t send_to_tap(int descriptor, rte_mbuf** packets, uint16_t count);

}  // namespace sluice::dataplane
