// SPDX-License-Identifier: BSD-3-Clause
//
// Which errors are sent, from where, with what in them; and which must never be.
#include "control/icmp_errors.h"

#include <gtest/gtest.h>

#include "control/ip_packet.h"
#include "tests/control/hex.h"

namespace sluice::test {
namespace {

using control::IcmpErrors;
using control::IpAddress;
using control::L3Interface;
using control::Silence;
using dataplane::ErrorKind;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint8_t kUdp = 17, kIcmp = 1, kIcmpv6 = 58;

/// An IP packet with `size` octets behind its header.
Bytes packet(const std::string& from, const std::string& to, uint8_t protocol = kUdp, Bytes body = Bytes(8),
             size_t size = 0) {
  body.resize(std::max(body.size(), size), 0xAB);
  Bytes out = control::ip_header(ip(from), ip(to), protocol, 0, body.size(), 77);
  return joined(out, body);
}

std::string source_of(const Bytes& error) {
  const auto packet = control::read_ip(error);
  return packet ? to_text(packet->source) : "nothing";
}

Bytes icmp_of(const Bytes& error) {
  const auto packet = control::read_ip(error);
  if (!packet || packet->payload.size() < 8) return {};
  return {packet->payload.begin(), packet->payload.begin() + 8};
}

Bytes quote_of(const Bytes& error) {
  const auto packet = control::read_ip(error);
  if (!packet || packet->payload.size() < 8) return {};
  return {packet->payload.begin() + 8, packet->payload.end()};
}

class IcmpErrorsTest : public testing::Test {
 protected:
  IcmpErrorsTest() {
    lan_.name = "lan";
    lan_.index = 1;
    lan_.ipv4 = {{ip4("10.0.0.1"), 24}, {ip4("10.0.1.1"), 24}};
    lan_.ipv6 = {{ip6("2001:db8::1"), 64}, {ip6("2001:db8:1::1"), 64}, {ip6("fe80::1"), 64}};
  }

  IcmpErrors::Answer answer(const Bytes& packet, ErrorKind kind = ErrorKind::time_exceeded,
                            uint64_t now_ns = 0) {
    return errors_.answer({packet, kind, mtu_, pointer_, link_group_, ingress_}, now_ns);
  }
  Silence silence(const Bytes& packet, ErrorKind kind = ErrorKind::time_exceeded) {
    const auto result = answer(packet, kind);
    EXPECT_EQ(result.packet.empty(), result.silence != Silence::none);
    return result.silence;
  }

