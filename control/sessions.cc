// SPDX-License-Identifier: BSD-3-Clause
//
// How Runtime sees the workers' sessions: each worker is asked, and copies them a piece at a time.
#include <unistd.h>

#include <chrono>

#include "control/log.h"
#include "control/runtime.h"

namespace sluice::control {
namespace {

using dataplane::Session;
using dataplane::SessionDump;
using dataplane::SessionFilter;

constexpr useconds_t kLookAgain_us = 20;
constexpr auto kPatience = std::chrono::seconds(2);

bool wait_for(const SessionDump& dump, uint64_t request) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (dump.answered.load(std::memory_order_acquire) != request) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    usleep(kLookAgain_us);
  }
  return true;
}

}  // namespace

// Calls use(worker, dump) for each piece of an answer.
template <class Use>
void Runtime::ask_for_sessions(SessionDump::Order order, const SessionFilter& filter, Use use) {
  for (unsigned index = 0; index < shared_.workers; ++index) {
    SessionDump& dump = shared_.posts[index].sessions;
    // A worker that never answered the last question still holds it.
    if (dump.asked.load(std::memory_order_relaxed) != dump.answered.load(std::memory_order_acquire)) continue;
    dump.cursor = 0;
    do {
      dump.order = order;
      dump.filter = filter;
      const uint64_t request = dump.asked.load(std::memory_order_relaxed) + 1;
      dump.asked.store(request, std::memory_order_release);
      if (threads_.empty()) {
        workers_[index]->catch_up();
      } else {
        dataplane::wake(shared_, index);
      }
      if (!wait_for(dump, request)) {
        log_warning("a worker does not answer: its sessions are missing");
        break;
      }
      use(index, dump);
    } while (dump.cursor != 0);
  }
}

std::vector<SessionView> Runtime::sessions(const SessionFilter& filter) {
  std::vector<SessionView> views;
  ask_for_sessions(SessionDump::Order::copy, filter, [&](unsigned worker, const SessionDump& dump) {
    for (uint32_t i = 0; i < dump.count; ++i) {
      const Session& session = dump.sessions[i];
      views.push_back({worker, session.deadline_ms - dump.now_ms, session});
    }
  });
  return views;
}

uint64_t Runtime::clear_sessions(const SessionFilter& filter) {
  uint64_t ended = 0;
  ask_for_sessions(SessionDump::Order::end, filter,
                   [&](unsigned, const SessionDump& dump) { ended += dump.count; });
  return ended;
}

void Runtime::serve_router() {
  do {
    shared_.control_waits.store(false, std::memory_order_relaxed);
    while (router_->serve(now_ns()) != 0) {
    }
    router_->advance(now_ns());
    shared_.control_waits.store(true, std::memory_order_seq_cst);
    // What came between the last look and this store would wake nobody.
  } while (router_->serve(now_ns()) != 0);
}

std::optional<uint64_t> Runtime::ns_until_due() const {
  const std::optional<uint64_t> due = router_->next_due();
  if (!due) return std::nullopt;
  const uint64_t now = now_ns();
  return *due > now ? *due - now : 0;
}

void Runtime::wake_workers() {
  bool any = !config_.nat.empty();
  // A reload that took the rules away left sessions to be swept.
  for (unsigned index = 0; index < shared_.workers && !any; ++index)
    any = router_->nat_arena().tables(index).sessions.size() != 0;
  if (!any) return;
  for (unsigned index = 0; index < shared_.workers; ++index) dataplane::wake(shared_, index);
}

}  // namespace sluice::control
