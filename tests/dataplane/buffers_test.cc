// SPDX-License-Identifier: BSD-3-Clause
//
// Packets of every make: in segments, shared, with open checksums, and when there are no buffers left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kTagger = R"(
ports: { a: {device: "null", mtu: 4000}, b: {device: "null", mtu: 4000}, trunk: {device: "null", mtu: 4000} }
bridges: { lan: { ports: { a: {vlan: 10}, b: {vlan: 10}, trunk: {vlans: [10]} } } }
)";

TEST(Segments, a_header_that_is_split_over_segments_is_read_whole) {
  for (size_t length : {1u, 7u, 13u, 15u, 17u, 18u, 59u}) {
    TestSwitch lan(kTagger);
    lan.receive_packet("trunk",
                       make_segments(from(kAnn).to(kEverybody).vlan(10).octets(104), length, lan.pool()));
    EXPECT_THAT(lan.sent("a"), ElementsAre(Frame(from(kAnn).to(kEverybody).octets(100)))) << length;
  }
}

TEST(Segments, a_long_chain_passes_and_gets_its_tag) {
  TestSwitch lan(kTagger);
  lan.receive_packet("a", make_segments(from(kAnn).to(kEverybody).octets(3000), 500, lan.pool()));
  EXPECT_THAT(lan.sent("b"), ElementsAre(Frame(from(kAnn).to(kEverybody).octets(3000))));
  EXPECT_THAT(lan.sent("trunk"), ElementsAre(Frame(from(kAnn).to(kEverybody).vlan(10).octets(3004))));
}

TEST(Segments, a_driver_that_takes_one_segment_gets_one) {
  TestSwitch lan(kTagger, {.needs_linear = true});
  const Frame frame = from(kAnn).to(kEverybody).octets(1000);
  lan.receive_packet("a", make_segments(frame, 100, lan.pool()));
  rte_mbuf* packet = lan.devices().take("b");
  ASSERT_NE(packet, nullptr);
  EXPECT_EQ(packet->nb_segs, 1);
  EXPECT_TRUE(RTE_MBUF_DIRECT(packet)) << "and shares it with nobody";
  EXPECT_EQ(octets(packet), frame);
  rte_pktmbuf_free(packet);
}

TEST(Shared, a_tag_is_never_written_into_octets_that_another_copy_shares) {
  TestSwitch lan(kTagger);
  rte_mbuf* original = make_packet(from(kAnn).to(kEverybody).octets(100), lan.pool(), Buffer::pool);
  lan.receive_packet("a", rte_pktmbuf_clone(original, lan.pool()));
  EXPECT_EQ(octets(original), Frame(from(kAnn).to(kEverybody).octets(100)));
  EXPECT_THAT(lan.sent("trunk"), ElementsAre(Frame(from(kAnn).to(kEverybody).vlan(10).octets(104))));
  rte_pktmbuf_free(original);
}

TEST(Shared, neither_is_padding_nor_the_loss_of_a_tag) {
  TestSwitch lan(kTagger);
  const Frame frame = from(kAnn).to(kEverybody).vlan(10).octets(60);
  rte_mbuf* original = make_packet(frame, lan.pool(), Buffer::pool);
  lan.receive_packet("trunk", rte_pktmbuf_clone(original, lan.pool()));
  EXPECT_EQ(octets(original), frame);
  EXPECT_THAT(lan.sent("a"), ElementsAre(padded(from(kAnn).to(kEverybody).octets(56), 4)));
  rte_pktmbuf_free(original);
}

// Leaves exactly `left` buffers in the pool for as long as it lives.
class Shortage {
 public:
  Shortage(rte_mempool* pool, unsigned left) {
    while (rte_mempool_avail_count(pool) > left) hoard_.push_back(rte_pktmbuf_alloc(pool));
  }
  ~Shortage() {
    for (rte_mbuf* packet : hoard_) rte_pktmbuf_free(packet);
  }

