// SPDX-License-Identifier: BSD-3-Clause
//
// Neighbor solicitations and advertisements octet by octet, and all that makes one invalid.
#include "control/nd.h"

#include <gtest/gtest.h>

#include "control/checksums.h"
#include "tests/control/hex.h"

namespace sluice::test {
namespace {

using control::Nd;
using control::read_nd;

const auto kOurs = mac("02:00:00:00:00:01");
const auto kTheirs = mac("02:00:00:00:00:02");

const std::string kHost = "20010db8 00000000 00000000 00000002";
const std::string kRouter = "20010db8 00000000 00000000 00000001";
const std::string kNobody = "00000000 00000000 00000000 00000000";
const std::string kRouterGroup = "ff020000 00000000 00000001 ff000001";
const std::string kEverybody = "ff020000 00000000 00000000 00000001";

/// An ICMPv6 message in an IPv6 packet, its checksum made right.
Bytes packet(const std::string& source, const std::string& destination, const std::string& message,
             const std::string& next_header_and_hop_limit = "3aff") {
  Bytes body = hex(message);
  const auto length = static_cast<uint8_t>(body.size());
  Bytes out = joined(hex("60000000 00"), {length});
  out = joined(joined(joined(out, hex(next_header_and_hop_limit)), hex(source)), hex(destination));
  dataplane::Ipv6Header ip;
  std::memcpy(&ip, out.data(), sizeof ip);
  if (body.size() >= 4) {
    const uint16_t sum = control::InternetChecksum().add_pseudo_header(ip, length, 58).add(body).value();
    std::memcpy(body.data() + 2, &sum, sizeof sum);
  }
  return joined(out, body);
}

const std::string kSolicit = "87000000 00000000" + kRouter;
const std::string kSolicitWithMac = kSolicit + "0101 020000000002";
std::string advertise(const std::string& flags) {
  return "88000000" + flags + "000000" + kHost + "0201 020000000002";
}

TEST(Nd, solicitation_is_read) {
  const auto nd = read_nd(packet(kHost, kRouterGroup, kSolicitWithMac));
  ASSERT_TRUE(nd);
  EXPECT_EQ(nd->kind, Nd::Kind::solicitation);
  EXPECT_EQ(nd->source, ip6("2001:db8::2"));
  EXPECT_EQ(nd->destination, ip6("ff02::1:ff00:1"));
  EXPECT_EQ(nd->target, ip6("2001:db8::1"));
  EXPECT_EQ(nd->mac, kTheirs);
}

TEST(Nd, advertisement_is_read_with_its_flags) {
  const auto nd = read_nd(packet(kHost, kRouter, advertise("60")));
  ASSERT_TRUE(nd);
  EXPECT_EQ(nd->kind, Nd::Kind::advertisement);
  EXPECT_EQ(nd->target, ip6("2001:db8::2"));
  EXPECT_EQ(nd->mac, kTheirs);
  EXPECT_TRUE(nd->solicited);
  EXPECT_TRUE(nd->override_);
  EXPECT_FALSE(nd->router);
  EXPECT_TRUE(read_nd(packet(kHost, kRouter, advertise("80")))->router);
  EXPECT_FALSE(read_nd(packet(kHost, kRouter, advertise("80")))->solicited);
}

TEST(Nd, message_that_a_router_has_forwarded_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicitWithMac, "3afe")));
  EXPECT_FALSE(read_nd(packet(kHost, kRouter, advertise("60"), "3a40")));
}

TEST(Nd, message_behind_an_extension_header_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicitWithMac, "2cff")));
}

TEST(Nd, message_with_a_wrong_checksum_is_refused) {
  Bytes wrong = packet(kHost, kRouterGroup, kSolicitWithMac);
  wrong[42] ^= 1;
  EXPECT_FALSE(read_nd(wrong));
}

TEST(Nd, message_with_a_code_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, "87010000 00000000" + kRouter)));
}

TEST(Nd, message_of_less_than_24_octets_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicit.substr(0, kSolicit.size() - 2))));
}

TEST(Nd, option_without_a_length_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicit + "0e00 000000000000")));
}

TEST(Nd, option_that_is_longer_than_its_packet_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicit + "0102 020000000002")));
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicit + "01")));
}

TEST(Nd, options_that_are_unknown_are_skipped) {
  const auto nd = read_nd(packet(kHost, kRouterGroup, kSolicit + "0e01 112233445566" + "0101 020000000002"));
  ASSERT_TRUE(nd);
  EXPECT_EQ(nd->mac, kTheirs);
}

TEST(Nd, the_other_messages_option_is_not_taken_for_its_own) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, kSolicit + "0201 020000000002"))->mac);
}

TEST(Nd, target_that_is_a_group_is_refused) {
  EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, "87000000 00000000" + kEverybody)));
  EXPECT_FALSE(read_nd(packet(kHost, kRouter, "88000000 60000000" + kEverybody)));
}

