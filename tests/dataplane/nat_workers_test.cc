// SPDX-License-Identifier: BSD-3-Clause
//
// NAT with several workers: whatever queue a packet comes in by, it finds its session (behaviour B87).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {
namespace {

using dataplane::DropReason;
using testing::IsEmpty;

constexpr uint8_t kSynAck = 0x12;
constexpr const char* kServers =
    "- { name: servers, interface: uplink, static: [{ inside: 192.168.10.30, outside: 203.0.113.30 }, "
    "{ inside: 192.168.10.31, outside: 203.0.113.31 }, { inside: 192.168.10.32, outside: 203.0.113.32 }] }\n";
constexpr const char* kForwards =
    "port-forward: [{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }, "
    "{ protocol: udp, port: 5353, to: \"192.168.10.21:53\" }]";

// So many hosts that each worker owns some.
constexpr int kHosts[] = {2, 3, 4, 5, 6, 7, 8, 9};

std::string host(int number) {
  return "192.168.10." + std::to_string(number);
}
std::string at(const std::string& address, unsigned port) {
  return address + ":" + std::to_string(port);
}

class NatWorkers : public testing::TestWithParam<unsigned> {
 protected:
  Home make(const std::string& nat) { return Home(nat, {.workers = GetParam()}); }

  /// Calls use(queue) for each queue of a port.
  template <class Use>
  void each_queue(Use use) {
    for (unsigned queue = 0; queue < GetParam(); ++queue) {
      const testing::ScopedTrace trace(__FILE__, __LINE__, "queue " + std::to_string(queue));
      use(queue);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Count, NatWorkers, testing::Values(2, 4));

TEST_P(NatWorkers, B87_udp_finds_its_session_both_ways) {
  Home home = make(masquerade());
  std::set<std::string> used;
  for (int number : kHosts) {
    each_queue([&](unsigned first) {
      const std::string inside = at(host(number), 5000 + first);
      const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"), first);
      EXPECT_TRUE(used.insert(outside).second) << outside << " is used twice";
      each_queue([&](unsigned queue) {
        home.comes_in(udp("198.51.100.9:53", outside), udp("198.51.100.9:53", inside).ttl(63), queue);
        home.goes_out(udp(inside, "198.51.100.9:53"), udp(outside, "198.51.100.9:53").ttl(63), queue);
        home.goes_out(udp(inside, "198.51.100.10:53"), udp(outside, "198.51.100.10:53").ttl(63), queue);
      });
    });
  }
  EXPECT_EQ(home.sessions(), 2 * used.size());
}

TEST_P(NatWorkers, B87_tcp_finds_its_session_both_ways) {
  Home home = make(masquerade());
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(tcp(inside, "198.51.100.9:80"));
    each_queue([&](unsigned queue) {
      home.comes_in(tcp("198.51.100.9:80", outside).flags(kSynAck),
                    tcp("198.51.100.9:80", inside).flags(kSynAck).ttl(63), queue);
      home.goes_out(tcp(inside, "198.51.100.9:80").flags(0x10),
                    tcp(outside, "198.51.100.9:80").flags(0x10).ttl(63), queue);
    });
  }
  EXPECT_EQ(home.sessions(), std::size(kHosts));
}

TEST_P(NatWorkers, B87_echo_finds_its_session_both_ways) {
  Home home = make(masquerade());
  for (int number : kHosts) {
    home.send("lan", echo_request(host(number), "198.51.100.9", 7));
    const Frames out = home.router().sent("wan");
    ASSERT_EQ(out.size(), 1u);
    const auto id = static_cast<uint16_t>(out[0][38] << 8 | out[0][39]);
    each_queue([&](unsigned queue) {
      home.goes_out(echo_request(host(number), "198.51.100.9", 7),
                    echo_request("203.0.113.2", "198.51.100.9", id).ttl(63), queue);
      home.comes_in(echo_reply("198.51.100.9", "203.0.113.2", id),
                    echo_reply("198.51.100.9", host(number), 7).ttl(63), queue);
    });
  }
  EXPECT_EQ(home.sessions(), std::size(kHosts));
}

TEST_P(NatWorkers, B61_a_filter_is_asked_whatever_the_queue) {
  Home home = make(masquerade());
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
    each_queue([&](unsigned queue) {
      home.comes_in(udp(at("198.51.100.9", 1000 + queue), outside),
                    udp(at("198.51.100.9", 1000 + queue), inside).ttl(63), queue);
      home.is_dropped("wan", udp("198.51.100.10:53", outside), DropReason::nat_filtered, queue);
    });
  }
}

TEST_P(NatWorkers, B87_a_port_forward_leads_in_and_its_answers_out) {
  Home home = make(masquerade(kForwards));
  each_queue([&](unsigned first) {
    const std::string remote = at("198.51.100.9", 4000 + first);
    home.comes_in(tcp(remote, "203.0.113.2:8080"), tcp(remote, "192.168.10.20:80").ttl(63), first);
    home.comes_in(udp(remote, "203.0.113.2:5353"), udp(remote, "192.168.10.21:53").ttl(63), first);
    each_queue([&](unsigned queue) {
      home.goes_out(tcp("192.168.10.20:80", remote).flags(kSynAck),
                    tcp("203.0.113.2:8080", remote).flags(kSynAck).ttl(63), queue);
      home.comes_in(tcp(remote, "203.0.113.2:8080").flags(0x10),
                    tcp(remote, "192.168.10.20:80").flags(0x10).ttl(63), queue);
      home.goes_out(udp("192.168.10.21:53", remote), udp("203.0.113.2:5353", remote).ttl(63), queue);
      home.comes_in(udp(remote, "203.0.113.2:5353"), udp(remote, "192.168.10.21:53").ttl(63), queue);
    });
    home.goes_out(udp("192.168.10.21:53", at("198.51.100.10", first + 1)),
                  udp("203.0.113.2:5353", at("198.51.100.10", first + 1)).ttl(63), first);
  });
  EXPECT_EQ(home.sessions(), 3 * GetParam());
}

TEST_P(NatWorkers, B87_a_host_with_its_own_address_is_reached_and_answers) {
  Home home = make(kServers);
  for (int number : {30, 31, 32}) {
    const std::string inside = host(number), outside = "203.0.113." + std::to_string(number);
    each_queue([&](unsigned queue) {
      home.comes_in(tcp(at("198.51.100.9", 4000 + queue), at(outside, 80)),
                    tcp(at("198.51.100.9", 4000 + queue), at(inside, 80)).ttl(63), queue);
      home.goes_out(tcp(at(inside, 80), at("198.51.100.9", 4000)).flags(kSynAck),
                    tcp(at(outside, 80), at("198.51.100.9", 4000)).flags(kSynAck).ttl(63), queue);
      home.goes_out(ip(47, inside, "198.51.100.9"), ip(47, outside, "198.51.100.9").ttl(63), queue);
      home.comes_in(ip(47, "198.51.100.9", outside), ip(47, "198.51.100.9", inside).ttl(63), queue);
      home.goes_out(echo_request(inside, "198.51.100.9", 9), echo_request(outside, "198.51.100.9", 9).ttl(63),
                    queue);
      home.comes_in(echo_reply("198.51.100.9", outside, 9), echo_reply("198.51.100.9", inside, 9).ttl(63),
                    queue);
    });
  }
}

TEST_P(NatWorkers, B87_a_hairpin_to_a_port_forward_and_back) {
  Home home = make(masquerade(kForwards));
  for (int number : kHosts) {
    each_queue([&](unsigned first) {
      const std::string inside = at(host(number), 5000 + first);
      const std::string outside = home.source_outside(tcp(inside, "198.51.100.9:80"), first);
      each_queue([&](unsigned queue) {
        home.turns_back(tcp(inside, "203.0.113.2:8080"), tcp(outside, "192.168.10.20:80").ttl(63), queue);
        home.turns_back(tcp("192.168.10.20:80", outside).flags(kSynAck),
                        tcp("203.0.113.2:8080", inside).flags(kSynAck).ttl(63), queue);
      });
    });
  }
  EXPECT_EQ(home.sessions(), 2 * GetParam() * std::size(kHosts));
}

TEST_P(NatWorkers, B87_a_hairpin_to_a_mapping_and_back) {
  Home home = make(masquerade());
  for (int to : {10, 11, 12, 13}) {
    const std::string target = home.source_outside(udp(at(host(to), 6000), "198.51.100.9:53"));
    for (int from : {2, 3, 4, 5}) {
      const std::string inside = at(host(from), 5000);
      const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
      each_queue([&](unsigned queue) {
        home.turns_back(udp(inside, target), udp(outside, at(host(to), 6000)).ttl(63), queue);
        home.turns_back(udp(at(host(to), 6000), outside), udp(target, inside).ttl(63), queue);
      });
    }
  }
}

TEST_P(NatWorkers, B87_the_first_packet_of_a_hairpin_may_come_by_any_queue) {
  Home home = make(masquerade());
  for (int to : {10, 11, 12, 13}) {
    const std::string target = home.source_outside(udp(at(host(to), 6000), "198.51.100.9:53"));
    each_queue([&](unsigned first) {
      const std::string inside = at(host(2 + to % 3), 5000 + first);
      const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
      home.turns_back(udp(inside, target), udp(outside, at(host(to), 6000)).ttl(63), first);
    });
  }
}

TEST_P(NatWorkers, B71_two_hosts_that_both_send_first_talk) {
  Home home = make(masquerade());
  for (int b : {10, 11, 12, 13}) {
    for (int a : {2, 3, 4, 5}) {
      const std::string a_in = at(host(a), 5000 + static_cast<unsigned>(b)),
                        b_in = at(host(b), 6000 + static_cast<unsigned>(a));
      const std::string a_out = home.source_outside(udp(a_in, "198.51.100.9:53")),
                        b_out = home.source_outside(udp(b_in, "198.51.100.9:53"));
      each_queue([&](unsigned queue) {
        home.turns_back(udp(a_in, b_out), udp(a_out, b_in).ttl(63), queue);
        home.turns_back(udp(b_in, a_out), udp(b_out, a_in).ttl(63), queue);
      });
    }
  }
}

TEST_P(NatWorkers, B87_a_hairpin_between_hosts_with_their_own_addresses) {
  Home home = make(kServers);
  for (int from : {30, 31, 32}) {
    for (int to : {30, 31, 32}) {
      if (from == to) continue;
      const std::string source = "203.0.113." + std::to_string(from),
                        target = "203.0.113." + std::to_string(to);
      each_queue([&](unsigned queue) {
        home.turns_back(tcp(at(host(from), 5000), at(target, 80)),
                        tcp(at(source, 5000), at(host(to), 80)).ttl(63), queue);
        home.turns_back(tcp(at(host(to), 80), at(source, 5000)).flags(kSynAck),
                        tcp(at(target, 80), at(host(from), 5000)).flags(kSynAck).ttl(63), queue);
        home.turns_back(ip(47, host(from), target), ip(47, source, host(to)).ttl(63), queue);
        home.turns_back(echo_request(host(from), target, 9), echo_request(source, host(to), 9).ttl(63),
                        queue);
        home.turns_back(echo_reply(host(to), source, 9), echo_reply(target, host(from), 9).ttl(63), queue);
      });
    }
  }
}

TEST_P(NatWorkers, B87_a_host_that_no_rule_covers_reaches_a_port_forward_and_is_answered_by_it) {
  Home home = make(masquerade(kForwards));
  for (int number : kHosts) {
    each_queue([&](unsigned first) {
      const std::string guest = at("192.168.20." + std::to_string(number), 5000 + first);
      home.passes("dmz", tcp(guest, "203.0.113.2:8080"), "lan", tcp(guest, "192.168.10.20:80").ttl(63),
                  first);
      each_queue([&](unsigned queue) {
        home.passes("lan", tcp("192.168.10.20:80", guest).flags(kSynAck), "dmz",
                    tcp("203.0.113.2:8080", guest).flags(kSynAck).ttl(63), queue);
        home.passes("dmz", tcp(guest, "203.0.113.2:8080").flags(0x10), "lan",
                    tcp(guest, "192.168.10.20:80").flags(0x10).ttl(63), queue);
      });
    });
  }
  EXPECT_EQ(home.sessions(), GetParam() * std::size(kHosts));
}

TEST_P(NatWorkers, B87_a_host_that_no_rule_covers_reaches_a_mapping_and_is_answered_by_it) {
  Home home = make(masquerade());
  for (int number : kHosts) {
    const std::string inside = at(host(number), 6000);
    const std::string target = home.source_outside(udp(inside, "198.51.100.9:53"));
    each_queue([&](unsigned first) {
      const std::string guest = at("192.168.20.7", 5000 + first);
      home.passes("dmz", udp(guest, target), "lan", udp(guest, inside).ttl(63), first);
      each_queue([&](unsigned queue) {
        home.passes("lan", udp(inside, guest), "dmz", udp(target, guest).ttl(63), queue);
      });
    });
  }
}

TEST_P(NatWorkers, B87_errors_about_what_left_come_in_by_any_queue) {
  Home home = make(masquerade());
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string by_udp = home.source_outside(udp(inside, "198.51.100.9:53"));
    const std::string by_tcp = home.source_outside(tcp(inside, "198.51.100.9:80"));
    home.send("lan", echo_request(host(number), "198.51.100.9", 7));
    const Frames out = home.router().sent("wan");
    ASSERT_EQ(out.size(), 1u);
    const auto id = static_cast<uint16_t>(out[0][38] << 8 | out[0][39]);
    each_queue([&](unsigned queue) {
      const auto tells = [&](const PacketBuilder& outside, const PacketBuilder& as) {
        home.comes_in(icmp_error("192.0.2.99", "203.0.113.2", 11, 0, outside.packet()),
                      icmp_error("192.0.2.99", host(number), 11, 0, as.packet()).ttl(63), queue);
      };
      tells(udp(by_udp, "198.51.100.9:53"), udp(inside, "198.51.100.9:53"));
      tells(tcp(by_tcp, "198.51.100.9:80"), tcp(inside, "198.51.100.9:80"));
      tells(echo_request("203.0.113.2", "198.51.100.9", id), echo_request(host(number), "198.51.100.9", 7));
      home.goes_out(
          icmp_error(host(number), "198.51.100.9", 3, 3, udp("198.51.100.9:53", inside).packet()),
          icmp_error("203.0.113.2", "198.51.100.9", 3, 3, udp("198.51.100.9:53", by_udp).packet()).ttl(63),
          queue);
      home.is_dropped("wan",
                      icmp_error("192.0.2.99", "203.0.113.2", 11, 0,
                                 udp(by_udp, "198.51.100.9:53").bad_ip_checksum().packet()),
                      DropReason::nat_bad_quote, queue);
    });
  }
}

