// SPDX-License-Identifier: BSD-3-Clause
//
// drop: the end of every packet that does not leave, counted by the port it came from and the reason.
//
// Uses:  packet, ingress, drop_reason
// Sets:  nothing
// Next:  -
// Drops: all that come here
#include <rte_mbuf.h>

#include "dataplane/batch.h"
#include "dataplane/context.h"

namespace sluice::dataplane {

void stages::drop(Context& context, Batch& batch) {
  for (uint8_t place : batch.lane(Stage::drop)) {
    discard(context, batch.packet[place], batch.ingress[place], batch.drop_reason[place]);
  }
}

void discard(Context& context, rte_mbuf* packet, PortIndex port, DropReason reason) {
  context.counters.drop(port, reason);
  rte_pktmbuf_free(packet);
}

}  // namespace sluice::dataplane