 private:
  std::vector<rte_mbuf*> hoard_;
};

TEST(Shortage, a_flood_without_buffers_reaches_whom_it_can_and_counts_the_rest) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"}, d: {device: "null"} }
bridges: { lan: { ports: [a, b, c, d] } }
)");
  const Frame frame = from(kAnn).to(kEverybody).octets(100);
  {
    const Shortage shortage(lan.pool(), 2);  // the frame itself and one clone
    lan.receive("a", frame);
    EXPECT_EQ(lan.sent("b").size() + lan.sent("c").size() + lan.sent("d").size(), 2u);
    const uint64_t lost = lan.drops("b", DropReason::no_mbuf) + lan.drops("c", DropReason::no_mbuf) +
                          lan.drops("d", DropReason::no_mbuf);
    EXPECT_EQ(lost, 1u);
    EXPECT_EQ(lan.counters().generated, 2u) << "a copy that could not be made is a copy that was dropped";
  }
  lan.receive("a", frame);
  EXPECT_EQ(lan.sent("d").size(), 1u) << "with buffers it floods whole again";
}

TEST(Shortage, a_frame_that_cannot_get_its_tag_is_dropped_not_sent_without) {
  TestSwitch lan(kTagger);
  lan.receive("trunk", from(kBob).to(kEverybody).vlan(10).octets(104));
  lan.sent("a"), lan.sent("b");
  {
    const Shortage shortage(lan.pool(), 1);
    lan.receive("a", from(kAnn).to(kBob).octets(100));  // in an exact block: no headroom for a tag
    EXPECT_EQ(lan.drops("a", DropReason::no_mbuf), 1u);
  }
  EXPECT_THAT(lan.sent("trunk"), IsEmpty());
}

TEST(Transmit, what_a_full_queue_does_not_take_is_counted_at_its_port) {
  TestSwitch lan("{ports: {a: {device: 'null'}, b: {device: 'null'}}, bridges: {lan: {ports: [a, b]}}}",
                 {.ring_slots = 64});
  Frames burst(40, from(kAnn).to(kBob));
  lan.receive_burst("a", burst);
  lan.receive_burst("a", burst);
  EXPECT_EQ(lan.drops("b", DropReason::transmit_full), 17u) << "a ring of 64 slots holds 63";
  EXPECT_EQ(lan.sent("b").size(), 63u);
}

// ---- checksums that a guest left open
// ----------------------------------------------------------------------------

constexpr uint16_t kIpv4 = 0x0800;
constexpr uint16_t kIpv6 = 0x86DD;

/// An Ethernet, IP and UDP header with `payload` octets, the UDP checksum wrong.
Frame open_udp(uint16_t type, uint16_t payload, bool tagged) {
  const size_t ip_length = type == kIpv4 ? sizeof(rte_ipv4_hdr) : sizeof(rte_ipv6_hdr);
  const size_t start = tagged ? 18 : 14;
  FrameBuilder builder = from(kAnn).to(kEverybody).type(type);
  if (tagged) builder.vlan(10);
  Frame frame = builder.octets(start + ip_length + sizeof(rte_udp_hdr) + payload);
  const auto length = static_cast<uint16_t>(sizeof(rte_udp_hdr) + payload);
  if (type == kIpv4) {
    rte_ipv4_hdr ip{};
    ip.version_ihl = 0x45;
    ip.total_length = rte_cpu_to_be_16(static_cast<uint16_t>(ip_length + length));
    ip.time_to_live = 64;
    ip.next_proto_id = IPPROTO_UDP;
    ip.src_addr = rte_cpu_to_be_32(0x0A000001);
    ip.dst_addr = rte_cpu_to_be_32(0x0A000002);
    std::memcpy(frame.data() + start, &ip, sizeof ip);
  } else {
    rte_ipv6_hdr ip{};
    ip.vtc_flow = rte_cpu_to_be_32(0x60000000);
    ip.payload_len = rte_cpu_to_be_16(length);
    ip.proto = IPPROTO_UDP;
    ip.src_addr[15] = 1;
    ip.dst_addr[15] = 2;
    std::memcpy(frame.data() + start, &ip, sizeof ip);
  }
  const rte_udp_hdr udp{rte_cpu_to_be_16(1000), rte_cpu_to_be_16(2000), rte_cpu_to_be_16(length), 0x1234};
  std::memcpy(frame.data() + start + ip_length, &udp, sizeof udp);
  return frame;
}

