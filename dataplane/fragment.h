// SPDX-License-Identifier: BSD-3-Clause
//
// IPv4 fragmentation (RFC 791 section 3.2).
//
// Thread safety: none; the packet belongs to the calling worker.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {

/// Replaces the packet at `place` by parts of at most `mtu` octets, which go round the pipeline once more,
/// unchanged but for that: so each is translated and routed as a packet of its own. Or says why not, and the
/// packet is still there: no_mbuf, again_full, loop.
/// REQUIRES: it is IPv4, longer than `mtu`, and may be fragmented.
DropReason fragment(Context& context, Batch& batch, uint8_t place, uint16_t mtu);

}  // namespace sluice::dataplane
