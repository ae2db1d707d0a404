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
#define SLUICE_DROP_REASONS(X)                                                                \
  X(truncated, "the frame ends before its Ethernet header or VLAN tag does")                  \
  X(no_bridge, "the port that received it is in no bridge")                                   \
  X(reserved_address, "its destination is 01-80-C2-00-00-00 to 0F, which no bridge forwards") \
  X(group_source, "its source is a group address, which no sender has")                       \
  X(tagged_on_access, "it carries a VLAN tag and the port is an access port")                 \
  X(untagged_on_trunk, "it carries no VLAN and the trunk has no native-vlan")                 \
  X(vlan_not_allowed, "its VLAN is not among the trunk's vlans")                              \
  X(vlan_reserved, "its tag says VLAN 4095, which is reserved")                               \
  X(same_port, "its destination is on the port that it came from")                            \
  X(no_other_port, "it was to be flooded, and its VLAN has no other port")                    \
  X(too_big, "it is larger than the mtu of the port it was to leave by")                      \
  X(no_mbuf, "there was no free packet buffer for a copy (dpdk: mbufs)")                      \
  X(transmit_full, "the port did not take it: its queue was full, or its link is down")       \
  X(steer_full, "the ring to the worker that owns the transmit queue was full")               \
  X(again_full, "the queue for another pass through the pipeline was full")                   \
  X(loop, "it was sent round the pipeline more than twice")                                   \
  X(port_gone, "the port it was to leave by was removed meanwhile")

enum class DropReason : uint8_t {
#define X(name, sentence) name,
  SLUICE_DROP_REASONS(X)
#undef X
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
