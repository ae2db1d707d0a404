// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/tap.h"

#include <rte_mbuf.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace sluice::dataplane {
namespace {

// The kernel expects struct tun_pi before the frame; of a tap it reads nothing in it.
constexpr std::array<uint8_t, 4> kPacketInformation = {};

// A frame of 65535 octets takes 33 buffers of the pool. Only a sender who cuts finer than that comes near
// this.
constexpr size_t kMaxSegments = 256;

bool send_one(int descriptor, const rte_mbuf* packet) {
  std::array<iovec, 1 + kMaxSegments> pieces;
  size_t count = 0;
  pieces[count++] = {const_cast<uint8_t*>(kPacketInformation.data()), kPacketInformation.size()};
  for (const rte_mbuf* segment = packet; segment != nullptr; segment = segment->next) {
    if (count == pieces.size()) return false;
    pieces[count++] = {rte_pktmbuf_mtod(segment, void*), segment->data_len};
  }
  ssize_t written;
  do written = writev(descriptor, pieces.data(), static_cast<int>(count));
  while (written < 0 && errno == EINTR);
  return written >= 0;
}

}  // namespace

uint16_t send_to_tap(int descriptor, rte_mbuf** packets, uint16_t count) {
  uint16_t sent = 0;
  while (sent < count && send_one(descriptor, packets[sent])) rte_pktmbuf_free(packets[sent++]);
  return sent;
}

}  // namespace sluice::dataplane
