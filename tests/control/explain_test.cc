// SPDX-License-Identifier: BSD-3-Clause
//
// Every decision in words: its table, its match, its line of the file and its effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/replay.h"
#include "tests/support/captures.h"
#include "tests/support/ip.h"
#include "tests/support/packets.h"
#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using control::Replay;
using control::ReplayOptions;
using control::Story;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kLan = "02:00:00:00:00:01";
constexpr const char* kWan = "02:00:00:00:00:02";
constexpr const char* kGateway = "02:00:00:00:00:99";

// Lines count from 1: the stories name them.
const std::string kHome =
    "ports: { lan1: {device: tap}, lan2: {device: tap}, wan: {device: tap} }\n"                        // 1
    "bridges:\n"                                                                                       // 2
    "  home:\n"                                                                                        // 3
    "    ports:\n"                                                                                     // 4
    "      lan1: { vlan: 10 }\n"                                                                       // 5
    "      lan2: { vlans: [10, 20] }\n"                                                                // 6
    "    static-macs: [{ mac: \"02:00:00:00:00:0c\", vlan: 10, port: lan2 }]\n"                        // 7
    "interfaces:\n"                                                                                    // 8
    "  lan10: { bridge: home, vlan: 10, addresses: [192.168.10.1/24], mac: \"02:00:00:00:00:01\" }\n"  // 9
    "  uplink: { port: wan, addresses: [203.0.113.2/24, \"2001:db8::2/64\"], mac: \"02:00:00:00:00:02\" "
    "}\n"                                                                             // 10
    "neighbors:\n"                                                                    // 11
    "  - { address: 203.0.113.1, mac: \"02:00:00:00:00:99\", interface: uplink }\n"   // 12
    "routes:\n"                                                                       // 13
    "  - { to: default, via: 203.0.113.1 }\n"                                         // 14
    "  - { to: 10.0.0.0/8, type: prohibit }\n"                                        // 15
    "nat:\n"                                                                          // 16
    "  - name: internet\n"                                                            // 17
    "    interface: uplink\n"                                                         // 18
    "    source: [192.168.10.0/24]\n"                                                 // 19
    "    address: interface\n"                                                        // 20
    "    port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }]\n";  // 21

/// A packet that arrives at a port, a millisecond after the one before.
struct Arrival {
  std::string port;
  Frame frame;
};

std::vector<Story> explain(const std::vector<Arrival>& arrivals, uint64_t until_s = 0) {
  start_dpdk();
  const Captures files;
  std::map<std::string, std::vector<Timed>> frames;
  for (size_t i = 0; i < arrivals.size(); ++i)
    frames[arrivals[i].port].push_back({kEpoch + i * 1'000'000, arrivals[i].frame});
  ReplayOptions options{{}, "", until_s, {}};
  for (const auto& [port, list] : frames) options.inputs.push_back({port, files.write(port, list)});
  std::vector<Story> stories;
  Replay replay(options);
  const absl::Status status =
      replay.explain(parse_or_die(kHome), [&](const Story& story) { stories.push_back(story); });
  EXPECT_TRUE(status.ok()) << status;
  return stories;
}

Frame syn() {
  return tcp("192.168.10.7:51514", "93.184.216.34:80").via(kAnn, kLan);
}

/// The words of the packet's own steps at a stage.
std::vector<std::string> at(const Story& story, const std::string& stage) {
  std::vector<std::string> words;
  for (const control::Episode& episode : story.episodes) {
    for (const control::Step& step : episode.steps) {
      if (episode.about.empty() && step.stage == stage) words.push_back(step.words);
    }
  }
  return words;
}