TEST_P(NatWorkers, B87_errors_about_port_forwards_and_hosts_with_their_own_address) {
  Home home = make(masquerade(kForwards) + kServers);
  home.comes_in(udp("198.51.100.9:4000", "203.0.113.2:5353"),
                udp("198.51.100.9:4000", "192.168.10.21:53").ttl(63));
  home.goes_out(ip(47, "192.168.10.31", "198.51.100.9"), ip(47, "203.0.113.31", "198.51.100.9").ttl(63));
  each_queue([&](unsigned queue) {
    home.goes_out(
        icmp_error("192.168.10.21", "198.51.100.9", 3, 3,
                   udp("198.51.100.9:4000", "192.168.10.21:53").packet()),
        icmp_error("203.0.113.2", "198.51.100.9", 3, 3, udp("198.51.100.9:4000", "203.0.113.2:5353").packet())
            .ttl(63),
        queue);
    home.comes_in(
        icmp_error("192.0.2.99", "203.0.113.2", 11, 0, udp("203.0.113.2:5353", "198.51.100.9:4000").packet()),
        icmp_error("192.0.2.99", "192.168.10.21", 11, 0,
                   udp("192.168.10.21:53", "198.51.100.9:4000").packet())
            .ttl(63),
        queue);
    home.comes_in(
        icmp_error("192.0.2.99", "203.0.113.31", 3, 2, ip(47, "203.0.113.31", "198.51.100.9").packet()),
        icmp_error("192.0.2.99", "192.168.10.31", 3, 2, ip(47, "192.168.10.31", "198.51.100.9").packet())
            .ttl(63),
        queue);
  });
}

