// SPDX-License-Identifier: BSD-3-Clause
//
// Equal-cost next hops: behaviour B50.
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

class Ecmp : public RouterTest {};
INSTANTIATE_TEST_SUITE_P(Ways, Ecmp, kWays, way_name);

/// How many flows went to each next hop, by the last octet of its MAC address.
using Shares = std::map<unsigned, unsigned>;

struct Hop {
  unsigned last;  ///< octet of its addresses and of its MAC address
  unsigned weight = 1;
};

// A default route of each family over `hops`; all that a test ever uses are known.
std::string over(const std::vector<Hop>& hops) {
  std::string ipv4, ipv6, neighbors = kThreeNeighbors;
  for (const Hop& hop : hops) {
    const std::string weight = ", weight: " + std::to_string(hop.weight) + " }, ";
    ipv4 += "{ address: 203.0.113." + std::to_string(hop.last) + weight;
    ipv6 += "{ address: \"2001:db8::" + std::to_string(hop.last) + "\"" + weight;
  }
  for (const char* hop : {"11", "12", "13", "14"}) {
    const std::string mac = ", mac: \"02:00:00:00:00:" + std::string(hop) + "\", interface: uplink }\n";
    neighbors += "  - { address: 203.0.113." + std::string(hop) + mac;
    neighbors += "  - { address: \"2001:db8::" + std::string(hop) + "\"" + mac;
  }
  return Home{.routes = "routes:\n  - { to: default, via: [" + ipv4 + "] }\n  - { to: default, via: [" +
                        ipv6 + "] }\n",
              .neighbors = neighbors};
}

PacketBuilder flow(unsigned i) {
  const std::string host = std::to_string(2 + i % 7) + ":" + std::to_string(1024 + i / 7 % 5000);
  const std::string server = "198.51." + std::to_string(100 + i % 3) + "." + std::to_string(1 + i / 11 % 250);
  return udp("192.168.10." + host, server + ":" + std::to_string(1 + i % 1000)).data(2);
}

PacketBuilder flow6(unsigned i) {
  return udp("[fd00:10::" + std::to_string(2 + i % 7) + "]:" + std::to_string(1024 + i / 7 % 5000),
             "[2001:db8:9::" + std::to_string(1 + i / 11 % 250) + "]:" + std::to_string(1 + i % 1000))
      .data(2);
}

constexpr unsigned kFlows = 20'000;
constexpr unsigned kBurst = 50;

// The next hop of every packet, in order.
std::vector<unsigned> hops_of(TestRouter& router, const std::vector<PacketBuilder>& packets,
                              unsigned queue = 0) {
  std::vector<unsigned> hops;
  for (size_t first = 0; first < packets.size(); first += kBurst) {
    Frames burst;
    for (size_t i = first; i < std::min(first + kBurst, packets.size()); ++i)
      burst.push_back(router.by(kAnnHost, packets[i]));
    router.receive_burst("a", burst, queue);
    for (const Frame& frame : router.sent("w")) hops.push_back(frame.at(5) / 16 * 10u + frame.at(5) % 16);
  }
  return hops;
}

std::vector<PacketBuilder> flows(unsigned count, PacketBuilder (*make)(unsigned)) {
  std::vector<PacketBuilder> packets;
  for (unsigned i = 0; i < count; ++i) packets.push_back(make(i));
  return packets;
}

Shares shares(const std::vector<unsigned>& hops) {
  Shares all;
  for (const unsigned hop : hops) ++all[hop];
  return all;
}

void expect_shares(const Shares& found, const std::vector<Hop>& hops) {
  unsigned sum = 0, flows = 0;
  for (const Hop& hop : hops) sum += hop.weight;
  for (const auto& [hop, count] : found) flows += count;
  EXPECT_EQ(flows, kFlows);
  EXPECT_EQ(found.size(), hops.size());
  for (const Hop& hop : hops) {
    const double wanted = 1.0 * kFlows * hop.weight / sum;
    EXPECT_NEAR(found.contains(hop.last) ? found.at(hop.last) : 0, wanted, 0.05 * wanted) << hop.last;
  }
}

