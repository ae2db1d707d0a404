// SPDX-License-Identifier: BSD-3-Clause
//
// What became of a packet, told: the explainer's result, for people and for programs.
//
// Thread safety: plain data and pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::control {

struct Step {
  std::string stage, words;
};

/// What happened to one packet: to the one that arrived, or to one that followed from it.
struct Episode {
  std::string about;  ///< "": the one that arrived
  std::vector<Step> steps;
};

struct Story {
  unsigned number = 0;  ///< of the packet, from 1; 0: what time alone did
  std::string port;
  uint64_t time_ns = 0;  ///< since time began
  size_t octets = 0;
  std::string about;                 ///< frame_text()
  std::vector<std::string> left_by;  ///< ports that the packet itself left by
  std::string drop;                  ///< its reason; "": it was not dropped
  std::string outcome;               ///< "wan", "lan1, lan2", "dropped: no-route", "held", "the router"
  std::vector<Episode> episodes;
};

/// A headline, a line a step, and an empty line.
std::string story_text(const Story& story);

/// docs/json.md, "explain".
nlohmann::json story_json(const Story& story);

}  // namespace sluice::control
