// SPDX-License-Identifier: BSD-3-Clause
//
// Packets whose sender left the transport checksum to be finished, as a guest does, on their way through the
// router. What leaves is compared with what the builder makes, whose checksums are right.
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

constexpr size_t kEthernet = 14;

/// Where a frame without tags and options has its TCP or UDP checksum.
size_t checksum_at(const Frame& frame) {
  const bool ipv4 = frame.at(kEthernet) >> 4 == 4;
  const uint8_t protocol = frame.at(kEthernet + (ipv4 ? 9 : 6));
  return kEthernet + (ipv4 ? 20 : 40) + (protocol == 6 ? 16 : 6);
}
uint16_t checksum_of(const Frame& frame) {
  return static_cast<uint16_t>(frame.at(checksum_at(frame)) << 8 | frame.at(checksum_at(frame) + 1));
}

/// The frame as it is handed over: something else where the checksum belongs, and a buffer that says so.
rte_mbuf* opened(Frame frame, rte_mempool* pool, Buffer buffer) {
  frame.at(checksum_at(frame)) ^= 0x5A;
  frame.at(checksum_at(frame) + 1) ^= 0xC3;
  rte_mbuf* packet = make_packet(frame, pool, buffer);
  packet->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
  return packet;
}

std::vector<PacketBuilder> all_kinds(size_t data) {
  return {udp("192.168.10.7:5000", "198.51.100.9:53").data(data),
          tcp("192.168.10.7:5000", "198.51.100.9:80").data(data),
          udp("[fd00:10::7]:5000", "[2001:db8:9::9]:53").data(data),
          tcp("[fd00:10::7]:5000", "[2001:db8:9::9]:80").data(data)};
}

class OpenChecksums : public RouterTest {
 protected:
  static void send(TestRouter& router, const PacketBuilder& packet) {
    router.receive_packet("a", opened(router.by(kAnnHost, packet), router.pool(), GetParam().buffer));
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, OpenChecksums, kWays, way_name);

TEST_P(OpenChecksums, are_finished_when_the_packet_is_routed) {
  TestRouter router = make();
  for (const size_t data : {0, 1, 18, 1000}) {
    for (const PacketBuilder& packet : all_kinds(data)) {
      send(router, packet);
      EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, PacketBuilder(packet).ttl(63))})) << data;
    }
  }
}

TEST_P(OpenChecksums, that_come_out_as_zero_are_zero_in_tcp_and_ffff_in_udp) {
  TestRouter router = make();
  unsigned met = 0;
  for (const PacketBuilder& packet : all_kinds(2)) {
    for (unsigned word = 0; word < 65536; ++word) {
      PacketBuilder tried = PacketBuilder(packet).ttl(63).data(
          Frame{static_cast<uint8_t>(word >> 8), static_cast<uint8_t>(word)});
      const Frame leaving = router.to(kCatHost, tried);
      if (checksum_of(leaving) != 0 && checksum_of(leaving) != 0xFFFF) continue;
      send(router, tried.ttl(64));
      EXPECT_TRUE(same(router.sent("w"), {leaving}));
      ++met;
      break;
    }
  }
  EXPECT_EQ(met, 4u);
}

TEST_P(OpenChecksums, are_finished_before_the_packet_is_cut) {
  TestRouter router = make(Home{.uplink = ", mtu: 1400", .mtu = "9000"});
  const auto packet = [] { return udp("192.168.10.7:5000", "198.51.100.9:53").data(2000); };
  send(router, packet());
  EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, packet().ttl(63).part(0, 1376)),
                                      router.to(kCatHost, packet().ttl(63).part(1376, 632))}));
}

TEST_P(OpenChecksums, of_protocols_that_we_do_not_know_are_left_as_they_are) {
  TestRouter router = make();
  const PacketBuilder packet = ip(132, "192.168.10.7", "198.51.100.9");  // SCTP has a CRC of its own
  rte_mbuf* handed = make_packet(router.by(kAnnHost, packet), router.pool(), GetParam().buffer);
  handed->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
  router.receive_packet("a", handed);
  EXPECT_TRUE(same(router.sent("w"), {router.to(kCatHost, PacketBuilder(packet).ttl(63))}));
}

// What a driver does that is asked to finish a checksum.
Frame finished_by_driver(rte_mbuf* packet) {
  const size_t begin = size_t{packet->l2_len} + packet->l3_len;
  Frame frame = octets(packet);
  uint16_t sum = 0;
  EXPECT_EQ(rte_raw_cksum_mbuf(packet, static_cast<uint32_t>(begin),
                               static_cast<uint32_t>(frame.size() - begin), &sum),
            0);
  sum = static_cast<uint16_t>(~sum);
  std::memcpy(frame.data() + checksum_at(frame), &sum, sizeof sum);
  return frame;
}

TEST_P(OpenChecksums, are_left_to_a_driver_that_finishes_them) {
  TestRouter router = make();
  for (const PacketBuilder& packet : all_kinds(100)) {
    const Frame whole = packet;
    const bool is_ipv6 = whole.at(kEthernet) >> 4 == 6;
    const bool is_udp = whole.at(kEthernet + (is_ipv6 ? 6 : 9)) == 17;
    rte_mbuf* handed = opened(whole, router.pool(), GetParam().buffer);
    dataplane::finish_checksum(handed, true);
    EXPECT_FALSE(dataplane::has_partial_checksum(handed)) << "it is asked for once";
    EXPECT_EQ(handed->l2_len, kEthernet);
    EXPECT_EQ(handed->l3_len, is_ipv6 ? 40u : 20u);
    EXPECT_EQ(handed->ol_flags & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6),
              is_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
    EXPECT_EQ(handed->ol_flags & RTE_MBUF_F_TX_L4_MASK,
              is_udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
    EXPECT_EQ(finished_by_driver(handed), whole);
    rte_pktmbuf_free(handed);
  }
}

}  // namespace
}  // namespace sluice::test
