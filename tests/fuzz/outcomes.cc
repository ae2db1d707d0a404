// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/outcomes.h"

#include <algorithm>
#include <cinttypes>

namespace sluice::fuzz {
namespace {

using dataplane::kDropNames;
using dataplane::kDropReasons;

// All but those that a fuzzer of packets alone cannot bring about: full rings between threads, the end of a
// replay, a port that goes.
constexpr const char* kEssential[] = {"drop truncated",
                                      "drop reserved_address",
                                      "drop group_source",
                                      "drop tagged_on_access",
                                      "drop untagged_on_trunk",
                                      "drop vlan_not_allowed",
                                      "drop vlan_reserved",
                                      "drop same_port",
                                      "drop not_ours",
                                      "drop not_ip",
                                      "drop group_not_routed",
                                      "drop bad_ip_header",
                                      "drop bad_ip_checksum",
                                      "drop martian_source",
                                      "drop martian_destination",
                                      "drop link_local",
                                      "drop source_route",
                                      "drop tiny_fragment",
                                      "drop directed_broadcast",
                                      "drop blackhole",
                                      "drop route_unreachable",
                                      "drop route_prohibit",
                                      "drop ttl_expired",
                                      "drop fragmentation_needed",
                                      "drop no_listener",
                                      "drop neighbor_queue_full",
                                      "drop neighbor_failed",
                                      "drop neighbor_full",
                                      "drop nat_untranslated",
                                      "drop nat_untranslatable",
                                      "drop nat_filtered",
                                      "drop nat_no_mapping",
                                      "drop nat_no_session",
                                      "drop nat_session_stale",
                                      "drop nat_bad_quote",
                                      "drop nat_wrong_interface",
                                      "drop nat_hairpin_off",
                                      "drop nat_exhausted",
                                      "drop nat_sessions_full",
                                      "drop nat_fragment_unknown",
                                      "drop punt_policed",
                                      "drop too_big",
                                      "sessions opened",
                                      "sessions ended",
                                      "sessions cleared",
                                      "reloads",
                                      "macs learned",
                                      "macs moved",
                                      "macs refused",
                                      "between workers",
                                      "neighbors failed",
                                      "neighbor requests",
                                      "neighbor answers",
                                      "left bridged",
                                      "left routed IPv4",
                                      "left routed IPv6",
                                      "left translated",
                                      "left translated back",
                                      "left hairpinned",
                                      "left in parts that came in parts, translated",
                                      "left in parts that the router made",
                                      "left in parts, IPv6",
                                      "left ICMP error translated outwards",
                                      "left ICMP error translated inwards",
                                      "left ICMP error of the router 3/0-1",
                                      "left ICMP error of the router 3/3",
                                      "left ICMP error of the router 3/4",
                                      "left ICMP error of the router 3/13",
                                      "left ICMP error of the router 11/0",
                                      "left ICMPv6 error of the router 1",
                                      "left ICMPv6 error of the router 2",
                                      "left ICMPv6 error of the router 3",
                                      "left ICMPv6 error of the router 4",
                                      "left echo reply of the router",
                                      "left ICMPv6 echo reply of the router",
                                      "left ARP request",
                                      "left ARP answer",
                                      "left neighbor solicitation",
                                      "left neighbor advertisement",
                                      "left of a static translation",
                                      "left of a port forward"};

}  // namespace

void Outcomes::collect(World& world) {
  const control::Books books = world.runtime().books();
  for (const auto& port : books.total.ports) {
    counts_["received"] += port.received;
    counts_["transmitted"] += port.transmitted;
    for (size_t reason = 0; reason < kDropReasons; ++reason) {
      const uint64_t drops = port.drops[reason];
      if (drops != 0) counts_["drop " + std::string(kDropNames[reason])] += drops;
    }
  }
  counts_["generated"] += books.total.generated;
  counts_["consumed"] += books.total.consumed;
  counts_["between workers"] += books.total.taken_over;
  counts_["macs learned"] += books.total.macs_learned;
  counts_["macs moved"] += books.total.macs_moved;
  counts_["macs refused"] += books.total.macs_refused;
  counts_["sessions opened"] += books.total.sessions_opened;
  counts_["sessions ended"] += books.total.sessions_ended;
  const control::NeighborCounts neighbors = world.runtime().router().neighbors().counts();
  counts_["neighbor requests"] += neighbors.requests;
  counts_["neighbor answers"] += neighbors.answers;
  counts_["neighbor packets ignored"] += neighbors.ignored;
  counts_["neighbors failed"] += neighbors.failed;
  counts_["neighbors evicted"] += neighbors.evicted;
  counts_["neighbors refused"] += neighbors.refused;
  counts_["neighbor conflicts"] += neighbors.conflicts;
}

Outcomes::Counts Outcomes::all() const {
  Counts all = counts_;
  for (const auto& [what, times] : seen_) all[what] += times;
  return all;
}

void Outcomes::print(std::FILE* out) const {
  for (const auto& [what, times] : all()) std::fprintf(out, "%12" PRIu64 "  %s\n", times, what.c_str());
}

std::vector<std::string> Outcomes::missing() const {
  const Counts all = this->all();
  std::vector<std::string> never;
  for (const char* what : kEssential) {
    const auto found = all.find(what);
    if (found == all.end() || found->second == 0) never.emplace_back(what);
  }
  return never;
}

}  // namespace sluice::fuzz
