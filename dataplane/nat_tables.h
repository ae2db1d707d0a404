// SPDX-License-Identifier: BSD-3-Clause
//
// NAT's tables of one worker, and what concerns several of them at once: a session comes and goes together
// with its use of mappings, permits and ports.
//
// Thread safety: the worker that owns the partition. No call allocates, waits or throws.
// Invariants:    mapping.users = live sessions that name it, but for those with kUnanswered, plus those with
//                kHoldsTarget whose original destination is its external side, plus 1 for an open loan, plus
//                what map() gave to a caller who has not passed it on yet. permit.users = live sessions with
//                kHoldsPermit and its key. A mapping's port is in use in PortBlocks exactly as long as the
//                mapping exists.
// Owner:         the worker; views of the arena, made at start.
#pragma once

#include <cstdint>

#include "dataplane/nat_loans.h"
#include "dataplane/nat_mappings.h"
#include "dataplane/port_blocks.h"
#include "dataplane/session_table.h"

namespace sluice::dataplane {

struct NatTables {
  SessionTable sessions;
  MappingTable mappings;
  PermitTable permits;
  PortBlocks ports;
  NatLoans loans;
  uint64_t ended = 0;  ///< sessions, since this view was made

  enum class Mapped : uint8_t {
    found,
    made,
    no_port,  ///< the address has no port left for this worker
    full,     ///< the table of mappings is full
  };
  struct MapResult {
    Mapped outcome;
    MappingIndex index;  ///< kNoIndex unless found or made
  };

  /// The mapping for `key`; a new one on the address in `slot`, which keeps the inside port if it can. The
  /// caller becomes a user: pass that on to create(), or give it back with release().
  MapResult map(const MappingKey& key, SlotIndex slot, PortRange range, PortBlocks::Reserved reserved);
  /// One user less; the last one takes the mapping with it and its port is free again. kNoIndex: nothing.
  void release(MappingIndex index);

  /// The loan of a mapping to other workers, opened if need be; kNoLoan: there are no more.
  LoanIndex lend(MappingIndex index);
  /// Counts the session-to-be in as a borrower of `session.loan`: pass that on to create(). False: the
  /// mapping has gone since.
  [[nodiscard]] bool borrow(const Session& session) {
    const Flow reply = session.arriving(1);
    return loans.borrow(session.loan, target_of(session), reply.source, reply.source_port);
  }

  /// Makes a session that uses `session.mapping` and `session.loan`, and with kHoldsPermit and kHoldsTarget
  /// what those say. A session in the way that is past its deadline or stray is ended first. Unless the
  /// outcome is `made` nothing remains: the caller's uses of `session.mapping` and `session.loan` are given
  /// back too. With kUnanswered there is no use of `session.mapping`; one in the way that `session` would be
  /// the answer to is answered.
  SessionTable::Creation create(const Session& session, uint32_t now_ms);
  /// Ends a session and its use of everything. REQUIRES: it is live, and no batch names it.
  void end(SessionIndex index);
  /// The same while a batch may name it: its line stays until the next sweep. REQUIRES: it is live.
  void retire(SessionIndex index);

  /// What comes from outside keeps no mapping (RFC 4787 REQ-6). True: the session came in by one that has
  /// gone since, so it does not exist any more either.
  [[nodiscard]] bool is_stray(const Session& session) const {
    return (session.flags & kUnanswered) != 0 && !leads_in(mappings[session.mapping], session);
  }
  /// An inside host has answered: the session uses its mapping from now on.
  /// REQUIRES: it has kUnanswered and is not stray.
  void answered(Session& session) {
    session.flags = static_cast<uint8_t>(session.flags & ~kUnanswered);
    mappings.acquire(session.mapping);
  }

  /// Among the next `budget` lines of each: closes the loans that nobody uses, and ends the sessions that are
  /// past their deadline or stray, or that `also(session)` is true for; returns how many sessions.
  template <class Predicate>
  uint32_t sweep(uint32_t now_ms, uint32_t budget, Predicate also) {
    loans.close_unused(budget, [this](MappingIndex mapping) { close(mapping); });
    const auto goes = [&](const Session& session) { return is_stray(session) || also(session); };
    return sessions.sweep(now_ms, budget, goes, [this](SessionIndex index) { end(index); });
  }
  uint32_t sweep(uint32_t now_ms, uint32_t budget) {
    return sweep(now_ms, budget, [](const Session&) { return false; });
  }

  /// What a session with kHoldsPermit lets in: the address that its first packet went to may answer to the
  /// external port that the answers come to.
  static PermitKey permit_of(const Session& session) {
    const Flow reply = session.arriving(1);
    return {reply.destination, reply.destination_port, session.protocol, session.arriving(0).destination};
  }
  /// The mapping that a session with kHoldsTarget keeps: the one its first packet went to.
  static External target_of(const Session& session) {
    const Flow original = session.arriving(0);
    return {original.destination, original.destination_port, session.protocol};
  }

 private:
  void close(MappingIndex lent) {
    mappings[lent].next = kNoLoan;
    release(lent);
  }
  /// Whether the mapping is the one by which the session's first packet came in.
  static bool leads_in(const Mapping& mapping, const Session& session) {
    const Flow reply = session.arriving(1);
    return mapping.users != 0 && mapping.outside() == target_of(session) && mapping.inside == reply.source &&
           mapping.inside_port == reply.source_port;
  }
  /// The mapping that it is a user of.
  static MappingIndex used_by(const Session& session) {
    return (session.flags & kUnanswered) != 0 ? kNoIndex : session.mapping;
  }
  bool acquire_for(const Session& session);
  void release_for(const Session& session);
  void give_up(const Session& session);
};

}  // namespace sluice::dataplane
