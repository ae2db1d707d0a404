// SPDX-License-Identifier: BSD-3-Clause
//
// The `again` queue: packets that enter the pipeline anew with the worker's next sweep. Those are packets
// that we make in the pipeline (fragments), and later decapsulated ones; a packet goes round twice at most.
//
// Thread safety: none; a queue belongs to one worker.
// Owner:         Worker.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/batch.h"

namespace sluice::dataplane {

/// Extra passes that a packet may make before it is dropped as `loop`.
inline constexpr uint8_t kMaxPasses = 2;

class Again {
 public:
  struct Entry {
    rte_mbuf* packet;
    PortIndex ingress;
    uint8_t passes;
    bool own = false;  ///< an IP packet of ours: it begins at ip_in
  };
  /// A batch of packets that are cut into 16 each.
  static constexpr size_t kCapacity = 16 * kBatchSize;

  /// False: full.
  bool push(Entry entry) {
    if (count_ == entries_.size()) return false;
    entries_[(first_ + count_++) % entries_.size()] = entry;
    return true;
  }

  /// REQUIRES: size() > 0.
  Entry pop() {
    const Entry entry = entries_[first_];
    first_ = (first_ + 1) % entries_.size();
    --count_;
    return entry;
  }

  [[nodiscard]] size_t size() const { return count_; }

 private:
  std::array<Entry, kCapacity> entries_;
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace sluice::dataplane
