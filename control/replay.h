// SPDX-License-Identifier: BSD-3-Clause
//
// Replay: captures through the offline pipeline, with a clock that follows their timestamps.
//
// Theory of operation. The frames of all captures go in by their time. Whatever is due before a frame is done
// at its own virtual time first; what leaves is written with the time that it is then.
//
// Thread safety: the calling thread, after start_eal().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/capture_file.h"
#include "control/explainer.h"
#include "control/offline_pipeline.h"
#include "control/views.h"

namespace sluice::control {

struct ReplayOptions {
  /// What arrives where: a capture for a port. A port may have none, or several.
  struct Input {
    std::string port, file;
  };
  std::vector<Input> inputs;
  std::string out;       ///< directory, made if need be: PORT.pcap for every port; empty: nothing is written
  uint64_t until_s = 0;  ///< virtual time goes on so long after the last frame
  OfflineOptions pipeline;
};

class Replay {
 public:
  explicit Replay(ReplayOptions options);

  /// All of it. Error: input_error or machine_error, a sentence.
  absl::Status run(const config::Config& config);
  /// As run(), and `tell` gets the story of every packet, and of what time alone did.
  /// REQUIRES: one worker, bursts of one packet.
  absl::Status explain(const config::Config& config, std::function<void(const Story&)> tell);

  /// The counters at the end: docs/json.md, "replay".
  [[nodiscard]] nlohmann::json summary() { return replay_view(pipeline_.runtime()); }

 private:
  struct Source {
    std::string port;
    CaptureReader reader;
    CapturedFrame frame;
    bool at_end = false;
  };
  absl::Status open_files(const config::Config& config);
  /// The source whose frame is next; null at the end.
  Source* next_source();
  static absl::Status read(Source& source);
  absl::Status play();
  absl::Status play_burst();
  void open_story(const Source& source);
  void close_story();
  void pass_until(uint64_t now_ns);

  const ReplayOptions options_;
  OfflinePipeline pipeline_;
  std::vector<Source> sources_;  ///< in the order of the ports in the file
  std::map<std::string, CaptureWriter> outputs_;
  std::optional<Explainer> explainer_;
  std::function<void(const Story&)> tell_;
  unsigned packets_ = 0;   ///< so far
  uint64_t epoch_ns_ = 0;  ///< of the captures' clock, when virtual time began
};

}  // namespace sluice::control