TEST_P(NatWorkers, B87_errors_about_hairpins) {
  Home home = make(masquerade(kForwards));
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
    home.turns_back(udp(inside, "203.0.113.2:5353"), udp(outside, "192.168.10.21:53").ttl(63));
    each_queue([&](unsigned queue) {
      home.turns_back(
          icmp_error("192.168.10.21", "203.0.113.2", 3, 3, udp(outside, "192.168.10.21:53").packet()),
          icmp_error("203.0.113.2", host(number), 3, 3, udp(inside, "203.0.113.2:5353").packet()).ttl(63),
          queue);
      home.turns_back(
          icmp_error(host(number), "203.0.113.2", 3, 3, udp("203.0.113.2:5353", inside).packet()),
          icmp_error("203.0.113.2", "192.168.10.21", 3, 3, udp("192.168.10.21:53", outside).packet()).ttl(63),
          queue);
    });
  }
}

// ---- fragments

std::vector<PacketBuilder> parts(const PacketBuilder& whole) {
  std::vector<PacketBuilder> all;
  for (size_t offset : {0, 512, 1024}) all.push_back(PacketBuilder(whole).data(1400).part(offset, 512));
  return all;
}

TEST_P(NatWorkers, B87_fragments_of_a_datagram_may_come_by_different_queues) {
  Home home = make(masquerade(kForwards) + kServers);
  uint16_t id = 1;
  const auto all_queues = [&](const std::string& from, const PacketBuilder& packet, const std::string& to,
                              const PacketBuilder& as) {
    each_queue([&](unsigned first) {
      ++id;
      const auto sent = parts(PacketBuilder(packet).id(id)), wanted = parts(PacketBuilder(as).id(id).ttl(63));
      for (unsigned i = 0; i < sent.size(); ++i)
        home.passes(from, sent[i], to, wanted[i], (first + i) % GetParam());
    });
  };
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
    all_queues("lan", udp(inside, "198.51.100.9:53"), "wan", udp(outside, "198.51.100.9:53"));
    all_queues("wan", udp("198.51.100.9:53", outside), "lan", udp("198.51.100.9:53", inside));
    all_queues("lan", udp(inside, "203.0.113.2:5353"), "lan", udp(outside, "192.168.10.21:53"));
    all_queues("lan", udp("192.168.10.21:53", outside), "lan", udp("203.0.113.2:5353", inside));
  }
  all_queues("wan", udp("198.51.100.9:4000", "203.0.113.2:5353"), "lan",
             udp("198.51.100.9:4000", "192.168.10.21:53"));
  all_queues("lan", udp("192.168.10.21:53", "198.51.100.9:4000"), "wan",
             udp("203.0.113.2:5353", "198.51.100.9:4000"));
  all_queues("wan", ip(47, "198.51.100.9", "203.0.113.31"), "lan", ip(47, "198.51.100.9", "192.168.10.31"));
  all_queues("lan", ip(47, "192.168.10.31", "198.51.100.9"), "wan", ip(47, "203.0.113.31", "198.51.100.9"));
}

