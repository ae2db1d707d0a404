#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The objects of the packet path call nothing that allocates from the heap, throws, logs or takes a lock.
#
#   tests/check_packet_path.sh BUILD
set -u -o pipefail
library=${1:?which build directory?}/dataplane/libdataplane.a

# All of it but three. The MAC table's bucket lock is no call; Sleeper waits, and is meant to; control makes the
# tables and the arena, which are not the packet path's to allocate.
readonly OBJECTS='\.cc\.o'
readonly EXEMPT='(mac_table|sleeper|nat_arena)\.cc\.o'
readonly FORBIDDEN='(malloc|calloc|realloc|aligned_alloc|free|_Zn[wa].*|_Zd[la].*|__cxa_throw|__cxa_allocate_exception|_ZSt.*throw.*|rte_.*alloc|rte_log|printf|fprintf|syslog|pthread_mutex_.*|pthread_rwlock_.*)'

symbols=$(nm -A -u "$library" | grep -E "$OBJECTS" | grep -v -E "$EXEMPT") || { echo "no such objects in $library" && exit 1; }
# A destructor that may be called with delete names it; workers are destroyed by control alone.
found=$(grep -E " U $FORBIDDEN(@.*)?\$" <<<"$symbols")
[ -z "$found" ] && exit 0
echo "called from the packet path:"
echo "$found"
exit 1
