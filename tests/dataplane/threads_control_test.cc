// SPDX-License-Identifier: BSD-3-Clause
//
// All that control does beside the traffic, at once: reloads that change ports, VLANs, next hops, neighbors
// and rules, flushes, ends of sessions, looks at everything. For ThreadSanitizer above all; and the books
// balance.
#include <atomic>
#include <random>
#include <thread>

#include "tests/dataplane/threads_world.h"

namespace sluice::test {
namespace {

constexpr const char* kInside = "02:00:00:00:10:01";
constexpr const char* kOutside = "02:00:00:00:71:02";

// Of four kinds in turn: a second next hop, another rule and an external address more, a third port and VLAN,
// a host that forwards lead to.
std::string gateway(unsigned kind) {
  const bool hops = kind % 2 == 1, rule = kind / 2 % 2 == 1;
  return std::string("ports: { lan: {device: 'null'}, wan: {device: 'null'}, s1: {device: 'null'}, ") +
         "s2: {device: 'null', rx-queues: 1, tx-queues: 1}" + (hops ? ", s3: {device: 'null'}" : "") +
         " }\n" + "bridges: { sw: { ports: { s1: {vlan: 5}, s2: {vlan: 5}" +
         (hops ? ", s3: {vlans: [5, 6]}" : "") + " } } }\n" +
         "tables: { macs: 256, routes: 1024, neighbors: 256, sessions: 1024 }\n" +
         "interfaces:\n  inside: { port: lan, addresses: [192.168.10.1/24, \"fd00:10::1/64\"], mac: \"" +
         kInside + "\" }\n  uplink: { port: wan, addresses: [203.0.113.2/24, \"2001:db8::2/64\"], mac: \"" +
         kOutside + "\" }\n  sw5: { bridge: sw, vlan: 5, addresses: [192.168.5.1/24] }\n" +
         "routes:\n  - { to: default, via: [203.0.113.1" + (hops ? ", 203.0.113.9" : "") + "] }\n" +
         "  - { to: default, via: \"2001:db8::1\" }\n" +
         (rule ? "  - { to: 198.51.100.128/25, type: unreachable }\n" : "") + "neighbors:\n" +
         "  - { address: 203.0.113.1, mac: \"02:00:00:00:71:01\", interface: uplink }\n" +
         "  - { address: 203.0.113.9, mac: \"02:00:00:00:71:09\", interface: uplink }\n" +
         "  - { address: \"2001:db8::1\", mac: \"02:00:00:00:71:01\", interface: uplink }\n" + "nat:\n" +
         "  - { name: internet, interface: uplink, source: [192.168.10.0/24], address: "
         "[203.0.113.20-203.0.113." +
         (rule ? "22" : "21") + "], port-forward: [{ protocol: udp, port: 8080, to: \"192.168.10." +
         (rule ? "3" : "2") + ":80\" }] }\n";
}

/// Hosts inside and outside, and two behind the switch, that send whatever there is.
class Crowd {
 public:
  Crowd(ThreadedSwitch& router, unsigned seed) : router_(router), random_(seed) {}

  void act() {
    const unsigned queue = number(2);
    switch (number(9)) {
      case 0:
      case 1:
      case 2:
        inside(udp(host() + port(), "198.51.100." + text(200) + ":53"), queue);
        break;
      case 3:
        inside(tcp(host() + port(), "203.0.113." + std::to_string(20 + number(3)) + ":8080"), queue);
        break;
      case 4:  // a hairpin, perhaps to a host of the other worker
        inside(udp(host() + port(), "203.0.113." + std::to_string(20 + number(3)) + port()), queue);
        break;
      case 5:
        outside(
            udp("198.51.100." + text(200) + ":53", "203.0.113." + std::to_string(20 + number(3)) + port()),
            queue);
        break;
      case 6:
        for_control(queue);
        break;
      default:
        across();
    }
    for (const char* port : {"lan", "wan", "s1", "s2"}) router_.drain(port);
  }

