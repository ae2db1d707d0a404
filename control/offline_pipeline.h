// SPDX-License-Identifier: BSD-3-Clause
//
// The whole pipeline without devices, on virtual time: real stages and real control steps, the workers
// stepped in turn on the calling thread. No root, no huge pages, no waiting; the same calls give the same
// packets, to the octet.
//
// Thread safety: the calling thread, after start_eal().
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "control/eal.h"
#include "control/offline_devices.h"
#include "control/runtime.h"

namespace sluice::control {

struct OfflineOptions {
  unsigned workers = 1;  ///< 1..kMaxWorkers
  uint64_t seed = 1;     ///< of every key and choice
  unsigned burst = 1;    ///< 1..1024 frames at most that arrive before a turn
};

/// What start_eal() needs for it: no privilege, no huge pages and one core, whatever the file says.
EalOptions offline_eal(const config::Config& config, const OfflineOptions& options);

class OfflinePipeline {
 public:
  /// \param sent is told of every frame that leaves, with the port's name, at the time that now_ns() says
  using Sent = std::function<void(const std::string& port, std::span<const uint8_t> frame)>;
  OfflinePipeline(OfflineOptions options, Sent sent);

  /// Whatever the configuration says of devices, none is opened. Error: as Runtime::start().
  absl::Status start(config::Config config);
  /// Error: as Runtime::apply(), and nothing has changed.
  absl::Status reload(config::Config config);

  /// The frame is at the port with the next turn. Error: there are too few buffers.
  absl::Status receive(const std::string& port, std::span<const uint8_t> frame);
  /// The pipeline works until it is quiet. What arrives from now on does so at the next worker's queue.
  void turn();
  /// Virtual time goes on: all that is due by then is done, each at its own time.
  void pass_until(uint64_t now_ns);
  /// What still waits for something is dropped as end_of_replay.
  void end();

  [[nodiscard]] uint64_t now_ns() const { return now_ns_; }
  Runtime& runtime() { return runtime_; }

 private:
  void collect();

  const OfflineOptions options_;
  const Sent sent_;
  OfflineDevices devices_;
  Runtime runtime_;
  std::vector<uint8_t> scratch_;  ///< of a frame in several buffers
  uint64_t now_ns_ = 0;
  uint64_t second_ns_ = 0;  ///< when the work of every second was done last
  unsigned queue_ = 0;
};

}  // namespace sluice::control
