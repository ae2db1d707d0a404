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
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/capture_file.h"
#include "control/offline_pipeline.h"
#include "control/views.h"

namespace sluice::control {

struct ReplayOptions {
  /// What arrives where: a capture for a port. A port may have none, or several.
  struct Input {
    std::string port, file;
  };
  std::vector<Input> inputs;
  std::string out;       ///< directory, made if need be: PORT.pcap for every port
  uint64_t until_s = 0;  ///< virtual time goes on so long after the last frame
  OfflineOptions pipeline;
};

class Replay {
 public:
  explicit Replay(ReplayOptions options);

  /// All of it. Error: input_error or machine_error, a sentence.
  absl::Status run(const config::Config& config);

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

  const ReplayOptions options_;
  OfflinePipeline pipeline_;
  std::vector<Source> sources_;  ///< in the order of the ports in the file
  std::map<std::string, CaptureWriter> outputs_;
  uint64_t epoch_ns_ = 0;  ///< of the captures' clock, when virtual time began
};

}  // namespace sluice::control
