// SPDX-License-Identifier: BSD-3-Clause
//
// The lines of a table and which of them are free. A free line names the next one; a line that was never used
// is on no list, so that a table touches no more memory than it has needed.
//
// Thread safety: the worker that owns the lines; used() also any other thread.
// Invariants:    all lines below `fresh` are in use or on the free list.
// Owner:         the table that uses it; this is a view of memory in the arena.
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/session.h"

namespace sluice::dataplane {

/// In the arena; zeroes are a pool with all lines free.
struct LineCounts {
  uint32_t first_free;         ///< index + 1; 0: none
  uint32_t fresh;              ///< no line from here on was ever used
  std::atomic<uint32_t> used;  ///< written by the owner alone
  uint32_t cursor;             ///< where the next sweep begins
};

template <class Line>
class LinePool {
 public:
  LinePool(Line* lines, LineCounts* counts, uint32_t capacity)
      : lines_(lines), counts_(counts), capacity_(capacity) {}

  Line& operator[](uint32_t index) const { return lines_[index]; }
  [[nodiscard]] uint32_t capacity() const { return capacity_; }
  [[nodiscard]] uint32_t used() const { return counts_->used.load(std::memory_order_relaxed); }
  /// Lines from here on hold nothing.
  [[nodiscard]] uint32_t end() const { return counts_->fresh; }
  [[nodiscard]] uint32_t& cursor() const { return counts_->cursor; }

  /// A free line, the one freed last if there is any; kNoIndex: none is free.
  uint32_t take() {
    uint32_t index = counts_->first_free - 1;
    if (index != kNoIndex) {
      counts_->first_free = lines_[index].next_free();
    } else if (counts_->fresh < capacity_) {
      index = counts_->fresh++;
    } else {
      return kNoIndex;
    }
    count(used() + 1);
    return index;
  }

  void give(uint32_t index) {
    lines_[index].next_free() = counts_->first_free;
    counts_->first_free = index + 1;
    count(used() - 1);
  }

 private:
  void count(uint32_t used) { counts_->used.store(used, std::memory_order_relaxed); }

  Line* lines_;
  LineCounts* counts_;
  uint32_t capacity_;
};

}  // namespace sluice::dataplane