TEST_P(NatWorkers, B87_later_fragments_without_a_first_are_dropped_by_any_queue) {
  Home home = make(masquerade());
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
    each_queue([&](unsigned queue) {
      home.is_dropped("lan", parts(udp(inside, "198.51.100.9:53"))[1], DropReason::nat_fragment_unknown,
                      queue);
      home.send("wan", parts(udp("198.51.100.9:53", outside))[1], queue);
      home.expect("", {});
    });
  }
}

TEST_P(NatWorkers, B38_what_is_too_large_for_the_inside_is_cut_whoever_owns_it) {
  Plan plan{.nat = masquerade()};
  plan.inside = "addresses: [192.168.10.1/24], mtu: 576";
  Home home(plan, {.workers = GetParam()});
  for (int number : kHosts) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
    each_queue([&](unsigned queue) {
      home.send("wan", udp("198.51.100.9:53", outside).data(1000), queue);
      const auto whole = udp("198.51.100.9:53", inside).data(1000).ttl(63);
      home.expect("lan", home.all_framed("lan", {PacketBuilder(whole).part(0, 552),
                                                 PacketBuilder(whole).part(552, 456)}));
    });
  }
}

// ---- the rest

TEST_P(NatWorkers, B18_a_flow_keeps_its_order_over_the_ring_to_its_owner) {
  Home home = make(masquerade());
  for (int number : {2, 3, 4}) {
    const std::string inside = at(host(number), 5000);
    const std::string outside = home.source_outside(udp(inside, "198.51.100.9:53"));
    each_queue([&](unsigned queue) {
      Frames out, in, wanted_out, wanted_in;
      for (uint16_t i = 0; i < 150; ++i) {
        out.push_back(home.arriving("lan", udp(inside, "198.51.100.9:53").id(i)));
        wanted_out.push_back(home.framed("wan", udp(outside, "198.51.100.9:53").id(i).ttl(63)));
        in.push_back(home.arriving("wan", udp("198.51.100.9:53", outside).id(i)));
        wanted_in.push_back(home.framed("lan", udp("198.51.100.9:53", inside).id(i).ttl(63)));
      }
      home.router().receive_burst("lan", out, queue);
      home.expect("wan", wanted_out);
      home.router().receive_burst("wan", in, queue);
      home.expect("lan", wanted_in);
    });
  }
}

