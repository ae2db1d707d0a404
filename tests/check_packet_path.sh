#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The objects of the packet path call nothing that allocates from the heap, throws, logs or takes a lock.
#
#   tests/check_packet_path.sh BUILD
set -u -o pipefail
library=${1:?which build directory?}/dataplane/libdataplane.a

# The stages, and what they are made of. The MAC table's bucket lock is no call; Sleeper waits, and is meant to.
readonly OBJECTS='(bridge_in|checksum|drop|frame|parse|tap|replicate|transmit|worker)\.cc\.o'
readonly FORBIDDEN='(malloc|calloc|realloc|aligned_alloc|free|_Zn[wa].*|_Zd[la].*|__cxa_throw|__cxa_allocate_exception|_ZSt.*throw.*|rte_.*alloc|rte_log|printf|fprintf|syslog|pthread_mutex_.*|pthread_rwlock_.*)'

symbols=$(nm -A -u "$library" | grep -E "$OBJECTS") || { echo "no such objects in $library" && exit 1; }
# A destructor that may be called with delete names it; workers are destroyed by control alone.
found=$(grep -E " U $FORBIDDEN(@.*)?\$" <<<"$symbols")
[ -z "$found" ] && exit 0
echo "called from the packet path:"
echo "$found"
exit 1
