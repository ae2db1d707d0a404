// SPDX-License-Identifier: BSD-3-Clause
#include "control/scenario_run.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/packet_words.h"
#include "control/router_views.h"
#include "control/scenario_look.h"
#include "control/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr uint64_t kMillisecond = 1'000'000;

OfflineOptions pipeline_options(const Scenario& scenario) {
  return {.workers = scenario.workers, .seed = scenario.seed};
}

// { NAME: { … } } as rows with a "name".
json named_rows(const json& objects) {
  json rows = json::array();
  for (const auto& [name, object] : objects.items()) {
    rows.push_back(object);
    rows.back()["name"] = name;
  }
  return rows;
}

}  // namespace

EalOptions scenario_eal(const Scenario& scenario) {
  EalOptions eal = offline_eal(scenario.config, pipeline_options(scenario));
  for (const ScenarioStep& step : scenario.steps) {
    if (!step.reload) continue;
    eal.memory_bytes =
        std::max(eal.memory_bytes, offline_eal(*step.reload, pipeline_options(scenario)).memory_bytes);
  }
  return eal;
}

ScenarioRun::ScenarioRun(const Scenario& scenario)
    : scenario_(scenario),
      pipeline_(pipeline_options(scenario), [this](const std::string& port, std::span<const uint8_t> frame) {
        left_.push_back({port, {frame.begin(), frame.end()}});
      }) {}

absl::StatusOr<std::optional<StepFailure>> ScenarioRun::explain() {
  explainer_.emplace(pipeline_.runtime());
  return play();
}

absl::StatusOr<std::optional<StepFailure>> ScenarioRun::play() {
  if (absl::Status status = pipeline_.start(scenario_.config); !status.ok()) return status;
  if (explainer_) pipeline_.runtime().set_tracer(&*explainer_);
  if (scenario_.settle_ms != 0) {
    pass(scenario_.settle_ms);
    left_.clear();
  }
  for (const ScenarioStep& step : scenario_.steps) {
    told_.push_back({step.name, {}});
    const json before = replay_view(pipeline_.runtime());
    StepFailure failure{step.location, step.name, {}};
    act(step, failure.findings);
    look(step, before, failure.findings);
    if (!failure.findings.empty()) return failure;
  }
  return finish();
}

void ScenarioRun::pass(uint64_t time_ms) {
  if (explainer_) explainer_->open({});
  pipeline_.pass_until(pipeline_.now_ns() + time_ms * kMillisecond);
  if (!explainer_) return;
  Story story = explainer_->close();
  if (!story.episodes.empty()) tell(std::move(story));
}

void ScenarioRun::tell(Story story) {
  if (told_.empty()) return;  // before the first step
  story.time_ns = pipeline_.now_ns();
  told_.back().stories.push_back(std::move(story));
}

absl::Status ScenarioRun::send(const SentPacket& packet) {
  const std::vector<uint8_t> frame = packet.packet.frame();
  ++packets_;
  if (explainer_) {
    Story story;
    story.number = packets_;
    story.port = packet.port;
    story.octets = frame.size();
    story.about = frame_text(frame);
    explainer_->open(std::move(story));
  }
  if (absl::Status status = pipeline_.receive(packet.port, frame); !status.ok()) return status;
  pipeline_.turn();
  if (explainer_) tell(explainer_->close());
  return absl::OkStatus();
}

void ScenarioRun::act(const ScenarioStep& step, std::vector<std::string>& findings) {
  for (const SentPacket& packet : step.send) {
    const absl::Status status = send(packet);
    if (!status.ok()) findings.push_back(absl::StrCat("send: ", packet.port, ": ", status.message()));
  }
  if (step.time_ms != 0) pass(step.time_ms);
  if (step.reload || !step.reload_errors.empty()) reload(step, findings);
  clear(step.clear);
}

void ScenarioRun::reload(const ScenarioStep& step, std::vector<std::string>& findings) {
  std::string error = absl::StrJoin(step.reload_errors, "\n");
  if (step.reload) {
    const absl::Status status = pipeline_.reload(*step.reload);
    if (!status.ok()) error = std::string(status.message());
  }
  if (!step.refused && !error.empty()) {
    findings.push_back(absl::StrCat("reload: it was refused:\n  ", error));
  } else if (step.refused && error.empty()) {
    findings.push_back("reload: it was taken, and was to be refused");
  } else if (step.refused && !absl::StrContains(error, *step.refused)) {
    findings.push_back(absl::StrCat("reload: it was refused, but not for '", *step.refused, "':\n  ", error));
  }
}

void ScenarioRun::clear(ScenarioStep::Clear table) {
  Runtime& runtime = pipeline_.runtime();
  if (table == ScenarioStep::Clear::nothing) return;
  if (table == ScenarioStep::Clear::macs) runtime.clear_macs({});
  if (table == ScenarioStep::Clear::neighbors) runtime.router().neighbors().clear({});
  if (table == ScenarioStep::Clear::sessions) runtime.clear_sessions({});
  pipeline_.turn();
}

void ScenarioRun::look(const ScenarioStep& step, const json& before, std::vector<std::string>& findings) {
  if (step.expect) {
    compare_packets(*step.expect, step.send, left_, findings);
    left_.clear();
  }
  const json now = replay_view(pipeline_.runtime());
  if (step.drops) compare_drops(*step.drops, before, now, findings);
  if (step.counters) compare_counters(*step.counters, before, now, findings);
  for (const auto& [name, rows] : step.show) compare_rows("show " + name, rows, table(name), findings);
}

json ScenarioRun::table(const std::string& name) {
  Runtime& runtime = pipeline_.runtime();
  if (name == "macs") return macs_view(runtime, {})["macs"];
  if (name == "sessions") return sessions_view(runtime, {})["sessions"];
  if (name == "neighbors") return neighbors_view(runtime, {})["neighbors"];
  if (name == "routes") return routes_view(runtime, 0)["routes"];
  if (name == "interfaces") return interfaces_view(runtime)["interfaces"];
  if (name == "nat") return nat_view(runtime)["rules"];
  if (name == "workers") return workers_view(runtime)["workers"];
  return named_rows(ports_view(runtime)["ports"]);
}

// What holds at the end of every scenario.
std::optional<StepFailure> ScenarioRun::finish() {
  StepFailure failure{{}, "the end", {}};
  if (!scenario_.steps.empty()) failure.location = scenario_.steps.back().location;
  Expectation nothing;
  compare_packets(nothing, {}, left_, failure.findings);
  pipeline_.runtime().set_tracer(nullptr);
  pipeline_.end();
  const json now = replay_view(pipeline_.runtime());
  if (now["unaccounted"] != 0)
    failure.findings.push_back(absl::StrCat("packets vanished: unaccounted is ", now["unaccounted"].dump()));
  const unsigned buffers = pipeline_.runtime().mbufs_in_use();
  if (buffers != 0) failure.findings.push_back(absl::StrCat(buffers, " packet buffers did not come back"));
  if (failure.findings.empty()) return std::nullopt;
  return failure;
}

}  // namespace sluice::control
