// SPDX-License-Identifier: BSD-3-Clause
//
// Devices that the file can name and that need neither root nor hardware: rings, captures, null, device
// strings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "control/buffers.h"
#include "control/cpus.h"
#include "control/dpdk_devices.h"
#include "control/status.h"
#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using testing::HasSubstr;

/// A stepped runtime over the real devices.
class Devices : public testing::Test {
 protected:
  Devices() {
    start_dpdk();
    char name[] = "/tmp/sluice-devices-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~Devices() override {
    runtime_.reset();
    std::filesystem::remove_all(directory_);
  }

  absl::Status start(const std::string& yaml, unsigned workers = 1) {
    control::Runtime::Options options{.mode = control::Runtime::Mode::stepped, .cpus = {}};
    options.cpus.workers.resize(workers);
    runtime_ = std::make_unique<control::Runtime>(devices_, options);
    config::Config config = parse_or_die(yaml);
    config.dpdk.mbufs = 4096;
    return runtime_->start(config);
  }
  void turn() {
    while (runtime_->step(0) != 0) {
    }
  }
  dataplane::PortCounters counted(const char* port) {
    const control::Books books = runtime_->books();
    return books.total.ports[runtime_->ports().at(port).index];
  }

  /// A capture in the classic format (magic a1b2c3d4), microseconds.
  static void write_capture(const std::string& path, const Frames& frames) {
    std::ofstream file(path, std::ios::binary);
    const auto put = [&](std::initializer_list<uint32_t> words) {
      for (uint32_t word : words) file.write(reinterpret_cast<const char*>(&word), sizeof word);
    };
    put({0xa1b2c3d4, 4u << 16 | 2, 0, 0, 65535, 1});
    for (const Frame& frame : frames) {
      const auto size = static_cast<uint32_t>(frame.size());
      put({1, 0, size, size});
      file.write(reinterpret_cast<const char*>(frame.data()), size);
    }
  }

  static Frames read_capture(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Frames frames;
    file.ignore(24);
    for (uint32_t header[4]; file.read(reinterpret_cast<char*>(header), sizeof header);) {
      Frame frame(header[2]);
      file.read(reinterpret_cast<char*>(frame.data()), header[2]);
      frames.push_back(frame);
    }
    return frames;
  }

  std::string directory_;
  control::DpdkDevices devices_;
  std::unique_ptr<control::Runtime> runtime_;
};

TEST_F(Devices, a_capture_is_received_whole_and_written_exactly) {
  Frames frames;
  for (unsigned i = 0; i < 100; ++i)
    frames.push_back(from(kAnn).to(kBob).octets(60 + i * 10).first(static_cast<uint8_t>(i)));
  write_capture(directory_ + "/in.pcap", frames);
  ASSERT_TRUE(start("ports:\n  in: { device: pcap, read: " + directory_ +
                    "/in.pcap }\n  out: { device: pcap, write: " + directory_ +
                    "/out.pcap }\nbridges: { lan: { ports: [in, out] } }\n")
                  .ok());
  turn();
  EXPECT_EQ(runtime_->books().unaccounted, 0);
  runtime_.reset();
  EXPECT_EQ(read_capture(directory_ + "/out.pcap"), frames);
}

TEST_F(Devices, a_capture_that_is_not_there_is_an_error_that_names_it) {
  const absl::Status status =
      start("{ports: {in: {device: pcap, read: /nowhere.pcap}}, bridges: {lan: {ports: [in]}}}");
  EXPECT_EQ(control::exit_code(status), control::kExitMachine);
  EXPECT_THAT(std::string(status.message()), HasSubstr("there is no file /nowhere.pcap"));
}

// capture → in | left ⇄ right | out → capture: two bridges joined by a pair of rings.
TEST_F(Devices, what_one_ring_transmits_its_peer_receives) {
  const Frames frames(10, from(kAnn).to(kBob).octets(100));
  write_capture(directory_ + "/in.pcap", frames);
  ASSERT_TRUE(start("ports:\n  in: { device: pcap, read: " + directory_ +
                    "/in.pcap }\n  left: { device: ring, peer: right }\n" +
                    "  right: { device: ring }\n  out: { device: pcap, write: " + directory_ +
                    "/out.pcap }\n" +
                    "bridges: { near: { ports: [in, left] }, far: { ports: [right, out] } }\n")
                  .ok());
  turn();
  runtime_.reset();
  EXPECT_EQ(read_capture(directory_ + "/out.pcap"), frames);
}

TEST_F(Devices, a_ring_without_a_peer_hears_itself) {
  const Frames frames(3, from(kAnn).to(kBob).octets(100));
  write_capture(directory_ + "/in.pcap", frames);
  ASSERT_TRUE(start("ports:\n  in: { device: pcap, read: " + directory_ +
                    "/in.pcap }\n  loop: { device: ring }\n" + "bridges: { lan: { ports: [in, loop] } }\n")
                  .ok());
  turn();
  const dataplane::PortCounters loop = counted("loop");
  EXPECT_EQ(loop.transmitted, 3u);
  EXPECT_EQ(loop.received, 3u);
}

