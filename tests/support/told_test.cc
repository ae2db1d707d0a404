// SPDX-License-Identifier: BSD-3-Clause
//
// The tests' own eyes: what a builder makes is what told() says, and nothing wrong passes as right.
#include <gtest/gtest.h>

#include "tests/support/ip.h"

namespace sluice::test {
namespace {

const char* const kUdp = "udp 192.0.2.1:80 > 192.0.2.2:5000 ttl 64";

Frame changed(Frame frame, size_t at) {
  frame.at(at) ^= 0x10;
  return frame;
}

TEST(Told, says_what_a_builder_made) {
  EXPECT_EQ(told(Frame(udp("192.0.2.1:80", "192.0.2.2:5000"))), kUdp);
  EXPECT_EQ(told(Frame(udp("192.0.2.1:80", "192.0.2.2:5000").no_checksum().vlan(7))),
            std::string(kUdp) + " no checksum vlan 7");
  EXPECT_EQ(told(Frame(tcp("[2001:db8::1]:80", "[2001:db8::2]:9").flags(0x12).ttl(3))),
            "tcp [2001:db8::1]:80 > [2001:db8::2]:9 ttl 3 syn ack");
  EXPECT_EQ(told(Frame(echo_request("192.0.2.1", "192.0.2.2", 7))),
            "icmp 192.0.2.1 > 192.0.2.2 ttl 64 echo 7/1");
  EXPECT_EQ(told(Frame(echo_reply("fd00::1", "fd00::2", 7, 9))),
            "icmp fd00::1 > fd00::2 ttl 64 echo-reply 7/9");
  EXPECT_EQ(told(Frame(ip(47, "192.0.2.1", "192.0.2.2"))), "ip 47 192.0.2.1 > 192.0.2.2 ttl 64");
}

TEST(Told, says_what_a_fragment_is) {
  const auto whole = udp("192.0.2.1:80", "192.0.2.2:5000").data(100);
  EXPECT_EQ(told(Frame(PacketBuilder(whole).part(0, 48))), std::string(kUdp) + " part 0+48 more");
  EXPECT_EQ(told(Frame(PacketBuilder(whole).part(48, 100))), "udp 192.0.2.1 > 192.0.2.2 ttl 64 part 48+60");
  EXPECT_EQ(told(Frame(udp("[fd00::1]:80", "[fd00::2]:9").data(100).part(8, 16))),
            "udp fd00::1 > fd00::2 ttl 64 part 8+16 more");
}

TEST(Told, says_what_an_error_is_about) {
  const Frame quoted = udp("192.0.2.2:5000", "198.51.100.1:53").ttl(63).packet();
  EXPECT_EQ(told(Frame(icmp_error("192.0.2.1", "192.0.2.2", 3, 4, quoted, 28, 1400))),
            "icmp 192.0.2.1 > 192.0.2.2 ttl 64 error 3/4 mtu 1400 about "
            "(udp 192.0.2.2:5000 > 198.51.100.1:53 ttl 63)");
  EXPECT_EQ(told(Frame(icmp_error("192.0.2.1", "192.0.2.2", 11, 0, changed(quoted, 27), 99))),
            "icmp 192.0.2.1 > 192.0.2.2 ttl 64 error 11/0 about "
            "(udp 192.0.2.2:5000 > 198.51.100.1:53 ttl 63 BAD checksum)");
}

TEST(Told, says_who_is_asked_for) {
  EXPECT_EQ(told(arp_request(kAnn, "192.0.2.2", "192.0.2.1")), "arp who-has 192.0.2.1 tell 192.0.2.2");
  EXPECT_EQ(told(arp_reply(kAnn, "192.0.2.2", kBob, "192.0.2.1")), "arp 192.0.2.2 is-at 02:00:00:00:00:0a");
  EXPECT_EQ(told(neighbor_solicitation(kAnn, "fd00::2", "fd00::1")), "nd who-has fd00::1 from fd00::2");
  EXPECT_EQ(told_macs(neighbor_solicitation(kAnn, "fd00::2", "fd00::1")),
            "02:00:00:00:00:0a > 33:33:ff:00:00:01");
  EXPECT_EQ(told(neighbor_advertisement(kAnn, "fd00::2", kBob, "fd00::1")),
            "nd fd00::2 is-at 02:00:00:00:00:0a");
}

TEST(Told, sees_every_changed_octet_of_a_packet) {
  for (const Frame& frame :
       {Frame(udp("192.0.2.1:80", "192.0.2.2:5000")), Frame(tcp("192.0.2.1:80", "192.0.2.2:5")),
        Frame(echo_request("192.0.2.1", "192.0.2.2", 7))}) {
    for (size_t at = 14; at < frame.size(); ++at)
      EXPECT_NE(told(changed(frame, at)).find("BAD"), std::string::npos) << told(frame) << " at " << at;
  }
  const Frame ipv6 = tcp("[fd00::1]:80", "[fd00::2]:9");
  for (size_t at = 22; at < ipv6.size(); ++at)  // the checksum does not cover what is before the addresses
    EXPECT_NE(told(changed(ipv6, at)).find("BAD"), std::string::npos) << at;
}

TEST(Told, reads_no_octet_behind_a_frame_that_is_cut_off) {
  const Frame quoted = udp("192.0.2.2:5000", "198.51.100.1:53").packet();
  for (const Frame& frame :
       {Frame(icmp_error("192.0.2.1", "192.0.2.2", 3, 4, quoted)), Frame(tcp("[fd00::1]:80", "[fd00::2]:9")),
        Frame(udp("[fd00::1]:80", "[fd00::2]:9").part(0, 16)),
        neighbor_solicitation(kAnn, "fd00::2", "fd00::1")}) {
    for (size_t length = 0; length < frame.size(); ++length) {
      const Frame cut(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(length));  // exactly in the heap
      EXPECT_NE(told(cut), told(frame)) << length;
      ip_packet_of(cut);
      told_macs(cut);
    }
  }
}

TEST(Told, leaves_out_what_pads_a_frame) {
  const auto acknowledgment = tcp("192.0.2.1:80", "192.0.2.2:5000").data(0);
  EXPECT_EQ(told(padded(acknowledgment, 6)), "tcp 192.0.2.1:80 > 192.0.2.2:5000 ttl 64 syn");
  EXPECT_EQ(ip_packet_of(padded(acknowledgment, 6)), acknowledgment.packet());
}

}  // namespace
}  // namespace sluice::test
