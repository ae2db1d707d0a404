#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A home gateway at work: one HTTP request crosses switch, router and NAT, and comes back.
# On a Debian 12, as root, from nothing but this directory. What is missing is installed and built.
#
#   ./demo.sh                 shows it and cleans up; exit 0 if every step went as it should
#   ./demo.sh --keep          leaves the lab up, to look around in it
#   ./demo.sh --stop          ends a lab that was left up
#   ./demo.sh --sluice FILE   takes this program instead of building one
#   ./demo.sh --help          this text
#
# The hosts are network namespaces: laptop, phone, guest, internet. The machine's own network is not touched.
set -u -o pipefail
readonly CALLED_FROM=$PWD
cd "$(dirname "$0")" || exit 1
. ./packages.sh || exit 1

readonly LAB=/run/sluice-demo
readonly CONFIG=config/examples/home-gateway.yaml
readonly SERVER=198.51.100.80 SERVER6=2001:db8:80::80
export SLUICE_SOCKET=$LAB/sluice.sock # also tells the processes of the lab from all others
export LC_ALL=C.UTF-8 no_proxy='*'

sluice= # the program
ours=0  # 1: the lab that is up is ours to end
keep=0
number=0
place="while getting ready"
seen= # what the last command printed

# --- words -------------------------------------------------------------------------------------------------------

tell() { printf '%s\n' "$*" | fold -s -w 100 | sed 's, *$,,'; }

step() {
  number=$((number + 1))
  place="in step $number ($1)"
  printf '\n== %d. %s\n\n' "$number" "$1"
}

fail() {
  printf '\ndemo: failed %s: %s\n' "$place" "$*" >&2
  if [ $ours -eq 1 ] && [ -s $LAB/sluice.log ]; then
    echo "The log of sluice ends with:" >&2
    tail -n 20 $LAB/sluice.log >&2
  fi
  exit 1
}

usage() { sed -n '4,13s/^# \?//p' demo.sh; }

# --- commands, shown with what they print ------------------------------------------------------------------------

# shown WHO COMMAND…: runs COMMAND as $runs says, prints both, and keeps the output in $seen.
shown() {
  local who=$1 code
  shift
  printf '  %s# %s\n' "$who" "$*"
  seen=$("${runs[@]}" 2>&1)
  code=$?
  printf '%s\n\n' "$seen" | sed 's/^./  &/'
  [ $code -eq 0 ] || fail "on $who \`$*\` ended with exit code $code"
}

# on HOST COMMAND…: must succeed.
on() {
  local host=$1
  shift
  runs=(ip netns exec "$host" timeout --foreground 60 "$@")
  shown "$host" "$@"
}

# gateway ARGUMENT…: a command of sluice, must succeed.
gateway() {
  runs=(timeout --foreground 60 "$sluice" "$@")
  shown gateway sluice "$@"
}

# expect PATTERN SENTENCE: a line of what was seen just now matches, or the sentence says what is wrong.
expect() { grep -Eq -- "$1" <<<"$seen" || fail "$2"; }

# quietly COMMAND…: what learners need not see, but must succeed.
quietly() {
  local words
  words=$("$@" 2>&1) || fail "\`$*\` failed: $words"
}

# patiently WHAT COMMAND…: repeats COMMAND until it succeeds, for 30 s at most.
patiently() {
  local what=$1 deadline=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "$what did not happen within 30 seconds"
    sleep 0.1
  done
}

# --- the lab and its end -----------------------------------------------------------------------------------------

# start NAME COMMAND…: in the background; its output goes to $LAB/NAME.log and its number to $LAB/NAME.pid.
start() {
  local name=$1
  shift
  setsid "$@" >>"$LAB/$name.log" 2>&1 </dev/null &
  echo $! >"$LAB/$name.pid"
}

# is_ours PID: it runs, and it is a process of this lab, not another one that got its number.
is_ours() { grep -qsz "^SLUICE_SOCKET=$SLUICE_SOCKET\$" "/proc/$1/environ"; }

# end NAME: as systemd would do it.
end() {
  local pid deadline=$((SECONDS + 10))
  pid=$(cat "$LAB/$1.pid") && [ -n "$pid" ] && is_ours "$pid" || return 0
  kill -TERM "$pid"
  while is_ours "$pid" && [ $SECONDS -lt $deadline ]; do sleep 0.1; done
  is_ours "$pid" && kill -KILL "$pid"
}

