// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat_loans.h"

#include <algorithm>

namespace sluice::dataplane {

uint32_t NatLoans::capacity(unsigned workers, uint32_t sessions_per_worker) {
  if (workers == 1) return 0;  // nobody to lend to
  return std::min<uint32_t>(UINT16_MAX / workers, sessions_per_worker);
}

LoanIndex NatLoans::lend(MappingIndex index, const Mapping& mapping) {
  const uint32_t taken = lines_.take();
  if (taken == kNoIndex) return kNoLoan;
  Loan& loan = lines_[taken];
  loan.mapping = index;
  loan.outside = mapping.outside();
  loan.inside = mapping.inside;
  loan.inside_port = mapping.inside_port;
  loan.state.store(kOpen, std::memory_order_release);
  return static_cast<LoanIndex>(first_ + taken + 1);
}

bool NatLoans::borrow(LoanIndex index, const External& outside, Ip4 inside, uint16_t inside_port) {
  Loan& loan = line(index);
  uint32_t state = loan.state.load(std::memory_order_relaxed);
  do {
    if ((state & kOpen) == 0) return false;
  } while (!loan.state.compare_exchange_weak(state, state + 2, std::memory_order_acquire));
  // From here on it does not change. It may have been given to another mapping since we were told of it.
  const bool one_port = outside.protocol == kProtocolIcmp;
  if (loan.outside == outside && loan.inside == inside && (one_port || loan.inside_port == inside_port))
    return true;
  give_back(index);
  return false;
}

}  // namespace sluice::dataplane
