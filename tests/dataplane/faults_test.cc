// SPDX-License-Identifier: BSD-3-Clause
//
// What goes wrong around the packet path: the buffers run out, a transmit queue blocks, a device disappears,
// control or a worker stands still. What can go on goes on, the rest is counted, and afterwards all is as
// before. That nothing leaked or vanished every test checks when its switch goes.
#include <gmock/gmock.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dataplane/steer.h"
#include "tests/dataplane/router_world.h"
#include "tests/support/here.h"

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kNat =
    "nat: [{ name: internet, interface: uplink, source: [192.168.10.0/24], address: interface }]\n";
const char* const kServer = "198.51.100.9:53";

/// Takes every buffer of the pool, but for the first `left`, until it goes.
class Drought {
 public:
  explicit Drought(rte_mempool* pool, unsigned left = 0) : pool_(pool) {
    take_all();
    for (; left != 0; --left, hoard_.pop_back()) rte_pktmbuf_free(hoard_.back());
  }
  ~Drought() {
    for (rte_mbuf* packet : hoard_) rte_pktmbuf_free(packet);
  }
  /// Also those that have come back meanwhile.
  void take_all() {
    while (rte_mbuf* packet = rte_pktmbuf_alloc(pool_)) hoard_.push_back(packet);
  }

 private:
  rte_mempool* pool_;
  std::vector<rte_mbuf*> hoard_;
};

/// A router with NAT, and one flow of Ann's that has a session.
class Faults : public testing::Test {
 protected:
  explicit Faults(const Home& home = Home{.more = kNat}, TestSwitch::Options options = {})
      : router_(home, options) {
    flows();
  }

  /// Ann asks and is answered; a frame of a stranger's crosses the switch.
  void flows(Here here = Here::current()) {
    const testing::ScopedTrace trace(here.file, here.line, "");
    ann_asks(), server_answers();
    router_.receive("a", from(kDan).to("02:00:00:00:00:77").octets(100));
    EXPECT_EQ(router_.sent("t").size(), 1u);
  }
  void ann_asks() {
    router_.send(kAnnHost, question());
    EXPECT_THAT(router_.said(), ElementsAre("w: udp 203.0.113.2:5000 > 198.51.100.9:53 ttl 63"));
  }
  void server_answers() {
    router_.send(kCatHost, answer());
    EXPECT_THAT(router_.said(), ElementsAre("a: udp 198.51.100.9:53 > 192.168.10.7:5000 ttl 63"));
  }
  static PacketBuilder question() { return udp("192.168.10.7:5000", kServer); }
  static PacketBuilder answer() { return udp(kServer, "203.0.113.2:5000"); }

  /// A packet that has its buffer already.
  rte_mbuf* made(const Host& host, const PacketBuilder& packet) {
    return make_packet(router_.by(host, packet), router_.pool(), Buffer::pool);
  }
  uint64_t own_drops(DropReason reason) {
    return router_.counters().ports[dataplane::kSelfPort].drops[static_cast<size_t>(reason)];
  }
  uint64_t sessions_opened() { return router_.counters().sessions_opened; }

  TestRouter router_;
};

// ---- the pool runs dry

TEST_F(Faults, without_a_buffer_what_needs_no_new_one_passes_as_before) {
  rte_mbuf* out = made(kAnnHost, question());
  rte_mbuf* in = made(kCatHost, answer());
  rte_mbuf* across =
      make_packet(from(kDan).to("02:00:00:00:00:77").octets(100), router_.pool(), Buffer::pool);
  const Drought drought(router_.pool());
  router_.receive_packet("a", out);
  EXPECT_THAT(router_.told("w"), ElementsAre("udp 203.0.113.2:5000 > 198.51.100.9:53 ttl 63"));
  router_.receive_packet("w", in);
  EXPECT_THAT(router_.told("a"), ElementsAre("udp 198.51.100.9:53 > 192.168.10.7:5000 ttl 63"));
  router_.receive_packet("a", across);
  EXPECT_EQ(router_.sent("t").size(), 1u);
  EXPECT_EQ(router_.all_drops(DropReason::no_mbuf), 0u);
  EXPECT_EQ(sessions_opened(), 1u);
}

TEST_F(Faults, a_new_flow_needs_no_buffer_either) {
  rte_mbuf* first = made(kAnnHost, udp("192.168.10.7:6000", kServer));
  const Drought drought(router_.pool());
  router_.receive_packet("a", first);
  EXPECT_THAT(router_.told("w"), ElementsAre("udp 203.0.113.2:6000 > 198.51.100.9:53 ttl 63"));
  EXPECT_EQ(sessions_opened(), 2u);
}

