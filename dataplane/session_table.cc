// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/session_table.h"

namespace sluice::dataplane {
namespace {

// One's complement sums over the 16-bit words that a translation takes away and puts in (RFC 1624).
class Delta {
 public:
  void replace(uint16_t from, uint16_t to) { sum_ += static_cast<uint16_t>(~from) + uint32_t{to}; }
  void replace_address(Ip4 from, Ip4 to) {
    replace(static_cast<uint16_t>(from >> 16), static_cast<uint16_t>(to >> 16));
    replace(static_cast<uint16_t>(from), static_cast<uint16_t>(to));
  }
  // In the order of memory: the sum does not mind (RFC 1071 section 2 B).
  [[nodiscard]] uint16_t folded() const {
    uint32_t sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
    return BigEndian<uint16_t>(static_cast<uint16_t>(sum)).wire();
  }

 private:
  uint32_t sum_ = 0;
};

void replace_addresses(Delta& delta, const Flow& from, const Flow& to) {
  delta.replace_address(from.source, to.source);
  delta.replace_address(from.destination, to.destination);
}

uint16_t delta_behind_ip(const Flow& from, const Flow& to) {
  Delta delta;
  if (from.protocol == kProtocolIcmp) {
    delta.replace(from.source_port, to.source_port);  // the identifier; no pseudo header in ICMP
  } else if (from.protocol == kProtocolTcp || from.protocol == kProtocolUdp) {
    replace_addresses(delta, from, to);
    delta.replace(from.source_port, to.source_port);
    delta.replace(from.destination_port, to.destination_port);
  }
  return delta.folded();
}

}  // namespace

Session Session::between(const Flow& original, const Flow& reply) {
  Session session{};
  session.addresses = {original.addresses(), reply.addresses()};
  session.ports = {original.ports(), reply.ports()};
  session.protocol = original.protocol;
  session.mapping = kNoIndex;
  Delta ip;
  replace_addresses(ip, original, reply.reversed());
  session.ip_delta = ip.folded();
  session.l4_delta = delta_behind_ip(original, reply.reversed());
  return session;
}

SessionTable::Creation SessionTable::create(const Session& session) {
  const Flow original = session.arriving(0), reply = session.arriving(1);
  const uint64_t hash0 = hash(original), hash1 = hash(reply);
  index_.prefetch(hash1);
  if (const auto other = find_any(original, hash0)) return {Outcome::exists, other.index()};
  if (const auto other = find_any(reply, hash1)) return {Outcome::exists, other.index()};

  const SessionIndex index = lines_.take();
  if (index == kNoIndex) return {Outcome::full, kNoIndex};
  const uint32_t forth = SessionHandle(index, 0).bits(), back = SessionHandle(index, 1).bits();
  const bool in = index_.insert(hash0, forth);
  // A host that sends to its own external port meets itself: both directions are one flow, and one entry.
  if (!in || (reply != original && !index_.insert(hash1, back))) {
    if (in) index_.erase(hash0, forth);
    lines_.give(index);
    return {Outcome::full, kNoIndex};
  }
  lines_[index] = session;
  lines_[index].live = kLive;
  return {Outcome::made, index};
}

void SessionTable::erase(SessionIndex index) {
  forget(index);
  free(index);
}

void SessionTable::retire(SessionIndex index) {
  forget(index);
  lines_[index].live = kRetired;
}

void SessionTable::forget(SessionIndex index) {
  const Session& session = lines_[index];
  const Flow original = session.arriving(0), reply = session.arriving(1);
  const uint64_t hash0 = hash(original), hash1 = hash(reply);
  index_.prefetch(hash1);
  index_.erase(hash0, SessionHandle(index, 0).bits());
  index_.erase(hash1, SessionHandle(index, 1).bits());  // not there if both are one flow
}

}  // namespace sluice::dataplane
