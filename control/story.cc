// SPDX-License-Identifier: BSD-3-Clause
#include "control/story.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sluice::control {

using nlohmann::json;

std::string story_text(const Story& story) {
  std::string text;
  if (story.number == 0) {
    text = absl::StrFormat("time alone, until %.6f s\n", static_cast<double>(story.time_ns) / 1e9);
  } else {
    text = absl::StrCat("#", story.number, "  ", story.port, " → ", story.outcome, "   ", story.octets,
                        " bytes   ", story.about, "\n");
  }
  for (const Episode& episode : story.episodes) {
    const char* indent = episode.about.empty() ? "  " : "    ";
    if (!episode.about.empty()) absl::StrAppend(&text, "  ", episode.about, "\n");
    for (const Step& step : episode.steps)
      absl::StrAppendFormat(&text, "%s%-9s %s\n", indent, step.stage, step.words);
  }
  return text + "\n";
}

json story_json(const Story& story) {
  json out = {{"number", story.number},
              {"port", story.port},
              {"time", static_cast<double>(story.time_ns) / 1e9},
              {"bytes", story.octets},
              {"packet", story.about},
              {"outcome", story.outcome},
              {"transmitted", story.left_by},
              {"drop", story.drop},
              {"episodes", json::array()}};
  for (const Episode& episode : story.episodes) {
    json steps = json::array();
    for (const Step& step : episode.steps) steps.push_back({{"stage", step.stage}, {"words", step.words}});
    out["episodes"].push_back({{"about", episode.about}, {"steps", steps}});
  }
  return out;
}

}  // namespace sluice::control
