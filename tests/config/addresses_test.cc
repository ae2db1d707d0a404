// SPDX-License-Identifier: BSD-3-Clause
//
// Addresses and prefixes: their texts, and what may be asked of them. Their findings are those of a route's
// `to`, an interface's `addresses` and a neighbor's `address`.
#include "config/addresses.h"

#include "tests/config/findings.h"

namespace sluice::config {
namespace {

IpAddress address(std::string_view text) {
  const std::optional<IpAddress> parsed = parse_address(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpAddress{});
}

Prefix prefix(std::string_view text, uint8_t length) {
  return {address(text), length};
}

TEST(Addresses, AreInTheOrderOfTheWire) {
  const IpAddress ipv4 = address("192.0.2.1");
  EXPECT_TRUE(ipv4.is_ipv4());
  EXPECT_EQ(ipv4.octets, (std::array<uint8_t, 16>{192, 0, 2, 1}));
  EXPECT_EQ(ipv4_number(ipv4), 0xc0000201U);
  const IpAddress ipv6 = address("2001:db8::ff");
  EXPECT_FALSE(ipv6.is_ipv4());
  EXPECT_EQ(ipv6.octets,
            (std::array<uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff}));
}

TEST(Addresses, AreReadStrictly) {
  for (const std::string_view text :
       {"",          "1",        "1.2.3",        "1.2.3.4.5",     "1.2.3.",
        ".1.2.3",    "1..2.3",   "1.2.3.256",    "1.2.3.04",      "01.2.3.4",
        "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4",     "+1.2.3.4",      "1.2.3.99999999999999999999",
        ":",         ":::",      "1::2::3",      "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "12345::",   "g::",      "fe80::1%eth0", "[::1]",         "::1.2.3",
        "::01.2.3.4"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
  EXPECT_FALSE(parse_address(std::string_view("::1\0", 4))) << "nor does a zero end them";
}

TEST(Addresses, OfIpv4InIpv6sFormAreNone) {
  EXPECT_FALSE(parse_address("::ffff:1.2.3.4"));
  EXPECT_FALSE(parse_address("::ffff:102:304"));
  EXPECT_TRUE(parse_address("::fffe:102:304"));
  EXPECT_TRUE(parse_address("64:ff9b::192.0.2.1")) << "what NAT64 uses is IPv6";
}

TEST(Addresses, AreWrittenAsRfc5952Says) {
  EXPECT_EQ(to_text(address("192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(to_text(address("2001:0DB8:0:0:0:0:0:1")), "2001:db8::1");
  EXPECT_EQ(to_text(address("2001:db8:0:0:1:0:0:1")), "2001:db8::1:0:0:1") << "the first of equal runs";
  EXPECT_EQ(to_text(address("2001:db8:0:1:1:1:1:1")), "2001:db8:0:1:1:1:1:1") << "one field stays";
  EXPECT_EQ(to_text(address("::")), "::");
}

TEST(Addresses, OfPrefixesInterfacesAndRangesHaveTextsToo) {
  EXPECT_EQ(to_text(prefix("10.0.0.0", 8)), "10.0.0.0/8");
  EXPECT_EQ(to_text(prefix("::", 0)), "::/0");
  EXPECT_EQ(to_text(InterfaceAddress{address("fd00::1"), 64, {}}), "fd00::1/64");
  EXPECT_EQ(to_text(NatRule::Range{address("192.0.2.1"), address("192.0.2.9")}), "192.0.2.1-192.0.2.9");
  EXPECT_EQ(to_text(NatRule::Range{address("192.0.2.1"), address("192.0.2.1")}), "192.0.2.1");
}

TEST(Networks, AreWhatIsLeftOfAnAddress) {
  EXPECT_EQ(network_of(address("192.168.10.77"), 26), prefix("192.168.10.64", 26));
  EXPECT_EQ(network_of(address("192.168.10.77"), 32), prefix("192.168.10.77", 32));
  EXPECT_EQ(network_of(address("192.168.10.77"), 0), prefix("0.0.0.0", 0));
  EXPECT_EQ(network_of(address("2001:db8:7f::1"), 41), prefix("2001:db8::", 41));
}

TEST(Networks, EndWithTheirLastAddress) {
  EXPECT_EQ(last_address(prefix("192.168.10.64", 26)), address("192.168.10.127"));
  EXPECT_EQ(last_address(prefix("0.0.0.0", 0)), address("255.255.255.255"));
  EXPECT_EQ(last_address(prefix("192.0.2.1", 32)), address("192.0.2.1"));
  EXPECT_EQ(last_address(prefix("fd00::", 121)), address("fd00::7f"));
}

TEST(Networks, HaveAddressesThatAreNoHosts) {
  EXPECT_EQ(role_in(prefix("192.0.2.0", 24), address("192.0.2.0")), "the network address");
  EXPECT_EQ(role_in(prefix("192.0.2.0", 24), address("192.0.2.255")), "the broadcast address");
  EXPECT_EQ(role_in(prefix("192.0.2.0", 30), address("192.0.2.3")), "the broadcast address");
  EXPECT_EQ(role_in(prefix("192.0.2.0", 24), address("192.0.2.7")), "");
  EXPECT_THAT(role_in(prefix("fd00::", 64), address("fd00::")), StartsWith("the subnet-router anycast"));
  EXPECT_EQ(role_in(prefix("fd00::", 120), address("fd00::ff")), "") << "IPv6 knows no broadcast";
}

TEST(Networks, OfOneOrTwoAddressesHaveHostsAlone) {
  EXPECT_EQ(role_in(prefix("192.0.2.0", 31), address("192.0.2.0")), "");
  EXPECT_EQ(role_in(prefix("192.0.2.0", 31), address("192.0.2.1")), "");
  EXPECT_EQ(role_in(prefix("192.0.2.0", 32), address("192.0.2.0")), "");
  EXPECT_EQ(role_in(prefix("fd00::", 127), address("fd00::")), "");
}

TEST(Addresses, OfSpecialUseAreNoHosts) {
  for (const std::string_view text : {"0.0.0.0", "0.255.255.255", "127.0.0.1", "224.0.0.1", "239.255.255.255",
                                      "240.0.0.0", "255.255.255.255", "::", "::1", "ff02::1"}) {
    EXPECT_NE(special_use(address(text)), "") << text;
  }
  for (const std::string_view text : {"1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255",
                                      "169.254.0.1", "::2", "fe80::1", "fe00::1", "fd00::1"}) {
    EXPECT_EQ(special_use(address(text)), "") << text;
  }
}

TEST(Addresses, OfSpecialUseAreToldApart) {
  EXPECT_EQ(special_use(address("239.255.255.255")), "a multicast address");
  EXPECT_THAT(special_use(address("240.0.0.0")), StartsWith("in 240.0.0.0/4"));
  EXPECT_THAT(special_use(address("0.1.2.3")), StartsWith("in 0.0.0.0/8"));
  EXPECT_EQ(special_use(address("127.1.2.3")), "a loopback address");
  EXPECT_EQ(special_use(address("::")), "the unspecified address");
  EXPECT_EQ(special_use(address("::1")), "the loopback address");
}

TEST(Addresses, AreLinkLocalInFe80Slash10) {
  EXPECT_TRUE(is_link_local(address("fe80::1")));
  EXPECT_TRUE(is_link_local(address("febf::1")));
  EXPECT_FALSE(is_link_local(address("fec0::1")));
  EXPECT_FALSE(is_link_local(address("fe7f::1")));
  EXPECT_FALSE(is_link_local(address("169.254.0.1")));
}

/// The one finding about the route to `to`, which stands in column 17 of line 1.
std::string to_finding(std::string_view to) {
  const auto all = findings(with_ports("routes: [{ to: \"" + std::string(to) + "\", type: blackhole }]"));
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

/// What a route to `to` is to.
std::string to(std::string_view to) {
  const std::string text = "routes: [{ to: \"" + std::string(to) + "\", type: blackhole }]";
  return to_text(parsed(with_ports(text)).routes.at(0).to);
}

TEST(Prefixes, HaveALength) {
  EXPECT_EQ(to("10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(to("10.0.0.1/32"), "10.0.0.1/32");
  EXPECT_EQ(to("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(to("::/0"), "::/0");
  EXPECT_EQ(to("2001:DB8::/32"), "2001:db8::/32");
  EXPECT_EQ(to_finding("10.0.0.1"), "f.yaml:1:16: error: '10.0.0.1' has no prefix length: write 10.0.0.1/32");
  EXPECT_EQ(to_finding("fd00::1"), "f.yaml:1:16: error: 'fd00::1' has no prefix length: write fd00::1/128");
}

TEST(Prefixes, HaveALengthInRange) {
  for (const std::string text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8",
                                 "10.0.0.0/255.0.0.0", "10.0.0.0/99999999999999999999", "10.0.0.0/8 "}) {
    EXPECT_EQ(to_finding(text), "f.yaml:1:16: error: the prefix length of '" + text +
                                    "' must be a decimal number from 0 to 32");
  }
  EXPECT_EQ(to_finding("fd00::/129"),
            "f.yaml:1:16: error: the prefix length of 'fd00::/129' must be a decimal number from 0 to 128");
}

TEST(Prefixes, HaveNoBitsBehindTheirLength) {
  EXPECT_EQ(to_finding("10.0.0.1/8"),
            "f.yaml:1:16: error: '10.0.0.1/8' has bits behind its length: write 10.0.0.0/8, or 10.0.0.1/32");
  EXPECT_EQ(to_finding("fd00::1/64"),
            "f.yaml:1:16: error: 'fd00::1/64' has bits behind its length: write fd00::/64, or fd00::1/128");
}

TEST(Prefixes, AreNotAnyText) {
  for (const std::string text : {"10.0.0/8", "10.0.0.256/8", "lan/8", "/8", ""}) {
    EXPECT_EQ(
        to_finding(text),
        "f.yaml:1:16: error: 'to' must be a prefix like 10.0.0.0/8 or \"2001:db8::/32\", not '" + text + "'");
  }
  EXPECT_THAT(findings(with_ports("routes: [{ to: [10.0.0.0/8], type: blackhole }]")),
              ElementsAre(HasSubstr("error: 'to' must be a prefix like 10.0.0.0/8 or \"2001:db8::/32\", not "
                                    "a list")));
}

TEST(Addresses, WithLeadingZerosAreSaidToLookOctal) {
  EXPECT_EQ(to_finding("010.0.0.0/8"),
            "f.yaml:1:16: error: '010.0.0.0' could be meant as octal: write the octets without leading "
            "zeros");
  EXPECT_THAT(to_finding("0300.0.0.0/8"), HasSubstr("'to' must be a prefix")) << "as decimal it is too large";
}

TEST(Addresses, OfIpv4InIpv6sFormAreToBeWrittenAsIpv4) {
  EXPECT_EQ(to_finding("::ffff:10.0.0.0/104"),
            "f.yaml:1:16: error: '::ffff:10.0.0.0' is an IPv4 address in IPv6's form: write 10.0.0.0");
}

}  // namespace
}  // namespace sluice::config
