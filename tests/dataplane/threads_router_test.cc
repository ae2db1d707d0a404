// SPDX-License-Identifier: BSD-3-Clause
//
// The router and NAT with a thread a worker, while control changes routes, rules and neighbors beside the
// traffic. Also run under ThreadSanitizer.
#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/support/ip.h"
#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

constexpr const char* kHost = "02:00:00:00:10:07";
constexpr const char* kProvider = "02:00:00:00:71:01";
constexpr const char* kInside = "02:00:00:00:10:01";
constexpr const char* kOutside = "02:00:00:00:71:02";
constexpr unsigned kFlows = 16;

// What changes beside the traffic: another route, a neighbor, a rule that concerns others.
std::string gateway(bool more) {
  const std::string routes =
      more ? "  - { to: 10.0.0.0/8, via: 203.0.113.9 }\n  - { to: 198.51.100.77/32, type: blackhole }\n" : "";
  const std::string neighbor =
      more ? "  - { address: 203.0.113.9, mac: \"02:00:00:00:71:09\", interface: uplink }\n" : "";
  const std::string rule =
      more ? "  - { name: other, interface: uplink, source: [172.16.0.0/12], address: interface }\n" : "";
  return std::string("workers: { cores: [0, 1] }\n") +
         "ports: { lan: { device: 'null' }, wan: { device: 'null' } }\n" + "interfaces:\n" +
         "  inside: { port: lan, addresses: [192.168.10.1/24], mac: \"" + kInside + "\" }\n" +
         "  uplink: { port: wan, addresses: [203.0.113.2/24], mac: \"" + kOutside + "\" }\n" +
         "routes:\n  - { to: default, via: 203.0.113.1 }\n" + routes + "neighbors:\n" +
         "  - { address: 192.168.10.7, mac: \"" + kHost + "\", interface: inside }\n" +
         "  - { address: 203.0.113.1, mac: \"" + kProvider + "\", interface: uplink }\n" + neighbor +
         "nat:\n  - { name: internet, interface: uplink, source: [192.168.10.0/24], address: interface }\n" +
         rule;
}

class RouterThreads : public testing::Test {
 protected:
  RouterThreads() {
    start_dpdk();
    const std::vector<unsigned> cpus = control::available_cpus();
    control::CpuPlan plan{.workers = {cpus.front(), cpus.back()}, .control = cpus, .shared = true};
    runtime_ = std::make_unique<control::Runtime>(devices_, control::Runtime::Options{.cpus = plan});
    EXPECT_TRUE(runtime_->start(config(false)).ok());
  }
  static config::Config config(bool more) {
    config::Config config = parse_or_die(gateway(more));
    config.dpdk.mbufs = 8191;
    return config;
  }
  bool give(const std::string& port, const Frame& frame, unsigned queue) {
    rte_mbuf* packet = make_packet(frame, runtime_->pool(), Buffer::pool);
    if (packet != nullptr && devices_.give(port, packet, queue)) return true;
    rte_pktmbuf_free(packet);
    return false;
  }
  // The next IP packet that leaves by the port, soon; empty: none. The router also announces its addresses.
  Frame take(const std::string& port) {
    for (unsigned tries = 0; tries < 200'000; ++tries) {
      rte_mbuf* packet = devices_.take(port);
      if (packet == nullptr) {
        usleep(20);
        continue;
      }
      const Frame frame = octets(packet);
      rte_pktmbuf_free(packet);
      if (!told(frame).starts_with("arp")) return frame;
    }
    return {};
  }

  RingDevices devices_;
  std::unique_ptr<control::Runtime> runtime_;
};

// Each flow asks and is answered, over whichever queue; nothing may get lost or come out wrong.
TEST_F(RouterThreads, translated_flows_go_on_through_a_hundred_reloads) {
  std::atomic<bool> stop = false;
  unsigned wrong = 0, rounds = 0;
  std::thread traffic([&] {
    for (; !stop; ++rounds) {
      const std::string inside = "192.168.10.7:" + std::to_string(5000 + rounds % kFlows);
      const std::string outside = "203.0.113.2:" + std::to_string(5000 + rounds % kFlows);
      EXPECT_TRUE(give("lan", udp(inside, "198.51.100.9:53").via(kHost, kInside), rounds % 2));
      wrong += told(take("wan")) != "udp " + outside + " > 198.51.100.9:53 ttl 63";
      EXPECT_TRUE(give("wan", udp("198.51.100.9:53", outside).via(kProvider, kOutside), rounds / 2 % 2));
      wrong += told(take("lan")) != "udp 198.51.100.9:53 > " + inside + " ttl 63";
      if (wrong > 3) return;
    }
  });
  for (unsigned reload = 0; reload < 100; ++reload) {
    ASSERT_TRUE(runtime_->apply(config(reload % 2 == 0)).ok());
    runtime_->serve_router();
    EXPECT_LE(runtime_->sessions({}).size(), kFlows);
    EXPECT_EQ(runtime_->books().unaccounted, 0);
    usleep(2000);
  }
  stop = true;
  traffic.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(rounds, kFlows);
  EXPECT_EQ(runtime_->books().total.sessions_opened, kFlows)
      << "each flow kept its session through every reload";
  EXPECT_EQ(runtime_->clear_sessions({}), kFlows);
  EXPECT_EQ(runtime_->books().unaccounted, 0);
}

// Control asks and is asked while the workers hand packets up and take others.
TEST_F(RouterThreads, packets_for_control_and_from_it_cross_without_loss) {
  for (uint16_t sequence = 1; sequence <= 300; ++sequence) {
    EXPECT_TRUE(give("lan", echo_request("192.168.10.7", "192.168.10.1", 7, sequence).via(kHost, kInside),
                     sequence % 2));
    for (unsigned tries = 0; tries < 100'000 && runtime_->router().book().consumed < sequence; ++tries) {
      runtime_->serve_router();
      usleep(20);
    }
    EXPECT_EQ(told(take("lan")),
              "icmp 192.168.10.1 > 192.168.10.7 ttl 64 echo-reply 7/" + std::to_string(sequence));
  }
  EXPECT_EQ(runtime_->books().unaccounted, 0);
}

}  // namespace
}  // namespace sluice::test
