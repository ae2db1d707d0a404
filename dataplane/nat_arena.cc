// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/nat_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::dataplane {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint32_t kMostWorkers = 255;  // the owner of a block is a byte
constexpr uint32_t kMostSlots = 65536;  // a slot's index is two

// What is small and changes, at the beginning of each partition. Zeroes, but for the random state.
struct alignas(64) WorkerState {
  LineCounts sessions, mappings, permits, loans;
  uint64_t random;
};
static_assert(sizeof(WorkerState) == 128);
static_assert(std::is_standard_layout_v<WorkerState> && std::is_standard_layout_v<AddressSlot>);

constexpr uint64_t round_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Gives out one stretch after another.
class Ruler {
 public:
  uint64_t next(uint64_t count, uint64_t size) {
    const uint64_t begin = at_;
    at_ = round_up(at_ + count * size, 64);
    return begin;
  }
  [[nodiscard]] uint64_t end() const { return at_; }

 private:
  uint64_t at_ = sizeof(WorkerState);
};

NatArenaHeader layout(uint32_t sessions_per_worker, unsigned workers, uint32_t slots,
                      const KeyedHash::Seed& seed) {
  NatArenaHeader header{};
  header.magic = NatArenaHeader::kMagic;
  header.version = NatArenaHeader::kVersion;
  header.workers = workers;
  header.sessions_per_worker = sessions_per_worker;
  header.slots = slots;
  header.seed = seed;
  header.hash_check = KeyedHash(seed)(header.magic, header.version);
  header.session_buckets = FlowIndex::bucket_count(uint64_t{sessions_per_worker} * 2);
  header.mapping_buckets = FlowIndex::bucket_count(uint64_t{sessions_per_worker} * 2);
  header.permit_buckets = FlowIndex::bucket_count(sessions_per_worker);

  auto& partition = header.partition;
  Ruler ruler;
  partition.session_index = ruler.next(header.session_buckets, sizeof(FlowIndex::Bucket));
  partition.sessions = ruler.next(sessions_per_worker, sizeof(Session));
  partition.mapping_index = ruler.next(header.mapping_buckets, sizeof(FlowIndex::Bucket));
  partition.mappings = ruler.next(sessions_per_worker, sizeof(Mapping));
  partition.permit_index = ruler.next(header.permit_buckets, sizeof(FlowIndex::Bucket));
  partition.permits = ruler.next(sessions_per_worker, sizeof(Permit));
  partition.notes = ruler.next(slots, sizeof(BlockNotes));
  partition.bytes = round_up(ruler.end(), kPage);  // no two workers share a page

  header.first_partition = kPage;
  header.first_loan = header.first_partition + workers * partition.bytes;
  const uint64_t loans = uint64_t{workers} * NatLoans::capacity(workers, sessions_per_worker);
  header.first_slot = header.first_loan + round_up(loans * sizeof(Loan), kPage);
  header.bytes = round_up(header.first_slot + uint64_t{slots} * sizeof(AddressSlot), kPage);
  return header;
}

uint32_t sessions_per_worker(uint32_t sessions, unsigned workers) {
  return static_cast<uint32_t>(round_up(sessions, workers) / workers);
}

}  // namespace

std::optional<NatArena> NatArena::create(uint32_t sessions, unsigned workers, uint32_t slots,
                                         const KeyedHash::Seed& seed) {
  const NatArenaHeader header = layout(sessions_per_worker(sessions, workers), workers, slots, seed);
  void* memory =
      mmap(nullptr, header.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  // A hint: with huge pages a random look-up misses the cache once and not the TLB besides.
  madvise(memory, header.bytes, MADV_HUGEPAGE);
  // mmap returns zeroes, and zeroes are empty tables: only what is not zero is written.
  std::memcpy(memory, &header, sizeof(header));
  NatArena arena(static_cast<std::byte*>(memory), header.bytes);
  for (unsigned worker = 0; worker < workers; ++worker) {
    const uint64_t at = header.first_partition + worker * header.partition.bytes;
    reinterpret_cast<WorkerState*>(arena.memory_ + at)->random = KeyedHash(seed)(worker);
  }
  return arena;
}

uint64_t NatArena::memory_bytes(uint32_t sessions, unsigned workers, uint32_t slots) {
  return layout(sessions_per_worker(sessions, workers), workers, slots, {}).bytes;
}

NatArena::~NatArena() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

bool NatArena::is_readable(const std::byte* memory, uint64_t bytes) {
  NatArenaHeader header;
  if (bytes < sizeof(header)) return false;
  std::memcpy(&header, memory, sizeof(header));
  if (header.magic != NatArenaHeader::kMagic || header.version != NatArenaHeader::kVersion) return false;
  if (header.workers == 0 || header.workers > kMostWorkers || header.slots > kMostSlots) return false;
  // The same numbers make the same layout, unless another build made it.
  const NatArenaHeader expected =
      layout(header.sessions_per_worker, header.workers, header.slots, header.seed);
  return bytes >= expected.bytes && std::memcmp(&header, &expected, sizeof(header)) == 0;
}

NatTables NatArena::tables(std::byte* memory, unsigned worker) {
  const auto& header = *reinterpret_cast<const NatArenaHeader*>(memory);
  const auto& offset = header.partition;
  std::byte* base = memory + header.first_partition + worker * header.partition.bytes;
  auto* state = reinterpret_cast<WorkerState*>(base);
  auto* slots = reinterpret_cast<AddressSlot*>(memory + header.first_slot);
  auto* notes = reinterpret_cast<BlockNotes*>(base + offset.notes);
  const auto index = [&](uint64_t begin, uint64_t buckets) {
    return FlowIndex(reinterpret_cast<FlowIndex::Bucket*>(base + begin), buckets);
  };
  const auto lines = [&]<class Line>(uint64_t begin, LineCounts& counts, const Line&) {
    return LinePool<Line>(reinterpret_cast<Line*>(base + begin), &counts, header.sessions_per_worker);
  };
  const KeyedHash hash(header.seed);
  auto* loans = reinterpret_cast<Loan*>(memory + header.first_loan);
  return {
      SessionTable(hash, index(offset.session_index, header.session_buckets),
                   lines(offset.sessions, state->sessions, Session())),
      MappingTable(hash, index(offset.mapping_index, header.mapping_buckets),
                   lines(offset.mappings, state->mappings, Mapping())),
      PermitTable(hash, index(offset.permit_index, header.permit_buckets),
                  lines(offset.permits, state->permits, Permit())),
      PortBlocks(slots, header.slots, notes, &state->random, worker, header.workers),
      NatLoans(loans, worker, &state->loans, NatLoans::capacity(header.workers, header.sessions_per_worker)),
  };
}

}  // namespace sluice::dataplane