 private:
  unsigned number(unsigned below) { return static_cast<unsigned>(random_() % below); }
  std::string text(unsigned below) { return std::to_string(1 + number(below)); }
  std::string host() { return "192.168.10." + std::to_string(2 + number(8)); }
  std::string port() { return ":" + std::to_string(5000 + number(16)); }
  void inside(PacketBuilder packet, unsigned queue) {
    router_.give("lan", packet.via("02:00:00:00:10:07", kInside), queue);
  }
  void outside(PacketBuilder packet, unsigned queue) {
    router_.give("wan", packet.via("02:00:00:00:71:01", kOutside), queue);
  }
  void for_control(unsigned queue) {
    const std::string asker = host();
    switch (number(5)) {
      case 0:
        return inside(udp(asker + ":1", "203.0.113." + std::to_string(100 + number(9)) + ":2"), queue);
      case 1:
        return inside(echo_request(asker, "192.168.10.1", 7), queue);
      case 2:
        return inside(udp(asker + ":1", "198.51.100.9:2").ttl(1), queue);
      case 3:
        return inside(udp("[fd00:10::7]:1", "[2001:db8:7::" + text(9) + "]:2"), queue);
      default:
        router_.give("lan", arp_request("02:00:00:00:10:07", asker, "192.168.10.1"), queue);
    }
  }
  void across() {
    const bool first = number(2) == 0;
    const std::string source = station(number(300)), destination = station(number(300));
    router_.give(first ? "s1" : "s2", from(source.c_str()).to(destination.c_str()), first ? number(2) : 0);
  }

  ThreadedSwitch& router_;
  std::mt19937_64 random_;
};

class ControlBesideTraffic : public testing::TestWithParam<const char*> {
 protected:
  void look_at_everything() {
    control::Runtime& runtime = router_.runtime();
    EXPECT_LE(runtime.sessions({}).size(), 1024u);
    EXPECT_LE(runtime.macs({}).size(), 256u);
    EXPECT_LE(runtime.router().neighbors().list(runtime.now_ns()).size(), 256u);
    const control::Books books = runtime.books();
    EXPECT_EQ(books.unaccounted, 0);
    EXPECT_EQ(books.fresh, std::vector<bool>({true, true}));
  }
  void do_what_comes_round(unsigned round) {
    control::Runtime& runtime = router_.runtime();
    router_.devices().set_link("s2", round % 5 != 0);
    runtime.watch_links();
    runtime.age_macs();
    runtime.serve_router();
    runtime.wake_workers();
    if (round % 3 == 0) runtime.clear_sessions({});
    if (round % 4 == 0) runtime.clear_macs({});
    if (round % 7 == 0) runtime.router().neighbors().clear({});
    runtime.router().ping(control::IpAddress(dataplane::Ip4{0xC0A80A03}), {9, static_cast<uint16_t>(round)},
                          32);
  }

  ThreadedSwitch router_{gateway(0), GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Idle, ControlBesideTraffic, testing::Values("sleep", "spin"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(ControlBesideTraffic, nothing_is_lost_or_torn_by_anything_that_control_does) {
  constexpr unsigned kRounds = 60;
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> acts = 0;
  std::vector<std::thread> crowds;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    crowds.emplace_back([&, seed] {
      Crowd crowd(router_, seed);
      for (; !stop; ++acts) crowd.act();
    });
  }
  for (unsigned round = 0; round < kRounds && !HasFailure(); ++round) {
    const uint64_t before = acts;
    while (acts < before + 50) usleep(100);
    do_what_comes_round(round);
    look_at_everything();
    EXPECT_TRUE(router_.runtime().apply(router_.config(gateway(round))).ok());
  }
  stop = true;
  for (std::thread& crowd : crowds) crowd.join();
  const dataplane::Counters all = router_.runtime().books().total;
  EXPECT_GT(all.sessions_opened, 100u);
  EXPECT_GT(all.macs_learned, 100u);
  EXPECT_GT(all.handed_over, 100u);
}

// What has arrived is still forwarded; nobody touches what has gone.
TEST_P(ControlBesideTraffic, workers_stop_in_the_midst_of_traffic) {
  Crowd crowd(router_, 7);
  for (unsigned i = 0; i < 500; ++i) crowd.act();
  for (unsigned i = 0; i < 2000; ++i) {
    const std::string port = ":" + std::to_string(5000 + i % 16);
    router_.give("lan", udp("192.168.10.5" + port, "198.51.100.9:53").via("02:00:00:00:10:07", kInside),
                 i % 2);
  }
  router_.runtime().stop();
  EXPECT_EQ(router_.devices().opened, router_.devices().closed);
}

}  // namespace
}  // namespace sluice::test
