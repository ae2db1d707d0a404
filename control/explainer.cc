// SPDX-License-Identifier: BSD-3-Clause
#include "control/explainer.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "control/packet_words.h"
#include "control/said.h"

namespace sluice::control {

using dataplane::Batch;
using dataplane::Context;
using dataplane::DropReason;
using dataplane::kDropReasons;
using dataplane::kStages;
using dataplane::Stage;

namespace {

/// As a person reads the stage's name: several rooms of one house have one.
const char* label(Stage stage) {
  switch (stage) {
    case Stage::parse:
      return "parse";
    case Stage::bridge_in:
    case Stage::bridge_out:
      return "switch";
    case Stage::ip_in:
      return "ip";
    case Stage::session:
    case Stage::decide:
      return "nat";
    case Stage::route:
      return "route";
    case Stage::neighbour:
      return "neighbor";
    case Stage::rewrite:
      return "rewrite";
    case Stage::replicate:
      return "flood";
    case Stage::transmit:
      return "transmit";
    case Stage::punt:
      return "control";
    case Stage::drop:
      return "drop";
  }
  return "";
}

std::vector<uint8_t> octets_of(const rte_mbuf* packet) {
  const auto* data = rte_pktmbuf_mtod(packet, const uint8_t*);
  return {data, data + packet->data_len};
}

bool stands_in(const dataplane::Lane& lane, uint8_t place) {
  return std::find(lane.begin(), lane.end(), place) != lane.end();
}

std::string reason_name(DropReason reason) {
  std::string name(dataplane::kDropNames[static_cast<size_t>(reason)]);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

}  // namespace

void Explainer::open(Story story) {
  story_ = std::move(story);
  arrived_ = story_.number == 0;
  book_ = control_book();
}

Story Explainer::close() {
  tell_of_control();
  if (!story_.left_by.empty()) {
    story_.outcome = absl::StrJoin(story_.left_by, ", ");
  } else if (!story_.drop.empty()) {
    story_.outcome = "dropped: " + story_.drop;
  }
  return std::move(story_);
}

void Explainer::begin(const Context& context, const Batch& batch) {
  for (const dataplane::Lane& lane : batch.lanes) {
    for (const Place place : lane) {
      const bool own = batch.ingress[place] == dataplane::kSelfPort;
      const std::vector<uint8_t> frame = octets_of(batch.packet[place]);
      // A packet of ours that is to be routed has an Ethernet header of zeroes.
      std::string about = stands_in(batch.lanes[static_cast<size_t>(Stage::ip_in)], place)
                              ? ip_text(Octets(frame).subspan(14))
                              : frame_text(frame);
      if (!own && !std::exchange(arrived_, true)) {
        about.clear();
      } else {
        absl::StrAppend(&about, own ? ", from the router" : ", once more");
      }
      if (story_.number == 0)
        about = absl::StrFormat("%.6f s: ", static_cast<double>(context.now_ns) / 1e9) + about;
      episode_[place] = story_.episodes.size();
      story_.episodes.push_back({std::move(about), {}});
    }
  }
}

void Explainer::before(Stage stage, const Context& context, const Batch& batch) {
  const dataplane::Lane& lane = batch.lanes[static_cast<size_t>(stage)];
  places_.assign(lane.begin(), lane.end());
  for (const Place place : places_) {
    Seen& seen = seen_[place];
    seen.frame = octets_of(batch.packet[place]);
    seen.l3 = stage > Stage::ip_in ? batch.l3[place] : 0;
    seen.destination = batch.destination4[place];
    seen.destination_port = batch.destination_port[place];
    seen.session = stage > Stage::session ? batch.session[place] : dataplane::kNoSession;
    if (stage != Stage::bridge_in) continue;
    const dataplane::Port& port = context.port(batch.ingress[place]);
    const uint64_t key = dataplane::MacTable::key(batch.source[place], port.domain_of_vid[batch.vid(place)]);
    seen.learned_on = context.shared.macs->find(key, context.shared.macs->hash(key));
  }
}

void Explainer::after(Stage stage, const Context& context, const Batch& batch) {
  for (const Place place : places_) {
    View view{context, batch, place, seen_[place], Stage::drop, true};
    for (size_t later = static_cast<size_t>(stage) + 1; later < kStages; ++later) {
      if (!stands_in(batch.lanes[later], place)) continue;
      view.next = static_cast<Stage>(later);
      view.gone = false;
    }
    say(place, label(stage), words(stage, view));
    if (story_.number != 0 && episode_[place] == kItself) note_end(stage, view);
  }
}

// What became of the packet itself.
void Explainer::note_end(Stage stage, const View& view) {
  const Batch& batch = view.batch;
  if (!view.gone) return;
  if (stage == Stage::transmit) {
    story_.left_by.push_back(port_name(batch.egress[view.place]));
  } else if (stage == Stage::replicate) {
    for (const dataplane::Member& member : flooded(view)) story_.left_by.push_back(port_name(member.port));
  } else if (stage == Stage::drop) {
    story_.drop = reason_name(batch.drop_reason[view.place]);
  } else if (stage == Stage::neighbour) {
    story_.outcome = "in fragments";
  } else if (stage == Stage::session) {
    story_.outcome = "another worker";
  } else if (stage == Stage::punt) {
    const dataplane::PuntReason reason = batch.punt_reason[view.place];
    const bool waits = reason == dataplane::PuntReason::resolve || reason == dataplane::PuntReason::connected;
    story_.outcome = waits ? "held" : "the router";
    if (reason == dataplane::PuntReason::error) story_.drop = reason_name(batch.drop_reason[view.place]);
  }
}

void Explainer::say(Place place, const std::string& stage, std::string words) {
  if (words.empty()) return;
  story_.episodes[episode_[place]].steps.push_back({stage, std::move(words)});
}

std::string Explainer::words(Stage stage, const View& view) const {
  switch (stage) {
    case Stage::parse:
      return layers_text(view.seen.frame);
    case Stage::bridge_in:
      return switch_words(view);
    case Stage::ip_in:
      return ip_words(view);
    case Stage::session:
      return session_words(view);
    case Stage::route:
      return route_words(view);
    case Stage::decide:
      return decide_words(view);
    case Stage::neighbour:
      return neighbor_words(view);
    case Stage::rewrite:
      return rewrite_words(view);
    case Stage::bridge_out:
      return destination_words(view);
    case Stage::replicate:
      return flood_words(view);
    case Stage::transmit:
      return leaving_words(view);
    case Stage::punt:
      return punt_words(view);
    case Stage::drop:
      return drop_words(view.batch.drop_reason[view.place]);
  }
  return "";
}

// ---- control

Explainer::ControlBook Explainer::control_book() const {
  const dataplane::Counters book = runtime_.router().book();
  ControlBook out{book.consumed, book.held, {}};
  for (const dataplane::PortCounters& port : book.ports) {
    for (size_t reason = 0; reason < kDropReasons; ++reason) out.drops[reason] += port.drops[reason];
  }
  return out;
}

// What control did with what it was given, as far as its book tells.
void Explainer::tell_of_control() {
  const ControlBook now = control_book();
  Episode episode;
  const auto tell = [&](std::string words) { episode.steps.push_back({"control", std::move(words)}); };
  if (now.consumed > book_.consumed) tell("took it: it ends here");
  if (now.held > book_.held) tell("holds it until the neighbor is known, or has not answered three times");
  if (now.held < book_.held) tell("what waited for the neighbor waits no longer");
  for (size_t reason = 0; reason < kDropReasons; ++reason) {
    if (now.drops[reason] == book_.drops[reason]) continue;
    tell(drop_words(static_cast<DropReason>(reason)));
  }
  if (!episode.steps.empty()) story_.episodes.push_back(std::move(episode));
}

std::string Explainer::drop_words(DropReason reason) const {
  return absl::StrCat(reason_name(reason), ": ",
                      std::string(dataplane::kDropSentences[static_cast<size_t>(reason)]));
}

// ---- names

std::string Explainer::said(const config::Location& location) const {
  return said_at(config(), location);
}

const std::string& Explainer::port_name(dataplane::PortIndex index) const {
  static const std::string kNone = "(no port)";
  for (const auto& [name, port] : runtime_.ports()) {
    if (port.index == index) return name;
  }
  return kNone;
}

std::string Explainer::interface_words(dataplane::InterfaceIndex index) const {
  const L3Interface* interface = runtime_.router().interfaces().find(index);
  if (interface == nullptr) return "(no interface)";
  const config::Interface* said_of = interface_named(config(), interface->name);
  return said_of == nullptr ? interface->name
                            : absl::StrCat(interface->name, " (", said(said_of->location), ")");
}

std::string Explainer::rule_words(uint16_t rule) const {
  if (rule >= config().nat.size()) return "a rule";
  return absl::StrCat("rule ", config().nat[rule].name, " (", said(config().nat[rule].location), ")");
}

}  // namespace sluice::control
