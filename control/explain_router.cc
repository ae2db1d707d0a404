// SPDX-License-Identifier: BSD-3-Clause
//
// The explainer's words for the router and NAT: which route, which neighbor, which session and rule, and what
// was written into the headers.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "config/addresses.h"
#include "control/config_json.h"
#include "control/explainer.h"
#include "control/said.h"
#include "dataplane/nat_rules.h"
#include "dataplane/session_state.h"

namespace sluice::control {

using dataplane::Batch;
using dataplane::ErrorKind;
using dataplane::Flow;
using dataplane::kNoSession;
using dataplane::PuntReason;
using dataplane::RouteKind;
using dataplane::RouteTarget;
using dataplane::Session;
using dataplane::SessionHandle;
using dataplane::Stage;

namespace {

std::string endpoint(dataplane::Ip4 address, uint16_t port, uint8_t protocol) {
  const std::string text = to_text(IpAddress(address));
  return dataplane::PortBlocks::has_ports(protocol) ? absl::StrCat(text, ":", port) : text;
}

IpAddress destination_of(const Batch& batch, uint8_t place, const std::vector<uint8_t>& frame, size_t l3) {
  if (batch.family[place] == dataplane::Family::ipv4) return batch.destination4[place];
  return dataplane::load_ip6(frame.data() + l3 + 24);
}

const char* type_words(config::Route::Type type) {
  switch (type) {
    case config::Route::Type::blackhole:
      return "a blackhole: dropped without a word";
    case config::Route::Type::unreachable:
      return "unreachable: the sender is told";
    case config::Route::Type::prohibit:
      return "prohibited: the sender is told";
    default:
      return "";
  }
}

const char* error_words(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::time_exceeded:
      return "time exceeded";
    case ErrorKind::net_unreachable:
      return "network unreachable";
    case ErrorKind::host_unreachable:
      return "host unreachable";
    case ErrorKind::port_unreachable:
      return "port unreachable";
    case ErrorKind::prohibited:
      return "administratively prohibited";
    case ErrorKind::packet_too_big:
      return "fragmentation needed, or packet too big";
    default:
      return "parameter problem";
  }
}

constexpr const char* kNoMac = "00:00:00:00:00:00";

/// One field of a header before and after. A packet of ours had no MAC addresses before.
void note_change(std::vector<std::string>& changes, const char* what, const std::string& before,
                 const std::string& after) {
  if (before == kNoMac) {
    changes.push_back(absl::StrCat(what, " ", after));
  } else if (before != after)
    changes.push_back(absl::StrCat(what, " ", before, " → ", after));
}

std::string mac_at(const std::vector<uint8_t>& frame, size_t at) {
  config::MacAddress mac;
  std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), mac.size(), mac.begin());
  return mac_text(mac);
}

}  // namespace

// ---- routes and neighbors

std::string Explainer::ip_words(const View& view) const {
  if (view.batch.ingress[view.place] == dataplane::kSelfPort) return "";
  if (view.gone || view.next == Stage::drop) return "";
  if (view.next == Stage::punt && view.batch.punt_reason[view.place] != PuntReason::error) return "";
  const bool four = view.batch.family[view.place] == dataplane::Family::ipv4;
  const bool part = (view.batch.flags[view.place] & dataplane::kIsFragment) != 0;
  return absl::StrCat(four ? "the header and its checksum are right" : "the headers are right", ", ",
                      four ? "ttl " : "hop limit ", view.batch.ttl[view.place],
                      part ? ", a part of a datagram" : "");
}

std::string Explainer::route_words(const View& view) const {
  const IpAddress destination = destination_of(view.batch, view.place, view.seen.frame, view.seen.l3);
  const std::string text = to_text(destination);
  if (is_link_local(destination)) return absl::StrCat(text, " is link-local: it stays on its link");
  const RouteSaid found = route_said(config(), destination);
  const RouteTarget target = view.batch.target[view.place];
  switch (found.kind) {
    case RouteSaid::Kind::none:
      if (target.kind() == RouteKind::local)
        return absl::StrCat(text, " is an external address of NAT, ours");
      if (target.kind() == RouteKind::martian) return absl::StrCat(text, " is never routed");
      return absl::StrCat("no route covers ", text, ": none of the interfaces' networks, and none of ",
                          config().routes.size(), " routes of the file");
    case RouteSaid::Kind::own:
      return absl::StrCat(text, " is our own address on ", found.interface->name, " (", said(found.location),
                          ")");
    case RouteSaid::Kind::connected:
      return absl::StrCat(text, " matches ", config::to_text(found.prefix), " (", said(found.location),
                          "): on the network of interface ", found.interface->name,
                          target.kind() == RouteKind::broadcast ? ", its broadcast or network address" : "");
    case RouteSaid::Kind::route:
      break;
  }
  std::string words =
      absl::StrCat(text, " matches ", config::to_text(found.prefix), " (", said(found.location), "): ");
  if (found.route->type != config::Route::Type::via) return words + type_words(found.route->type);
  std::vector<std::string> hops;
  for (const config::NextHop& hop : found.route->via)
    hops.push_back(absl::StrCat(config::to_text(hop.address), " on ", hop.interface));
  return absl::StrCat(words, "via ", absl::StrJoin(hops, " or "),
                      hops.size() > 1 ? ", chosen by a hash of the flow" : "");
}