TEST_F(Devices, a_reload_that_changes_one_ring_of_a_pair_restarts_both) {
  const std::string rest = "bridges: { near: { ports: [left] }, far: { ports: [right] } }\n";
  ASSERT_TRUE(
      start("ports:\n  left: { device: ring, peer: right }\n  right: { device: ring }\n" + rest, 2).ok());
  EXPECT_EQ(runtime_->ports().at("left").device.tx_queues, 2);
  config::Config next = parse_or_die(
      "ports:\n  left: { device: ring, peer: right }\n  right: { device: ring, rx-queues: 1 }\n" + rest);
  next.dpdk.mbufs = 4096;
  ASSERT_TRUE(runtime_->apply(next).ok());
  EXPECT_EQ(runtime_->ports().at("left").device.tx_queues, 1) << "one ring is left to send into";
}

TEST_F(Devices, null_takes_everything_and_gives_nothing) {
  const Frames frames(10, from(kAnn).to(kBob).octets(100));
  write_capture(directory_ + "/in.pcap", frames);
  ASSERT_TRUE(start("ports:\n  in: { device: pcap, read: " + directory_ +
                    "/in.pcap }\n  hole: { device: \"null\" }\n" +
                    "bridges: { lan: { ports: [in, hole] } }\n")
                  .ok());
  turn();
  EXPECT_EQ(counted("hole").transmitted, 10u);
  EXPECT_EQ(counted("hole").received, 0u);
}

TEST_F(Devices, dpdk_sees_the_devices_that_the_file_names_and_no_others) {
  EXPECT_EQ(rte_eth_dev_count_total(), 0);
  ASSERT_TRUE(
      start("{ports: {p: {device: 'null'}, q: {device: 'null'}}, bridges: {lan: {ports: [p, q]}}}").ok());
  EXPECT_EQ(rte_eth_dev_count_total(), 2);
  runtime_.reset();
  EXPECT_EQ(rte_eth_dev_count_total(), 0);
}

TEST_F(Devices, any_dpdk_device_string_makes_a_port) {
  ASSERT_TRUE(
      start("{ports: {p: {device: 'net_null7,size=64,no-rx=1'}}, bridges: {lan: {ports: [p]}}}").ok());
  EXPECT_EQ(runtime_->ports().count("p"), 1u);
}

TEST_F(Devices, a_device_string_that_no_driver_knows_is_an_error) {
  const absl::Status status =
      start("{ports: {p: {device: 'net_nosuchdriver0'}}, bridges: {lan: {ports: [p]}}}");
  EXPECT_EQ(control::exit_code(status), control::kExitMachine);
  EXPECT_THAT(std::string(status.message()), HasSubstr("port 'p': cannot be opened"));
}

TEST_F(Devices, a_nic_that_is_not_there_is_an_error_that_says_how_to_list_those_that_are) {
  const absl::Status status = start("{ports: {p: {device: '0000:ff:1f.6'}}, bridges: {lan: {ports: [p]}}}");
  EXPECT_EQ(control::exit_code(status), control::kExitMachine);
  EXPECT_THAT(std::string(status.message()), HasSubstr("dpdk-devbind.py --status"));
}

TEST_F(Devices, a_tap_in_a_namespace_that_is_not_there_is_an_error_with_its_remedy) {
  const absl::Status status =
      start("{ports: {p: {device: tap, netns: no-such-netns}}, bridges: {lan: {ports: [p]}}}");
  EXPECT_EQ(control::exit_code(status), control::kExitMachine);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ip netns add no-such-netns"));
}

TEST_F(Devices, more_queues_than_the_driver_has_is_an_error) {
  const absl::Status status = start(
      "{ports: {p: {device: 'net_pcap9,rx_pcap=/dev/null', rx-queues: 5}}, bridges: {lan: {ports: [p]}}}");
  EXPECT_FALSE(status.ok());
}

// ---- plans
// -------------------------------------------------------------------------------------------------------

TEST(Cpus, a_file_without_cores_gets_one_worker_on_the_last_core) {
  const auto plan = control::plan_cpus({}, {0, 1, 2, 3});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->workers, std::vector<unsigned>({3}));
  EXPECT_EQ(plan->control, std::vector<unsigned>({0, 1, 2}));
  EXPECT_FALSE(plan->shared);
}

TEST(Cpus, control_keeps_off_the_cores_of_the_workers) {
  const auto plan = control::plan_cpus({.cores = {1, 2}, .idle = {}, .location = {}}, {0, 1, 2, 3});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->control, std::vector<unsigned>({0, 3}));
}

TEST(Cpus, when_the_workers_take_every_core_control_shares) {
  const auto plan = control::plan_cpus({.cores = {0, 1}, .idle = {}, .location = {}}, {0, 1});
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->shared);
  EXPECT_EQ(plan->control, std::vector<unsigned>({0, 1}));
}

TEST(Cpus, a_core_that_we_may_not_use_is_an_error_that_lists_those_we_may) {
  const auto plan = control::plan_cpus({.cores = {7}, .idle = {}, .location = {}}, {0, 1});
  EXPECT_EQ(control::exit_code(plan.status()), control::kExitMachine);
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("0, 1"));
}

TEST(Memory, the_plan_states_what_a_pool_really_takes) {
  start_dpdk();
  const uint32_t count = 4095;
  rte_mempool* pool = control::make_pool(count);
  ASSERT_NE(pool, nullptr);
  uint64_t real = 0;
  rte_mempool_mem_iter(
      pool,
      [](rte_mempool*, void* sum, rte_mempool_memhdr* chunk, unsigned) {
        *static_cast<uint64_t*>(sum) += chunk->len;
      },
      &real);
  rte_mempool_free(pool);
  EXPECT_NEAR(static_cast<double>(control::mbuf_bytes(count)), static_cast<double>(real),
              static_cast<double>(real) * 0.05);
}

}  // namespace
}  // namespace sluice::test
