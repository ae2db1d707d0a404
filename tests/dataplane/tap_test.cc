// SPDX-License-Identifier: BSD-3-Clause
//
// What a tap's descriptor gets. A pair of sockets stands for it that, as a tap does, takes one packet a call,
// whole or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <vector>

#include "dataplane/tap.h"
#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using dataplane::send_to_tap;
using testing::ElementsAre;

class Tap : public testing::Test {
 protected:
  Tap() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends_.data()), 0); }
  ~Tap() override {
    for (const int end : ends_) close(end);
  }

  uint16_t send(std::vector<rte_mbuf*>& packets) {
    return send_to_tap(ends_[0], packets.data(), static_cast<uint16_t>(packets.size()));
  }
  void go_down() { shutdown(ends_[0], SHUT_WR); }
  /// What the kernel was given in one call, behind the four octets that it expects first.
  std::optional<Frame> next() {
    Frame whole(65536 + 4);
    const ssize_t length = recv(ends_[1], whole.data(), whole.size(), 0);
    if (length < 4) return std::nullopt;
    EXPECT_EQ(Frame(whole.begin(), whole.begin() + 4), Frame(4));
    return Frame(whole.begin() + 4, whole.begin() + length);
  }
  rte_mbuf* packet(uint8_t first) { return make_packet(frame(first), pool(), Buffer::exact); }
  static Frame frame(uint8_t first) { return from(kAnn).to(kBob).octets(100).first(first); }
  rte_mempool* pool() { return owner_.pool(); }

 private:
  TestSwitch owner_{"{ports: {a: {device: 'null'}}, bridges: {lan: {ports: [a]}}}"};  // counts the buffers
  std::array<int, 2> ends_{};
};

TEST_F(Tap, is_given_each_frame_by_itself_and_in_order) {
  std::vector<rte_mbuf*> packets{packet(1), packet(2), packet(3)};
  EXPECT_EQ(send(packets), 3);
  for (const uint8_t first : {1, 2, 3}) EXPECT_EQ(next(), frame(first));
  EXPECT_EQ(next(), std::nullopt);
}

TEST_F(Tap, is_given_all_segments_of_a_frame_at_once) {
  const Frame jumbo = from(kAnn).to(kBob).octets(9014);
  std::vector<rte_mbuf*> packets{make_segments(jumbo, 100, pool())};
  EXPECT_EQ(send(packets), 1);
  EXPECT_EQ(next(), jumbo);
  EXPECT_EQ(next(), std::nullopt);
}

TEST_F(Tap, that_is_full_leaves_the_rest_to_the_sender) {
  std::vector<rte_mbuf*> packets;
  for (unsigned i = 0; i < 2000; ++i) packets.push_back(packet(7));
  const uint16_t sent = send(packets);
  ASSERT_GT(sent, 0);
  ASSERT_LT(sent, packets.size()) << "the sockets hold more than this test sends";
  for (size_t i = sent; i < packets.size(); ++i) {
    EXPECT_EQ(octets(packets[i]), frame(7));
    rte_pktmbuf_free(packets[i]);
  }
  uint16_t arrived = 0;
  for (; next(); ++arrived) {
  }
  EXPECT_EQ(arrived, sent);
}

TEST_F(Tap, that_is_down_takes_nothing) {
  go_down();
  const auto old = signal(SIGPIPE, SIG_IGN);
  std::vector<rte_mbuf*> packets{packet(1), packet(2)};
  EXPECT_EQ(send(packets), 0);
  for (rte_mbuf* left : packets) rte_pktmbuf_free(left);
  signal(SIGPIPE, old);
}

TEST_F(Tap, does_not_take_a_frame_in_more_segments_than_one_call_can_name) {
  const Frame fits = from(kAnn).to(kBob).octets(256), finer = from(kAnn).to(kBob).octets(257);
  std::vector<rte_mbuf*> packets{make_segments(fits, 1, pool()), make_segments(finer, 1, pool()), packet(1)};
  EXPECT_EQ(send(packets), 1) << "and what stands behind it waits, as for a full queue";
  EXPECT_EQ(next(), fits);
  EXPECT_EQ(next(), std::nullopt);
  rte_pktmbuf_free(packets[1]);
  rte_pktmbuf_free(packets[2]);
}

}  // namespace
}  // namespace sluice::test