std::string Explainer::neighbor_words(const View& view) const {
  const Batch& batch = view.batch;
  const RouteTarget target = batch.target[view.place];
  if (view.gone) return "larger than the mtu of the interface: sent in fragments";
  if (view.next == Stage::punt && batch.punt_reason[view.place] == PuntReason::error) {
    return batch.drop_reason[view.place] == dataplane::DropReason::ttl_expired
               ? absl::StrCat("ttl ", batch.ttl[view.place], ": it may make no further hop")
               : absl::StrCat(batch.ip_length[view.place], " octets, the mtu of interface ",
                              interface_words(batch.egress_interface[view.place]), " is ",
                              batch.error_value[view.place], ", and it may not be fragmented");
  }
  if (target.kind() == RouteKind::connected) {
    const IpAddress host = destination_of(batch, view.place, view.seen.frame, view.seen.l3);
    return absl::StrCat("whose MAC address ", to_text(host), " has is not known yet");
  }
  for (const NeighborInfo& neighbor : runtime_.router().neighbors().list(runtime_.now_ns())) {
    if (neighbor.index != target.index()) continue;
    const std::string address = to_text(neighbor.address);
    if (!neighbor.mac) return absl::StrCat(address, " has not told its MAC address yet");
    const L3Interface* interface = runtime_.router().interfaces().find(neighbor.interface);
    const config::Neighbor* entry =
        interface == nullptr ? nullptr : static_neighbor(config(), interface->name, neighbor.address);
    return absl::StrCat(address, " is ", mac_text(dataplane::octets(*neighbor.mac)), " (",
                        entry == nullptr ? std::string(state_text(neighbor.state)) : said(entry->location),
                        ")");
  }
  return "the neighbor was removed meanwhile";
}

std::string Explainer::rewrite_words(const View& view) const {
  const std::vector<uint8_t>& before = view.seen.frame;
  const auto* data = rte_pktmbuf_mtod(view.batch.packet[view.place], const uint8_t*);
  const std::vector<uint8_t> after(data, data + view.batch.packet[view.place]->data_len);
  const size_t l3 = view.batch.l3[view.place];
  const bool four = view.batch.family[view.place] == dataplane::Family::ipv4;
  const size_t ttl = l3 + (four ? 8 : 7);
  if (view.next == Stage::drop && !view.gone) return "";
  if (after.size() <= ttl || before.size() <= ttl) return "";
  std::vector<std::string> changes;
  note_change(changes, four ? "ttl" : "hop limit", absl::StrCat(before[ttl]), absl::StrCat(after[ttl]));
  note_change(changes, "source mac", mac_at(before, 6), mac_at(after, 6));
  note_change(changes, "destination mac", mac_at(before, 0), mac_at(after, 0));
  if (four) changes.push_back("ip checksum updated");
  if (view.batch.session[view.place] != kNoSession)
    changes.push_back("addresses and ports as its session says, checksums updated");
  return absl::StrJoin(changes, "; ");
}

// ---- NAT

std::string Explainer::translation_words(const Session& session, unsigned direction) const {
  const Flow in = session.arriving(direction), out = session.leaving(direction);
  std::vector<std::string> changes;
  note_change(changes, "source", endpoint(in.source, in.source_port, in.protocol),
              endpoint(out.source, out.source_port, out.protocol));
  note_change(changes, "destination", endpoint(in.destination, in.destination_port, in.protocol),
              endpoint(out.destination, out.destination_port, out.protocol));
  return absl::StrJoin(changes, ", ");
}

std::string Explainer::session_words(const View& view) const {
  const Batch& batch = view.batch;
  if (view.next == Stage::drop && !view.gone) return "";
  if (view.gone) return "another worker has its session";
  const SessionHandle handle(batch.session[view.place]);
  if (!handle) {
    if (batch.destination4[view.place] == view.seen.destination) return "no session yet";
    return absl::StrCat("no session yet; destination ", to_text(IpAddress(view.seen.destination)), ":",
                        view.seen.destination_port, " leads to ",
                        to_text(IpAddress(batch.destination4[view.place])), ":",
                        batch.translated_port[view.place]);
  }
  const Session& session = view.context.nat->sessions[handle.index()];
  return absl::StrCat(
      "session of ", rule_words(session.rule), ", ", std::string(dataplane::state_name(session)),
      handle.direction() == 0 ? "" : ", an answer", ": ", translation_words(session, handle.direction()));
}

std::string Explainer::decide_words(const View& view) const {
  const Batch& batch = view.batch;
  const SessionHandle handle(batch.session[view.place]);
  if (view.next == Stage::drop && !view.gone) return "";
  if (!handle) return view.next == Stage::neighbour ? "no rule concerns it: it stays as it is" : "";
  const Session& session = view.context.nat->sessions[handle.index()];
  if (view.seen.session != kNoSession) return "the session still holds by the rules and routes in force";
  return absl::StrCat(rule_words(session.rule), ": new session, ",
                      translation_words(session, handle.direction()));
}

// ---- control

std::string Explainer::punt_words(const View& view) const {
  const Batch& batch = view.batch;
  switch (batch.punt_reason[view.place]) {
    case PuntReason::arp:
      return "an ARP packet, which may concern the router";
    case PuntReason::nd:
      return "neighbor discovery, which may concern the router";
    case PuntReason::echo:
      return "an echo for the router itself";
    case PuntReason::resolve:
    case PuntReason::connected:
      return "the neighbor's MAC address is asked for; the packet waits";
    case PuntReason::error:
      return absl::StrCat("its sender may be told: ", error_words(batch.error[view.place]));
  }
  return "";
}

}  // namespace sluice::control