TEST_P(Ecmp, B50_shares_the_flows_as_the_weights_say) {
  for (const std::vector<Hop>& hops :
       {std::vector<Hop>{{11}, {12}}, std::vector<Hop>{{11}, {12}, {13}, {14}},
        std::vector<Hop>{{11, 3}, {12, 1}}, std::vector<Hop>{{11, 5}, {12, 3}, {13, 2}}}) {
    TestRouter router = make(over(hops));
    expect_shares(shares(hops_of(router, flows(kFlows, flow), queues().back())), hops);
    expect_shares(shares(hops_of(router, flows(kFlows, flow6), queues().back())), hops);
  }
}

TEST_P(Ecmp, B50_a_flow_keeps_its_way_by_whichever_queue_it_comes) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  for (const auto& packets : {flows(300, flow), flows(300, flow6)}) {
    const std::vector<unsigned> first = hops_of(router, packets);
    for (const unsigned queue : queues()) {
      EXPECT_EQ(hops_of(router, packets, queue), first);
      router.pass(1);
    }
  }
}

TEST_P(Ecmp, B50_what_is_not_the_flow_does_not_count) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  std::vector<PacketBuilder> packets;
  for (unsigned i = 0; i < 256; ++i) {
    packets.push_back(udp("192.168.10.7:5000", "198.51.100.9:53")
                          .id(static_cast<uint16_t>(i * 257))
                          .tos(static_cast<uint8_t>(i))
                          .ttl(static_cast<uint8_t>(2 + i % 250))
                          .data(i));
  }
  EXPECT_EQ(shares(hops_of(router, packets)).size(), 1u);
}

TEST_P(Ecmp, B50_packets_without_ports_go_by_their_addresses) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  std::vector<PacketBuilder> by_source, by_destination, by_source6, by_destination6;
  for (unsigned i = 2; i < 250; ++i) {
    const std::string last = std::to_string(i);
    by_source.push_back(ip(47, "192.168.10." + last, "198.51.100.1"));
    by_destination.push_back(ip(47, "192.168.10.7", "198.51.100." + last));
    by_source6.push_back(ip(47, "fd00:10::" + last, "2001:db8:9::1"));
    by_destination6.push_back(ip(47, "fd00:10::7", "2001:db8:9::" + last));
  }
  for (const auto& packets : {by_source, by_destination, by_source6, by_destination6}) {
    const auto hops = hops_of(router, packets);
    EXPECT_EQ(shares(hops).size(), 4u) << told(Frame(PacketBuilder(packets[0])));
    EXPECT_EQ(hops_of(router, packets, queues().back()), hops);
  }
}

TEST_P(Ecmp, B50_each_part_of_what_makes_a_flow_counts) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  std::vector<PacketBuilder> by_source_port, by_destination_port;
  for (unsigned i = 1; i < 250; ++i) {
    by_source_port.push_back(udp("192.168.10.7:" + std::to_string(i), "198.51.100.1:53"));
    by_destination_port.push_back(tcp("192.168.10.7:1", "198.51.100.1:" + std::to_string(i)));
  }
  EXPECT_EQ(shares(hops_of(router, by_source_port)).size(), 4u);
  EXPECT_EQ(shares(hops_of(router, by_destination_port)).size(), 4u);
}

TEST_P(Ecmp, B50_all_parts_of_a_datagram_take_one_way) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  Shares all;
  for (unsigned i = 0; i < 200; ++i) {
    for (const auto make_flow : {flow, flow6}) {
      const auto whole = make_flow(i).data(200).id(static_cast<uint16_t>(i));
      std::vector<unsigned> hops;
      for (const size_t offset : {0, 64, 128, 192}) {  // each by another queue
        const auto part = PacketBuilder(whole).part(offset, 64);
        hops.push_back(hops_of(router, {part}, queues()[offset / 64 % queues().size()]).at(0));
      }
      EXPECT_EQ(shares(hops).size(), 1u) << told(Frame(PacketBuilder(whole)));
      ++all[hops[0]];
    }
  }
  EXPECT_EQ(all.size(), 4u) << "but not all datagrams the same";
}

TEST_P(Ecmp, B50_headers_that_only_the_first_part_has_do_not_count) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  for (unsigned i = 0; i < 50; ++i) {
    const Frame datagram = flow6(i).data(200).packet();
    Frame chain(datagram.begin() + 32, datagram.end());
    const uint8_t options[] = {17, 0, 1, 4, 0, 0, 0, 0};  // for the destination, and UDP behind them
    std::copy(std::begin(options), std::end(options), chain.begin());
    const std::string source = "fd00:10::" + std::to_string(2 + i % 7);
    const auto whole = ip(60, source, "2001:db8:9::" + std::to_string(1 + i / 11)).data(chain).id(7);
    std::vector<unsigned> hops;
    for (const size_t offset : {0, 64, 128})
      hops.push_back(hops_of(router, {PacketBuilder(whole).part(offset, 64)}).at(0));
    EXPECT_EQ(shares(hops).size(), 1u) << i;
  }
}

