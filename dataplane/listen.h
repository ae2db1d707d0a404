// SPDX-License-Identifier: BSD-3-Clause
//
// What of the traffic to groups concerns the router: ARP requests for its addresses, neighbor solicitations
// for them, and announcements that neighbors have changed.
//
// Thread safety: none; the packet belongs to the calling worker.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {

/// Whether control must see the frame at `place`, which came in on the link of `interface`; if so sets
/// punt_reason, interface and l3.
bool concerns_router(const Context& context, Batch& batch, uint8_t place, InterfaceIndex interface);

}  // namespace sluice::dataplane
