// SPDX-License-Identifier: BSD-3-Clause
//
// The ports of the external addresses, and which worker may give them out.
//
// Theory of operation. An external address stands in a slot; its 65 536 ports, of TCP, of UDP, and the
// identifiers of ICMP queries, are cut into 1024 blocks of 64. A worker claims a block before it gives a port
// of it out, and lets go of it when none is in use any more: a block has one user at a time, and what is used
// within it is that worker's alone to know. A byte a block says whose it is, for the steering of what comes
// back. A worker takes what its own blocks still have before it claims another; only to keep a packet's port
// may it claim one ahead of need, and then no more than its share, so that no worker takes all of an address
// with a few sessions.
//
// Thread safety: the worker that the view is made for; owner(), address() and is_unused() any thread;
//   set_address() control.
// Invariants:    `claimed` has the bit of each block that a worker claimed, and that worker's `owned` has it
//                too; `full` has the bit of each owned block without a free port of a kind; no port of a
//                block that nobody claimed is in use.
// Owner:         the arena; this is a view of it.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "dataplane/ip.h"

namespace sluice::dataplane {

/// An external address's place in the arena.
using SlotIndex = uint16_t;

struct PortRange {
  uint16_t first, last;  ///< both included
};

inline constexpr unsigned kPortsPerBlock = 64;
inline constexpr unsigned kBlocksPerAddress = 65536 / kPortsPerBlock;
inline constexpr unsigned kBlockWords = kBlocksPerAddress / 64;
inline constexpr unsigned kPortKinds = 3;  ///< TCP, UDP, ICMP identifiers

/// Written by the worker that claimed the block. A line of its own: neighbors belong to other workers.
struct alignas(64) PortBlock {
  std::array<uint64_t, kPortKinds> used;
  std::array<uint64_t, 5> spare;
};
static_assert(sizeof(PortBlock) == 64 && std::is_trivial_v<PortBlock>);

/// An external address. Zeroes: no address, nothing claimed.
struct alignas(64) AddressSlot {
  std::atomic<Ip4> address;
  alignas(64) std::array<std::atomic<uint64_t>, kBlockWords> claimed;     ///< a bit a block
  alignas(64) std::array<std::atomic<uint8_t>, kBlocksPerAddress> owner;  ///< worker + 1; 0: none
  std::array<PortBlock, kBlocksPerAddress> blocks;
};
static_assert(sizeof(AddressSlot) == 64 + 128 + 1024 + 65536);
static_assert(std::atomic<uint8_t>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free);

/// One worker's notes on one slot: bits by block.
struct alignas(64) BlockNotes {
  std::array<uint64_t, kBlockWords> owned;
  std::array<std::array<uint64_t, kBlockWords>, kPortKinds> full;
};
static_assert(sizeof(BlockNotes) == 512 && std::is_trivial_v<BlockNotes>);

/// An object, such as a lambda, that says yes or no to a port.
template <class T>
concept PortPredicate = std::is_class_v<T> && std::predicate<const T&, uint16_t>;

class PortBlocks {
 public:
  static constexpr unsigned kNoWorker = UINT32_MAX;

  /// Ports that must not be given out (port forwards). The predicate must outlive the call that it is passed
  /// to.
  class Reserved {
   public:
    template <PortPredicate Predicate>
    Reserved(const Predicate& predicate)  // NOLINT: a lambda is to become one by itself
        : context_(std::addressof(predicate)), test_([](const void* context, uint16_t port) -> bool {
            return (*static_cast<const Predicate*>(context))(port);
          }) {}
    bool operator()(uint16_t port) const { return test_(context_, port); }

   private:
    const void* context_;
    bool (*test_)(const void*, uint16_t);
  };

  PortBlocks(AddressSlot* slots, unsigned slot_count, BlockNotes* notes, uint64_t* random, unsigned worker,
             unsigned workers)
      : slots_(slots),
        notes_(notes),
        random_(random),
        slot_count_(slot_count),
        worker_(worker),
        workers_(workers) {}

  /// TCP, UDP and ICMP only: the others have no ports.
  static constexpr bool has_ports(uint8_t protocol) {
    return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolIcmp;
  }

  /// Takes a port: `wanted` if it can be had, else a random one of the same class (below 1024, or not) within
  /// `range`; any within `range` where it holds none of the class. Never port 0, nor a reserved one. ICMP
  /// identifiers know neither class nor range, and may be 0. None: exhausted.
  /// REQUIRES: has_ports(protocol).
  std::optional<uint16_t> allocate(SlotIndex slot, uint8_t protocol, uint16_t wanted, PortRange range,
                                   Reserved reserved);
  /// Gives it back. A port that this worker did not take is left alone.
  void free(SlotIndex slot, uint8_t protocol, uint16_t port);

  /// The worker that gives out the ports around `port` now, or kNoWorker.
  [[nodiscard]] unsigned owner(SlotIndex slot, uint16_t port) const {
    return slots_[slot].owner[port / kPortsPerBlock].load(std::memory_order_relaxed) - 1u;
  }

  [[nodiscard]] Ip4 address(SlotIndex slot) const {
    return slots_[slot].address.load(std::memory_order_relaxed);
  }
  void set_address(SlotIndex slot, Ip4 address) {
    slots_[slot].address.store(address, std::memory_order_relaxed);
  }
  /// No worker has a block of it: control may give it to another address.
  [[nodiscard]] bool is_unused(SlotIndex slot) const;
  [[nodiscard]] unsigned slots() const { return slot_count_; }

  /// Ports in use by this worker; reads all its blocks. For `show`.
  [[nodiscard]] uint32_t used(SlotIndex slot, uint8_t protocol) const;

 private:
  struct Request;

  static unsigned kind_of(uint8_t protocol);
  uint32_t random(uint32_t below);
  bool claim(SlotIndex slot, unsigned block);
  void let_go(SlotIndex slot, unsigned block);
  [[nodiscard]] bool may_claim_ahead(const Request& request) const;
  void take(const Request& request, uint16_t port);
  std::optional<uint16_t> choose(const Request& request, uint64_t free, unsigned block);
  std::optional<uint16_t> keep(const Request& request, uint16_t wanted);
  std::optional<uint16_t> from_owned(const Request& request);
  std::optional<uint16_t> from_unclaimed(const Request& request);

  AddressSlot* slots_;
  BlockNotes* notes_;  // one a slot, of this worker
  uint64_t* random_;
  unsigned slot_count_;
  unsigned worker_;
  unsigned workers_;
};

}  // namespace sluice::dataplane
