// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat_tables.h"

namespace sluice::dataplane {

NatTables::MapResult NatTables::map(const MappingKey& key, SlotIndex slot, PortRange range,
                                    PortBlocks::Reserved reserved) {
  if (const MappingIndex known = mappings.find(key); known != kNoIndex) {
    mappings.acquire(known);
    return {Mapped::found, known};
  }
  const auto port = ports.allocate(slot, key.protocol, key.inside_port, range, reserved);
  if (!port) return {Mapped::no_port, kNoIndex};
  const MappingIndex made = mappings.create(key, {ports.address(slot), *port, key.protocol}, slot);
  if (made != kNoIndex) return {Mapped::made, made};
  ports.free(slot, key.protocol, *port);
  return {Mapped::full, kNoIndex};
}

void NatTables::release(MappingIndex index) {
  if (index == kNoIndex) return;
  const Mapping last = mappings[index];
  if (mappings.release(index)) ports.free(last.slot, last.protocol, last.external_port);
}

LoanIndex NatTables::lend(MappingIndex index) {
  Mapping& mapping = mappings[index];
  if (mapping.next != kNoLoan) return static_cast<LoanIndex>(mapping.next);
  const LoanIndex loan = loans.lend(index, mapping);
  if (loan == kNoLoan) return kNoLoan;
  mapping.next = loan;
  mappings.acquire(index);
  return loan;
}

SessionTable::Creation NatTables::create(const Session& session, uint32_t now_ms) {
  const auto has_gone = [&](const Session& other) {
    return is_past(other.deadline_ms, now_ms) || is_stray(other);
  };
  SessionTable::Creation made{SessionTable::Outcome::full, kNoIndex};
  if (acquire_for(session)) {
    made = sessions.create(session);
    // At most two can be in the way, one for each direction.
    while (made.outcome == SessionTable::Outcome::exists && has_gone(sessions[made.index])) {
      retire(made.index);
      made = sessions.create(session);
    }
    if (made.outcome == SessionTable::Outcome::made) return made;
    if (made.outcome == SessionTable::Outcome::exists) {
      Session& other = sessions[made.index];
      if ((other.flags & kUnanswered) != 0 && other.arriving(1) == session.arriving(0)) answered(other);
    }
    release_for(session);
  } else if (session.loan != kNoLoan) {
    loans.give_back(session.loan);
  }
  release(used_by(session));
  return made;
}

void NatTables::end(SessionIndex index) {
  const Session session = sessions[index];
  sessions.erase(index);
  give_up(session);
}

void NatTables::retire(SessionIndex index) {
  sessions.retire(index);
  give_up(sessions[index]);
}

void NatTables::give_up(const Session& session) {
  ++ended;
  release_for(session);
  release(used_by(session));
}

// The permit and the target; the mapping and the loan are the caller's already.
bool NatTables::acquire_for(const Session& session) {
  if ((session.flags & kHoldsPermit) != 0 && !permits.acquire(permit_of(session))) return false;
  if ((session.flags & kHoldsTarget) != 0) {
    const MappingIndex target = mappings.find(target_of(session));
    if (target == kNoIndex) {
      if ((session.flags & kHoldsPermit) != 0) permits.release(permit_of(session));
      return false;
    }
    mappings.acquire(target);
  }
  return true;
}

void NatTables::release_for(const Session& session) {
  if ((session.flags & kHoldsPermit) != 0) permits.release(permit_of(session));
  if ((session.flags & kHoldsTarget) != 0) release(mappings.find(target_of(session)));
  if (session.loan != kNoLoan) loans.give_back(session.loan);
}

}  // namespace sluice::dataplane