TEST_F(Faults, copies_that_find_no_buffer_are_counted_and_the_original_goes_its_way) {
  // To everybody on the VLAN, and a copy for control, which is asked for.
  const Frame arp = arp_request(kAnn, "192.168.10.7", "192.168.10.1");
  rte_mbuf* asked = make_packet(arp, router_.pool(), Buffer::pool);
  {
    const Drought drought(router_.pool());
    router_.receive_packet("a", asked);
    EXPECT_THAT(router_.told("t"), ElementsAre("arp who-has 192.168.10.1 tell 192.168.10.7 vlan 10"));
    EXPECT_THAT(router_.told("a"), IsEmpty());
    EXPECT_EQ(router_.drops("a", DropReason::no_mbuf), 1u);
  }
  router_.receive("a", arp);
  EXPECT_THAT(router_.told("a"), ElementsAre("arp 192.168.10.1 is-at " + router_.mac("lan10")));
}

TEST_F(Faults, errors_and_echoes_that_find_no_buffer_are_counted_as_ours) {
  rte_mbuf* expired = made(kAnnHost, question().ttl(1));
  rte_mbuf* echo = made(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7));
  {
    Drought drought(router_.pool());
    router_.receive_packet("a", expired);
    drought.take_all();
    router_.receive_packet("a", echo);
    EXPECT_THAT(router_.said(), IsEmpty());
    EXPECT_EQ(router_.drops("a", DropReason::ttl_expired), 1u);
    EXPECT_EQ(own_drops(DropReason::no_mbuf), 2u);
  }
  router_.send(kAnnHost, question().ttl(1));
  router_.send(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 8));
  EXPECT_EQ(router_.told("a").size(), 2u);
}

// Ann asks Dan, whom nobody knows: her packet waits, the question cannot be asked. A second later it can.
TEST_F(Faults, a_packet_waits_for_its_neighbor_while_there_is_no_buffer_to_ask_with) {
  rte_mbuf* waiting = made(kAnnHost, udp("192.168.10.7:7000", "203.0.113.9:2"));
  {
    const Drought drought(router_.pool());
    router_.receive_packet("a", waiting);
    EXPECT_THAT(router_.said(), IsEmpty());
    EXPECT_EQ(own_drops(DropReason::no_mbuf), 1u);
  }
  router_.pass(1);
  EXPECT_THAT(router_.said(), ElementsAre("w: arp who-has 203.0.113.9 tell 203.0.113.2"));
  router_.receive("w", arp_reply(kDan, "203.0.113.9", router_.mac("uplink"), "203.0.113.2"));
  EXPECT_THAT(router_.said(), ElementsAre("w: udp 203.0.113.2:7000 > 203.0.113.9:2 ttl 63"));
}

class NarrowUplink : public Faults {
 protected:
  NarrowUplink() : Faults(Home{.uplink = ", mtu: 1280", .more = kNat}) {}
};

TEST_F(NarrowUplink, a_packet_whose_fragments_find_no_buffer_is_dropped_whole) {
  const PacketBuilder large = question().data(1400);
  for (unsigned left : {0u, 1u}) {  // for none of the two, or for the first
    rte_mbuf* whole = made(kAnnHost, large);
    const Drought drought(router_.pool(), left);
    router_.receive_packet("a", whole);
    EXPECT_THAT(router_.said(), IsEmpty());
    EXPECT_EQ(router_.drops("a", DropReason::no_mbuf), left + 1);
  }
  router_.send(kAnnHost, large);
  EXPECT_EQ(router_.told("w").size(), 2u);
  EXPECT_EQ(sessions_opened(), 1u);
}

