// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port_blocks.h"

#include <algorithm>
#include <bit>

namespace sluice::dataplane {
namespace {

constexpr uint16_t kFirstOfUpperClass = 1024;  // RFC 4787 REQ-3 a
constexpr PortRange kAllIdentifiers = {0, 65535};

constexpr uint64_t bit(unsigned index) {
  return uint64_t{1} << index % 64;
}

// The bits first..last of a word, both included.
constexpr uint64_t bits_between(unsigned first, unsigned last) {
  return (~uint64_t{0} << first) & (~uint64_t{0} >> (63 - last));
}

// The bits of word `word` that stand for `first`..`last`.
constexpr uint64_t bits_within(unsigned word, unsigned first, unsigned last) {
  if (last / 64 < word || first / 64 > word) return 0;
  return bits_between(first / 64 == word ? first % 64 : 0, last / 64 == word ? last % 64 : 63);
}

PortRange eligible_range(uint8_t protocol, uint16_t wanted, PortRange range) {
  if (protocol == kProtocolIcmp) return kAllIdentifiers;
  range.first = std::max<uint16_t>(range.first, 1);
  PortRange in_class = range;
  if (wanted < kFirstOfUpperClass) {
    in_class.last = std::min<uint16_t>(range.last, kFirstOfUpperClass - 1);
  } else {
    in_class.first = std::max<uint16_t>(range.first, kFirstOfUpperClass);
  }
  // What the user asked for counts for more than the class, which RFC 4787 only recommends.
  return in_class.first <= in_class.last ? in_class : range;
}

// The first answer of `attempt` over the blocks first..last whose bit `bits(word)` has.
template <class Bits, class Attempt>
std::optional<uint16_t> scan(unsigned first, unsigned last, Bits bits, Attempt attempt) {
  for (unsigned word = first / 64; word <= last / 64; ++word) {
    for (uint64_t left = bits(word) & bits_within(word, first, last); left != 0; left &= left - 1) {
      const unsigned block = word * 64 + static_cast<unsigned>(std::countr_zero(left));
      if (const auto port = attempt(block)) return port;
    }
  }
  return std::nullopt;
}

// Likewise, but from `start` on and round.
template <class Bits, class Attempt>
std::optional<uint16_t> scan_round(unsigned first, unsigned last, unsigned start, Bits bits,
                                   Attempt attempt) {
  if (const auto port = scan(start, last, bits, attempt)) return port;
  return start == first ? std::nullopt : scan(first, start - 1, bits, attempt);
}

}  // namespace

struct PortBlocks::Request {
  SlotIndex slot;
  unsigned kind;
  PortRange range;  // that the port may come from
  Reserved reserved;

