// SPDX-License-Identifier: BSD-3-Clause
//
// What several threads share: the MAC table, the snapshot, the counters, the rings. Also run under
// ThreadSanitizer.
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using dataplane::kNoPort;
using dataplane::Learned;
using dataplane::MacTable;
using dataplane::PortIndex;

/// Runs `work(thread, random)` on `count` threads until `control` returns.
template <class Work, class Control>
void beside(unsigned count, Work work, Control control) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < count; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937_64 random(thread);
      while (!stop.load(std::memory_order_relaxed)) work(thread, random);
    });
  }
  control();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// Every address is only ever learned on two ports of its own, so a look-up that answers with a third has read
// another address's value. The table is small, so that entries are erased, reused and moved all the time.
TEST(MacTableThreads, a_look_up_never_answers_with_another_addresss_port) {
  constexpr unsigned kMacs = 400;
  const auto table = MacTable::create(300, {1, 2});
  std::atomic<uint64_t> wrong = 0, found = 0;
  const auto learn_and_find = [&](unsigned thread, std::mt19937_64& random) {
    const uint64_t mac = random() % kMacs;
    const uint64_t key = MacTable::key(mac, 1), hash = table->hash(key);
    table->learn(key, hash, static_cast<PortIndex>(mac % 50 * 2 + thread % 2),
                 static_cast<uint32_t>(random() % 8));
    const uint64_t other = random() % kMacs;
    const uint64_t other_key = MacTable::key(other, 1);
    const PortIndex port = table->find(other_key, table->hash(other_key));
    if (port == kNoPort) return;
    found.fetch_add(1, std::memory_order_relaxed);
    if (port / 2 != other % 50) wrong.fetch_add(1, std::memory_order_relaxed);
  };
  beside(3, learn_and_find, [&] {
    for (unsigned round = 0; round < 4000; ++round) {
      table->erase_if([&](const MacTable::Entry& entry) { return entry.port % 13 == round % 13; });
      table->add_static(1000 + round % 5, 1, 7);
      table->for_each([](const MacTable::Entry&) {});
    }
  });
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(found, 1000u) << "the test tested something";
}

TEST(MacTableThreads, counts_add_up_after_a_fight) {
  const auto table = MacTable::create(300, {1, 2});
  beside(
      3,
      [&](unsigned thread, std::mt19937_64& random) {
        const uint64_t key = MacTable::key(random() % 500, 1);
        table->learn(key, table->hash(key), static_cast<PortIndex>(thread), 0);
      },
      [&] {
        for (unsigned round = 0; round < 4000; ++round) {
          table->erase_if([&](const MacTable::Entry& entry) { return entry.mac % 7 == round % 7; });
        }
      });
  uint32_t entries = 0;
  table->for_each([&](const MacTable::Entry&) { ++entries; });
  EXPECT_EQ(entries, table->dynamic_size());
  EXPECT_LE(entries, 300u);
  EXPECT_EQ(table->erase_if([](const auto&) { return true; }), entries);
  EXPECT_EQ(table->dynamic_size(), 0u);
}

/// A switch whose workers have threads.
class Threads : public testing::TestWithParam<const char*> {
 protected:
  void start(const std::string& yaml) {
    start_dpdk();
    const std::vector<unsigned> cpus = control::available_cpus();
    control::CpuPlan plan{.workers = {cpus.front(), cpus.back()}, .control = cpus, .shared = true};
    runtime_ = std::make_unique<control::Runtime>(devices_, control::Runtime::Options{.cpus = plan});
    ASSERT_TRUE(runtime_->start(config(yaml)).ok());
  }
  config::Config config(const std::string& yaml) {
    config::Config config =
        parse_or_die(std::string("workers: { cores: [0, 1], idle: ") + GetParam() + " }\n" + yaml);
    config.dpdk.mbufs = 8191;
    return config;
  }

  RingDevices devices_;
  std::unique_ptr<control::Runtime> runtime_;
};