// Everything at once, again and again, while control holds what it can: afterwards the flow and its session,
// the neighbors and the table of MAC addresses are as they were.
TEST_F(Faults, after_a_long_drought_nothing_is_missing) {
  const std::vector<std::string> macs = router_.macs();
  const auto neighbors = [&] { return router_.runtime().router().neighbors().counts(); };
  const size_t permanent = neighbors().permanent;
  for (unsigned round = 0; round < 20; ++round) {
    std::vector<std::pair<const char*, rte_mbuf*>> packets;
    for (uint8_t host = 100; host < 110; ++host) {
      const std::string stranger = "203.0.113." + std::to_string(host) + ":2";
      packets.emplace_back("a", made(kAnnHost, udp("192.168.10.7:7000", stranger)));
    }
    packets.emplace_back("a", made(kAnnHost, question().ttl(1)));
    packets.emplace_back("a", made(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7)));
    packets.emplace_back("w", made(kCatHost, answer()));
    Drought drought(router_.pool());
    for (const auto& [port, packet] : packets) {
      drought.take_all();
      router_.receive_packet(port, packet);
    }
    EXPECT_THAT(router_.said(), ElementsAre("a: udp 198.51.100.9:53 > 192.168.10.7:5000 ttl 63"));
    router_.pass_ms(100);
    router_.hush();  // a question for which there was a buffer after all
    EXPECT_EQ(router_.runtime().books().unaccounted, 0);
  }
  EXPECT_GT(own_drops(DropReason::no_mbuf), 40u);
  router_.pass(5);  // nobody answers for the strangers
  router_.hush();
  EXPECT_EQ(router_.macs(), macs);
  EXPECT_EQ(neighbors().held, 0u);
  EXPECT_EQ(neighbors().permanent, permanent);
  flows();
}

// ---- a transmit queue blocks

TEST_F(Faults, a_blocked_queue_costs_its_own_ports_packets_and_no_others) {
  router_.devices().block("w");
  for (unsigned i = 0; i < 300; ++i) router_.send(kAnnHost, question());
  EXPECT_THAT(router_.said(), IsEmpty());
  EXPECT_EQ(router_.drops("w", DropReason::transmit_full), 300u);
  router_.send(kAnnHost, udp("192.168.10.7:5000", "192.168.20.8:53"));
  EXPECT_THAT(router_.said(), ElementsAre("t: udp 192.168.10.7:5000 > 192.168.20.8:53 ttl 63 vlan 20"));
  server_answers();
  router_.devices().unblock("w");
  flows();
  EXPECT_EQ(router_.drops("w", DropReason::transmit_full), 300u);
  EXPECT_EQ(router_.drops("a", DropReason::transmit_full) + router_.drops("t", DropReason::transmit_full),
            0u);
  EXPECT_EQ(sessions_opened(), 1u);
}

TEST(BlockedQueue, a_flood_reaches_the_other_ports) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c] } }
)");
  const Frame frame = from(kAnn).to(kEverybody).octets(100);
  lan.devices().block("b");
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("b"), IsEmpty());
  EXPECT_THAT(lan.sent("c"), ElementsAre(frame));
  EXPECT_EQ(lan.drops("b", DropReason::transmit_full), 1u);
  lan.devices().unblock("b");
  lan.receive("a", frame);
  EXPECT_THAT(lan.sent("b"), ElementsAre(frame));
}

// Worker 1 has no queue of b: what it gives to worker 0 ends there.
TEST(BlockedQueue, is_counted_once_when_another_worker_owns_it) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null", rx-queues: 1, tx-queues: 1} }
bridges: { lan: { ports: [a, b] } }
)",
                 {.workers = 2});
  lan.devices().block("b");
  for (unsigned i = 0; i < 10; ++i) lan.receive("a", from(kAnn).to(kBob), i % 2);
  EXPECT_EQ(lan.drops("b", DropReason::transmit_full), 10u);
  EXPECT_EQ(lan.drops("b", DropReason::steer_full), 0u);
}

// ---- a device disappears

TEST(Vanished, a_device_takes_the_addresses_behind_it_along_and_no_others) {
  TestSwitch lan(R"(
ports: { a: {device: "null"}, b: {device: "null"}, c: {device: "null"} }
bridges: { lan: { ports: [a, b, c], static-macs: [{mac: "02:00:00:00:00:0d", port: b}] } }
)");
  lan.receive("a", from(kAnn).to(kEverybody)), lan.receive("b", from(kBob).to(kEverybody));
  lan.receive("c", from(kCat).to(kEverybody));
  for (const char* port : {"a", "b", "c"}) lan.sent(port);
  lan.devices().pull_out("b");
  lan.receive("a", from(kAnn).to(kBob));
  EXPECT_EQ(lan.drops("b", DropReason::transmit_full), 1u) << "nobody has noticed yet";
  lan.runtime().watch_links();
  EXPECT_THAT(lan.macs(),
              ElementsAre("02:00:00:00:00:0a lan vlan 1 on a", "02:00:00:00:00:0c lan vlan 1 on c",
                          "02:00:00:00:00:0d lan vlan 1 on b static"));
  lan.receive("a", from(kAnn).to(kBob));
  EXPECT_EQ(lan.sent("c").size(), 1u) << "Bob may be anywhere now";
  EXPECT_EQ(lan.drops("b", DropReason::transmit_full), 2u);
  lan.receive("b", from(kBob).to(kAnn));
  EXPECT_THAT(lan.sent("a"), IsEmpty());
  lan.devices().put_in("b");
  lan.runtime().watch_links();
  lan.receive("b", from(kBob).to(kAnn));
  EXPECT_EQ(lan.sent("a").size(), 1u);
  lan.receive("a", from(kAnn).to(kBob));
  EXPECT_EQ(lan.sent("b").size(), 1u);
  EXPECT_THAT(lan.sent("c"), IsEmpty());
}

