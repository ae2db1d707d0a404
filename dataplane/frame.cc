// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/frame.h"

#include <rte_mbuf.h>

#include "dataplane/checksum.h"
#include "dataplane/ethernet.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned kAddresses = 12;  // what stands before the tag

// Only a frame whose bytes no other mbuf refers to may be written to.
bool is_private(const rte_mbuf* packet) {
  for (const rte_mbuf* segment = packet; segment != nullptr; segment = segment->next) {
    if (RTE_MBUF_CLONED(segment) || rte_mbuf_refcnt_read(segment) != 1) return false;
    if (RTE_MBUF_HAS_EXTBUF(segment) && rte_mbuf_ext_refcnt_read(segment->shinfo) != 1) return false;
  }
  return true;
}

}  // namespace

bool own(rte_mbuf*& packet, uint16_t headroom, uint16_t tailroom, rte_mempool* pool) {
  if (is_private(packet) && rte_pktmbuf_headroom(packet) >= headroom &&
      rte_pktmbuf_tailroom(rte_pktmbuf_lastseg(packet)) >= tailroom) {
    return true;
  }
  rte_mbuf* copy = rte_pktmbuf_copy(packet, pool, 0, UINT32_MAX);
  if (copy == nullptr) return false;
  rte_pktmbuf_free(packet);
  packet = copy;
  return true;
}

namespace {

uint8_t* bytes(rte_mbuf* packet) {
  return rte_pktmbuf_mtod(packet, uint8_t*);
}

VlanTag* tag(rte_mbuf* packet) {
  return rte_pktmbuf_mtod_offset(packet, VlanTag*, kAddresses);
}

bool push_tag(rte_mbuf*& packet, uint16_t vid, rte_mempool* pool) {
  if (!own(packet, kVlanTagLength, 0, pool)) return false;
  const uint8_t* old = bytes(packet);
  std::memmove(rte_pktmbuf_prepend(packet, kVlanTagLength), old, kAddresses);
  *tag(packet) = {BigEndian<uint16_t>(kEtherTypeVlan), BigEndian<uint16_t>(vid)};
  return true;
}

bool pop_tag(rte_mbuf*& packet, rte_mempool* pool) {
  if (!own(packet, 0, 0, pool)) return false;
  std::memmove(bytes(packet) + kVlanTagLength, bytes(packet), kAddresses);
  rte_pktmbuf_adj(packet, kVlanTagLength);
  return true;
}

bool change_vid(rte_mbuf*& packet, uint16_t tci, uint16_t vid, rte_mempool* pool) {
  if (!own(packet, 0, 0, pool)) return false;
  tag(packet)->tci = BigEndian<uint16_t>(static_cast<uint16_t>((tci & ~kVidMask) | vid));
  return true;
}

bool retag(rte_mbuf*& packet, Tagging tagging, uint16_t vid, rte_mempool* pool) {
  if (vid == 0) return !tagging.tagged || pop_tag(packet, pool);
  if (!tagging.tagged) return push_tag(packet, vid, pool);
  return (tagging.tci & kVidMask) == vid || change_vid(packet, tagging.tci, vid, pool);
}

bool pad(rte_mbuf*& packet, rte_mempool* pool) {
  if (packet->pkt_len >= kMinimumFrame) [[likely]]
    return true;
  const auto missing = static_cast<uint16_t>(kMinimumFrame - packet->pkt_len);
  if (!own(packet, 0, missing, pool)) return false;
  std::memset(rte_pktmbuf_append(packet, missing), 0, missing);
  return true;
}

}  // namespace

bool dress(rte_mbuf*& packet, Tagging tagging, uint16_t vid, const Port& port, rte_mempool* pool) {
  if (!retag(packet, tagging, vid, pool) || !pad(packet, pool)) return false;
  if (!has_partial_checksum(packet)) [[likely]]
    return true;
  if (!own(packet, 0, 0, pool)) return false;
  finish_checksum(packet, port.finishes_checksums);
  return true;
}

bool fits(const rte_mbuf* packet, uint16_t mtu) {
  uint32_t payload = packet->pkt_len - kEthernetHeaderLength;
  if (payload <= mtu) [[likely]]
    return true;
  for (unsigned tags = 0; tags < 2; ++tags) {
    BigEndian<uint16_t> type;
    const void* at = rte_pktmbuf_read(packet, kAddresses + tags * kVlanTagLength, sizeof type, &type);
    if (at == nullptr) break;
    std::memcpy(&type, at, sizeof type);
    if (type.host() != kEtherTypeVlan && type.host() != kEtherTypeServiceVlan) break;
    payload -= kVlanTagLength;
  }
  return payload <= mtu;
}

bool linearise(rte_mbuf*& packet, rte_mempool* pool) {
  if (packet->nb_segs == 1 && is_private(packet)) return true;
  if (packet->pkt_len + RTE_PKTMBUF_HEADROOM > rte_pktmbuf_data_room_size(pool)) return false;
  rte_mbuf* copy = rte_pktmbuf_copy(packet, pool, 0, UINT32_MAX);
  if (copy == nullptr) return false;
  rte_pktmbuf_free(packet);
  packet = copy;
  return true;
}

}  // namespace sluice::dataplane