TEST_P(NatWorkers, a_burst_of_one_new_flow_opens_one_session) {
  Home home = make(masquerade(kForwards));
  each_queue([&](unsigned queue) {
    const Frame out = home.arriving("lan", udp(at("192.168.10.7", 5000 + queue), "198.51.100.9:53"));
    home.router().receive_burst("lan", Frames(20, out), queue);
    EXPECT_EQ(home.router().sent("wan").size(), 20u);
    const Frame in = home.arriving("wan", tcp(at("198.51.100.9", 4000 + queue), "203.0.113.2:8080"));
    home.router().receive_burst("wan", Frames(20, in), queue);
    EXPECT_EQ(home.router().sent("lan").size(), 20u);
    EXPECT_EQ(home.sessions(), 2 * (queue + 1));
  });
}

TEST_P(NatWorkers, B73_B75_B82_refusals_and_the_router_itself_answer_by_any_queue) {
  Home home = make(masquerade("ports: 20000-20003, exempt: [10.0.0.0/8]"));
  for (int i = 0; i < 4; ++i)
    home.source_outside(udp(at("192.168.10.7", 5000 + static_cast<unsigned>(i)), "198.51.100.9:53"));
  home.forget();
  each_queue([&](unsigned queue) {
    home.answers("lan", udp("192.168.10.7:6000", "198.51.100.9:53"),
                 "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 3/13 about (udp 192.168.10.7:6000 > "
                 "198.51.100.9:53 ttl 64)",
                 queue);
    home.answers("lan", udp("192.168.10.7:5000", "198.51.100.9:53").ttl(1),
                 "icmp 192.168.10.1 > 192.168.10.7 ttl 64 error 11/0 about (udp 192.168.10.7:5000 > "
                 "198.51.100.9:53 ttl 1)",
                 queue);
    home.answers("wan", echo_request("198.51.100.9", "203.0.113.2", 9),
                 "icmp 203.0.113.2 > 198.51.100.9 ttl 64 echo-reply 9/1", queue);
    home.answers("lan", echo_request("192.168.10.7", "203.0.113.2", 9),
                 "icmp 203.0.113.2 > 192.168.10.7 ttl 64 echo-reply 9/1", queue);
    home.is_dropped("wan", udp("198.51.100.9:53", "192.168.10.7:5000"), DropReason::nat_untranslated, queue);
    home.is_dropped("wan", udp("198.51.100.9:53", "192.168.10.8:5000"), DropReason::nat_untranslated, queue);
    home.is_dropped("lan", ip(47, "192.168.10.7", "198.51.100.9"), DropReason::nat_untranslatable, queue);
    home.goes_out(udp("192.168.10.7:5000", "10.1.2.3:53"), udp("192.168.10.7:5000", "10.1.2.3:53").ttl(63),
                  queue);
    home.comes_in(udp("10.1.2.3:53", "192.168.10.7:5000"), udp("10.1.2.3:53", "192.168.10.7:5000").ttl(63),
                  queue);
  });
  EXPECT_EQ(home.sessions(), 4u);
}

