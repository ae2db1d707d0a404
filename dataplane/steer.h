// SPDX-License-Identifier: BSD-3-Clause
//
// Which worker a flow without a session here belongs to, and the way there.
//
// Theory of operation. A session belongs to the worker of its inside host, so that the host's mappings need
// no sharing. Whatever queue a packet comes in by, the worker that finds no session for it asks: from inside,
// the source's hash names the worker; from outside, a port forward or 1:1 names the host, else the block of
// the external port was claimed by the worker. A hairpin has two inside hosts: the source's worker makes the
// session, and asks the destination's where the external endpoint leads; answers to it find their way back
// by the external port of the source. The later parts of a datagram have no ports: all its parts pass the
// worker that their addresses hash to, which passes on the ports of the first.
//
// Thread safety: none; everything here is of the calling worker, but for the rings, of which it is the
//   producer.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/context.h"
#include "dataplane/flow.h"
#include "dataplane/punt.h"

namespace sluice::dataplane {

/// The worker of an inside host.
unsigned worker_of(const Context& context, Ip4 inside);

/// The worker that a packet of `flow`, which came in by `ingress` and has no session here, belongs to.
unsigned owner_of(const Context& context, const Flow& flow, InterfaceIndex ingress);

/// The worker that knows where the destination of a hairpin leads; the calling one if there is no such.
unsigned owner_of_destination(const Context& context, const Flow& flow, InterfaceIndex ingress);

/// The worker that all parts of the datagram at `place` pass first.
unsigned owner_of_fragments(const Context& context, const Batch& batch, uint8_t place);

/// Gives the packet at `place` to worker `owner`: it starts anew there. Drops: steer_full.
void steer(Context& context, const Batch& batch, uint8_t place, unsigned owner, const SteerNote& note);

}  // namespace sluice::dataplane
