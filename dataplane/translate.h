// SPDX-License-Identifier: BSD-3-Clause
//
// What NAT writes: addresses, ports and checksums of a packet, and those of a packet that an ICMP error
// quotes. Checksums are changed by the difference (RFC 1624), so what was right stays right, and what was
// wrong stays wrong.
//
// Thread safety: none; the packet belongs to the calling worker.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/session.h"

namespace sluice::dataplane {

/// Rewrites the packet at `place`, which arrived in `direction` of its session.
/// REQUIRES: its bytes are not shared; the headers that ip_in and session have read are in its first segment.
void translate(const Batch& batch, uint8_t place, const Session& session, unsigned direction);

}  // namespace sluice::dataplane