  L3Interface lan_;
  const L3Interface* ingress_ = &lan_;
  uint16_t mtu_ = 1400, pointer_ = 42;
  bool link_group_ = false;
  IcmpErrors errors_{config::Icmp{1000, 1000}, [](dataplane::Ip4 address) {
                       return address == ip4("10.0.0.255") || address == ip4("192.168.9.255");
                     }};
};

TEST_F(IcmpErrorsTest, B31_time_exceeded_is_right_to_the_octet) {
  const Bytes offender = hex("45 00 001c 004d 0000 01 11 ed81 0a000002 c0000201 1234 5678 0008 0000");
  EXPECT_EQ(answer(offender).packet, joined(hex("45 c0 0038 0001 0000 40 01 6602 0a000001 0a000002"
                                                "0b00 8c4b 00000000"),
                                            offender));
}

TEST_F(IcmpErrorsTest, B40_time_exceeded_in_ipv6_is_right_to_the_octet) {
  const Bytes offender = packet("2001:db8::2", "2001:db8:9::9", kUdp, hex("1234 5678 0008 abcd"));
  const Bytes error = answer(offender).packet;
  EXPECT_EQ(Bytes(error.begin(), error.begin() + 40),
            hex("60000000 0038 3a 40 20010db8000000000000000000000001 20010db8000000000000000000000002"));
  EXPECT_EQ(icmp_of(error), hex("0300 bfc7 00000000"));
  EXPECT_EQ(quote_of(error), offender);
}

TEST_F(IcmpErrorsTest, B34_each_kind_has_its_type_and_code) {
  const auto type_and_code = [&](const char* from, const char* to, ErrorKind kind) {
    const Bytes icmp = icmp_of(answer(packet(from, to), kind).packet);
    return icmp.empty() ? Bytes() : Bytes{icmp[0], icmp[1]};
  };
  const auto both = [&](ErrorKind kind) {
    return joined(type_and_code("10.0.0.2", "192.0.2.1", kind),
                  type_and_code("2001:db8::2", "2001:db8:9::9", kind));
  };
  EXPECT_EQ(both(ErrorKind::time_exceeded), hex("0b00 0300"));
  EXPECT_EQ(both(ErrorKind::net_unreachable), hex("0300 0100"));
  EXPECT_EQ(both(ErrorKind::host_unreachable), hex("0301 0103"));
  EXPECT_EQ(both(ErrorKind::port_unreachable), hex("0303 0104"));
  EXPECT_EQ(both(ErrorKind::prohibited), hex("030d 0101"));
  EXPECT_EQ(both(ErrorKind::packet_too_big), hex("0304 0200"));
  EXPECT_EQ(both(ErrorKind::source_route_failed), hex("0400"));
}

TEST_F(IcmpErrorsTest, B38_fragmentation_needed_tells_the_mtu_of_the_next_hop) {
  const Bytes icmp = icmp_of(answer(packet("10.0.0.2", "192.0.2.1"), ErrorKind::packet_too_big).packet);
  EXPECT_EQ(Bytes(icmp.begin() + 4, icmp.end()), hex("0000 0578"));
}

TEST_F(IcmpErrorsTest, B39_packet_too_big_tells_an_mtu_of_1280_at_least) {
  const auto mtu = [&] {
    const Bytes icmp =
        icmp_of(answer(packet("2001:db8::2", "2001:db8:9::9"), ErrorKind::packet_too_big).packet);
    return Bytes(icmp.begin() + 4, icmp.end());
  };
  EXPECT_EQ(mtu(), hex("0000 0578"));
  mtu_ = 600;
  EXPECT_EQ(mtu(), hex("0000 0500"));
}

TEST_F(IcmpErrorsTest, parameter_problem_tells_where_the_trouble_is) {
  const auto error = answer(packet("2001:db8::2", "2001:db8:9::9"), ErrorKind::source_route_failed);
  const Bytes icmp = icmp_of(error.packet);
  EXPECT_EQ(Bytes(icmp.begin() + 4, icmp.end()), hex("0000 002a"));
}

TEST_F(IcmpErrorsTest, B37_quotes_as_much_as_fits_in_576_octets) {
  const Bytes offender = packet("10.0.0.2", "192.0.2.1", kUdp, {}, 1400);
  const Bytes error = answer(offender).packet;
  EXPECT_EQ(error.size(), 576u);
  EXPECT_EQ(quote_of(error), Bytes(offender.begin(), offender.begin() + 548));
}

TEST_F(IcmpErrorsTest, B37_quotes_as_much_as_fits_in_1280_octets_in_ipv6) {
  const Bytes offender = packet("2001:db8::2", "2001:db8:9::9", kUdp, {}, 1400);
  const Bytes error = answer(offender).packet;
  EXPECT_EQ(error.size(), 1280u);
  EXPECT_EQ(quote_of(error), Bytes(offender.begin(), offender.begin() + 1232));
}

TEST_F(IcmpErrorsTest, B37_quotes_a_small_packet_whole_and_its_padding_not_at_all) {
  const Bytes offender = packet("10.0.0.2", "192.0.2.1");
  EXPECT_EQ(quote_of(answer(joined(offender, Bytes(18))).packet), offender);
}

TEST_F(IcmpErrorsTest, comes_from_the_ingress_interfaces_address_in_the_offenders_network) {
  EXPECT_EQ(source_of(answer(packet("10.0.1.7", "192.0.2.1")).packet), "10.0.1.1");
  EXPECT_EQ(source_of(answer(packet("2001:db8:1::7", "2001:db8:9::9")).packet), "2001:db8:1::1");
  EXPECT_EQ(source_of(answer(packet("fe80::7", "2001:db8:9::9")).packet), "fe80::1");
}

TEST_F(IcmpErrorsTest, comes_from_the_ingress_interfaces_first_address_if_the_offender_is_elsewhere) {
  EXPECT_EQ(source_of(answer(packet("172.16.0.7", "192.0.2.1")).packet), "10.0.0.1");
  std::swap(lan_.ipv6.front(), lan_.ipv6.back());
  EXPECT_EQ(source_of(answer(packet("2001:db8:77::7", "2001:db8:9::9")).packet), "2001:db8:1::1");
}

TEST_F(IcmpErrorsTest, comes_from_another_interface_if_the_ingress_interface_has_no_address) {
  lan_.ipv4.clear();
  lan_.ipv6 = {{ip6("fe80::1"), 64}};
  errors_.set_fallback({ip("fe80::2"), ip("2001:db8:5::1"), ip("10.5.0.1")});
  EXPECT_EQ(source_of(answer(packet("172.16.0.7", "192.0.2.1")).packet), "10.5.0.1");
  EXPECT_EQ(source_of(answer(packet("2001:db8:77::7", "2001:db8:9::9")).packet), "2001:db8:5::1");
  ingress_ = nullptr;
  EXPECT_EQ(source_of(answer(packet("172.16.0.7", "192.0.2.1")).packet), "10.5.0.1");
}

TEST_F(IcmpErrorsTest, comes_from_a_link_local_address_only_if_there_is_no_other) {
  lan_.ipv6 = {{ip6("fe80::1"), 64}};
  EXPECT_EQ(source_of(answer(packet("2001:db8:77::7", "2001:db8:9::9")).packet), "fe80::1");
}

TEST_F(IcmpErrorsTest, is_not_sent_without_an_address) {
  lan_.ipv4.clear();
  EXPECT_EQ(silence(packet("172.16.0.7", "192.0.2.1")), Silence::no_address);
}

TEST_F(IcmpErrorsTest, port_unreachable_comes_from_the_address_that_was_probed) {
  EXPECT_EQ(source_of(answer(packet("10.0.0.2", "10.0.1.1"), ErrorKind::port_unreachable).packet),
            "10.0.1.1");
  EXPECT_EQ(source_of(answer(packet("2001:db8::2", "2001:db8:1::1"), ErrorKind::port_unreachable).packet),
            "2001:db8:1::1");
}

TEST_F(IcmpErrorsTest, B35_answers_no_icmp_error) {
  for (uint8_t type : {3, 4, 5, 11, 12})
    EXPECT_EQ(silence(packet("10.0.0.2", "192.0.2.1", kIcmp, {type, 0, 0, 0})), Silence::icmp_error) << +type;
  for (uint8_t type : {1, 2, 3, 4, 100, 127, 137})
    EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", kIcmpv6, {type, 0, 0, 0})), Silence::icmp_error)
        << +type;
}

TEST_F(IcmpErrorsTest, answers_icmp_that_is_no_error) {
  for (uint8_t type : {0, 8, 13})
    EXPECT_EQ(silence(packet("10.0.0.2", "192.0.2.1", kIcmp, {type, 0, 0, 0})), Silence::none) << +type;
  for (uint8_t type : {128, 129, 135})
    EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", kIcmpv6, {type, 0, 0, 0})), Silence::none)
        << +type;
}

TEST_F(IcmpErrorsTest, B35_answers_no_icmp_error_behind_extension_headers) {
  const Bytes options = hex("3a 00 01 04 00000000 01 00 0000");
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", 60, options)), Silence::icmp_error);
  const Bytes first_fragment = hex("3a 00 0001 00000007 01 00 0000");
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", 44, first_fragment)), Silence::icmp_error);
  const Bytes authenticated = hex("3a 01 0000 00000001 00000001 01 00 0000");
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", 51, authenticated)), Silence::icmp_error);
}

TEST_F(IcmpErrorsTest, answers_no_packet_whose_icmp_type_cannot_be_seen) {
  Bytes none = control::ip_header(ip("10.0.0.2"), ip("192.0.2.1"), kIcmp, 0, 0, 1);
  EXPECT_EQ(silence(none), Silence::icmp_error);
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", 60, hex("3a 05 01 04 00000000"))),
            Silence::malformed);
}

TEST_F(IcmpErrorsTest, B35_answers_no_fragment_but_the_first) {
  Bytes fragment = packet("10.0.0.2", "192.0.2.1");
  fragment[6] = 0x20;
  EXPECT_EQ(silence(fragment), Silence::none);
  fragment[7] = 0x01;
  EXPECT_EQ(silence(fragment), Silence::later_fragment);
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", 44, hex("11 00 0001 00000007 00000000"))),
            Silence::none);
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9", 44, hex("11 00 0008 00000007 00000000"))),
            Silence::later_fragment);
}

