// SPDX-License-Identifier: BSD-3-Clause
//
// Every way in which a packet can end without leaving, with its sentence. A drop is a destination like any
// other: it has a name, it is counted per port, and `sluice show drops` says what it means.
//
// Thread safety: constants.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::dataplane {

// One line a reason: its name in the code (and, with '-' for '_', everywhere else) and what it tells an
// operator.
#define SLUICE_DROP_REASONS(X)                                                                               \
  X(truncated, "the frame ends before its Ethernet header or VLAN tag does")                                 \
  X(no_bridge, "the port that received it is in no bridge")                                                  \
  X(reserved_address, "its destination is 01-80-C2-00-00-00 to 0F, which no bridge forwards")                \
  X(group_source, "its source is a group address, which no sender has")                                      \
  X(tagged_on_access, "it carries a VLAN tag and the port is an access port")                                \
  X(untagged_on_trunk, "it carries no VLAN and the trunk has no native-vlan")                                \
  X(vlan_not_allowed, "its VLAN is not among the trunk's vlans")                                             \
  X(vlan_reserved, "its tag says VLAN 4095, which is reserved")                                              \
  X(same_port, "its destination is on the port that it came from")                                           \
  X(no_other_port, "it was to be flooded, and its VLAN has no other port")                                   \
  X(not_ours, "its destination is not the MAC address of the interface on that port")                        \
  X(not_ip, "it was sent to the router and is neither IP nor ARP")                                           \
  X(group_not_routed, "it was sent to a group: the router takes only ARP and neighbor discovery from those") \
  X(bad_ip_header, "its IP version or one of its lengths is wrong")                                          \
  X(bad_ip_checksum, "the checksum of its IPv4 header is wrong")                                             \
  X(martian_source, "its source is an address that no sender has (0/8, 127/8, multicast, 240/4, ::, ::1)")   \
  X(martian_destination, "its destination is an address that is never routed")                               \
  X(link_local, "its source or destination is link-local, and does not leave its link")                      \
  X(source_route, "it asks for a route of its own (LSRR, SSRR, a type 0 routing header)")                    \
  X(tiny_fragment, "it is a fragment that hides or overwrites a TCP header")                                 \
  X(directed_broadcast, "its destination is the broadcast or network address of a network of ours")          \
  X(no_route, "no route covers its destination")                                                             \
  X(blackhole, "its route is of type blackhole")                                                             \
  X(route_unreachable, "its route is of type unreachable")                                                   \
  X(route_prohibit, "its route is of type prohibit")                                                         \
  X(ttl_expired, "its TTL or hop limit was used up")                                                         \
  X(fragmentation_needed,                                                                                    \
    "it is larger than the mtu of the interface it was to leave by, and may not be fragmented")              \
  X(no_listener, "it was for the router itself, which does not listen there")                                \
  X(neighbor_queue_full, "too many packets waited for its neighbor: the oldest goes")                        \
  X(neighbor_failed, "its neighbor did not answer")                                                          \
  X(neighbor_full, "the neighbor table is full (tables: neighbors)")                                         \
  X(neighbor_gone, "its neighbor was removed meanwhile")                                                     \
  X(interface_gone, "the interface it was to leave by was removed meanwhile")                                \
  X(nat_untranslated, "it came from outside for an address that NAT hides")                                  \
  X(nat_untranslatable, "NAT hides its source, and cannot translate it")                                     \
  X(nat_filtered, "it came from outside for a mapping that has not sent to its source")                      \
  X(nat_no_mapping, "no mapping has the external address and port that it was sent to")                      \
  X(nat_no_session, "it belongs to no session and can open none (an error, a reply, a reset)")               \
  X(nat_session_stale, "the rules or routes of its session have changed: the next packet opens a new one")   \
  X(nat_bad_quote, "it is an ICMP error whose quoted header has a wrong checksum")                           \
  X(nat_wrong_interface, "it came in by another interface than its session expects")                         \
  X(nat_hairpin_off, "it came from inside for an external address, and hairpinning is off")                  \
  X(nat_exhausted, "no external port was free for a new session")                                            \
  X(nat_sessions_full, "the session table is full (tables: sessions)")                                       \
  X(nat_fragment_unknown, "it is a fragment whose first part was not seen before it")                        \
  X(punt_policed, "more of its kind were for control than it lets itself be sent")                           \
  X(punt_full, "the ring between a worker and control was full")                                             \
  X(ended, "sluice stopped while it waited")                                                                 \
  X(end_of_replay, "the replay ended while it waited")                                                       \
  X(too_big, "it is larger than the mtu of the port it was to leave by")                                     \
  X(no_mbuf, "there was no free packet buffer for a copy (dpdk: mbufs)")                                     \
  X(transmit_full, "the port did not take it: its queue was full, or its link is down")                      \
  X(steer_full, "the ring to another worker was full")                                                       \
  X(again_full, "the queue for another pass through the pipeline was full")                                  \
  X(loop, "it was sent round the pipeline more than twice")                                                  \
  X(port_gone, "the port it was to leave by was removed meanwhile")

enum class DropReason : uint8_t {
#define X(name, sentence) name,
  SLUICE_DROP_REASONS(X)
#undef X
      none,  ///< not dropped; not counted
};

inline constexpr size_t kDropReasons = 0
#define X(name, sentence) +1
    SLUICE_DROP_REASONS(X)
#undef X
    ;

/// The reason's name in the code, with '_'.
inline constexpr std::array<std::string_view, kDropReasons> kDropNames = {
#define X(name, sentence) #name,
    SLUICE_DROP_REASONS(X)
#undef X
};

/// What the reason tells an operator, to follow "dropped because ".
inline constexpr std::array<std::string_view, kDropReasons> kDropSentences = {
#define X(name, sentence) sentence,
    SLUICE_DROP_REASONS(X)
#undef X
};

}  // namespace sluice::dataplane
