// SPDX-License-Identifier: BSD-3-Clause
//
// The memory of NAT's tables: one piece, of a size that is fixed at start, in which everything is named by
// index or offset. It holds no pointer, so it means the same wherever it is mapped; a header says what is
// where and under which version, so that it can be kept in a file and found again.
//
//   header | a partition a worker: state, sessions, mappings, permits, their indexes, notes on port blocks
//          | loans, shared | a slot an external address, shared: its port blocks
//
// Pages that were never touched take no memory.
//
// Thread safety: control makes it; immutable after that, but for what the tables in it say themselves.
// Owner:         control, at start; it outlives the workers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "dataplane/keyed_hash.h"
#include "dataplane/nat_tables.h"

namespace sluice::dataplane {

/// The first octets of an arena.
struct NatArenaHeader {
  static constexpr uint64_t kMagic = 0x544e'6563'6975'6c73;  // "sluiceNT" in memory
  static constexpr uint32_t kVersion = 2;                    ///< of all layouts in the arena

  /// A worker's partition: where what begins, in octets from the beginning of the partition.
  struct Partition {
    uint64_t sessions, session_index, mappings, mapping_index, permits, permit_index, notes;
    uint64_t bytes;
  };

  uint64_t magic;
  uint32_t version;
  uint32_t workers;
  uint32_t sessions_per_worker;  ///< also mappings, and permits
  uint32_t slots;
  uint64_t session_buckets, mapping_buckets, permit_buckets;  ///< a worker
  uint64_t first_partition, first_loan, first_slot;           ///< octets from the beginning
  uint64_t bytes;                                             ///< of the whole
  Partition partition;
  std::array<uint64_t, 2> seed;  ///< of the hashes
  uint64_t hash_check;           ///< a hash under the seed: differs where the build hashes differently
};
static_assert(std::is_trivial_v<NatArenaHeader> && sizeof(NatArenaHeader) <= 4096);
static_assert(std::has_unique_object_representations_v<NatArenaHeader>, "it is compared as a whole");

class NatArena {
 public:
  /// `sessions`: of all workers together, 1..4 194 304. `slots`: external addresses, 0..65 536. The same seed
  /// makes the same choices. None: the memory cannot be had.
  static std::optional<NatArena> create(uint32_t sessions, unsigned workers, uint32_t slots,
                                        const KeyedHash::Seed& seed);
  /// Octets that create() sets aside; what is never used of it takes no memory.
  static uint64_t memory_bytes(uint32_t sessions, unsigned workers, uint32_t slots);

  /// Whether `bytes` octets at `memory` are an arena that this build can read.
  static bool is_readable(const std::byte* memory, uint64_t bytes);
  /// The view of worker `worker` on the arena at `memory`.
  static NatTables tables(std::byte* memory, unsigned worker);

  NatArena(NatArena&& from) noexcept
      : memory_(std::exchange(from.memory_, nullptr)), bytes_(std::exchange(from.bytes_, 0)) {}
  NatArena& operator=(NatArena&& from) noexcept {
    std::swap(memory_, from.memory_);
    std::swap(bytes_, from.bytes_);
    return *this;
  }
  ~NatArena();

  [[nodiscard]] NatTables tables(unsigned worker) const { return tables(memory_, worker); }
  [[nodiscard]] const NatArenaHeader& header() const {
    return *reinterpret_cast<const NatArenaHeader*>(memory_);
  }
  [[nodiscard]] std::byte* memory() const { return memory_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  NatArena(std::byte* memory, uint64_t bytes) : memory_(memory), bytes_(bytes) {}

  std::byte* memory_;
  uint64_t bytes_;
};

}  // namespace sluice::dataplane