TEST_F(IcmpErrorsTest, B35_answers_nothing_that_went_to_a_group) {
  for (const char* to : {"224.0.0.1", "239.1.2.3", "255.255.255.255", "0.0.0.0", "10.0.0.255"})
    EXPECT_EQ(silence(packet("10.0.0.2", to)), Silence::group_destination) << to;
  EXPECT_EQ(silence(packet("2001:db8::2", "ff0e::1")), Silence::group_destination);
}

TEST_F(IcmpErrorsTest, B35_answers_nothing_that_came_in_a_frame_to_a_group) {
  link_group_ = true;
  EXPECT_EQ(silence(packet("10.0.0.2", "192.0.2.1")), Silence::group_destination);
  EXPECT_EQ(silence(packet("10.0.0.2", "192.0.2.1"), ErrorKind::packet_too_big), Silence::group_destination);
  EXPECT_EQ(silence(packet("2001:db8::2", "2001:db8:9::9")), Silence::group_destination);
}

TEST_F(IcmpErrorsTest, packet_too_big_is_sent_for_ipv6_multicast) {
  link_group_ = true;
  EXPECT_EQ(silence(packet("2001:db8::2", "ff0e::1"), ErrorKind::packet_too_big), Silence::none);
  EXPECT_EQ(silence(packet("2001:db8::2", "ff0e::1"), ErrorKind::source_route_failed),
            Silence::group_destination);
}