TEST_P(NatWorkers, B83_a_removed_pool_address_ends_the_sessions_of_all_workers) {
  const auto plan = [](const char* addresses) { return Plan{.nat = pool(addresses)}; };
  Home home(plan("203.0.113.10-203.0.113.11"), {.workers = GetParam()});
  std::map<int, std::string> outside;
  for (int i = 2; i < 40; ++i) outside[i] = home.source_outside(udp(at(host(i), 5000), "198.51.100.9:53"));
  home.reload(plan("203.0.113.10"));
  home.pass(2);
  for (const auto& known : outside) {
    const int i = known.first;
    const std::string& mine = known.second;
    const bool lives = mine.starts_with("203.0.113.10:");
    each_queue([&](unsigned queue) {
      if (lives) {
        home.comes_in(udp("198.51.100.9:53", mine), udp("198.51.100.9:53", at(host(i), 5000)).ttl(63), queue);
        home.goes_out(udp(at(host(i), 5000), "198.51.100.9:53"), udp(mine, "198.51.100.9:53").ttl(63), queue);
      } else {
        home.send("wan", udp("198.51.100.9:53", mine), queue);
        EXPECT_THAT(home.sent("lan"), IsEmpty());
        home.forget();
        EXPECT_TRUE(home.source_outside(udp(at(host(i), 5000), "198.51.100.9:53"), queue)
                        .starts_with("203.0.113.10:"));
      }
    });
  }
}

