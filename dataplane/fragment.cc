// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fragment.h"

#include <rte_mbuf.h>

#include <algorithm>

#include "dataplane/checksum.h"
#include "dataplane/frame.h"
#include "dataplane/ip_header.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned kMaxHeader = 60;
constexpr uint8_t kCopied = 0x80, kEnd = 0, kNop = 1;

/// An Ethernet and an IPv4 header.
struct Head {
  std::array<uint8_t, kEthernetHeaderLength + kVlanTagLength + kMaxHeader> octets;
  unsigned l3;      ///< where the IP header begins
  unsigned length;  ///< of both

  [[nodiscard]] unsigned ip_length() const { return length - l3; }
  [[nodiscard]] Ipv4Header* ip() { return reinterpret_cast<Ipv4Header*>(octets.data() + l3); }
};

Head first_head(const Batch& batch, uint8_t place) {
  Head head{{}, batch.l3[place], unsigned{batch.l3[place]} + batch.l4[place]};
  std::memcpy(head.octets.data(), rte_pktmbuf_mtod(batch.packet[place], const uint8_t*), head.length);
  return head;
}

// Later parts carry only the options that say so.
Head later_head(const Head& first) {
  Head head = first;
  unsigned to = head.l3 + sizeof(Ipv4Header);
  for (unsigned from = to; from < first.length && first.octets[from] != kEnd;) {
    const bool single = first.octets[from] == kNop;
    const unsigned size = single || from + 1 >= first.length ? 1 : first.octets[from + 1];
    if (!single && (size < 2 || from + size > first.length)) break;
    if (!single && (first.octets[from] & kCopied) != 0) {
      std::memmove(head.octets.data() + to, first.octets.data() + from, size);
      to += size;
    }
    from += size;
  }
  while ((to - head.l3) % 4 != 0) head.octets[to++] = kEnd;
  head.length = to;
  head.ip()->version_ihl = static_cast<uint8_t>(0x40 | head.ip_length() / 4);
  return head;
}

/// The part of the payload that a fragment carries.
struct Slice {
  unsigned offset, length;
  bool last;
};

void finish_head(Head& head, const Slice& slice, uint16_t original) {
  Ipv4Header* ip = head.ip();
  const bool more = !slice.last || (original & kMoreFragments) != 0;
  const auto offset = static_cast<uint16_t>((original & kFragmentOffset) + slice.offset / 8);
  ip->fragment = BigEndian<uint16_t>(static_cast<uint16_t>(offset | (more ? kMoreFragments : 0)));
  ip->total_length = BigEndian<uint16_t>(static_cast<uint16_t>(head.ip_length() + slice.length));
  ip->checksum = 0;
  ip->checksum = static_cast<uint16_t>(~internet_checksum(ip, head.ip_length()));
}

rte_mbuf* make_part(Context& context, rte_mbuf* whole, unsigned payload, Head head, const Slice& slice,
                    uint16_t original) {
  rte_mbuf* part = rte_pktmbuf_copy(whole, context.shared.pool, payload + slice.offset, slice.length);
  if (part == nullptr) return nullptr;
  finish_head(head, slice, original);
  char* begin = rte_pktmbuf_prepend(part, static_cast<uint16_t>(head.length));
  if (begin == nullptr) {
    rte_pktmbuf_free(part);
    return nullptr;
  }
  std::memcpy(begin, head.octets.data(), head.length);
  part->ol_flags = 0;
  return part;
}

constexpr unsigned kMaxParts = 64;

struct Parts {
  unsigned count = 0;
  std::array<rte_mbuf*, kMaxParts> packets;
  void free() {
    for (unsigned i = 0; i < count; ++i) rte_pktmbuf_free(packets[i]);
  }
};

DropReason cut(Context& context, const Batch& batch, uint8_t place, uint16_t mtu, Parts& parts) {
  rte_mbuf* whole = batch.packet[place];
  Head head = first_head(batch, place);
  const unsigned payload = head.length, total = batch.ip_length[place] - head.ip_length();
  const uint16_t original = head.ip()->fragment.host();
  const Head later = later_head(head);
  for (unsigned offset = 0; offset < total;) {
    const unsigned room = (mtu - head.ip_length()) & ~7u;
    const unsigned length = std::min(room, total - offset);
    if (parts.count == kMaxParts || parts.count + context.again.size() == Again::kCapacity)
      return DropReason::again_full;
    const Slice slice{offset, length, offset + length == total};
    rte_mbuf* part = make_part(context, whole, payload, head, slice, original);
    if (part == nullptr) return DropReason::no_mbuf;
    parts.packets[parts.count++] = part;
    offset += length;
    head = later;
  }
  return DropReason::none;
}

}  // namespace

DropReason fragment(Context& context, Batch& batch, uint8_t place, uint16_t mtu) {
  if (batch.passes[place] == kMaxPasses) return DropReason::loop;
  rte_mbuf*& whole = batch.packet[place];
  if (has_partial_checksum(whole)) {  // afterwards nobody could tell which part it is in
    if (!own(whole, 0, 0, context.shared.pool)) return DropReason::no_mbuf;
    finish_checksum(whole, false);
  }
  Parts parts;
  if (const DropReason failed = cut(context, batch, place, mtu, parts); failed != DropReason::none) {
    parts.free();
    return failed;
  }
  const auto passes = static_cast<uint8_t>(batch.passes[place] + 1);
  for (unsigned i = 0; i < parts.count; ++i)
    context.again.push({parts.packets[i], batch.ingress[place], passes, batch.interface[place] == 0});
  ++context.counters.consumed;
  context.counters.generated += parts.count;
  rte_pktmbuf_free(whole);
  return DropReason::none;
}

}  // namespace sluice::dataplane