TEST_P(Ecmp, B50_all_parts_that_the_router_makes_take_one_way) {
  std::string yaml = over({{11}, {12}, {13}, {14}});
  yaml.insert(yaml.find("uplink: { port: w") + 17, ", mtu: 1280");
  TestRouter router = make(yaml);
  Shares all;
  for (unsigned i = 0; i < 60; ++i) {
    const auto hops = hops_of(router, {flow(i).data(1400)}, queues().back());
    ASSERT_EQ(hops.size(), 2u);
    EXPECT_EQ(hops[0], hops[1]) << i;
    ++all[hops[0]];
  }
  EXPECT_EQ(all.size(), 4u);
}

TEST_P(Ecmp, B50_a_next_hop_that_goes_moves_its_own_flows_alone_and_they_are_shared_out) {
  TestRouter router = make(over({{11}, {12}, {13}, {14}}));
  for (const auto& packets : {flows(4000, flow), flows(4000, flow6)}) {
    ASSERT_TRUE(router.reload(over({{11}, {12}, {13}, {14}})).ok());
    const auto before = hops_of(router, packets);
    ASSERT_TRUE(router.reload(over({{11}, {12}, {14}})).ok());
    const auto after = hops_of(router, packets);
    ASSERT_EQ(after.size(), before.size());
    Shares moved;
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] == 13) {
        ++moved[after[i]];
      } else {
        EXPECT_EQ(after[i], before[i]) << i;
      }
    }
    ASSERT_EQ(moved.size(), 3u);
    for (const auto& [hop, count] : moved) EXPECT_NEAR(count, 1000.0 / 3, 1000.0 / 3 * 0.3) << hop;
  }
}

TEST_P(Ecmp, B50_a_next_hop_that_comes_takes_its_share_and_moves_no_other_flow) {
  TestRouter router = make(over({{11}, {12}, {13}}));
  const auto packets = flows(4000, flow);
  const auto before = hops_of(router, packets);
  ASSERT_TRUE(router.reload(over({{11}, {12}, {13}, {14}})).ok());
  const auto after = hops_of(router, packets);
  unsigned moved = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    EXPECT_EQ(after[i], 14u) << i;
    ++moved;
  }
  EXPECT_NEAR(moved, 1000, 100);
}

TEST_P(Ecmp, B50_a_reload_that_says_the_same_moves_nothing) {
  TestRouter router = make(over({{11, 2}, {12, 1}, {13, 3}}));
  const auto packets = flows(1000, flow);
  const auto before = hops_of(router, packets);
  ASSERT_TRUE(router.reload(over({{13, 3}, {11, 2}, {12, 1}})).ok());
  EXPECT_EQ(hops_of(router, packets), before);
}

TEST_P(Ecmp, B50_only_the_flows_of_a_next_hop_that_does_not_answer_are_lost) {
  std::string yaml = over({{11}, {12}, {13}, {14}});
  const std::string known = "  - { address: 203.0.113.13, mac: \"02:00:00:00:00:13\", interface: uplink }\n";
  yaml.erase(yaml.find(known), known.size());
  TestRouter router = make(yaml);
  const auto hop_of = [&](const PacketBuilder& packet) {  // 0: none
    router.send(kAnnHost, packet);
    unsigned hop = 0;
    for (const Frame& frame : router.sent("w")) {
      if (told(frame).starts_with("udp")) hop = frame.at(5) / 16 * 10u + frame.at(5) % 16;
    }
    return hop;
  };
  std::vector<unsigned> first, again;
  for (const auto& packet : flows(400, flow)) first.push_back(hop_of(packet));
  for (const auto& packet : flows(400, flow)) again.push_back(hop_of(packet));
  EXPECT_EQ(first, again);
  Shares found = shares(first);
  ASSERT_EQ(found.size(), 4u);
  for (const unsigned hop : {0u, 11u, 12u, 14u}) EXPECT_NEAR(found[hop], 100, 30) << hop;
}

}  // namespace
}  // namespace sluice::test
