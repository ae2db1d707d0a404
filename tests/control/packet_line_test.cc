// SPDX-License-Identifier: BSD-3-Clause
//
// Packets as lines: what a line makes, what it stands for, and what it says when it does not agree.
#include "control/packet_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/support/frame.h"
#include "tests/support/ip.h"

namespace sluice::test {
namespace {

using control::PacketLine;
using testing::ElementsAre;
using testing::HasSubstr;

PacketLine line(const std::string& text) {
  auto parsed = PacketLine::parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *std::move(parsed);
}
Frame frame(const std::string& text) {
  const PacketLine parsed = line(text);
  EXPECT_TRUE(parsed.is_exact());
  return parsed.frame();
}
std::vector<std::string> differences(const std::string& text, const Frame& actual) {
  return line(text).differences(actual);
}

const std::string kEth = "eth src=02:00:00:00:00:0a dst=02:00:00:00:00:0b / ";

// ---- what a line makes. The builders of the other tests say what is right.

TEST(PacketLine, udp_and_tcp_of_both_families) {
  EXPECT_EQ(
      frame(kEth + "ipv4 src=192.168.10.7 dst=198.51.100.9 id=0x1234 / udp sport=5000 dport=53 / payload 18"),
      Frame(udp("192.168.10.7:5000", "198.51.100.9:53")));
  EXPECT_EQ(frame(kEth + "ipv4 src=192.168.10.7 dst=198.51.100.9 id=0x1234 ttl=9 tos=0xb8 df=1 / "
                         "tcp sport=5000 dport=80 flags=syn,ack seq=1 ack=1 window=65535 / payload 6"),
            Frame(tcp("192.168.10.7:5000", "198.51.100.9:80")
                      .ttl(9)
                      .tos(0xB8)
                      .may_not_fragment()
                      .flags(0x12)
                      .data(6)));
}

TEST(PacketLine, every_checksum_and_length_is_right) {
  for (const char* text : {"ipv4 src=192.0.2.1 dst=192.0.2.2 / udp sport=1 dport=2 / payload 3",
                           "ipv4 src=192.0.2.1 dst=192.0.2.2 / tcp sport=1 dport=2 flags=syn / payload 100",
                           "ipv4 src=192.0.2.1 dst=192.0.2.2 / icmp id=7 seq=9 / payload 33",
                           "ipv6 src=2001:db8::1 dst=2001:db8::2 / udp sport=1 dport=2 / payload 3",
                           "ipv6 src=2001:db8::1 dst=2001:db8::2 / tcp sport=1 dport=2 flags=ack / payload 1",
                           "ipv6 src=2001:db8::1 dst=2001:db8::2 / icmpv6 id=7 seq=9 / payload 2",
                           "ipv4 src=192.0.2.1 dst=192.0.2.2 / icmp type=3 code=3 id=0 seq=0 / ipv4 "
                           "src=192.0.2.2 dst=192.0.2.9 / "
                           "udp sport=1 dport=2 / payload 4"}) {
    const std::string sentence = told(frame(kEth + text));
    EXPECT_THAT(sentence, testing::Not(HasSubstr("BAD"))) << text;
    EXPECT_THAT(sentence, HasSubstr(text[3] == '4' ? "192.0.2.1" : "2001:db8::1"));
  }
}

TEST(PacketLine, tags_arp_and_no_protocol_at_all) {
  EXPECT_EQ(frame("eth src=02:00:00:00:00:0a dst=02:00:00:00:00:0b / vlan vid=10 pcp=3 / payload 42"),
            Frame(from(kAnn).to(kBob).vlan(10, 3).type(0x88B5).octets(60)));
  EXPECT_EQ(
      told(frame("eth src=02:00:00:00:00:0a dst=ff:ff:ff:ff:ff:ff / arp sha=02:00:00:00:00:0a spa=192.0.2.9 "
                 "tpa=192.0.2.1")),
      "arp who-has 192.0.2.1 tell 192.0.2.9");
  EXPECT_EQ(frame(kEth + "payload 46"), Frame(from(kAnn).to(kBob).octets(60)));
}

TEST(PacketLine, frames_are_filled_up_to_60_octets_or_cut) {
  EXPECT_EQ(frame(kEth + "payload hex=c0ffee").size(), 60u);
  EXPECT_EQ(frame(kEth + "payload hex=c0ffee")[16], 0xEE);
  EXPECT_EQ(frame(kEth + "payload hex=c0ffee / cut 15").size(), 15u);
  EXPECT_EQ(frame(kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 length=9000 / udp sport=1 / payload 100 / cut 50")
                .size(),
            50u);
}

TEST(PacketLine, what_it_says_it_says_even_if_it_is_wrong) {
  const Frame made =
      frame(kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 checksum=0xbeef / udp checksum=0 length=3");
  EXPECT_EQ(made[24], 0xBE);
  EXPECT_EQ(made[25], 0xEF);
  EXPECT_EQ(made[39], 3);
  EXPECT_EQ(made[40] + made[41], 0);
}

// ---- what it stands for

TEST(PacketLine, agrees_with_its_own_frame_and_with_no_other) {
  const std::string text =
      kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 ttl=64 / udp sport=5 dport=6 / payload 30";
  const Frame made = frame(text);
  EXPECT_THAT(differences(text, made), ElementsAre());
  for (size_t octet = 0; octet < made.size(); ++octet) {
    Frame other = made;
    other[octet] ^= 0x10;
    EXPECT_THAT(differences(text, other), testing::Not(ElementsAre())) << octet;
  }
}

TEST(PacketLine, names_each_field_that_differs) {
  const std::string wanted =
      kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 ttl=63 / udp sport=5 dport=6 / payload 30";
  const std::string seen =
      kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 ttl=64 / udp sport=5 dport=7 / payload 30";
  EXPECT_THAT(differences(wanted, frame(seen)),
              ElementsAre("ipv4 ttl: expected 63, found 64", HasSubstr("ipv4 checksum: expected "),
                          "udp dport: expected 6, found 7", HasSubstr("udp checksum: expected ")));
  EXPECT_THAT(differences(kEth + "payload 60", frame(kEth + "payload 61")),
              ElementsAre("length: expected 74 octets, found 75"));
  EXPECT_THAT(differences(kEth + "payload hex=00010299", frame(kEth + "payload hex=00010203")),
              ElementsAre("octet 17: expected 0x99, found 0x03"));
}

TEST(PacketLine, what_is_left_open_may_be_anything_and_checksums_follow_it) {
  const std::string open = kEth +
                           "ipv4 src=192.0.2.1 dst=192.0.2.0/24 id=* ttl=* / tcp sport=* dport=80 flags=syn "
                           "seq=0x10/0xf0 / payload *";
  EXPECT_FALSE(line(open).is_exact());
  const auto packet = [](const std::string& dst, int id, int seq, int length) {
    return frame(kEth + "ipv4 src=192.0.2.1 dst=" + dst + " id=" + std::to_string(id) +
                 " / tcp sport=" + std::to_string(id) + " dport=80 flags=syn seq=" + std::to_string(seq) +
                 " / payload " + std::to_string(length));
  };
  EXPECT_THAT(differences(open, packet("192.0.2.77", 1, 0x13, 0)), ElementsAre());
  EXPECT_THAT(differences(open, packet("192.0.2.2", 999, 0x1F, 300)), ElementsAre());
  EXPECT_THAT(differences(open, packet("192.0.3.2", 999, 0x1F, 3)),
              testing::Contains("ipv4 dst: expected 192.0.2.2, found 192.0.3.2"));
  EXPECT_THAT(differences(open, packet("192.0.2.2", 999, 0x20, 3)),
              testing::Contains("tcp seq: expected 16, found 32"));
  Frame bad = packet("192.0.2.2", 5, 0x10, 20);
  bad[60] ^= 1;  // the checksum does not cover that any more
  EXPECT_THAT(differences(open, bad), ElementsAre(HasSubstr("tcp checksum: expected ")));
}

TEST(PacketLine, a_frame_that_ends_within_a_header_differs) {
  const std::string text = kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 / udp sport=* dport=6 / payload *";
  for (size_t size = 0; size < 42; ++size) {
    Frame cut = frame(kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 / udp sport=5 dport=6 / payload 30");
    cut.resize(size);
    EXPECT_THAT(differences(text, cut), testing::Not(ElementsAre())) << size;
  }
}

TEST(PacketLine, zeroes_that_fill_a_short_frame_up_are_no_difference) {
  const std::string text = kEth + "vlan vid=10 / payload hex=c0ffee";
  Frame made = frame(text);
  made.resize(64);
  EXPECT_THAT(differences(text, made), ElementsAre());
  EXPECT_THAT(differences(kEth + "vlan vid=10 / payload hex=c0ff / payload *", made), ElementsAre());
  made[63] = 1;
  EXPECT_THAT(differences(text, made), ElementsAre("length: expected 60 octets, found 64"));
  made[63] = 0;
  made.resize(69);
  EXPECT_THAT(differences(text, made), ElementsAre("length: expected 60 octets, found 69"));
}

// ---- the line of a frame

TEST(PacketLine, a_frame_is_told_as_the_line_that_makes_it) {
  for (const std::string text :
       {"eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / payload 46",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / vlan vid=10 pcp=3 / payload hex=c0ffee",
        "eth dst=ff:ff:ff:ff:ff:ff src=02:00:00:00:00:0a / arp op=2 sha=02:00:00:00:00:0a spa=192.0.2.9 "
        "tha=00:00:00:00:00:00 tpa=192.0.2.1",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / ipv4 src=192.0.2.1 dst=192.0.2.2 ttl=9 / udp "
        "sport=5 "
        "dport=6 / payload 30",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / ipv4 src=192.0.2.1 dst=192.0.2.2 checksum=48879 / "
        "tcp "
        "sport=5 dport=6 flags=syn,ack",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / ipv4 src=192.0.2.1 dst=192.0.2.2 / icmp type=3 "
        "code=4 "
        "mtu=1400 / ipv4 src=192.0.2.2 dst=192.0.2.9 df=1 / udp sport=1 dport=2",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / ipv4 src=192.0.2.1 dst=192.0.2.2 mf=1 offset=5 "
        "protocol=17 / payload 30",
        "eth dst=33:33:ff:00:00:01 src=02:00:00:00:00:0a / ipv6 src=fe80::1 dst=ff02::1 hops=255 / icmpv6 "
        "type=135 "
        "code=0 / nd target=2001:db8::1 / lladdr type=1 mac=02:00:00:00:00:0a",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / ipv6 src=2001:db8::1 dst=2001:db8::2 / frag id=7 "
        "/ udp "
        "sport=1 dport=2 / payload 8",
        "eth dst=02:00:00:00:00:0b src=02:00:00:00:00:0a / payload 5 / cut 19"}) {
    EXPECT_EQ(PacketLine::of(frame(text)).text(), text);
  }
}

TEST(PacketLine, whatever_the_octets_the_line_of_a_frame_agrees_with_it) {
  std::mt19937 random(7);
  const Frame seeds[] = {frame(kEth + "ipv4 src=192.0.2.1 dst=192.0.2.2 / udp sport=5 dport=6 / payload 30"),
                         frame(kEth + "vlan vid=7 / ipv6 src=fe80::1 dst=fe80::2 / icmpv6 type=135 / nd "
                                      "target=fe80::3 / lladdr"),
                         frame(kEth + "ipv4 src=192.0.2.1 / icmp type=3 / ipv4 dst=192.0.2.2 / tcp sport=1"),
                         frame(kEth + "arp spa=192.0.2.1")};
  for (unsigned round = 0; round < 20'000; ++round) {
    Frame made = seeds[random() % 4];
    for (unsigned changes = random() % 4; changes > 0; --changes)
      made[random() % made.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) made.resize(14 + random() % made.size());
    const PacketLine told = PacketLine::of(made);
    ASSERT_THAT(told.differences(made), ElementsAre()) << told.text();
    const auto again = PacketLine::parse(told.text());
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_THAT(again->differences(made), ElementsAre()) << told.text();
  }
}

// ---- mistakes

TEST(PacketLine, mistakes_are_named_with_the_part_of_the_line) {
  const auto mistake = [](const std::string& text) {
    return std::string(PacketLine::parse(text).status().message());
  };
  EXPECT_THAT(mistake("ipv4 src=1.2.3.4"), HasSubstr("a packet begins with 'eth'"));
  EXPECT_THAT(mistake(""), HasSubstr("missing"));
  EXPECT_THAT(mistake("eth / ipv5"), HasSubstr("'ipv5' is no header: one of eth, vlan, "));
  EXPECT_THAT(mistake("eth / ipv4 source=1.2.3.4"),
              HasSubstr("'source=1.2.3.4': ipv4 takes NAME=VALUE, of version, "));
  EXPECT_THAT(mistake("eth / ipv4 src=1.2.3"), HasSubstr("'1.2.3' is no value of ipv4 src"));
  EXPECT_THAT(mistake("eth / ipv4 ttl=256"), HasSubstr("'256' is no value of ipv4 ttl, which has 8 bits"));
  EXPECT_THAT(mistake("eth / ipv4 ttl=1 ttl=1"), HasSubstr("'ttl=1': ipv4 says that twice"));
  EXPECT_THAT(mistake("eth / ipv4 dst=10.0.0.0/33"), HasSubstr("10.0.0.0/33"));
  EXPECT_THAT(mistake("eth / tcp flags=syn,akc"), HasSubstr("'syn,akc' is no value of tcp flags"));
  EXPECT_THAT(mistake("eth / payload 5 / udp"), HasSubstr("'udp': no header follows a payload"));
  EXPECT_THAT(mistake("eth / payload x"), HasSubstr("write 'payload 20'"));
  EXPECT_THAT(mistake("eth / payload hex=abc"), HasSubstr("write 'payload 20'"));
  EXPECT_THAT(mistake("eth / cut 0"), HasSubstr("cut after how many octets?"));
  EXPECT_THAT(mistake("eth / payload 99999999999"), HasSubstr("write 'payload 20'"));
}

}  // namespace
}  // namespace sluice::test
