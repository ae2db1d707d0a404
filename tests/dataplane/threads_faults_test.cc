// SPDX-License-Identifier: BSD-3-Clause
//
// A worker whose core is taken: nobody waits for it but who has to, and what it cannot do is counted. Also
// run under ThreadSanitizer.
#include <atomic>
#include <thread>

#include "tests/dataplane/threads_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;

// b has one transmit queue, which is worker 0's.
const std::string kTwo =
    "ports: { a: {device: 'null'}, b: {device: 'null', rx-queues: 1, tx-queues: 1} }\n"
    "bridges: { lan: { ports: [a, b] } }\n";
const std::string kThree =
    "ports: { a: {device: 'null'}, b: {device: 'null', rx-queues: 1, tx-queues: 1}, c: {device: 'null'} }\n"
    "bridges: { lan: { ports: [a, b, c] } }\n";

class StarvedWorker : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Idle, StarvedWorker, testing::Values("sleep", "spin"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(StarvedWorker, costs_what_its_ring_cannot_hold_and_nothing_else) {
  ThreadedSwitch lan(kTwo, GetParam());
  lan.devices().starve_worker_at("a", 0);
  constexpr unsigned kSent = 1500, kRing = dataplane::kHandoverSlots - 1;
  for (unsigned i = 0; i < kSent; ++i) ASSERT_TRUE(lan.give("a", from(kAnn).to(kBob), 1));
  // Worker 1 comes to the end of them although worker 0 takes none.
  for (unsigned tries = 0; tries < 20; ++tries) {
    const control::Books books = lan.runtime().books();
    EXPECT_EQ(books.fresh, std::vector<bool>({false, true})) << "and nobody waits for ever";
    EXPECT_EQ(books.unaccounted, 0);
    if (books.workers[1].packets < kSent) continue;
    const auto& b = books.workers[1].ports[lan.runtime().ports().at("b").index];
    EXPECT_EQ(b.drops[static_cast<size_t>(DropReason::steer_full)], kSent - kRing);
    EXPECT_EQ(books.workers[1].handed_over, kRing);
    break;
  }
  lan.devices().let_go("a");
  for (unsigned i = 0; i < kRing; ++i) ASSERT_FALSE(lan.take("b").empty()) << i;
  ASSERT_TRUE(lan.give("a", from(kAnn).to(kBob), 1));
  EXPECT_FALSE(lan.take("b").empty());
  const control::Books books = lan.runtime().books();
  EXPECT_EQ(books.fresh, std::vector<bool>({true, true}));
  EXPECT_EQ(books.unaccounted, 0);
  EXPECT_EQ(books.held, 0u);
  EXPECT_EQ(lan.runtime().mbufs_in_use(), 0u);
}

// The other worker forwards by the new configuration at once. What the old one needs, the ports and memory
// that the starved worker may be using, goes when it has moved on.
TEST_P(StarvedWorker, keeps_a_reload_waiting_but_not_the_traffic_of_others) {
  ThreadedSwitch lan(kThree, GetParam());
  lan.devices().starve_worker_at("a", 1);
  std::atomic<bool> finished = false, was_early = false;
  const unsigned closed_before = lan.devices().closed;
  // c is gone by the new file: Bob's frames, which flooded to b and c, go to b alone.
  std::thread traffic([&] {
    for (bool reached = true; reached;) {
      EXPECT_TRUE(lan.give("a", from(kAnn).to(kBob), 0));
      EXPECT_FALSE(lan.take("b").empty());
      reached = false;
      for (unsigned tries = 0; tries < 100 && !reached; ++tries, usleep(20)) reached = lan.drain("c") != 0;
    }
    was_early = finished.load();
    lan.devices().let_go("a");
  });
  EXPECT_TRUE(lan.runtime().apply(lan.config(kTwo)).ok());
  finished = true;
  traffic.join();
  EXPECT_FALSE(was_early) << "the reload was over before the worker had moved on";
  EXPECT_EQ(lan.devices().closed, closed_before + 1);
  EXPECT_EQ(lan.runtime().books().fresh, std::vector<bool>({true, true}));
  EXPECT_EQ(lan.runtime().books().unaccounted, 0);
  EXPECT_EQ(lan.runtime().mbufs_in_use(), 0u);
}

// Whoever asks for sessions gets those of the workers that answer.
TEST_P(StarvedWorker, does_not_keep_a_question_for_sessions_waiting_for_ever) {
  ThreadedSwitch router(
      "ports: { lan: {device: 'null'}, wan: {device: 'null'} }\n"
      "interfaces:\n"
      "  inside: { port: lan, addresses: [192.168.10.1/24], mac: \"02:00:00:00:10:01\" }\n"
      "  uplink: { port: wan, addresses: [203.0.113.2/24], mac: \"02:00:00:00:71:02\" }\n"
      "routes: [{ to: default, via: 203.0.113.1 }]\n"
      "neighbors: [{ address: 203.0.113.1, mac: \"02:00:00:00:71:01\", interface: uplink }]\n"
      "nat: [{ name: internet, interface: uplink, source: [192.168.10.0/24], address: interface }]\n",
      GetParam());
  constexpr unsigned kHosts = 16;
  for (unsigned host = 0; host < kHosts; ++host) {
    const std::string source = "192.168.10." + std::to_string(10 + host) + ":5000";
    ASSERT_TRUE(router.give("lan", udp(source, "198.51.100.9:53").via(kAnn, "02:00:00:00:10:01"), host % 2));
    for (Frame frame; told(frame).find("udp") != 0;) {
      frame = router.take("wan");
      ASSERT_FALSE(frame.empty());
    }
  }
  ASSERT_EQ(router.runtime().sessions({}).size(), kHosts);
  router.devices().starve_worker_at("lan", 1);
  const auto some = router.runtime().sessions({});
  EXPECT_GT(some.size(), 0u);
  EXPECT_LT(some.size(), kHosts);
  for (const control::SessionView& session : some) EXPECT_EQ(session.worker, 0u);
  EXPECT_EQ(router.runtime().clear_sessions({}), some.size());
  router.devices().let_go("lan");
  EXPECT_EQ(router.runtime().books().fresh, std::vector<bool>({true, true}));
  EXPECT_EQ(router.runtime().sessions({}).size(), kHosts - some.size());
  EXPECT_EQ(router.runtime().clear_sessions({}), kHosts - some.size());
  EXPECT_EQ(router.runtime().books().unaccounted, 0);
}

}  // namespace
}  // namespace sluice::test
