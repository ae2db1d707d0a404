// SPDX-License-Identifier: BSD-3-Clause
//
// Parts of datagrams that the router refuses: those that hide TCP's flags, and more of them than it makes.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Fragments : public RouterTest {};
INSTANTIATE_TEST_SUITE_P(Ways, Fragments, kWays, way_name);

PacketBuilder datagram(PacketBuilder (*protocol)(const std::string&, const std::string&)) {
  return protocol("192.168.10.7:5000", "198.51.100.9:80").data(100);
}

TEST_P(Fragments, of_tcp_that_hide_or_overwrite_its_flags_are_dropped) {
  TestRouter router = make();
  uint64_t dropped = 0;
  for (const auto& [offset, length] : {std::pair<size_t, size_t>{0, 8}, {0, 16}, {8, 8}, {8, 100}}) {
    router.send(kAnnHost, datagram(tcp).part(offset, length));
    EXPECT_EQ(router.drops("a", DropReason::tiny_fragment), ++dropped) << offset << "+" << length;
    EXPECT_EQ(router.said(), Said());
  }
}

TEST_P(Fragments, that_leave_the_header_of_tcp_whole_and_those_of_udp_pass) {
  TestRouter router = make();
  const auto passes = [&](const auto& protocol, size_t offset, size_t length) {
    router.send(kAnnHost, datagram(protocol).part(offset, length));
    EXPECT_TRUE(
        same(router.sent("w"), {router.to(kCatHost, datagram(protocol).ttl(63).part(offset, length))}));
  };
  passes(tcp, 0, 24);
  passes(tcp, 16, 8);
  passes(udp, 0, 8);
  passes(udp, 8, 8);
  EXPECT_EQ(router.all_drops(DropReason::tiny_fragment), 0u);
}

// Ports of jumbo frames before a link that takes 48 octets of data a packet.
const std::string kSmallestLink = std::string(R"(
ports: { a: {device: "null", mtu: 9000}, w: {device: "null"} }
interfaces:
  lan10: { port: a, mac: "02:00:00:00:10:01", addresses: [192.168.10.1/24] }
  uplink: { port: w, mac: "02:00:00:00:71:02", addresses: [203.0.113.2/24], mtu: 68 }
routes: [{ to: default, via: 203.0.113.1 }]
neighbors:
  - { address: 203.0.113.1, mac: "02:00:00:00:00:0c", interface: uplink }
)") + kTables;

TEST_P(Fragments, are_made_of_a_datagram_up_to_64) {
  TestRouter router = make(kSmallestLink);
  const auto of = [](size_t data) { return udp("192.168.10.7:5000", "198.51.100.9:53").data(data); };
  router.send(kAnnHost, of(64 * 48 - 8));
  EXPECT_EQ(router.sent("w").size(), 64u);
  for (const size_t data : {64 * 48 - 7, 8972}) {
    const dataplane::Counters before = router.counters();
    router.send(kAnnHost, of(data));
    EXPECT_EQ(router.sent("w").size(), 0u) << "not some of them: nobody could put them together";
    const dataplane::Counters after = router.counters();
    EXPECT_EQ(after.generated, before.generated);
    EXPECT_EQ(after.consumed, before.consumed);
  }
  EXPECT_EQ(router.drops("a", DropReason::again_full), 2u);
  router.send(kAnnHost, of(200));
  EXPECT_EQ(router.sent("w").size(), 5u) << "and the next one is cut as ever";
}

}  // namespace
}  // namespace sluice::test