TEST(Explain, a_new_connection_by_stage_table_line_and_effect) {
  const std::vector<Story> stories = explain({{"lan1", syn()}});
  ASSERT_EQ(stories.size(), 1u);
  EXPECT_EQ(
      control::story_text(stories[0]),
      "#1  lan1 → wan   72 bytes   tcp 192.168.10.7:51514 > 93.184.216.34:80 SYN\n"
      "  parse     untagged ethernet, ipv4, tcp\n"
      "  switch    access port, vlan 10 of bridge home (test.yaml:5); 02:00:00:00:00:0a learned on lan1; "
      "destination 02:00:00:00:00:01 is the address of interface lan10 (test.yaml:9): routed\n"
      "  ip        the header and its checksum are right, ttl 64\n"
      "  nat       no session yet\n"
      "  route     93.184.216.34 matches 0.0.0.0/0 (test.yaml:14): via 203.0.113.1 on uplink\n"
      "  nat       rule internet (test.yaml:17): new session, source 192.168.10.7:51514 → "
      "203.0.113.2:51514\n"
      "  neighbor  203.0.113.1 is 02:00:00:00:00:99 (test.yaml:12)\n"
      "  rewrite   ttl 64 → 63; source mac 02:00:00:00:00:0a → 02:00:00:00:00:02; destination mac "
      "02:00:00:00:00:01 → 02:00:00:00:00:99; ip checksum updated; addresses and ports as its session "
      "says, checksums updated\n"
      "  transmit  wan\n\n");
}

TEST(Explain, an_answer_and_the_second_packet_by_their_session) {
  const std::vector<Story> stories =
      explain({{"lan1", syn()},
               {"wan", tcp("93.184.216.34:80", "203.0.113.2:51514").flags(0x12).via(kGateway, kWan)},
               {"lan1", tcp("192.168.10.7:51514", "93.184.216.34:80").flags(0x10).via(kAnn, kLan)}});
  ASSERT_EQ(stories.size(), 3u);
  EXPECT_THAT(
      at(stories[1], "nat"),
      testing::Contains("session of rule internet (test.yaml:17), established, an answer: destination "
                        "203.0.113.2:51514 → 192.168.10.7:51514"));
  EXPECT_THAT(at(stories[2], "nat"),
              testing::Contains("session of rule internet (test.yaml:17), established: source "
                                "192.168.10.7:51514 → 203.0.113.2:51514"));
  EXPECT_EQ(stories[2].outcome, "wan");
}

TEST(Explain, what_the_switch_learns_floods_and_knows) {
  const auto frame = [](const char* source, const char* destination) -> Frame {
    return from(source).to(destination);
  };
  const std::vector<Story> stories = explain({{"lan1", frame(kAnn, kBob)},
                                              {"lan2", from(kBob).to(kAnn).vlan(10)},
                                              {"lan2", from(kAnn).to(kBob).vlan(10)},
                                              {"lan1", frame(kDan, kCat)},
                                              {"lan1", from(kAnn).to(kBob).vlan(10)},
                                              {"lan2", from(kAnn).to(kBob).vlan(30)}});
  ASSERT_EQ(stories.size(), 6u);
  const auto said = [&](size_t story) { return at(stories[story], "switch").at(0); };
  EXPECT_EQ(said(0),
            "access port, vlan 10 of bridge home (test.yaml:5); 02:00:00:00:00:0a learned on lan1; where "
            "02:00:00:00:00:0b is, is not known");
  EXPECT_THAT(at(stories[0], "flood"), ElementsAre("to all other ports of vlan 10: lan2 tagged"));
  EXPECT_THAT(said(1),
              HasSubstr("trunk port, vlan 10 of bridge home (test.yaml:6); 02:00:00:00:00:0b learned on "
                        "lan2; destination 02:00:00:00:00:0a is on lan1, learned"));
  EXPECT_THAT(at(stories[1], "transmit"), ElementsAre("lan1, untagged"));
  EXPECT_THAT(said(2), HasSubstr("02:00:00:00:00:0a moved from lan1 to lan2"));
  EXPECT_EQ(stories[2].outcome, "dropped: same-port");
  EXPECT_THAT(said(3), HasSubstr("destination 02:00:00:00:00:0c is on lan2, static (test.yaml:7)"));
  EXPECT_EQ(said(4), "access port (test.yaml:5), which takes untagged frames of vlan 10 alone");
  EXPECT_THAT(at(stories[4], "drop"),
              ElementsAre("tagged-on-access: it carries a VLAN tag and the port is an access port"));
  EXPECT_EQ(said(5), "trunk port (test.yaml:6), which takes vlans 10, 20 and no untagged frame");
  EXPECT_EQ(stories[5].outcome, "dropped: vlan-not-allowed");
}

