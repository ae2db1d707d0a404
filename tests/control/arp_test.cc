// SPDX-License-Identifier: BSD-3-Clause
//
// ARP octet by octet.
#include "control/arp.h"

#include <gtest/gtest.h>

#include "tests/control/hex.h"

namespace sluice::test {
namespace {

using control::ArpOperation;
using control::read_arp;

const auto kOurs = mac("02:00:00:00:00:01");
const auto kTheirs = mac("02:00:00:00:00:02");

const Bytes kRequest = hex("0001 0800 06 04 0001 020000000002 0a000002 000000000000 0a000001");

Bytes with(Bytes packet, size_t at, uint8_t value) {
  packet[at] = value;
  return packet;
}

TEST(Arp, request_is_read) {
  const auto arp = read_arp(kRequest);
  ASSERT_TRUE(arp);
  EXPECT_EQ(arp->operation, ArpOperation::request);
  EXPECT_EQ(arp->sender_mac, kTheirs);
  EXPECT_EQ(arp->sender, ip4("10.0.0.2"));
  EXPECT_EQ(arp->target_mac, 0u);
  EXPECT_EQ(arp->target, ip4("10.0.0.1"));
}

TEST(Arp, reply_is_read_with_the_padding_of_its_frame) {
  const auto arp = read_arp(joined(with(kRequest, 7, 2), Bytes(18)));
  ASSERT_TRUE(arp);
  EXPECT_EQ(arp->operation, ArpOperation::reply);
}

TEST(Arp, of_another_hardware_or_protocol_is_refused) {
  EXPECT_FALSE(read_arp(with(kRequest, 1, 6)));     // IEEE 802
  EXPECT_FALSE(read_arp(with(kRequest, 2, 0x86)));  // not IPv4
  EXPECT_FALSE(read_arp(with(kRequest, 4, 8)));     // addresses of 8 octets
  EXPECT_FALSE(read_arp(with(kRequest, 5, 16)));    // or of 16
}

TEST(Arp, operations_but_request_and_reply_are_refused) {
  EXPECT_FALSE(read_arp(with(kRequest, 7, 0)));
  EXPECT_FALSE(read_arp(with(kRequest, 7, 3)));  // RARP
  EXPECT_FALSE(read_arp(with(kRequest, 6, 1)));
}

TEST(Arp, packet_that_is_cut_short_is_refused) {
  for (size_t size = 0; size < kRequest.size(); ++size)
    EXPECT_FALSE(read_arp(Bytes(kRequest.begin(), kRequest.begin() + static_cast<ptrdiff_t>(size))));
}

TEST(Arp, reader_survives_any_octets) {
  batter(kRequest, [](const Bytes& octets) { read_arp(octets); });
}

TEST(Arp, request_asks_everybody) {
  EXPECT_EQ(control::arp_request(kOurs, ip4("10.0.0.1"), ip4("10.0.0.2")),
            hex("ffffffffffff 020000000001 0806"
                "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"));
}

TEST(Arp, probe_of_a_known_neighbor_asks_it_alone) {
  EXPECT_EQ(control::arp_request(kOurs, ip4("10.0.0.1"), ip4("10.0.0.2"), kTheirs),
            hex("020000000002 020000000001 0806"
                "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002"));
}

TEST(Arp, reply_goes_to_who_asked) {
  EXPECT_EQ(control::arp_reply(kOurs, ip4("10.0.0.1"), *read_arp(kRequest)),
            hex("020000000002 020000000001 0806"
                "0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002"));
}

TEST(Arp, announcement_is_a_broadcast_request_for_its_own_address) {
  EXPECT_EQ(control::arp_announcement(kOurs, ip4("10.0.0.1")),
            hex("ffffffffffff 020000000001 0806"
                "0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000001"));
}

}  // namespace
}  // namespace sluice::test
