// SPDX-License-Identifier: BSD-3-Clause
//
// Shows ThreadSanitizer what it cannot see: Debian's ring driver and mempool are not instrumented, so a
// packet that goes through them from one thread to another looks like a race. Nothing is suppressed: the same
// hand-overs are made visible, by callbacks of ethdev and a mempool over instrumented rings. Without
// ThreadSanitizer all of this is empty.
//
// Thread safety: use_visible_pools() and show_queues() on the control thread, the others from any.
#pragma once

#include <cstdint>

namespace sluice::test {

#ifdef __SANITIZE_THREAD__
/// Pools that are made from now on give and take buffers in the open.
void use_visible_pools();
/// Packets are taken from and given to the queues of a started port in the open.
void show_queues(uint16_t port, uint16_t rx_queues, uint16_t tx_queues);
/// This thread gives the packet, or whatever it is, away / takes it.
void giving(void* object);
void taking(void* object);
#else
inline void use_visible_pools() {}
inline void show_queues(uint16_t, uint16_t, uint16_t) {}
inline void giving(void*) {}
inline void taking(void*) {}
#endif

}  // namespace sluice::test
