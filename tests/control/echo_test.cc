// SPDX-License-Identifier: BSD-3-Clause
//
// Echo in both families: what is answered and how (B42), and what is not.
#include "control/echo.h"

#include <gtest/gtest.h>

#include "control/checksums.h"
#include "tests/control/hex.h"

namespace sluice::test {
namespace {

using control::echo_reply;

const std::string kRest = "40 01 0000 0a000002 0a000001";
const Bytes kEcho = hex("0800 2100 1234 0005 61626364 00");  // identifier 0x1234, sequence 5, "abcd" and a 0

/// A packet whose total length is `header` and `body`'s, with the header's own checksum left open: control
/// gets packets whose header has been checked.
Bytes ipv4(const std::string& header, const Bytes& body) {
  Bytes out = joined(hex(header), body);
  out[3] = static_cast<uint8_t>(out.size());
  return out;
}

Bytes ipv6(const std::string& source, const std::string& destination, Bytes body,
           const std::string& start = "6b800000") {
  Bytes out = joined(hex(start + "0000 3a 40" + source + destination), {});
  dataplane::Ipv6Header ip;
  std::memcpy(&ip, out.data(), sizeof ip);
  const auto length = static_cast<uint32_t>(body.size());
  const uint16_t sum = control::InternetChecksum().add_pseudo_header(ip, length, 58).add(body).value();
  std::memcpy(body.data() + 2, &sum, sizeof sum);
  out[5] = static_cast<uint8_t>(length);
  return joined(out, body);
}

const std::string kHost6 = "20010db8 00000000 00000000 00000002";
const std::string kOurs6 = "20010db8 00000000 00000000 00000001";
const std::string kGroup6 = "ff020000 00000000 00000000 00000001";
const Bytes kRequest4 = ipv4("45 b8 0000 0001 4000" + kRest, kEcho);
const Bytes kRequest6 = ipv6(kHost6, kOurs6, hex("8000 0000 1234 0005 61626364"));

TEST(Echo, B42_reply_keeps_identifier_sequence_and_data_and_comes_from_the_probed_address) {
  EXPECT_EQ(echo_reply(kRequest4, false, 7), hex("45 b8 0021 0007 0000 40 01 661b 0a000001 0a000002"
                                                 "0000 2900 1234 0005 61626364 00"));
}

TEST(Echo, B42_reply_in_ipv6_keeps_identifier_sequence_and_data_and_comes_from_the_probed_address) {
  EXPECT_EQ(echo_reply(kRequest6, false, 7),
            hex("6b800000 000c 3a 40" + kOurs6 + kHost6 + "8100 4c44 1234 0005 61626364"));
}

TEST(Echo, reply_leaves_options_and_padding_out) {
  const Bytes request = ipv4("47 b8 0000 0001 4000" + kRest + "0707040000000000", kEcho);
  EXPECT_EQ(echo_reply(joined(request, Bytes(9, 0xEE)), false, 7), echo_reply(kRequest4, false, 7));
}

TEST(Echo, request_behind_an_extension_header_is_answered) {
  Bytes request = ipv6(kHost6, kOurs6, hex("8000 0000 1234 0005 61626364"));
  request[6] = 60;  // destination options: PadN
  const Bytes options = hex("3a 00 01 04 00000000");
  request.insert(request.begin() + 40, options.begin(), options.end());
  request[5] = static_cast<uint8_t>(request[5] + 8);
  EXPECT_EQ(echo_reply(request, false, 7), echo_reply(kRequest6, false, 7));
}

TEST(Echo, request_with_a_wrong_checksum_is_not_answered) {
  for (Bytes request : {kRequest4, kRequest6}) {
    request.back() ^= 1;
    EXPECT_FALSE(echo_reply(request, false, 7));
  }
}

TEST(Echo, request_that_went_to_a_group_is_not_answered) {
  EXPECT_FALSE(echo_reply(kRequest4, true, 7));
  EXPECT_FALSE(echo_reply(kRequest6, true, 7));
  EXPECT_FALSE(echo_reply(ipv4("45 00 0000 0001 4000 40 01 0000 0a000002 e0000001", kEcho), false, 7));
  EXPECT_FALSE(echo_reply(ipv4("45 00 0000 0001 4000 40 01 0000 0a000002 ffffffff", kEcho), false, 7));
  EXPECT_FALSE(echo_reply(ipv6(kHost6, kGroup6, hex("8000 0000 1234 0005")), false, 7));
}

TEST(Echo, request_whose_source_is_no_host_is_not_answered) {
  for (const char* source : {"00000000", "7f000001", "e0000001", "f0000001", "ffffffff"})
    EXPECT_FALSE(echo_reply(ipv4("45 00 0000 0001 4000 40 01 0000" + std::string(source) + "0a000001", kEcho),
                            false, 7));
  const std::string nobody = "00000000 00000000 00000000 00000000";
  EXPECT_FALSE(echo_reply(ipv6(nobody, kOurs6, hex("8000 0000 1234 0005")), false, 7));
  EXPECT_FALSE(echo_reply(ipv6(kGroup6, kOurs6, hex("8000 0000 1234 0005")), false, 7));
}

TEST(Echo, fragment_of_a_request_is_not_answered) {
  EXPECT_FALSE(echo_reply(ipv4("45 00 0000 0001 2000" + kRest, kEcho), false, 7));
  EXPECT_FALSE(echo_reply(ipv4("45 00 0000 0001 0001" + kRest, kEcho), false, 7));
}

TEST(Echo, request_that_is_cut_short_is_not_answered) {
  for (const Bytes& whole : {kRequest4, kRequest6}) {
    for (size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(echo_reply(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)), false, 7));
  }
}

TEST(Echo, reply_is_not_answered) {
  EXPECT_FALSE(echo_reply(*echo_reply(kRequest4, false, 7), false, 7));
  EXPECT_FALSE(echo_reply(*echo_reply(kRequest6, false, 7), false, 7));
}

TEST(Echo, our_own_request_is_answered_and_the_reply_is_read) {
  for (const auto& [ours, theirs] :
       {std::pair(ip("10.0.0.1"), ip("10.0.0.2")), std::pair(ip("2001:db8::1"), ip("2001:db8::2"))}) {
    const Bytes request = control::echo_request(ours, theirs, 0xABCD, 3, 57, 9);
    EXPECT_FALSE(control::read_echo_reply(request));
    const auto reply = echo_reply(request, false, 1);
    ASSERT_TRUE(reply);
    const auto echo = control::read_echo_reply(*reply);
    ASSERT_TRUE(echo);
    EXPECT_EQ(echo->source, theirs);
    EXPECT_EQ(echo->destination, ours);
    EXPECT_EQ(echo->id, 0xABCD);
    EXPECT_EQ(echo->sequence, 3);
    EXPECT_EQ(echo->data_length, 57);
    EXPECT_EQ(echo->hop_limit, 64);
  }
}

TEST(Echo, request_of_ours_is_right_to_the_octet) {
  EXPECT_EQ(control::echo_request(ip("10.0.0.1"), ip("10.0.0.2"), 0x1234, 5, 4, 9),
            hex("45 00 0020 0009 0000 40 01 66d2 0a000001 0a000002 0800 e3c2 1234 0005 00010203"));
}

TEST(Echo, reply_with_a_wrong_checksum_is_not_read) {
  Bytes reply = *echo_reply(kRequest4, false, 7);
  reply.back() ^= 1;
  EXPECT_FALSE(control::read_echo_reply(reply));
}

TEST(Echo, readers_survive_any_octets) {
  const auto read_both = [](const Bytes& octets) {
    echo_reply(octets, false, 1);
    control::read_echo_reply(octets);
  };
  batter(kRequest4, read_both);
  batter(kRequest6, read_both);
}

}  // namespace
}  // namespace sluice::test
