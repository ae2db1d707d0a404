// SPDX-License-Identifier: BSD-3-Clause
//
// Writing to a frame that is about to leave: its tag, its padding, its checksum. Beside rewrite.cc nothing
// writes packet bytes, and never to bytes that another copy shares.
//
// Thread safety: none; the frame belongs to the calling worker.
#pragma once

#include <cstdint>

#include "dataplane/batch.h"
#include "dataplane/snapshot.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice::dataplane {

/// How the frame's VLAN tag stands at present.
struct Tagging {
  bool tagged;
  uint16_t tci;  ///< 0 when untagged
};

/// Replaces the frame by a private copy with that much room before and behind it, unless it is one already.
/// False: no buffer for the copy; `packet` is as it was.
bool own(rte_mbuf*& packet, uint16_t headroom, uint16_t tailroom, rte_mempool* pool);

/// Makes the frame ready to leave with `vid` (0: untagged): pushes, pops or changes the tag (PCP and DEI
/// stay), pads it to 60 octets with zeroes and completes a checksum that a guest left partial, unless the
/// port's driver does that. May replace `packet` by a private copy. False: no buffer for that copy; `packet`
/// is as it was.
bool dress(rte_mbuf*& packet, Tagging tagging, uint16_t vid, const Port& port, rte_mempool* pool);

/// Whether the frame, as it leaves, obeys the port's mtu: up to two tags do not count.
bool fits(const rte_mbuf* packet, uint16_t mtu);

/// Gives the frame one segment that nobody else shares. False: no buffer, or longer than one.
bool linearise(rte_mbuf*& packet, rte_mempool* pool);

}  // namespace sluice::dataplane
