// SPDX-License-Identifier: BSD-3-Clause
//
// How control looks at a worker's sessions: it asks, and the worker copies some of them at the end of a turn,
// so that neither ever reads what the other writes. It is also how control has sessions ended.
//
// Thread safety: control writes the question and then `asked`; the worker writes the answer and then
//   `answered`. While the two differ the answer is the worker's, else control's.
// Owner:         Post.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/ip.h"
#include "dataplane/session.h"

namespace sluice::dataplane {

/// Which sessions are meant; 0 matches all.
struct SessionFilter {
  Ip4 source = 0;       ///< of the packet that opened it
  Ip4 destination = 0;  ///< that it was sent to
  uint8_t protocol = 0;

  [[nodiscard]] bool matches(const Session& session) const {
    const Flow flow = session.arriving(0);
    return (source == 0 || flow.source == source) && (destination == 0 || flow.destination == destination) &&
           (protocol == 0 || flow.protocol == protocol);
  }
};

struct SessionDump {
  static constexpr uint32_t kLines = 1024;  ///< looked at in one turn: some ten microseconds

  enum class Order : uint8_t { copy, end };

  std::atomic<uint64_t> asked = 0, answered = 0;
  // The question.
  Order order = Order::copy;
  SessionFilter filter;
  uint32_t cursor = 0;  ///< 0: from the beginning; in the answer 0: there are no more
  // The answer.
  uint32_t count = 0;  ///< sessions copied, or ended
  uint32_t now_ms = 0;
  std::array<Session, kLines> sessions;
};

}  // namespace sluice::dataplane
