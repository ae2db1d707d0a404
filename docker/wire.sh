#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Joins taps of sluice with networks of the container, once sluice has made the taps.
#
#   wire.sh TAP ADDRESS [TAP ADDRESS …]
#
# ADDRESS is the one that the container engine gave to its interface in the network that TAP is for. The address is
# taken from the kernel: from now on it is sluice's.
set -eu

device_with() {
  ip -o -4 address show to "$1" | awk '{ print $2; exit }' | cut -d@ -f1
}

join() {
  device=$(device_with "$2")
  [ -n "$device" ] || { echo "wire: no interface has the address $2" >&2 && exit 1; }
  ip address flush dev "$device"
  ip link add name "br-$1" type bridge mcast_snooping 0
  ip link set "$device" master "br-$1" up
  ip link set "$1" master "br-$1" up
  ip link set "br-$1" up
  echo "wire: $1 and $device are one network"
}

[ $# -ge 2 ] || { sed -n '4,9s/^# \?//p' "$0" >&2 && exit 1; }
while [ $# -ge 2 ]; do
  join "$1" "$2"
  shift 2
done