TEST(Explain, what_is_refused_and_what_the_router_says_about_it) {
  const std::vector<Story> stories =
      explain({{"lan1", udp("192.168.10.7:5", "10.1.1.1:80").via(kAnn, kLan)},
               {"lan1", udp("192.168.10.7:5", "8.8.8.8:80").ttl(1).via(kAnn, kLan)},
               {"wan", udp("[2001:db8::9]:5", "[2001:db9::1]:5").via(kGateway, kWan)}});
  ASSERT_EQ(stories.size(), 3u);
  EXPECT_EQ(stories[0].outcome, "dropped: route-prohibit");
  EXPECT_THAT(at(stories[0], "route"),
              ElementsAre("10.1.1.1 matches 10.0.0.0/8 (test.yaml:15): prohibited: the sender is told"));
  EXPECT_EQ(stories[1].outcome, "dropped: ttl-expired");
  EXPECT_THAT(at(stories[1], "neighbor"), ElementsAre("ttl 1: it may make no further hop"));
  EXPECT_EQ(stories[2].outcome, "dropped: no-route");
  EXPECT_THAT(at(stories[2], "route"), ElementsAre("no route covers 2001:db9::1: none of the interfaces' "
                                                   "networks, and none of 2 routes of the file"));
  EXPECT_THAT(at(stories[2], "control").at(0), HasSubstr("network unreachable"));
}

TEST(Explain, a_packet_that_waits_and_the_answer_that_lets_it_go) {
  const std::vector<Story> stories =
      explain({{"lan1", udp("192.168.10.7:5", "203.0.113.77:80").via(kAnn, kLan)},
               {"wan", arp_reply("02:00:00:00:00:77", "203.0.113.77", kWan, "203.0.113.2")}});
  ASSERT_EQ(stories.size(), 2u);
  EXPECT_EQ(stories[0].outcome, "held");
  EXPECT_EQ(stories[0].episodes.at(1).about, "arp who-has 203.0.113.77 tell 203.0.113.2, from the router");
  EXPECT_EQ(stories[1].outcome, "the router");
  EXPECT_EQ(stories[1].episodes.at(1).about, "udp 192.168.10.7:5 > 203.0.113.77:80, once more");
  EXPECT_EQ(stories[1].episodes.at(1).steps.back().words, "wan");
}

TEST(Explain, what_time_alone_does) {
  const std::vector<Story> stories =
      explain({{"lan1", udp("192.168.10.7:5", "203.0.113.77:80").via(kAnn, kLan)}}, 5);
  ASSERT_EQ(stories.size(), 2u);
  const std::string text = control::story_text(stories[1]);
  EXPECT_THAT(text, HasSubstr("time alone, until 5.000000 s\n"));
  EXPECT_THAT(text, HasSubstr("  2.000000 s: arp who-has 203.0.113.77 tell 203.0.113.2, from the router\n"));
  EXPECT_THAT(text, HasSubstr("  control   neighbor-failed: its neighbor did not answer\n"));
}

TEST(Explain, a_port_forward) {
  const std::vector<Story> stories =
      explain({{"wan", tcp("198.51.100.9:4000", "203.0.113.2:8080").via(kGateway, kWan)}});
  ASSERT_EQ(stories.size(), 1u);
  EXPECT_THAT(at(stories[0], "nat"),
              ElementsAre("no session yet; destination 203.0.113.2:8080 leads to 192.168.10.20:80",
                          "rule internet (test.yaml:17): new session, destination 203.0.113.2:8080 → "
                          "192.168.10.20:80"));
}

TEST(Explain, packets_of_any_shape) {
  std::vector<Arrival> arrivals;
  const Frame whole = syn();
  for (size_t size = 1; size < whole.size(); ++size)
    arrivals.push_back({"lan1", Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))});
  for (size_t octet = 12; octet < whole.size(); ++octet) {
    Frame other = whole;
    other[octet] ^= 0xFF;
    arrivals.push_back({"lan1", other});
  }
  const std::vector<Story> stories = explain(arrivals, 3);
  size_t packets = 0;
  for (const Story& story : stories) {
    if (story.number == 0) continue;
    ++packets;
    EXPECT_NE(story.outcome, "") << control::story_text(story);
  }
  EXPECT_EQ(packets, arrivals.size());
}

}  // namespace
}  // namespace sluice::test