TEST(Nd, source_that_is_a_group_is_refused) {
  EXPECT_FALSE(read_nd(packet(kEverybody, kRouterGroup, kSolicit)));
}

TEST(Nd, duplicate_detection_must_go_to_the_solicited_node_group_and_carry_no_mac) {
  EXPECT_TRUE(read_nd(packet(kNobody, kRouterGroup, kSolicit)));
  EXPECT_FALSE(read_nd(packet(kNobody, kRouter, kSolicit)));
  EXPECT_FALSE(read_nd(packet(kNobody, kEverybody, kSolicit)));
  EXPECT_FALSE(read_nd(packet(kNobody, kRouterGroup, kSolicitWithMac)));
}

TEST(Nd, advertisement_to_everybody_answers_nobody) {
  EXPECT_TRUE(read_nd(packet(kHost, kEverybody, advertise("20"))));
  EXPECT_FALSE(read_nd(packet(kHost, kEverybody, advertise("60"))));
}

TEST(Nd, router_messages_and_redirects_are_ignored) {
  for (const char* type : {"85", "86", "89"})
    EXPECT_FALSE(read_nd(packet(kHost, kRouterGroup, type + std::string("000000 00000000") + kRouter)));
}

TEST(Nd, padding_behind_the_packet_is_not_read) {
  const auto nd = read_nd(joined(packet(kHost, kRouterGroup, kSolicit), hex("0101 020000000002")));
  ASSERT_TRUE(nd);
  EXPECT_FALSE(nd->mac);
}

TEST(Nd, packet_that_is_cut_short_is_refused) {
  const Bytes whole = packet(kHost, kRouterGroup, kSolicitWithMac);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_nd(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))));
}

TEST(Nd, reader_survives_any_octets) {
  batter(packet(kHost, kRouterGroup, kSolicitWithMac), [](const Bytes& octets) { read_nd(octets); });
}

TEST(Nd, solicitation_goes_to_the_solicited_node_group) {
  const Bytes frame = control::neighbor_solicitation(kOurs, ip6("2001:db8::1"), ip6("2001:db8::12:3456"));
  EXPECT_EQ(frame, hex("3333ff123456 020000000001 86dd"
                       "60000000 0020 3a ff" +
                       kRouter +
                       "ff020000 00000000 00000001 ff123456"
                       "8700 b35a 00000000 20010db8 00000000 00000000 00123456 0101 020000000001"));
}

TEST(Nd, probe_goes_to_the_neighbor_itself) {
  const Bytes frame = control::neighbor_solicitation(kOurs, ip6("2001:db8::1"), ip6("2001:db8::2"), kTheirs);
  EXPECT_EQ(Bytes(frame.begin(), frame.begin() + 14), hex("020000000002 020000000001 86dd"));
  EXPECT_EQ(Bytes(frame.begin() + 38, frame.begin() + 54), hex(kHost));
  EXPECT_TRUE(read_nd(Bytes(frame.begin() + 14, frame.end())));
}

TEST(Nd, duplicate_probe_comes_from_nobody_and_carries_no_mac) {
  EXPECT_EQ(control::duplicate_probe(kOurs, ip6("2001:db8::1")),
            hex("3333ff000001 020000000001 86dd 60000000 0018 3a ff" + kNobody + kRouterGroup +
                "8700 4ced 00000000" + kRouter));
}

TEST(Nd, answer_says_router_solicited_and_override) {
  const auto nd = read_nd(packet(kHost, kRouterGroup, kSolicitWithMac));
  EXPECT_EQ(control::neighbor_advertisement(kOurs, *nd, kTheirs),
            hex("020000000002 020000000001 86dd 60000000 0020 3a ff" + kRouter + kHost +
                "8800 0a73 e0000000" + kRouter + "0201 020000000001"));
}

TEST(Nd, answer_to_duplicate_detection_goes_to_everybody_and_is_not_solicited) {
  const auto nd = read_nd(packet(kNobody, kRouterGroup, kSolicit));
  EXPECT_EQ(control::neighbor_advertisement(kOurs, *nd, kTheirs),
            hex("333300000001 020000000001 86dd 60000000 0020 3a ff" + kRouter + kEverybody +
                "8800 792a a0000000" + kRouter + "0201 020000000001"));
}

TEST(Nd, answer_for_a_tentative_address_does_not_override) {
  const auto nd = read_nd(packet(kHost, kRouterGroup, kSolicitWithMac));
  EXPECT_EQ(control::neighbor_advertisement(kOurs, *nd, kTheirs, true).at(58), 0xC0);
}

TEST(Nd, announcement_goes_to_everybody) {
  EXPECT_EQ(control::unsolicited_advertisement(kOurs, ip6("2001:db8::1")),
            hex("333300000001 020000000001 86dd 60000000 0020 3a ff" + kRouter + kEverybody +
                "8800 792a a0000000" + kRouter + "0201 020000000001"));
}

}  // namespace
}  // namespace sluice::test
