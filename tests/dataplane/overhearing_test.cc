// SPDX-License-Identifier: BSD-3-Clause
//
// What the router takes for itself of frames that everybody in a VLAN gets, and how much of it.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

constexpr unsigned kBurst = 500, kPerMillisecond = 2;  // of ARP and of neighbor discovery, a worker

class Overhearing : public RouterTest {
 protected:
  /// The frame is flooded, and control hears nothing of it.
  static void passes_by(TestRouter& router, const Frame& frame) {
    const uint64_t generated = router.counters().generated;
    router.receive("t", frame);
    EXPECT_EQ(router.sent("a").size(), 1u);
    EXPECT_EQ(router.counters().generated, generated) << "no copy for control";
  }
  static Frame tagged(Frame frame) {
    const Frame tag{0x81, 0x00, 0, 10};
    frame.insert(frame.begin() + 12, tag.begin(), tag.end());
    return frame;
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, Overhearing, kWays, way_name);

TEST_P(Overhearing, passes_over_arp_that_ends_too_soon) {
  TestRouter router = make();
  const Frame whole = tagged(arp_request(kBob, "192.168.10.8", "192.168.10.1"));
  for (size_t length = 18; length < 18 + 28; ++length)
    passes_by(router, Frame(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)));
  router.receive("t", whole);
  EXPECT_EQ(router.told("t"), Said{"arp 192.168.10.1 is-at " + router.mac("lan10") + " vlan 10"});
}

TEST_P(Overhearing, passes_over_neighbor_discovery_that_ends_too_soon) {
  TestRouter router = make();
  const Frame whole = tagged(neighbor_solicitation(kBob, "fd00:10::8", "fd00:10::1"));
  for (size_t length = 18; length < 18 + 40 + 24; ++length)
    passes_by(router, Frame(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)));
  router.receive("t", whole);
  EXPECT_EQ(router.told("t"), Said{"nd fd00:10::1 is-at " + router.mac("lan10") + " vlan 10"});
}

TEST_P(Overhearing, passes_over_what_groups_say_to_each_other) {
  TestRouter router = make();
  passes_by(router, udp("[fd00:10::8]:5353", "[ff02::fb]:5353").vlan(10).via(kBob, "33:33:00:00:00:fb"));
  passes_by(router, udp("192.168.10.8:5353", "224.0.0.251:5353").vlan(10).via(kBob, "01:00:5e:00:00:fb"));
  passes_by(router, tagged(neighbor_solicitation(kBob, "fd00:10::8", "fd00:10::99")));
  passes_by(router, tagged(arp_request(kBob, "192.168.10.8", "192.168.10.99")));
}

TEST_P(Overhearing, of_a_flood_of_requests_takes_as_many_as_it_may_and_then_so_many_a_second) {
  TestRouter router = make();
  const Frame request = arp_request(kCat, "203.0.113.1", "203.0.113.2");
  for (unsigned sent = 0; sent < 640; sent += 64) router.receive_burst("w", Frames(64, request));
  EXPECT_EQ(router.sent("w").size(), kBurst);
  EXPECT_EQ(router.drops("w", DropReason::punt_policed), 640 - kBurst);
  router.pass_ms(5);
  router.receive_burst("w", Frames(64, request));
  EXPECT_EQ(router.sent("w").size(), 5 * kPerMillisecond);
  EXPECT_EQ(router.drops("w", DropReason::punt_policed), 640 - kBurst + 64 - 5 * kPerMillisecond);
}

TEST_P(Overhearing, of_a_flood_of_broadcasts_everybody_else_still_gets_all) {
  TestRouter router = make();
  const Frame request = arp_request(kAnn, "192.168.10.7", "192.168.10.1");
  for (unsigned sent = 0; sent < 640; sent += 64) router.receive_burst("a", Frames(64, request));
  EXPECT_EQ(router.sent("t").size(), 640u);
  EXPECT_EQ(router.sent("a").size(), kBurst) << "answers";
  EXPECT_EQ(router.drops("a", DropReason::punt_policed), 640 - kBurst);
}

TEST_P(Overhearing, does_not_believe_a_group_that_claims_to_send) {
  TestRouter router = make();
  Frame frame = router.by(kCatHost, udp("203.0.113.1:1", "192.168.10.7:2"));
  frame.at(6) |= 1;
  router.receive("w", frame);
  EXPECT_EQ(router.drops("w", DropReason::group_source), 1u);
  EXPECT_EQ(router.said(), Said());
}

}  // namespace
}  // namespace sluice::test