TEST_F(Faults, a_way_out_that_disappears_keeps_its_routes_and_sessions_for_when_it_comes_back) {
  router_.devices().pull_out("w");
  router_.runtime().watch_links();
  router_.send(kAnnHost, question());
  EXPECT_EQ(router_.drops("w", DropReason::transmit_full), 1u);
  router_.send(kAnnHost, udp("192.168.10.7:5000", "192.168.20.8:53"));
  EXPECT_THAT(router_.said(), ElementsAre("t: udp 192.168.10.7:5000 > 192.168.20.8:53 ttl 63 vlan 20"));
  router_.devices().put_in("w");
  router_.runtime().watch_links();
  flows();
  EXPECT_EQ(sessions_opened(), 1u);
}

// Dan was learned; behind a port without link he is asked for in vain, and Ann is told.
TEST_F(Faults, neighbors_behind_a_device_that_disappears_are_asked_for_anew) {
  router_.knows("w", "uplink", kDan, "203.0.113.9");
  const PacketBuilder to_dan = udp("192.168.10.7:7000", "203.0.113.9:2");
  router_.devices().pull_out("w");
  router_.runtime().watch_links();
  router_.send(kAnnHost, to_dan);
  router_.pass(4);
  EXPECT_THAT(router_.said(), ElementsAre("a: icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/1 about (" +
                                          told(router_.by(kAnnHost, to_dan)) + ")"));
  EXPECT_EQ(router_.drops("a", DropReason::neighbor_failed), 1u);
  EXPECT_EQ(router_.drops("w", DropReason::transmit_full), 3u) << "the questions";
  router_.devices().put_in("w");
  router_.runtime().watch_links();
  router_.knows("w", "uplink", kDan, "203.0.113.9");
  router_.send(kAnnHost, to_dan);
  EXPECT_THAT(router_.said(), ElementsAre("w: udp 203.0.113.2:7000 > 203.0.113.9:2 ttl 63"));
}

// ---- control stands still

TEST_F(Faults, while_control_stands_still_for_ten_seconds_known_flows_go_on) {
  for (unsigned second = 0; second < 10; ++second) {
    ASSERT_TRUE(router_.devices().give("a", made(kAnnHost, question())));
    ASSERT_TRUE(router_.devices().give("w", made(kCatHost, answer())));
    router_.pass_without_control(1000);
    EXPECT_THAT(router_.told("w"), ElementsAre("udp 203.0.113.2:5000 > 198.51.100.9:53 ttl 63"));
    EXPECT_THAT(router_.told("a"), ElementsAre("udp 198.51.100.9:53 > 192.168.10.7:5000 ttl 63"));
  }
  router_.pass(1);
  flows();
  EXPECT_EQ(sessions_opened(), 1u);
}

// 8 of what Ann sends to Dan wait in the end, the last ones; who asked for the router gets all the answers
// that a ring holds questions for.
TEST_F(Faults, what_is_for_control_meanwhile_fills_its_ring_and_no_more) {
  constexpr unsigned kEachSecond = 200;
  for (unsigned second = 0; second < 10; ++second) {
    for (unsigned i = 0; i < kEachSecond; ++i) {
      const auto id = static_cast<uint16_t>(second * kEachSecond + i);
      ASSERT_TRUE(
          router_.devices().give("a", made(kAnnHost, udp("192.168.10.7:7000", "203.0.113.9:2").id(id))));
      ASSERT_TRUE(
          router_.devices().give("a", made(kAnnHost, echo_request("192.168.10.7", "192.168.10.1", 7, id))));
    }
    router_.pass_without_control(1000);
    EXPECT_THAT(router_.said(), IsEmpty());
    EXPECT_EQ(router_.runtime().books().unaccounted, 0);
  }
  constexpr unsigned kRing = dataplane::kPuntSlots - 1, kSent = 10 * kEachSecond;
  EXPECT_EQ(router_.runtime().books().held, 2 * kRing);
  EXPECT_EQ(router_.drops("a", DropReason::punt_full), 2 * (kSent - kRing));
  router_.turn();
  EXPECT_EQ(router_.told("a").size(), kRing);
  EXPECT_THAT(router_.told("w"), ElementsAre("arp who-has 203.0.113.9 tell 203.0.113.2"));
  EXPECT_EQ(router_.runtime().books().held, 8u);
  EXPECT_EQ(router_.drops("a", DropReason::neighbor_queue_full), kRing - 8u);
  router_.receive("w", arp_reply(kDan, "203.0.113.9", router_.mac("uplink"), "203.0.113.2"));
  EXPECT_EQ(router_.told("w").size(), 8u);
  flows();
}