// A forward alone: the hosts that it names are inside, but nothing translates what else they send.
TEST_P(NatWorkers, B87_a_forwarded_host_whose_source_stays_reaches_another_forward_and_is_answered_by_it) {
  Home home = make(
      "- { name: forwards, interface: uplink, port-forward: ["
      "{ protocol: tcp, port: 8080, to: \"192.168.10.20:80\" }, "
      "{ protocol: tcp, port: 9002, to: \"192.168.10.2:90\" }, "
      "{ protocol: tcp, port: 9003, to: \"192.168.10.3:90\" }, "
      "{ protocol: tcp, port: 9004, to: \"192.168.10.4:90\" }, "
      "{ protocol: tcp, port: 9005, to: \"192.168.10.5:90\" }] }\n");
  for (int number = 2; number < 6; ++number) {
    each_queue([&](unsigned first) {
      const std::string one = at(host(number), 5000 + first);
      home.turns_back(tcp(one, "203.0.113.2:8080"), tcp(one, "192.168.10.20:80").ttl(63), first);
      each_queue([&](unsigned queue) {
        home.turns_back(tcp("192.168.10.20:80", one).flags(kSynAck),
                        tcp("203.0.113.2:8080", one).flags(kSynAck).ttl(63), queue);
      });
    });
  }
}

}  // namespace
}  // namespace sluice::test