INSTANTIATE_TEST_SUITE_P(Idle, Threads, testing::Values("sleep", "spin"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Threads, a_hundred_reloads_leave_workers_counters_and_addresses_whole) {
  start("ports: {a: {device: 'null'}, b: {device: 'null'}}\nbridges: {lan: {ports: [a, b]}}\n");
  for (unsigned round = 0; round < 100; ++round) {
    const bool more = round % 2 == 0;
    const char* yaml =
        more ? "ports: {a: {device: 'null'}, b: {device: 'null'}, c: {device: 'null'}}\n"
               "bridges: {lan: {ports: [a, b]}, more: {ports: [c]}}\n"
             : "ports: {a: {device: 'null'}, b: {device: 'null'}}\nbridges: {lan: {ports: [a, b]}}\n";
    ASSERT_TRUE(runtime_->apply(config(yaml)).ok());
    const control::Books books = runtime_->books();
    ASSERT_EQ(books.unaccounted, 0);
    ASSERT_EQ(books.fresh, std::vector<bool>({true, true}));
  }
  runtime_->stop();
  EXPECT_EQ(devices_.opened, devices_.closed);
}

// Ann's frames arrive at a while bridges and ports come and go beside; each must leave by b, once and in
// order.
TEST_P(Threads, reloads_lose_nothing_of_the_traffic_between_ports_that_stay) {
  start(
      "ports: {a: {device: 'null', rx-queues: 1}, b: {device: 'null', tx-queues: 1}}\nbridges: {lan: {ports: "
      "[a, b]}}\n");
  constexpr unsigned kFrames = 20000;
  std::atomic<bool> done = false;
  unsigned out_of_order = 0;
  uint32_t expected = 0;
  std::thread traffic([&] {
    uint32_t next = 0;
    const auto take = [&] {
      while (rte_mbuf* packet = devices_.take("b")) {
        uint32_t number = 0;
        std::memcpy(&number, rte_pktmbuf_mtod_offset(packet, uint8_t*, 14), sizeof number);
        out_of_order += number != expected;
        expected = number + 1;
        rte_pktmbuf_free(packet);
      }
    };
    while (expected < kFrames && !done) {
      // Never more under way than the rings hold: what is lost then was lost by the switch.
      if (next < kFrames && next - expected < 500) {
        Frame frame = from(kAnn).to(kBob);
        std::memcpy(frame.data() + 14, &next, sizeof next);
        rte_mbuf* packet = make_packet(frame, runtime_->pool(), Buffer::pool);
        if (packet != nullptr && devices_.give("a", packet)) ++next;
      }
      take();
      if (next % 64 == 0) std::this_thread::yield();
    }
    done = true;
  });
  unsigned reloads = 0;
  for (; !done || reloads < 20; ++reloads) {
    const std::string extra = reloads % 2 == 0 ? ", c: {device: 'null'}" : "";
    const std::string bridge = reloads % 2 == 0 ? ", more: {ports: [c]}" : "";
    ASSERT_TRUE(
        runtime_
            ->apply(config("ports: {a: {device: 'null', rx-queues: 1}, b: {device: 'null', tx-queues: 1}" +
                           extra + "}\nbridges: {lan: {ports: [a, b]}" + bridge + "}\n"))
            .ok());
    runtime_->age_macs();
    EXPECT_LE(runtime_->macs({}).size(), 1u);
    if (reloads > 20000) done = true;  // stuck: let the assertions below say so
  }
  traffic.join();
  EXPECT_EQ(expected, kFrames);
  EXPECT_EQ(out_of_order, 0u);
  const control::Books books = runtime_->books();
  EXPECT_EQ(books.unaccounted, 0);
  EXPECT_EQ(books.total.macs_learned, 1u) << "Ann was learned once and kept through every reload";
  EXPECT_EQ(runtime_->mbufs_in_use(), 0u);
}

TEST_P(Threads, a_burst_that_arrives_while_the_workers_rest_loses_nothing) {
  start("ports: {a: {device: 'null'}, b: {device: 'null'}}\nbridges: {lan: {ports: [a, b]}}\n");
  for (unsigned round = 0; round < 5; ++round) {
    usleep(20000);
    for (unsigned i = 0; i < 1000; ++i) {
      ASSERT_TRUE(
          devices_.give("a", make_packet(from(kAnn).to(kBob), runtime_->pool(), Buffer::pool), i % 2));
    }
    unsigned taken = 0;
    for (unsigned tries = 0; taken < 1000 && tries < 100000; ++tries) {
      rte_mbuf* packet = devices_.take("b");
      if (packet == nullptr) {
        usleep(100);
        continue;
      }
      rte_pktmbuf_free(packet);
      ++taken;
    }
    EXPECT_EQ(taken, 1000u);
  }
  EXPECT_EQ(runtime_->books().unaccounted, 0);
}

}  // namespace
}  // namespace sluice::test
