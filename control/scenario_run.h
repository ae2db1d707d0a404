// SPDX-License-Identifier: BSD-3-Clause
//
// A scenario, played: its steps through the offline pipeline, and what was not as expected, in words.
//
// Thread safety: the calling thread, after start_eal().
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/explainer.h"
#include "control/offline_pipeline.h"
#include "control/scenario.h"

namespace sluice::control {

/// A step that did not hold; the steps behind it were not played.
struct StepFailure {
  config::Location location;
  std::string name;
  std::vector<std::string> findings;
};

/// What start_eal() needs for it.
EalOptions scenario_eal(const Scenario& scenario);

class ScenarioRun {
 public:
  /// A frame that left, and that no step has looked at yet.
  struct Left {
    std::string port;
    std::vector<uint8_t> frame;
  };

  explicit ScenarioRun(const Scenario& scenario);

  /// All steps, until one fails. Error: the pipeline did not start.
  absl::StatusOr<std::optional<StepFailure>> play();
  /// The same, and told() tells of every packet. REQUIRES: one worker.
  absl::StatusOr<std::optional<StepFailure>> explain();

  /// Of each step that was played.
  struct Told {
    std::string step;  ///< its name
    std::vector<Story> stories;
  };
  [[nodiscard]] const std::vector<Told>& told() const { return told_; }

 private:
  void pass(uint64_t time_ms);
  absl::Status send(const SentPacket& packet);
  void act(const ScenarioStep& step, std::vector<std::string>& findings);
  void reload(const ScenarioStep& step, std::vector<std::string>& findings);
  void clear(ScenarioStep::Clear table);
  void look(const ScenarioStep& step, const nlohmann::json& before, std::vector<std::string>& findings);
  [[nodiscard]] nlohmann::json table(const std::string& name);
  void tell(Story story);
  std::optional<StepFailure> finish();

  const Scenario& scenario_;
  OfflinePipeline pipeline_;
  std::vector<Left> left_;
  std::optional<Explainer> explainer_;
  std::vector<Told> told_;
  unsigned packets_ = 0;  ///< so far
};

}  // namespace sluice::control
