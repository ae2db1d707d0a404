// SPDX-License-Identifier: BSD-3-Clause
//
// One worker's sessions, found by what arrives in either direction.
//
// A stage looks a lane up in phases, so that the cache misses of its packets overlap:
//   hash() and prefetch_bucket() for all → candidate() for all, which asks for the session's line → find().
//
// Thread safety: the worker that owns the partition; size() and capacity() any thread.
// Invariants:    each live session is indexed under what arrives in direction 0 and in direction 1 (once, if
//                both are the same flow); no two live sessions share an arriving flow.
// Owner:         the arena; this is a view of it.
#pragma once

#include <cstdint>

#include "dataplane/flow.h"
#include "dataplane/flow_index.h"
#include "dataplane/keyed_hash.h"
#include "dataplane/line_pool.h"
#include "dataplane/session.h"

namespace sluice::dataplane {

/// A session and the direction in which a packet met it, or none.
class SessionHandle {
 public:
  constexpr SessionHandle() = default;
  constexpr explicit SessionHandle(uint32_t bits) : bits_(bits) {}
  constexpr SessionHandle(SessionIndex index, unsigned direction) : bits_(index << 1 | direction) {}
  [[nodiscard]] constexpr explicit operator bool() const { return bits_ != FlowIndex::kNone; }
  [[nodiscard]] constexpr SessionIndex index() const { return bits_ >> 1; }
  [[nodiscard]] constexpr unsigned direction() const { return bits_ & 1; }
  [[nodiscard]] constexpr uint32_t bits() const { return bits_; }
  friend constexpr bool operator==(SessionHandle, SessionHandle) = default;

 private:
  uint32_t bits_ = FlowIndex::kNone;
};

class SessionTable {
 public:
  enum class Outcome : uint8_t {
    made,
    exists,  ///< another session has one of the two arriving flows
    full,    ///< no line, or no place in the index
  };
  struct Creation {
    Outcome outcome;
    SessionIndex index;  ///< made: of the new session; exists: of the one in the way; full: kNoIndex
  };

  SessionTable(const KeyedHash& hash, FlowIndex index, LinePool<Session> lines)
      : hash_(hash), index_(index), lines_(lines) {}

  [[nodiscard]] uint64_t hash(const Flow& flow) const {
    const auto words = flow.words();
    return hash_(words[0], words[1]);
  }
  void prefetch_bucket(uint64_t hash) const { index_.prefetch(hash); }

  /// What find() will most likely answer, and asks for its line.
  SessionHandle candidate(uint64_t hash) const {
    const SessionHandle guess(index_.candidate(hash));
    if (guess) [[likely]]
      __builtin_prefetch(&lines_[guess.index()], 1);
    return guess;
  }

  /// The session that a packet of `flow` belongs to. One whose deadline is past does not exist.
  [[nodiscard]] SessionHandle find(const Flow& flow, uint64_t hash, uint32_t now_ms) const {
    const SessionHandle handle = find_any(flow, hash);
    if (handle && is_past(lines_[handle.index()].deadline_ms, now_ms)) [[unlikely]]
      return {};
    return handle;
  }
  [[nodiscard]] SessionHandle find(const Flow& flow, uint32_t now_ms) const {
    return find(flow, hash(flow), now_ms);
  }

  /// Copies `session` into the table. Looks at no deadline: a session that is past its own can be in the way
  /// until it is swept; NatTables::create() sees to that.
  Creation create(const Session& session);
  /// REQUIRES: the session is live.
  void erase(SessionIndex index);
  /// The same while a batch may name its line: that keeps what it says, and is nobody's, until the next
  /// sweep. REQUIRES: the session is live.
  void retire(SessionIndex index);

  [[nodiscard]] Session& operator[](SessionIndex index) const { return lines_[index]; }
  [[nodiscard]] bool is_live(SessionIndex index) const {
    return index < lines_.end() && lines_[index].live == kLive;
  }

  /// Between batches. Looks at up to `budget` lines, from where the last sweep ended, each at most once, and
  /// calls `erase(index)` for every session that is past its deadline or that `also(session)` is true for.
  /// Returns how often. `erase` must erase that session, and may erase others.
  template <class Predicate, class Erase>
  uint32_t sweep(uint32_t now_ms, uint32_t budget, Predicate also, Erase erase);

  /// Calls `visit(index, session)` for the live sessions among the next `budget` lines; begin with a cursor
  /// of 0, end when it is 0 again. Sessions that come or go meanwhile may be missed; none is seen twice in
  /// its life.
  template <class Visitor>
  void for_each(uint32_t& cursor, uint32_t budget, Visitor visit) const;

  /// Those that are live, and those that were retired since the last sweep.
  [[nodiscard]] uint32_t size() const { return lines_.used(); }
  [[nodiscard]] uint32_t capacity() const { return lines_.capacity(); }
  [[nodiscard]] const FlowIndex& index() const { return index_; }

 private:
  void forget(SessionIndex index);
  void free(uint32_t line) {
    lines_[line].live = kFree;
    lines_.give(line);
  }
  [[nodiscard]] SessionHandle find_any(const Flow& flow, uint64_t hash) const {
    const uint64_t addresses = flow.addresses();
    const uint32_t ports = flow.ports();
    return SessionHandle(index_.find(hash, [&](uint32_t bits) {
      const Session& line = lines_[bits >> 1];
      return line.addresses[bits & 1] == addresses && line.ports[bits & 1] == ports &&
             line.protocol == flow.protocol;
    }));
  }

  KeyedHash hash_;
  FlowIndex index_;
  LinePool<Session> lines_;
};

template <class Predicate, class Erase>
uint32_t SessionTable::sweep(uint32_t now_ms, uint32_t budget, Predicate also, Erase erase) {
  const uint32_t end = lines_.end();
  uint32_t erased = 0;
  uint32_t at = lines_.cursor();
  for (uint32_t left = budget < end ? budget : end; left != 0; --left, ++at) {
    if (at >= end) at = 0;
    const Session& session = lines_[at];
    if (session.live == kRetired) free(at);
    if (session.live != kLive || (!is_past(session.deadline_ms, now_ms) && !also(session))) continue;
    erase(SessionIndex{at});
    ++erased;
  }
  lines_.cursor() = at;
  return erased;
}

template <class Visitor>
void SessionTable::for_each(uint32_t& cursor, uint32_t budget, Visitor visit) const {
  const uint32_t end = lines_.end();
  for (; budget != 0 && cursor < end; --budget, ++cursor) {
    if (lines_[cursor].live == kLive)
      visit(SessionIndex{cursor}, static_cast<const Session&>(lines_[cursor]));
  }
  if (cursor >= end) cursor = 0;
}

}  // namespace sluice::dataplane
