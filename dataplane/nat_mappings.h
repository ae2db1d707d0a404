// SPDX-License-Identifier: BSD-3-Clause
//
// One worker's mappings and permits.
//
// A mapping (RFC 4787 section 4) ties an inside address and port to an external one for as long as a session
// uses it. It is endpoint-independent, or tied to one remote address and port as well. A permit (section 5)
// lets one remote address answer to one external port: it is there while a session to that address is.
//
// Thread safety: the worker that owns the partition; size() any thread.
// Invariants:    a mapping or permit that is in the table has at least one user; a mapping is indexed under
//                its inside and its external side.
// Owner:         the arena; these are views of it.
#pragma once

#include <cstdint>
#include <type_traits>

#include "dataplane/flow_index.h"
#include "dataplane/ip.h"
#include "dataplane/keyed_hash.h"
#include "dataplane/line_pool.h"
#include "dataplane/session.h"

namespace sluice::dataplane {

/// The inside of a mapping: what every packet that uses it has in common.
struct MappingKey {
  Ip4 inside;
  uint16_t inside_port;
  uint8_t protocol;
  uint16_t scope;  ///< tells the mappings of one host apart where several rules translate it
  Ip4 remote = 0;  ///< with its port; both 0: endpoint-independent
  uint16_t remote_port = 0;
  friend bool operator==(const MappingKey&, const MappingKey&) = default;
};

/// The outside of a mapping.
struct External {
  Ip4 address;
  uint16_t port;
  uint8_t protocol;
  friend bool operator==(const External&, const External&) = default;
};

struct alignas(32) Mapping {
  Ip4 inside;
  Ip4 remote;
  Ip4 external;
  uint16_t inside_port;
  uint16_t remote_port;
  uint16_t external_port;
  uint16_t slot;  ///< of the external address
  uint16_t scope;
  uint8_t protocol;
  uint8_t flags;   ///< the stages' own
  uint32_t users;  ///< sessions; 0: a free line
  uint32_t next;   ///< of a free line; of a mapping: its loan (nat_loans.h), 0: none

  [[nodiscard]] MappingKey key() const { return {inside, inside_port, protocol, scope, remote, remote_port}; }
  [[nodiscard]] External outside() const { return {external, external_port, protocol}; }
  [[nodiscard]] uint32_t& next_free() { return next; }
};
static_assert(sizeof(Mapping) == 32 && std::is_trivial_v<Mapping>, "two mappings a cache line");

class MappingTable {
 public:
  MappingTable(const KeyedHash& hash, FlowIndex index, LinePool<Mapping> lines)
      : hash_(hash), index_(index), lines_(lines) {}

  [[nodiscard]] MappingIndex find(const MappingKey& key) const;
  [[nodiscard]] MappingIndex find(const External& external) const;

  /// A new mapping with one user; kNoIndex: the table is full, or either side is mapped already.
  /// REQUIRES: both sides are of the same protocol.
  MappingIndex create(const MappingKey& key, const External& external, uint16_t slot);
  /// One user more.
  void acquire(MappingIndex index) { ++lines_[index].users; }
  /// One user less. True: that was the last, and the mapping is gone; its port is for the caller to free.
  /// REQUIRES: the mapping is in the table.
  bool release(MappingIndex index);

  [[nodiscard]] Mapping& operator[](MappingIndex index) const { return lines_[index]; }
  [[nodiscard]] uint32_t size() const { return lines_.used(); }
  [[nodiscard]] uint32_t capacity() const { return lines_.capacity(); }
  [[nodiscard]] const FlowIndex& index() const { return index_; }

  /// As SessionTable::for_each(): visit(index, mapping).
  template <class Visitor>
  void for_each(uint32_t& cursor, uint32_t budget, Visitor visit) const {
    for (; budget != 0 && cursor < lines_.end(); --budget, ++cursor) {
      if (lines_[cursor].users != 0) visit(MappingIndex{cursor}, static_cast<const Mapping&>(lines_[cursor]));
    }
    if (cursor >= lines_.end()) cursor = 0;
  }

 private:
  enum Side : uint32_t { kInside = 0, kOutside = 1 };
  [[nodiscard]] uint64_t hash(const MappingKey& key) const;
  [[nodiscard]] uint64_t hash(const External& external) const;

  KeyedHash hash_;
  FlowIndex index_;
  LinePool<Mapping> lines_;
};

/// Who may answer to what: `remote` to an external address and port.
struct PermitKey {
  Ip4 external;
  uint16_t external_port;
  uint8_t protocol;
  Ip4 remote;
  friend bool operator==(const PermitKey&, const PermitKey&) = default;
};

struct alignas(16) Permit {
  Ip4 external;
  Ip4 remote;
  uint32_t users;  ///< sessions; of a free line: the next one
  uint16_t external_port;
  uint8_t protocol;
  uint8_t spare;

  [[nodiscard]] PermitKey key() const { return {external, external_port, protocol, remote}; }
  [[nodiscard]] uint32_t& next_free() { return users; }
};
static_assert(sizeof(Permit) == 16 && std::is_trivial_v<Permit>, "four permits a cache line");

class PermitTable {
 public:
  PermitTable(const KeyedHash& hash, FlowIndex index, LinePool<Permit> lines)
      : hash_(hash), index_(index), lines_(lines) {}

  [[nodiscard]] bool contains(const PermitKey& key) const { return find(key) != kNoIndex; }
  [[nodiscard]] PermitIndex find(const PermitKey& key) const;

  /// One user more, of a permit that is made if there is none. False: the table is full.
  [[nodiscard]] bool acquire(const PermitKey& key);
  /// One user less; with the last one the permit goes. REQUIRES: the permit is in the table.
  void release(const PermitKey& key);

  [[nodiscard]] const Permit& operator[](PermitIndex index) const { return lines_[index]; }
  [[nodiscard]] uint32_t size() const { return lines_.used(); }
  [[nodiscard]] uint32_t capacity() const { return lines_.capacity(); }
  [[nodiscard]] const FlowIndex& index() const { return index_; }

 private:
  [[nodiscard]] uint64_t hash(const PermitKey& key) const;
  [[nodiscard]] PermitIndex find(const PermitKey& key, uint64_t hash) const;

  KeyedHash hash_;
  FlowIndex index_;
  LinePool<Permit> lines_;
};

}  // namespace sluice::dataplane