stop_lab() {
  local file host
  for file in "$LAB"/*.pid; do [ -e "$file" ] && end "$(basename "$file" .pid)"; done
  for file in "$LAB"/*.netns; do
    host=$(basename "$file" .netns)
    [ -e "$file" ] && [ -e "/run/netns/$host" ] && ip netns delete "$host"
  done
  rm -rf "$LAB"
}

finish() {
  local code=$?
  trap '' INT TERM HUP
  [ $ours -eq 1 ] || exit $code
  if [ $keep -eq 1 ] && [ $code -eq 0 ]; then
    how_to_go_on
  else
    stop_lab
    echo "The lab is gone: namespaces, processes, files."
  fi
  exit $code
}

how_to_go_on() {
  cat <<END
The lab stays up.

  enter a host         ip netns exec laptop bash
  ask the gateway      export SLUICE_SOCKET=$SLUICE_SOCKET
                       $sluice show sessions --watch
  change the gateway   edit $CONFIG, then
                       $sluice reload
  end it               ./demo.sh --stop
END
}

# From here on an interruption leaves nothing behind.
claim_lab() {
  trap '' INT TERM HUP
  mkdir "$LAB" 2>/dev/null || fail "a lab is up already, or was left by a crash: end it with ./demo.sh --stop"
  ours=1
  trap finish EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# --- getting ready -----------------------------------------------------------------------------------------------

check_machine() {
  [ "$(id -u)" -eq 0 ] || fail "network namespaces need root: sudo ./demo.sh"
  [ -c /dev/net/tun ] || modprobe tun 2>/dev/null || fail "there is no /dev/net/tun: the kernel has no taps"
}

get_program() {
  if [ -n "$sluice" ]; then
    install_packages "${HOST_PACKAGES[@]}" || fail "packages cannot be installed: is this Debian 12?"
    return
  fi
  install_packages "${BUILD_PACKAGES[@]}" "${HOST_PACKAGES[@]}" ||
    fail "packages cannot be installed: is this Debian 12?"
  printf '\n== building, which takes some minutes the first time\n\n'
  [ -e build/build.ninja ] || meson setup build --buildtype=release || fail "meson cannot configure the build"
  ninja -C build control/sluice || fail "sluice cannot be built"
  sluice=$PWD/build/control/sluice
}

make_host() {
  local host=$1
  [ ! -e "/run/netns/$host" ] || fail "a network namespace '$host' exists already, and the demo needs that name"
  touch "$LAB/$host.netns"
  quietly ip netns add "$host"
  quietly ip netns exec "$host" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
    net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0
  quietly ip -n "$host" link set lo up
}

# give HOST DEVICE ADDRESS…: nodad, since nobody else in the lab has the address.
give() {
  local host=$1 device=$2 address
  shift 2
  for address in "$@"; do
    case $address in
      *:*) quietly ip -n "$host" address add "$address" dev "$device" nodad ;;
      *) quietly ip -n "$host" address add "$address" dev "$device" ;;
    esac
  done
  quietly ip -n "$host" link set "$device" up
}

# connect HOST NETWORK NETWORK6 NUMBER: an address of each family and the gateway as the default route.
connect() {
  give "$1" "$1" "$2.$4/24" "$3::$4/64"
  quietly ip -n "$1" route add default via "$2.1"
  quietly ip -n "$1" route add default via "$3::1"
}

address_hosts() {
  connect laptop 192.168.10 2001:db8:10 7
  connect phone 192.168.10 2001:db8:10 20
  connect guest 192.168.20 2001:db8:20 30
  give internet wan 203.0.113.1/24 2001:db8::1/64
  give internet lo "$SERVER/32" "$SERVER6/128"
  quietly ip -n internet route add 2001:db8:10::/64 via 2001:db8::2
  quietly ip -n internet route add 2001:db8:20::/64 via 2001:db8::2
}

# answers HOST ADDRESS
answers() { ip netns exec "$1" ping -n -q -c 1 -W 1 "$2"; }

start_gateway() {
  start sluice "$sluice" run "$CONFIG"
  local deadline=$((SECONDS + 60))
  until "$sluice" show ports >/dev/null 2>&1; do
    is_ours "$(cat $LAB/sluice.pid)" || fail "sluice ended instead of running"
    [ $SECONDS -lt $deadline ] || fail "sluice does not answer on its socket"
    sleep 0.1
  done
}

# serve HOST: a web server on port 80.
serve() {
  start "$1-web" ip netns exec "$1" python3 tests/lab/web_server.py "$1" "$LAB/$1.web"
  patiently "the start of the web server of $1" grep -q listening "$LAB/$1.web"
}

# watch_request HOST DEVICE: writes down the first packets of HTTP connections. (-Z root: into a directory of root's.)
watch_request() {
  start "$1-tcpdump" ip netns exec "$1" tcpdump -Z root -U --immediate-mode -i "$2" -w "$LAB/$1.pcap" \
    'tcp port 80 and tcp[tcpflags] & tcp-syn != 0'
  patiently "the start of tcpdump on $1" test -s "$LAB/$1.pcap"
}

# packet HOST FLAGS: the first packet with these TCP flags that was written down, in one line.
packet() {
  tcpdump -n -e -v -t -r "$LAB/$1.pcap" 2>/dev/null | awk -v flags="[$2]," '
    /ethertype/ { from = $1; to = $3; sub(",", "", to); match($0, /ttl [0-9]+/); ttl = substr($0, RSTART, RLENGTH) }
    $4 == "Flags" && $5 == flags { sub(":", "", $3); print $1, ">", $3 "  " ttl "  (" from " > " to ")"; exit }'
}

has_packet() { [ -n "$(packet "$@")" ]; }

# --- what is shown -----------------------------------------------------------------------------------------------

show_lab() {
  step "The lab"
  tell "Four hosts, each a network namespace with a kernel of its own as far as networking goes, and sluice between" \
    "them. Each cable is a tap: a network card for the host, a port for sluice."
  cat <<END

  laptop  192.168.10.7  ──┐ VLAN 10
  phone   192.168.10.20 ──┼──[ switch ]──[ router ]──[ NAT 203.0.113.2 ]── wan ── internet 203.0.113.1,
  guest   192.168.20.30 ──┘ VLAN 20                                               web server $SERVER

END
  printf '  gateway# sluice run %s &\n\n' "$CONFIG"
  start_gateway
  address_hosts
  patiently "the first answer of the gateway over IPv4" answers laptop 192.168.10.1
  patiently "the first answer of the gateway over IPv6" answers laptop 2001:db8:10::1
  serve internet
  serve phone
  on laptop ip -brief address show dev laptop
  expect '192\.168\.10\.7/24' "the laptop does not have its address"
  gateway show ports
  expect '^wan .*tap' "the gateway does not show its port wan"
}

show_switch() {
  step "The switch: from the laptop to the phone"
  on laptop ping -n -c 3 -i 0.5 192.168.10.20
  expect ' 3 received' "the phone did not answer each of 3 pings"
  expect 'ttl=64 ' "the ttl is not 64: something other than the switch has touched the packet"
  gateway show macs --vlan 10
  expect ' laptop ' "the switch has not learned where the laptop is"
  expect ' phone ' "the switch has not learned where the phone is"
  tell "Both are in VLAN 10, so the switch passed the frames from port to port. It looked only at MAC addresses, which" \
    "it had learned from the frames themselves. The ttl is still 64, as sent: nobody has routed the packet."
}

show_router() {
  step "The router: from the laptop to the guest"
  on laptop ping -n -c 3 -i 0.5 192.168.20.30
  expect ' 3 received' "the guest did not answer each of 3 pings"
  expect 'ttl=63 ' "the ttl is not 63: the packet did not cross exactly one router"
  gateway show routes
  expect '192\.168\.20\.0/24' "the router has no route to the guests"
  gateway show neighbors
  expect '192\.168\.20\.30' "the router has not found out the MAC address of the guest"
  tell "The guest is in another VLAN and another network. The laptop sent its packets to the router, which looked up" \
    "the route, asked for the guest's MAC address (ARP), took 1 from the ttl and sent them on: 63." \
    "There is no firewall yet between laptop and guest."
}

show_request() {
  step "The request: from the laptop through switch, router and NAT to a web server, and back"
  watch_request laptop laptop
  watch_request internet wan
  on laptop curl -sS --max-time 20 "http://$SERVER/"
  expect 'Hello 203\.0\.113\.2,.* of internet' "the web server did not see the address of the uplink"
  patiently "the sight of the server's answer at the laptop" has_packet laptop S.
  patiently "the sight of the server's answer at the server" has_packet internet S.
  end laptop-tcpdump
  end internet-tcpdump
  show_hops
  gateway show sessions --source 192.168.10.7
  expect '192\.168\.10\.7' "NAT does not show the laptop's session"
  expect '203\.0\.113\.2' "NAT does not show the address that it gave the session"
}

# hop TITLE HOST FLAGS PATTERN SENTENCE…: a packet as tcpdump saw it, which must match, and why it looks so.
hop() {
  local name=$1 host=$2 flags=$3 pattern=$4
  shift 4
  seen=$(packet "$host" "$flags")
  printf '  %s\n    %s\n' "$name" "$seen"
  expect "$pattern" "the packet is not as it should be: $name"
  tell "$@" | sed 's/^/    /'
  echo
}

show_hops() {
  tell "The first packet and its answer, as tcpdump saw them at both ends (address.port > address.port, ttl, MACs):"
  echo
  hop "1. The laptop sends" laptop S "^192\.168\.10\.7\.[0-9]+ > $SERVER\.80 +ttl 64" \
    "to the MAC address of its default gateway, since the server is in no network of its own. The switch sees that" \
    "this is the router's MAC and hands the frame up. The router finds the default route, by uplink, and takes 1" \
    "from the ttl. NAT makes a session and puts 203.0.113.2 in the place of the laptop's address. The neighbor table" \
    "knows the MAC of the provider's router, and the packet leaves by wan."
  hop "2. The server receives" internet S "^203\.0\.113\.2\.[0-9]+ > $SERVER\.80 +ttl 63" \
    "a packet of the gateway, as far as it can tell. It cannot know of 192.168.10.7."
  hop "3. The server answers" internet S. "^$SERVER\.80 > 203\.0\.113\.2\.[0-9]+ +ttl 64" \
    "to that address and port. NAT finds the session by them and puts 192.168.10.7 back; then the router looks up" \
    "the route: interface home, VLAN 10. The switch knows the port of the laptop's MAC."
  hop "4. The laptop receives" laptop S. "^$SERVER\.80 > 192\.168\.10\.7\.[0-9]+ +ttl 63" \
    "the answer from the address that it had asked."
}

show_masquerading() {
  step "Masquerading: all hosts of the home share one address"
  on phone curl -sS --max-time 20 "http://$SERVER/"
  expect 'Hello 203\.0\.113\.2,' "the web server did not see the address of the uplink"
  on internet tail -n 2 $LAB/internet.web
  [ "$(grep -c '^203\.0\.113\.2 asked: GET /' <<<"$seen")" -eq 2 ] ||
    fail "the server's log does not show two requests of 203.0.113.2"
  gateway show nat
  expect 'internet' "the gateway does not show its NAT rule"
  tell "The server's log shows 203.0.113.2 for the laptop and for the phone. The port tells their sessions apart."
}

show_port_forward() {
  step "The port forward: from outside to the phone's web server"
  on internet curl -sS --max-time 20 http://203.0.113.2:8080/
  expect 'Hello 203\.0\.113\.1,.* of phone' "it was not the phone that answered"
  gateway show sessions
  expect '192\.168\.10\.20:80' "NAT does not show that it sent the request to the phone"
  tell "From outside the phone has no address. But the file says: what comes for 203.0.113.2, TCP port 8080, goes to" \
    "192.168.10.20, port 80. Without such a line nobody outside can begin a conversation over IPv4."
}

show_traceroute() {
  step "The way there: traceroute"
  on laptop traceroute -n -q 1 -w 5 -m 8 "$SERVER"
  expect '^ *1 +192\.168\.10\.1 ' "the first hop is not the gateway"
  expect "^ *2 +$SERVER " "the second hop is not the server"
  tell "Packets with a ttl of 1, 2, …: where it runs out, a router sends word. The gateway does so with the address of" \
    "the interface that the packet came in by. The server's word comes back through NAT, which finds the laptop" \
    "by the beginning of the packet that it quotes."
}

show_ipv6() {
  step "IPv6: routed, not translated, and not firewalled"
  on laptop ping -n -c 3 -i 0.5 "$SERVER6"
  expect ' 3 received' "the server did not answer each of 3 pings over IPv6"
  expect 'ttl=63 ' "the hop limit is not 63: the packet did not cross exactly one router"
  on internet ping -n -c 3 -i 0.5 2001:db8:10::7
  expect ' 3 received' "the laptop did not answer each of 3 pings from outside"
  tell "IPv6 has addresses for all, so the laptop is seen outside under its own. Mind the second ping: from outside to" \
    "the laptop, unasked. There is no firewall yet: do not put IPv6 hosts that need one behind this gateway."
}

show_books() {
  step "The books"
  gateway show ports
  expect 'unaccounted 0' "packets have vanished without being counted"
  tell "Every packet that came in has gone out, was for the gateway itself, or was dropped under a name" \
    "(sluice show drops). None is unaccounted for."
}

# -----------------------------------------------------------------------------------------------------------------

show_all() {
  show_lab
  show_switch
  show_router
  show_request
  show_masquerading
  show_port_forward
  show_traceroute
  show_ipv6
  show_books
  printf '\nAll %d steps went as they should.\n\n' "$number"
}

stop() {
  check_machine
  if [ ! -d "$LAB" ]; then
    echo "No lab is up."
    return
  fi
  stop_lab
  echo "The lab is gone: namespaces, processes, files."
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --keep) keep=1 ;;
      --stop) stop && exit 0 ;;
      --help | -h) usage && exit 0 ;;
      --sluice)
        [ $# -ge 2 ] || fail "--sluice needs a FILE"
        sluice=$(cd "$CALLED_FROM" && realpath -e "$2") || fail "there is no program $2"
        shift
        ;;
      *) usage >&2 && exit 1 ;;
    esac
    shift
  done
}

main() {
  local host
  read_arguments "$@"
  check_machine
  get_program
  claim_lab
  for host in laptop phone guest internet; do make_host "$host"; done
  show_all
}

main "$@"