  [[nodiscard]] unsigned first_block() const { return range.first / kPortsPerBlock; }
  [[nodiscard]] unsigned last_block() const { return range.last / kPortsPerBlock; }
};

unsigned PortBlocks::kind_of(uint8_t protocol) {
  return protocol == kProtocolTcp ? 0 : protocol == kProtocolUdp ? 1 : 2;
}

// wyrand (Wang Yi): one multiplication, and every seed is a good one.
uint32_t PortBlocks::random(uint32_t below) {
  __extension__ using Wide = unsigned __int128;
  *random_ += 0xa0761d6478bd642f;
  const Wide product = Wide{*random_} * (*random_ ^ 0xe7037ed1a0b428db);
  const auto mixed = static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
  return static_cast<uint32_t>((mixed >> 32) * below >> 32);
}

std::optional<uint16_t> PortBlocks::allocate(SlotIndex slot, uint8_t protocol, uint16_t wanted,
                                             PortRange range, Reserved reserved) {
  const Request request{slot, kind_of(protocol), eligible_range(protocol, wanted, range), reserved};
  if (request.range.first > request.range.last) return std::nullopt;
  auto port = keep(request, wanted);
  if (!port) port = from_owned(request);
  if (!port) port = from_unclaimed(request);
  if (port) take(request, *port);
  return port;
}

// These three name a port that is free and that this worker may take: its block is ours by then.

std::optional<uint16_t> PortBlocks::keep(const Request& request, uint16_t wanted) {
  if (wanted < request.range.first || wanted > request.range.last) return std::nullopt;
  if (request.reserved(wanted)) return std::nullopt;
  const unsigned block = wanted / kPortsPerBlock;
  const bool is_ours = (notes_[request.slot].owned[block / 64] & bit(block)) != 0;
  const bool is_free = is_ours ? (slots_[request.slot].blocks[block].used[request.kind] & bit(wanted)) == 0
                               : may_claim_ahead(request) && claim(request.slot, block);
  return is_free ? std::optional(wanted) : std::nullopt;
}

std::optional<uint16_t> PortBlocks::from_owned(const Request& request) {
  const BlockNotes& notes = notes_[request.slot];
  const unsigned first = request.first_block(), last = request.last_block();
  return scan_round(
      first, last, first + random(last - first + 1),
      [&](unsigned word) { return notes.owned[word] & ~notes.full[request.kind][word]; },
      [&](unsigned block) {
        return choose(request, ~slots_[request.slot].blocks[block].used[request.kind], block);
      });
}

std::optional<uint16_t> PortBlocks::from_unclaimed(const Request& request) {
  const auto& claimed = slots_[request.slot].claimed;
  const unsigned first = request.first_block(), last = request.last_block();
  return scan_round(
      first, last, first + random(last - first + 1),
      [&](unsigned word) { return ~claimed[word].load(std::memory_order_relaxed); },
      [&](unsigned block) {
        const auto port = choose(request, ~uint64_t{0}, block);
        return port && claim(request.slot, block) ? port : std::nullopt;
      });
}

// One of the free ports of a block, from a random one on.
std::optional<uint16_t> PortBlocks::choose(const Request& request, uint64_t free, unsigned block) {
  const unsigned start = random(kPortsPerBlock);
  uint64_t left =
      std::rotr(free & bits_within(block, request.range.first, request.range.last), static_cast<int>(start));
  for (; left != 0; left &= left - 1) {
    const unsigned within = (static_cast<unsigned>(std::countr_zero(left)) + start) % kPortsPerBlock;
    const auto port = static_cast<uint16_t>(block * kPortsPerBlock + within);
    if (!request.reserved(port)) return port;
  }
  return std::nullopt;
}

// Whether this worker has less than its share of the blocks that the port may come from.
bool PortBlocks::may_claim_ahead(const Request& request) const {
  const unsigned first = request.first_block(), last = request.last_block();
  unsigned owned = 0;
  for (unsigned word = first / 64; word <= last / 64; ++word) {
    owned += static_cast<unsigned>(
        std::popcount(notes_[request.slot].owned[word] & bits_within(word, first, last)));
  }
  return owned * workers_ < last - first + 1;
}

// False: another worker has it, perhaps since a moment ago.
bool PortBlocks::claim(SlotIndex slot, unsigned block) {
  auto& claimed = slots_[slot].claimed[block / 64];
  if ((claimed.load(std::memory_order_relaxed) & bit(block)) != 0) return false;
  // Acquire: what the last owner wrote into the block stands before what we write.
  if ((claimed.fetch_or(bit(block), std::memory_order_acquire) & bit(block)) != 0) return false;
  notes_[slot].owned[block / 64] |= bit(block);
  slots_[slot].owner[block].store(static_cast<uint8_t>(worker_ + 1), std::memory_order_relaxed);
  return true;
}

void PortBlocks::let_go(SlotIndex slot, unsigned block) {
  slots_[slot].owner[block].store(0, std::memory_order_relaxed);
  notes_[slot].owned[block / 64] &= ~bit(block);
  slots_[slot].claimed[block / 64].fetch_and(~bit(block), std::memory_order_release);
}

void PortBlocks::take(const Request& request, uint16_t port) {
  const unsigned block = port / kPortsPerBlock;
  uint64_t& used = slots_[request.slot].blocks[block].used[request.kind];
  used |= bit(port);
  if (used == ~uint64_t{0}) notes_[request.slot].full[request.kind][block / 64] |= bit(block);
}

void PortBlocks::free(SlotIndex slot, uint8_t protocol, uint16_t port) {
  const unsigned block = port / kPortsPerBlock, kind = kind_of(protocol);
  BlockNotes& notes = notes_[slot];
  if ((notes.owned[block / 64] & bit(block)) == 0) return;
  auto& used = slots_[slot].blocks[block].used;
  used[kind] &= ~bit(port);
  notes.full[kind][block / 64] &= ~bit(block);
  if ((used[0] | used[1] | used[2]) == 0) let_go(slot, block);
}

bool PortBlocks::is_unused(SlotIndex slot) const {
  return std::all_of(slots_[slot].claimed.begin(), slots_[slot].claimed.end(),
                     [](const auto& word) { return word.load(std::memory_order_relaxed) == 0; });
}

uint32_t PortBlocks::used(SlotIndex slot, uint8_t protocol) const {
  uint32_t count = 0;
  scan(
      0, kBlocksPerAddress - 1, [&](unsigned word) { return notes_[slot].owned[word]; },
      [&](unsigned block) -> std::optional<uint16_t> {
        count += static_cast<uint32_t>(std::popcount(slots_[slot].blocks[block].used[kind_of(protocol)]));
        return std::nullopt;
      });
  return count;
}

}  // namespace sluice::dataplane