TEST_F(Faults, an_answer_that_came_while_control_stood_still_is_not_too_late) {
  router_.send(kAnnHost, udp("192.168.10.7:7000", "203.0.113.9:2"));
  EXPECT_THAT(router_.told("w"), ElementsAre("arp who-has 203.0.113.9 tell 203.0.113.2"));
  const Frame reply = arp_reply(kDan, "203.0.113.9", router_.mac("uplink"), "203.0.113.2");
  ASSERT_TRUE(router_.devices().give("w", make_packet(reply, router_.pool(), Buffer::pool)));
  router_.pass_without_control(10'000);
  router_.turn();
  EXPECT_THAT(router_.said(), ElementsAre("w: udp 203.0.113.2:7000 > 203.0.113.9:2 ttl 63"));
}

TEST_F(Faults, after_a_standstill_old_addresses_are_forgotten_at_once) {
  router_.pass_without_control(400'000);
  EXPECT_THAT(router_.macs(), testing::Not(IsEmpty()));
  router_.pass(1);
  EXPECT_THAT(router_.macs(), IsEmpty());
}

// ---- a worker is starved

class TwoWorkers : public Faults {
 protected:
  TwoWorkers() : Faults(Home{.more = kNat}, {.workers = 2}) {}

  unsigned owner(dataplane::Ip4 inside) {
    return dataplane::worker_of(router_.runtime().worker(0).context(), inside);
  }
  /// An address of 192.168.10.0/24 that belongs to `worker`.
  std::string host_of(unsigned worker) {
    dataplane::Ip4 last = 20;
    while (owner(0xC0A80A00 + last) != worker) ++last;
    return "192.168.10." + std::to_string(last);
  }
  void give(const std::string& host, unsigned queue) {
    rte_mbuf* packet = made(kAnnHost, udp(host + ":5000", kServer));
    ASSERT_TRUE(router_.devices().give("a", packet, queue));
  }
};

TEST_F(TwoWorkers, a_starved_workers_flows_wait_on_its_ring_and_the_others_go_on) {
  const std::string starved = host_of(0), fed = host_of(1);
  for (unsigned i = 0; i < 1100; ++i) give(starved, 1);
  give(fed, 1);
  router_.turn_of(1);
  EXPECT_EQ(router_.sent("w").size(), 1u);
  constexpr unsigned kRing = dataplane::kHandoverSlots - 1;
  EXPECT_EQ(router_.drops("a", DropReason::steer_full), 1100 - kRing);
  EXPECT_EQ(router_.runtime().books().held, kRing);
  EXPECT_EQ(router_.runtime().books().unaccounted, 0);
  router_.turn();
  EXPECT_EQ(router_.sent("w").size(), kRing);
  give(starved, 1);
  router_.turn();
  EXPECT_EQ(router_.sent("w").size(), 1u);
}

// Both are full for each other: neither waits for the other.
TEST_F(TwoWorkers, full_rings_both_ways_are_no_deadlock) {
  const std::string of_0 = host_of(0), of_1 = host_of(1);
  for (unsigned i = 0; i < 1100; ++i) give(of_0, 1);
  router_.turn_of(1);
  for (unsigned i = 0; i < 1100; ++i) give(of_1, 0);
  router_.turn();
  EXPECT_EQ(router_.drops("a", DropReason::steer_full), 1100 - (dataplane::kHandoverSlots - 1));
  EXPECT_EQ(router_.sent("w").size(), 1100 + dataplane::kHandoverSlots - 1);
  EXPECT_EQ(router_.runtime().books().held, 0u);
}

}  // namespace
}  // namespace sluice::test
