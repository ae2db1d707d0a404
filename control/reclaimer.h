// SPDX-License-Identifier: BSD-3-Clause
//
// When memory that workers may still be reading can be used again.
//
// Thread safety: the control thread alone.
// Owner:         Runtime; a QsbrReclaimer only refers to the rte_rcu_qsbr that the workers report to.
#pragma once

#include <rte_rcu_qsbr.h>

#include <cstdint>

namespace sluice::control {

class Reclaimer {
 public:
  virtual ~Reclaimer() = default;
  /// To be called after the last way to the memory is gone. Marks are passed in the order they were taken.
  virtual uint64_t mark() = 0;
  /// True: nobody who may have found the memory before mark() is still reading it. Never waits.
  virtual bool passed(uint64_t mark) = 0;
};

/// Over the quiescent states that workers report between sweeps.
class QsbrReclaimer : public Reclaimer {
 public:
  /// `rcu` must outlive it.
  explicit QsbrReclaimer(rte_rcu_qsbr* rcu) : rcu_(rcu) {}
  uint64_t mark() override { return rte_rcu_qsbr_start(rcu_); }
  bool passed(uint64_t mark) override { return rte_rcu_qsbr_check(rcu_, mark, false) == 1; }

 private:
  rte_rcu_qsbr* rcu_;
};

}  // namespace sluice::control