bool udp_checksum_is_right(const Frame& frame, uint16_t type) {
  const uint8_t* ip = frame.data() + 14;
  if (type == kIpv4) {
    const auto* header = reinterpret_cast<const rte_ipv4_hdr*>(ip);
    uint32_t sum = __rte_raw_cksum(ip + 20, frame.size() - 34, 0);
    return static_cast<uint16_t>(__rte_raw_cksum_reduce(sum + rte_ipv4_phdr_cksum(header, 0))) == 0xFFFF;
  }
  const auto* header = reinterpret_cast<const rte_ipv6_hdr*>(ip);
  uint32_t sum = __rte_raw_cksum(ip + 40, frame.size() - 54, 0);
  return static_cast<uint16_t>(__rte_raw_cksum_reduce(sum + rte_ipv6_phdr_cksum(header, 0))) == 0xFFFF;
}

rte_mbuf* with_open_checksum(rte_mbuf* packet) {
  packet->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_NONE;
  return packet;
}

TEST(Checksum, that_a_sender_left_open_is_finished_before_the_frame_leaves) {
  for (uint16_t type : {kIpv4, kIpv6}) {
    for (uint16_t payload : {46, 47, 1000}) {
      TestSwitch lan(kTagger);
      const Frame frame = open_udp(type, payload, false);
      ASSERT_FALSE(udp_checksum_is_right(frame, type));
      lan.receive_packet("a", with_open_checksum(make_segments(frame, 300, lan.pool())));
      const Frames out = lan.sent("b");
      ASSERT_EQ(out.size(), 1u);
      EXPECT_TRUE(udp_checksum_is_right(out[0], type)) << type << " " << payload;
    }
  }
}

TEST(Checksum, is_finished_behind_a_tag_and_when_the_tag_goes) {
  TestSwitch lan(kTagger);
  lan.receive_packet("trunk",
                     with_open_checksum(make_packet(open_udp(kIpv4, 100, true), lan.pool(), Buffer::exact)));
  const Frames out = lan.sent("a");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(udp_checksum_is_right(out[0], kIpv4));
}

TEST(Checksum, is_finished_for_known_destinations_too) {
  TestSwitch lan(kTagger);
  lan.receive("b", from(kBob).to(kEverybody));
  lan.sent("a"), lan.sent("trunk");
  Frame frame = open_udp(kIpv4, 100, false);
  const Frame to_bob = from(kAnn).to(kBob).octets(14);
  std::copy(to_bob.begin(), to_bob.begin() + 6, frame.begin());
  lan.receive_packet("a", with_open_checksum(make_packet(frame, lan.pool(), Buffer::pool)));
  const Frames out = lan.sent("b");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(udp_checksum_is_right(out[0], kIpv4));
}

TEST(Checksum, that_nobody_left_open_is_not_touched_even_if_it_is_wrong) {
  TestSwitch lan(kTagger);
  const Frame frame = open_udp(kIpv4, 100, false);
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
}

TEST(Checksum, of_a_packet_whose_ip_header_lies_about_its_length_is_left_alone) {
  TestSwitch lan(kTagger);
  for (uint16_t type : {kIpv4, kIpv6}) {
    Frame frame = open_udp(type, 100, false);
    frame.resize(frame.size() - 50);
    lan.receive_packet("a", with_open_checksum(make_packet(frame, lan.pool(), Buffer::exact)));
    EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
  }
}

}  // namespace
}  // namespace sluice::test
