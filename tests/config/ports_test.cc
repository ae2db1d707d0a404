// SPDX-License-Identifier: BSD-3-Clause
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// The one finding about a file with the port `a` of these keys; they begin in column 8 of line 2.
std::string finding(std::string_view keys) {
  const auto all = findings("ports:\n  a: { " + std::string(keys) + " }\n");
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

Port port(std::string_view keys) {
  return parsed("ports:\n  a: { " + std::string(keys) + " }\n").ports.at(0);
}

TEST(Ports, AtLeastOneIsRequired) {
  EXPECT_THAT(findings("{}\n"), ElementsAre("f.yaml:1:1: error: the file has no 'ports': add it"));
  EXPECT_THAT(findings("log: {}\n"), ElementsAre("f.yaml:1:1: error: the file has no 'ports': add it"));
  EXPECT_THAT(findings("ports:\n"),
              ElementsAre("f.yaml:1:1: error: 'ports' has no value: write one, or remove it"));
  const char* expected = "f.yaml:1:8: error: 'ports' must be a mapping of names to at least one port, not ";
  EXPECT_THAT(findings("ports: {}\n"), ElementsAre(std::string(expected) + "an empty mapping"));
  EXPECT_THAT(findings("ports: [a]\n"), ElementsAre(std::string(expected) + "a list"));
}

TEST(Ports, HaveDefaults) {
  const Port tap = port("device: tap");
  EXPECT_EQ(tap.name, "a");
  EXPECT_EQ(tap.device, Port::Device::tap);
  EXPECT_EQ(tap.mtu, 1500);
  EXPECT_EQ(tap.mac, std::nullopt);
  EXPECT_EQ(tap.rx_queues, std::nullopt);
  EXPECT_EQ(tap.tx_queues, std::nullopt);
  EXPECT_TRUE(tap.promiscuous);
  EXPECT_EQ(tap.netns, "");
  EXPECT_EQ(tap.location, (Location{2, 3}));
}

TEST(Ports, ComeInTheOrderOfTheFile) {
  const Config config = parsed("ports: { z: { device: tap }, a: { device: tap } }\n");
  EXPECT_EQ(config.ports[0].name, "z");
  EXPECT_EQ(config.ports[1].name, "a");
}

TEST(Ports, NeedADevice) {
  EXPECT_THAT(findings("ports:\n  a: {}\n"),
              ElementsAre("f.yaml:2:3: error: port 'a' has no 'device': add it"));
  EXPECT_EQ(finding("device:"), "f.yaml:2:8: error: 'device' has no value: write one, or remove it");
  EXPECT_EQ(finding("device: ~"), "f.yaml:2:8: error: 'device' has no value: write one, or remove it");
  EXPECT_EQ(finding("device: [tap]"), "f.yaml:2:16: error: 'device' must be text, not a list");
  EXPECT_THAT(findings("ports:\n  a:\n"),
              ElementsAre("f.yaml:2:3: error: 'a' must be a mapping of keys to values, not nothing"));
}

TEST(Ports, MayHaveTheNullDeviceWhichYamlTakesForNothing) {
  EXPECT_EQ(port("device: null").device, Port::Device::null);
  EXPECT_EQ(port("device: null, mtu: 1500").device, Port::Device::null);
  EXPECT_EQ(port("device: \"null\"").device, Port::Device::null);
  EXPECT_EQ(parsed("ports:\n  a:\n    device: null # here: nothing\n").ports[0].device, Port::Device::null);
  EXPECT_EQ(port("device: null, # nothing\n      mtu: 1500").device, Port::Device::null);
  EXPECT_EQ(parsed("\xef\xbb\xbfports: { a: { device: null } }").ports[0].device, Port::Device::null);
  EXPECT_EQ(parsed("# \u00e9\nports:\r\n  a:\r\n    device: null").ports[0].device, Port::Device::null);
}

TEST(Ports, DoNotTakeTheKeyNullAfterAMissingDeviceForTheNullDevice) {
  const char* no_value = "f.yaml:3:5: error: 'device' has no value: write one, or remove it";
  for (const std::string next : {"null: 1", "null : 1"}) {
    EXPECT_THAT(findings("ports:\n  a:\n    device:\n    " + next + "\n"),
                ElementsAre(no_value, "f.yaml:4:5: error: a key must be a word"));
  }
  EXPECT_THAT(findings("ports:\n  a:\n    device:\n    nullable: 1\n"),
              ElementsAre(no_value, StartsWith("f.yaml:4:5: error: unknown key 'nullable'")));
}

TEST(Ports, TakeAPciAddress) {
  EXPECT_EQ(port("device: \"0000:3b:00.0\"").device, Port::Device::pci);
  EXPECT_EQ(port("device: \"0000:3b:00.0\"").address, "0000:3b:00.0");
  EXPECT_EQ(port("device: 0000:3B:1f.7").address, "0000:3b:1f.7");
  EXPECT_EQ(port("device: 3b:00.0").address, "0000:3b:00.0");
  for (const std::string text : {"0000:3b:20.0", "0000:3b:00.8", "0000:3g:00.0", "0000-3b:00.0", "3b:00"}) {
    EXPECT_THAT(
        finding("device: \"" + text + "\""),
        StartsWith("f.yaml:2:16: error: unknown device '" + text + "': write tap, ring, null, pcap, a PCI"));
  }
}

TEST(Ports, TakeADpdkDevice) {
  const Port dpdk = port("device: \"net_xyz0,arg=1\"");
  EXPECT_EQ(dpdk.device, Port::Device::dpdk);
  EXPECT_EQ(dpdk.address, "net_xyz0,arg=1");
  EXPECT_THAT(finding("device: net_"), StartsWith("f.yaml:2:16: error: unknown device 'net_'"));
}

TEST(Ports, OfAnUnknownDeviceGetTheNearestOne) {
  EXPECT_EQ(finding("device: tpa"), "f.yaml:2:16: error: unknown device 'tpa': did you mean 'tap'?");
  EXPECT_EQ(finding("device: rings"), "f.yaml:2:16: error: unknown device 'rings': did you mean 'ring'?");
  EXPECT_EQ(finding("device: ethernet"),
            "f.yaml:2:16: error: unknown device 'ethernet': write tap, ring, null, pcap, a PCI address like "
            "\"0000:3b:00.0\" or a DPDK device like \"net_xyz0,arg=1\"");
}

TEST(Ports, OfADeviceThatIsNotBuiltYetAreRefused) {
  for (const std::string device : {"memif", "vhost-user", "af_packet", "af_xdp", "generator", "sink"}) {
    EXPECT_EQ(finding("device: " + device),
              "f.yaml:2:16: error: device '" + device +
                  "' is not built yet: write tap, ring, null, pcap, a PCI address or a "
                  "DPDK device");
  }
}

TEST(Ports, RefuseKeysThatAreNotBuiltYet) {
  for (const std::string key : {"storm-control", "mirror", "socket", "role", "mode", "id", "interface"}) {
    EXPECT_EQ(finding("device: tap, " + key + ": x"),
              "f.yaml:2:21: error: '" + key + "' is not built yet: remove it");
  }
}

TEST(Ports, RefuseKeysOfAnotherDevice) {
  EXPECT_EQ(finding("device: tap, peer: b"), "f.yaml:2:27: error: 'peer' is for device ring only: remove it");
  EXPECT_EQ(finding("device: tap, read: b"), "f.yaml:2:27: error: 'read' is for device pcap only: remove it");
  EXPECT_EQ(finding("device: ring, write: b"),
            "f.yaml:2:29: error: 'write' is for device pcap only: remove it");
  EXPECT_EQ(finding("device: null, netns: b"),
            "f.yaml:2:29: error: 'netns' is for device tap only: remove it");
}

TEST(PortNames, AreLettersDigitsAndThreeSigns) {
  EXPECT_EQ(parsed("ports: { 1-Lan_0.x: { device: tap } }\n").ports[0].name, "1-Lan_0.x");
  for (const std::string name : {".", "..", "-a", "_a", "a/b", "a b", "a:b", "\u00e9", "a%d"}) {
    EXPECT_THAT(findings("ports: { \"" + name + "\": { device: tap } }\n"),
                ElementsAre("f.yaml:1:10: error: name '" + name +
                            "': write letters, digits, '-', '_' and '.', a letter or digit first"));
  }
  EXPECT_THAT(findings("ports: { \"\": { device: tap } }\n"),
              ElementsAre(StartsWith("f.yaml:1:10: error: name ''")));
  EXPECT_THAT(findings("ports: { \"a\\0b\": { device: tap } }\n"),
              ElementsAre(StartsWith("f.yaml:1:10: error: name 'a?b'")));
}

TEST(PortNames, AreAsLongAsTheKernelAllowsForATap) {
  EXPECT_EQ(parsed("ports: { fifteen-letters: { device: tap } }\n").ports[0].name, "fifteen-letters");
  EXPECT_THAT(findings("ports: { sixteen--letters: { device: tap } }\n"),
              ElementsAre("f.yaml:1:10: error: name 'sixteen--letters' has 16 characters: write at most 15"));
  EXPECT_EQ(parsed("ports: { sixteen--letters: { device: ring } }\n").ports[0].name, "sixteen--letters");
  EXPECT_THAT(findings("ports: { " + std::string(32, 'x') + ": { device: ring } }\n"),
              ElementsAre(HasSubstr("has 32 characters: write at most 31")));
}

TEST(PortNames, ThatTheKernelKeepsForItselfAreRefusedForATap) {
  EXPECT_THAT(findings("ports: { all: { device: tap } }\n"),
              ElementsAre("f.yaml:1:10: error: the kernel allows no device named 'all': rename it"));
  EXPECT_THAT(findings("ports: { default: { device: tap } }\n"),
              ElementsAre(StartsWith("f.yaml:1:10: error: the ker")));
  EXPECT_EQ(parsed("ports: { all: { device: ring } }\n").ports[0].name, "all");
}

TEST(Ports, AreAtMostAsManyAsDpdkHolds) {
  std::string text = "ports:\n";
  for (int i = 0; i < 32; ++i) text += "  p" + std::to_string(i) + ": { device: tap }\n";
  EXPECT_EQ(parsed(text).ports.size(), 32U);
  EXPECT_THAT(findings(text + "  last: { device: tap }\n"),
              ElementsAre("f.yaml:34:3: error: more than 32 ports: DPDK holds no more, remove this one"));
}

TEST(Ports, OfOneDeviceAreRefused) {
  EXPECT_THAT(
      findings("ports:\n  a: { device: \"0000:3b:00.0\" }\n  b: { device: \"3B:00.0\" }\n"),
      ElementsAre("f.yaml:3:16: error: device '0000:3b:00.0' is that of port 'a' already: write another"));
  EXPECT_THAT(findings("ports:\n  a: { device: net_x0 }\n  b: { device: \"net_x0,arg=1\" }\n"),
              ElementsAre("f.yaml:3:16: error: device 'net_x0' is that of port 'a' already: write another"));
  EXPECT_EQ(parsed("ports:\n  a: { device: net_x0 }\n  b: { device: net_x1 }\n").ports.size(), 2U);
}

TEST(Ports, HaveAnMtuThatEthernetCarries) {
  EXPECT_EQ(port("device: tap, mtu: 68").mtu, 68);
  EXPECT_EQ(port("device: tap, mtu: 65521").mtu, 65521);
  for (const std::string mtu : {"67", "65522", "131068"}) {
    EXPECT_EQ(finding("device: tap, mtu: " + mtu),
              "f.yaml:2:26: error: 'mtu' must be a decimal number from 68 to 65521, not '" + mtu + "'");
  }
}

TEST(Ports, HaveTheMacOfOneStation) {
  const MacAddress mac{0x02, 0, 0, 0, 0xab, 0x01};
  EXPECT_EQ(port("device: tap, mac: \"02:00:00:00:ab:01\"").mac, mac);
  EXPECT_EQ(port("device: tap, mac: 02:00:00:00:AB:01").mac, mac) << "unquoted";
  for (const std::string text : {"02:00:00:00:00", "02:00:00:00:00:00:00", "02-00-00-00-00-01", "2:0:0:0:0:1",
                                 "02:00:00:00:00:0g", "020000000001", "02:00:00:00:00:+1"}) {
    EXPECT_EQ(
        finding("device: tap, mac: \"" + text + "\""),
        "f.yaml:2:26: error: 'mac' must be a MAC address like \"02:00:00:00:00:07\", not '" + text + "'");
  }
  for (const std::string text : {"01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}) {
    EXPECT_EQ(finding("device: tap, mac: \"" + text + "\""),
              "f.yaml:2:26: error: 'mac' must be the address of one station (first octet even, not all "
              "zeros), not '" +
                  text + "'");
  }
}

TEST(Ports, ArePromiscuousOrNot) {
  EXPECT_FALSE(port("device: tap, promiscuous: false").promiscuous);
  for (const std::string text : {"yes", "no", "on", "off", "True", "1", "\"true\""}) {
    EXPECT_THAT(finding("device: tap, promiscuous: " + text),
                StartsWith("f.yaml:2:34: error: 'promiscuous' must be true or false, not "));
  }
}

TEST(Ports, HaveOneToSixtyFourQueues) {
  const Port wide = port("device: \"3b:00.0\", rx-queues: 64, tx-queues: 1");
  EXPECT_EQ(wide.rx_queues, 64);
  EXPECT_EQ(wide.tx_queues, 1);
  EXPECT_THAT(finding("device: ring, rx-queues: 0"), HasSubstr("from 1 to 64, not '0'"));
  EXPECT_THAT(finding("device: ring, tx-queues: 65"), HasSubstr("from 1 to 64, not '65'"));
}

TEST(Taps, HaveAsManyTransmitAsReceiveQueues) {
  EXPECT_EQ(port("device: tap, rx-queues: 2, tx-queues: 2").tx_queues, 2);
  EXPECT_EQ(finding("device: tap, rx-queues: 2, tx-queues: 3"),
            "f.yaml:2:46: error: a tap's queues come in pairs: write 2, as for 'rx-queues'");
}

TEST(Taps, TakeTheOneNumberOfQueuesForBoth) {
  EXPECT_EQ(port("device: tap, rx-queues: 4").tx_queues, 4);
  EXPECT_EQ(port("device: tap, tx-queues: 4").rx_queues, 4);
}

TEST(Taps, HaveAtMostSixteenQueues) {
  EXPECT_EQ(port("device: tap, rx-queues: 16").rx_queues, 16);
  EXPECT_EQ(finding("device: tap, rx-queues: 17"),
            "f.yaml:2:32: error: 'rx-queues' of a tap must be at most 16");
}

TEST(Taps, AreMadeInANamespaceThatHasAName) {
  EXPECT_EQ(port("device: tap, netns: laptop").netns, "laptop");
  EXPECT_EQ(finding("device: tap, netns: /run/netns/x"),
            "f.yaml:2:28: error: 'netns' is a name as `ip netns` lists it, not a path like '/run/netns/x'");
  EXPECT_THAT(finding("device: tap, netns: .."), StartsWith("f.yaml:2:28: error: 'netns' is a name"));
  EXPECT_THAT(finding("device: tap, netns: \"\""), StartsWith("f.yaml:2:28: error: 'netns' must be text"));
  EXPECT_THAT(finding("device: tap, netns: null"), StartsWith("f.yaml:2:28: error: 'netns' has no value"));
}

TEST(Captures, AreReadWrittenOrBoth) {
  EXPECT_EQ(port("device: pcap, read: in.pcap").read, "in.pcap");
  EXPECT_EQ(port("device: pcap, write: out.pcap").write, "out.pcap");
  EXPECT_EQ(finding("device: pcap"),
            "f.yaml:2:16: error: a pcap port needs 'read', 'write' or both: add one");
  EXPECT_EQ(finding("device: pcap, read: x, write: x"),
            "f.yaml:2:38: error: 'write' would overwrite what 'read' receives: name another file");
}

TEST(Rings, LeadToThemselvesByDefault) {
  EXPECT_EQ(port("device: ring").peer, "a");
  EXPECT_EQ(port("device: ring, peer: a").peer, "a");
}

TEST(Rings, AreEachOthersPeersIfOneOfThemSaysSo) {
  const Config config = parsed("ports:\n  a: { device: ring }\n  b: { device: ring, peer: a }\n");
  EXPECT_EQ(config.ports[0].peer, "b");
  EXPECT_EQ(config.ports[1].peer, "a");
}

TEST(Rings, AreEachOthersPeersIfBothSaySo) {
  const Config config = parsed("ports:\n  a: { device: ring, peer: b }\n  b: { device: ring, peer: a }\n");
  EXPECT_EQ(config.ports[0].peer, "b");
  EXPECT_EQ(config.ports[1].peer, "a");
}

TEST(Rings, NeedAPeerThatIsARing) {
  EXPECT_EQ(finding("device: ring, peer: b"), "f.yaml:2:28: error: 'peer' 'b' is no ring port: write 'a'");
  EXPECT_THAT(
      findings(
          "ports:\n  lan1: { device: ring, peer: lan3 }\n  lan2: { device: ring }\n  x: { device: tap }\n"),
      ElementsAre("f.yaml:2:31: error: 'peer' 'lan3' is no ring port: did you mean 'lan1'?"));
  EXPECT_THAT(findings("ports:\n  a: { device: ring, peer: x }\n  x: { device: tap }\n"),
              ElementsAre("f.yaml:2:28: error: 'peer' 'x' is no ring port: write 'a'"));
}

TEST(Rings, HaveTwoEnds) {
  const char* two_claims =
      "ports:\n  a: { device: ring, peer: b }\n  b: { device: ring }\n  c: { device: ring, peer: b }\n";
  EXPECT_THAT(findings(two_claims),
              ElementsAre("f.yaml:4:28: error: ring 'b' is the peer of 'a': a ring has two ends"));
  const char* circle =
      "ports:\n  a: { device: ring, peer: b }\n  b: { device: ring, peer: c }\n  c: { device: ring, peer: a "
      "}\n";
  EXPECT_THAT(findings(circle),
              ElementsAre("f.yaml:2:28: error: ring 'b' is the peer of 'c': a ring has two ends",
                          "f.yaml:3:28: error: ring 'c' is the peer of 'a': a ring has two ends",
                          "f.yaml:4:28: error: ring 'a' is the peer of 'b': a ring has two ends"));
}

TEST(Ports, InNoBridgeAreWarnedOf) {
  const ParseResult result =
      parse("ports:\n  a: { device: tap }\n  b: { device: tap }\nbridges: { l: { ports: [b] } }\n", "f.yaml");
  EXPECT_TRUE(result.config) << "a warning is no error";
  EXPECT_THAT(lines(result),
              ElementsAre("f.yaml:2:3: warning: port 'a' is in no bridge and has no interface: every frame "
                          "it receives is dropped"));
}

}  // namespace
}  // namespace sluice::config
