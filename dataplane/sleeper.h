// SPDX-License-Identifier: BSD-3-Clause
//
// How an idle worker waits: for the receive interrupts of its queues and for its wake descriptor. If one of
// its ports has no interrupts (ring, pcap, …) it looks again every millisecond.
//
// Thread safety: used by its worker alone; others reach it through Post (see wake()).
// Invariants:    while is_down(), interrupts are armed and Post::sleeping is set, so whatever arrives ends
// wait(). Owner:         Worker::run.
#pragma once

#include <rte_interrupts.h>

#include <array>
#include <cstdint>

#include "dataplane/shared.h"
#include "dataplane/snapshot.h"

namespace sluice::dataplane {

class Sleeper {
 public:
  explicit Sleeper(Post& post);
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// Listens to the receive queues that `snapshot` gives this worker, and to no others.
  void follow(const Snapshot& snapshot, unsigned worker);
  void forget_all();

  void lie_down();
  void wait();
  void get_up();
  [[nodiscard]] bool is_down() const { return down_; }

 private:
  struct Source {
    ReceiveQueue queue;
    rte_epoll_event event;  ///< for taps; other drivers bring their own
  };
  /// More queues than this are looked at every millisecond like those without interrupts.
  static constexpr size_t kMaxSources = 64;

  bool listen(Source& source);
  void forget(int fd);

  Post& post_;
  int epoll_fd_;
  rte_epoll_event wake_event_{};
  std::array<Source, kMaxSources> sources_{};
  size_t source_count_ = 0;
  bool some_without_interrupts_ = false;
  bool down_ = false;
  uint64_t generation_ = 0;  ///< of the snapshot that it follows
};

}  // namespace sluice::dataplane
