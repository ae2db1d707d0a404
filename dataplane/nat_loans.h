// SPDX-License-Identifier: BSD-3-Clause
//
// Mappings that sessions of other workers use: hairpins between hosts of two workers.
//
// Theory of operation. A hairpin's session is the source's worker's; the mapping that it goes to is the
// destination's worker's, and must stay as long as the session does. Its worker, the lender, opens a loan:
// one use of the mapping, and a line that the others can count themselves in and out of. Once in a while it
// closes the loans that nobody uses, and gives the mapping's use back.
//
// Thread safety: lend() and close_unused() the lender; borrow() and give_back() any worker.
// Invariants:    what a line says of its mapping does not change while it has borrowers.
// Owner:         the arena; this is a view of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "dataplane/line_pool.h"
#include "dataplane/nat_mappings.h"

namespace sluice::dataplane {

/// A loan of any worker; 0: none.
using LoanIndex = uint16_t;
inline constexpr LoanIndex kNoLoan = 0;

/// Zeroes, as in a new arena, are a closed loan.
struct alignas(32) Loan {
  /// Twice the number of borrowers, plus 1 while the loan is open.
  std::atomic<uint32_t> state;
  MappingIndex mapping;  ///< of the lender; of a free line: the next one
  External outside;
  Ip4 inside;
  uint16_t inside_port;

  [[nodiscard]] uint32_t& next_free() { return mapping; }
};
static_assert(sizeof(Loan) == 32 && std::is_standard_layout_v<Loan>);

class NatLoans {
 public:
  /// Loans that a worker can have open, when there are `workers` of them with so many sessions each.
  static uint32_t capacity(unsigned workers, uint32_t sessions_per_worker);

  /// \param all lines of all workers, `capacity` each
  NatLoans(Loan* all, unsigned worker, LineCounts* counts, uint32_t capacity)
      : all_(all), first_(worker * capacity), lines_(all + first_, counts, capacity) {}

  /// A loan of a mapping that has none yet. The caller has added a user to the mapping for it. kNoLoan: there
  /// are no more.
  LoanIndex lend(MappingIndex index, const Mapping& mapping);

  /// One borrower more, if the loan still is of the mapping that ties these two. An ICMP query has no port
  /// that would tell its destination apart.
  [[nodiscard]] bool borrow(LoanIndex loan, const External& outside, Ip4 inside, uint16_t inside_port);
  void give_back(LoanIndex loan) { line(loan).state.fetch_sub(2, std::memory_order_release); }

  /// Closes the loans without a borrower among the next `budget` lines: closed(mapping) for each.
  template <class Closed>
  void close_unused(uint32_t budget, Closed closed);

  [[nodiscard]] uint32_t size() const { return lines_.used(); }

 private:
  static constexpr uint32_t kOpen = 1;
  [[nodiscard]] Loan& line(LoanIndex loan) const { return all_[loan - 1]; }

  Loan* all_;
  uint32_t first_;
  LinePool<Loan> lines_;  ///< the worker's own
};

template <class Closed>
void NatLoans::close_unused(uint32_t budget, Closed closed) {
  uint32_t& cursor = lines_.cursor();
  for (; budget != 0 && cursor < lines_.end(); --budget, ++cursor) {
    uint32_t unused = kOpen;
    if (!lines_[cursor].state.compare_exchange_strong(unused, 0, std::memory_order_acquire)) continue;
    const MappingIndex mapping = lines_[cursor].mapping;
    lines_.give(cursor);
    closed(mapping);
  }
  if (cursor >= lines_.end()) cursor = 0;
}

}  // namespace sluice::dataplane