TEST_F(IcmpErrorsTest, B35_answers_no_source_that_is_not_one_host) {
  for (const char* from : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
                           "10.0.0.255", "192.168.9.255"})
    EXPECT_EQ(silence(packet(from, "192.0.2.1")), Silence::source) << from;
  for (const char* from : {"::", "::1", "ff02::1"})
    EXPECT_EQ(silence(packet(from, "2001:db8:9::9")), Silence::source) << from;
}

TEST_F(IcmpErrorsTest, has_no_message_for_a_source_route_in_ipv4) {
  EXPECT_EQ(silence(packet("10.0.0.2", "192.0.2.1"), ErrorKind::source_route_failed), Silence::no_message);
}

TEST_F(IcmpErrorsTest, B36_one_bucket_limits_both_families) {
  errors_.configure({10, 4}, 0);
  int sent = 0;
  for (int i = 0; i < 10; ++i) {
    sent += answer(packet("10.0.0.2", "192.0.2.1")).packet.empty() ? 0 : 1;
    sent += answer(packet("2001:db8::2", "2001:db8:9::9")).packet.empty() ? 0 : 1;
  }
  EXPECT_EQ(sent, 4);
  EXPECT_EQ(silence(packet("10.0.0.2", "192.0.2.1")), Silence::rate);
  EXPECT_FALSE(
      answer(packet("10.0.0.2", "192.0.2.1"), ErrorKind::time_exceeded, kSecond / 10).packet.empty());
}

TEST_F(IcmpErrorsTest, B36_what_is_not_sent_anyway_takes_no_token) {
  errors_.configure({1, 1}, 0);
  const Bytes sound = packet("10.0.0.2", "192.0.2.1");
  EXPECT_EQ(silence(packet("127.0.0.1", "192.0.2.1")), Silence::source);
  EXPECT_EQ(silence(packet("10.0.0.2", "224.0.0.1")), Silence::group_destination);
  lan_.ipv4.clear();
  EXPECT_EQ(silence(sound), Silence::no_address);
  lan_.ipv4 = {{ip4("10.0.0.1"), 24}};
  EXPECT_EQ(silence(sound), Silence::none);
  EXPECT_EQ(silence(sound), Silence::rate);
}

TEST_F(IcmpErrorsTest, each_has_the_next_identification) {
  const Bytes offender = packet("10.0.0.2", "192.0.2.1");
  const Bytes first = answer(offender).packet, second = answer(offender).packet;
  EXPECT_EQ(first.at(5) + 1, second.at(5));
}

TEST_F(IcmpErrorsTest, quotes_what_there_is_of_a_packet_that_came_in_part) {
  const Bytes offender = packet("10.0.0.2", "192.0.2.1", kUdp, {}, 100);
  EXPECT_EQ(quote_of(answer(Bytes(offender.begin(), offender.begin() + 60)).packet),
            Bytes(offender.begin(), offender.begin() + 60));
}

TEST_F(IcmpErrorsTest, survive_any_octets) {
  const auto answer_any = [&](const Bytes& octets) {
    answer(octets);
    answer(octets, ErrorKind::packet_too_big);
  };
  batter(packet("10.0.0.2", "192.0.2.1", kIcmp, {8, 0, 0, 0}), answer_any);
  batter(packet("2001:db8::2", "2001:db8:9::9", 60, hex("3a 00 01 04 00000000 80 00 0000 00000000")),
         answer_any);
}

}  // namespace
}  // namespace sluice::test
