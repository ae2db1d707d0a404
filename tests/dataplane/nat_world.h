// SPDX-License-Identifier: BSD-3-Clause
//
// A home, its router, and the world outside, for the tests of NAT:
//
//   192.168.10.0/24 behind port lan, 192.168.20.0/24 behind port dmz,
//   203.0.113.0/24 behind port wan, 198.18.0.0/24 behind port alt
//
// The router is .1 inside, 203.0.113.2 and 198.18.0.2 outside; 203.0.113.1 is the way to everywhere. Every
// neighbor is known, and its MAC address follows from its IP address. A test says what goes in and what must
// come out; frames are compared octet by octet, so every header and checksum counts.
//
// Thread safety: one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "tests/support/here.h"
#include "tests/support/ip.h"
#include "tests/support/test_switch.h"

namespace sluice::test {

/// What differs between the configurations of the tests.
struct Plan {
  std::string nat;  ///< the rules; empty: none
  std::string routes = "{ to: default, via: 203.0.113.1 }";
  std::string tables = "macs: 64, routes: 256, neighbors: 256, sessions: 4096";
  std::string outside = "addresses: [203.0.113.2/24]";  ///< keys of the interface `uplink`
  std::string inside = "addresses: [192.168.10.1/24]";  ///< keys of the interface `inside`
  std::string more = "";                                ///< more sections
};

inline constexpr const char* kOutside = "203.0.113.2";

/// The rule of most tests; `more` keys behind it.
inline std::string masquerade(const std::string& more = "") {
  return "- { name: internet, interface: uplink, source: [192.168.10.0/24], address: interface" +
         (more.empty() ? "" : ", " + more) + " }\n";
}
inline std::string pool(const std::string& addresses, const std::string& more = "") {
  return "- { name: internet, interface: uplink, source: [192.168.10.0/24], address: [" + addresses + "]" +
         (more.empty() ? "" : ", " + more) + " }\n";
}

/// The MAC address of whoever has the IPv4 address that stands at `octets`.
inline Frame mac_of(const uint8_t* octets) {
  return {0x02, 0x00, octets[0], octets[1], octets[2], octets[3]};
}
inline std::string mac_of(const std::string& address) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (std::sscanf(address.c_str(), "%u.%u.%u.%u", &a, &b, &c, &d) != 4) ADD_FAILURE() << address;
  char text[18];
  std::snprintf(text, sizeof text, "02:00:%02x:%02x:%02x:%02x", a & 255, b & 255, c & 255, d & 255);
  return text;
}

inline std::string to_yaml(const Plan& plan) {
  std::string neighbors;
  const auto add = [&](const std::string& address, const char* interface) {
    neighbors +=
        "- { address: " + address + ", mac: \"" + mac_of(address) + "\", interface: " + interface + " }\n";
  };
  for (int host = 2; host < 40; ++host) {
    add("192.168.10." + std::to_string(host), "inside");
    add("192.168.20." + std::to_string(host), "guests");
  }
  for (const char* address : {"203.0.113.1", "203.0.113.9"}) add(address, "uplink");
  add("198.18.0.1", "backup");
  const auto interface = [](const char* name, const char* port, const char* mac, const std::string& keys) {
    return std::string("  ") + name + ": { port: " + port + ", mac: \"" + mac_of(mac) + "\", " + keys +
           " }\n";
  };
  return "ports: { lan: {device: \"null\"}, dmz: {device: \"null\"}, wan: {device: \"null\"}, "
         "alt: {device: \"null\"} }\n"
         "tables: { " +
         plan.tables + " }\ninterfaces:\n" + interface("inside", "lan", "192.168.10.1", plan.inside) +
         interface("guests", "dmz", "192.168.20.1", "addresses: [192.168.20.1/24]") +
         interface("uplink", "wan", "203.0.113.2", plan.outside) +
         interface("backup", "alt", "198.18.0.2", "addresses: [198.18.0.2/24]") + "routes: [" + plan.routes +
         "]\nneighbors:\n" + neighbors + (plan.nat.empty() ? "" : "nat:\n" + plan.nat) + plan.more;
}

class Home {
 public:
  explicit Home(const std::string& nat) : Home(Plan{.nat = nat}, {}) {}
  explicit Home(const Plan& plan) : Home(plan, {}) {}
  Home(const std::string& nat, TestSwitch::Options options) : Home(Plan{.nat = nat}, options) {}
  Home(const Plan& plan, TestSwitch::Options options) : router_(to_yaml(plan), options) { forget(); }

  // ---- one packet in, exactly one out. `queue`: of the port that it arrives at

  void goes_out(const PacketBuilder& packet, const PacketBuilder& as, unsigned queue = 0,
                Here here = Here::current()) {
    passes("lan", packet, "wan", as, queue, here);
  }
  void comes_in(const PacketBuilder& packet, const PacketBuilder& as, unsigned queue = 0,
                Here here = Here::current()) {
    passes("wan", packet, "lan", as, queue, here);
  }
  /// From inside to inside.
  void turns_back(const PacketBuilder& packet, const PacketBuilder& as, unsigned queue = 0,
                  Here here = Here::current()) {
    passes("lan", packet, "lan", as, queue, here);
  }
  void passes(const std::string& from, const PacketBuilder& packet, const std::string& to,
              const PacketBuilder& as, unsigned queue = 0, Here here = Here::current()) {
    const testing::ScopedTrace trace(here.file, here.line, "");
    send(from, packet, queue);
    expect(to, {framed(to, as)});
  }

  // ---- one packet in, none out

  void is_dropped(const std::string& from, const PacketBuilder& packet, dataplane::DropReason reason,
                  unsigned queue = 0, Here here = Here::current()) {
    const testing::ScopedTrace trace(here.file, here.line, "");
    const auto before = drops(from);
    send(from, packet, queue);
    expect("", {});
    auto after = drops(from);
    for (auto& [name, count] : after) count -= before.at(name);
    std::erase_if(after, [](const auto& item) { return item.second == 0; });
    const std::string name(dataplane::kDropNames[static_cast<size_t>(reason)]);
    EXPECT_EQ(after, (std::map<std::string, uint64_t>{{name, 1}}));
  }

  // ---- one packet in, and what the router itself says to it, by the port that it came from

  void answers(const std::string& from, const PacketBuilder& packet, const std::string& sentence,
               unsigned queue = 0, Here here = Here::current()) {
    const testing::ScopedTrace trace(here.file, here.line, "");
    send(from, packet, queue);
    for (const std::string& port : ports()) {
      const std::vector<std::string> wanted =
          port == from ? std::vector{sentence} : std::vector<std::string>();
      EXPECT_EQ(told(router_.sent(port)), wanted) << "by " << port;
    }
  }

  // ---- for all else

  /// The packet in a frame of its source, or of the gateway, to the router.
  void send(const std::string& port, const PacketBuilder& packet, unsigned queue = 0) {
    router_.receive(port, arriving(port, packet), queue);
  }
  Frame arriving(const std::string& port, const PacketBuilder& packet) const {
    Frame frame = packet;
    const auto gateway = gateways.find(port);
    set_macs(frame, gateway == gateways.end() ? mac_of(frame.data() + 26) : mac_octets(gateway->second),
             router_mac(port));
    return frame;
  }
  /// The frame in which the router sends the packet by `port`.
  Frame framed(const std::string& port, const PacketBuilder& packet) const {
    Frame frame = packet;
    const auto gateway = gateways.find(port);
    set_macs(frame, router_mac(port),
             gateway == gateways.end() ? mac_of(frame.data() + 30) : mac_octets(gateway->second));
    frame.resize(std::max<size_t>(frame.size(), 60));
    return frame;
  }
  Frames all_framed(const std::string& port, const std::vector<PacketBuilder>& packets) const {
    Frames frames;
    for (const PacketBuilder& packet : packets) frames.push_back(framed(port, packet));
    return frames;
  }
  /// All that left by any port since it was last asked is `frames`, by `port`.
  void expect(const std::string& port, const Frames& frames) {
    for (const std::string& name : ports()) {
      const Frames sent = router_.sent(name);
      const Frames wanted = name == port ? frames : Frames();
      EXPECT_EQ(told(sent), told(wanted)) << "by " << name;
      if (told(sent) != told(wanted)) continue;
      EXPECT_EQ(sent, wanted) << "by " << name << ": the sentences agree, the octets do not";
    }
  }
  /// Sends a packet from inside and says what its source became: "203.0.113.2:5000"; "": it did not leave.
  std::string source_outside(const PacketBuilder& packet, unsigned queue = 0) {
    send("lan", packet, queue);
    const Frames sent = router_.sent("wan");
    if (sent.size() != 1) return "";
    const std::string sentence = told(sent[0]);
    EXPECT_EQ(sentence.find("BAD"), std::string::npos) << sentence;
    const size_t begin = sentence.find(' ') + 1;
    return sentence.substr(begin, sentence.find(' ', begin) - begin);
  }
  std::vector<std::string> sent(const std::string& port) { return told(router_.sent(port)); }
  size_t sessions() { return router_.runtime().sessions({}).size(); }
  void reload(const Plan& plan, Here here = Here::current()) {
    const testing::ScopedTrace trace(here.file, here.line, "");
    const absl::Status status = router_.reload(to_yaml(plan));
    EXPECT_TRUE(status.ok()) << status.message();
    forget();
  }
  /// What left so far: mostly announcements of the router's addresses.
  void forget() {
    router_.turn();
    for (const std::string& port : ports()) router_.sent(port);
  }
  void pass(unsigned seconds) { router_.pass(seconds); }
  uint64_t dropped(const std::string& port, dataplane::DropReason reason) {
    return router_.drops(port, reason);
  }
  TestSwitch& router() { return router_; }

  /// Whom everything beyond a port goes to and comes from.
  std::map<std::string, std::string> gateways = {{"wan", "203.0.113.1"}, {"alt", "198.18.0.1"}};

 private:
  static Frame mac_octets(const std::string& address) {
    unsigned octet[4] = {};
    std::sscanf(address.c_str(), "%u.%u.%u.%u", &octet[0], &octet[1], &octet[2], &octet[3]);
    const uint8_t octets[4] = {static_cast<uint8_t>(octet[0]), static_cast<uint8_t>(octet[1]),
                               static_cast<uint8_t>(octet[2]), static_cast<uint8_t>(octet[3])};
    return mac_of(octets);
  }
  static Frame router_mac(const std::string& port) {
    static const std::map<std::string, std::string> kOwn = {
        {"lan", "192.168.10.1"}, {"dmz", "192.168.20.1"}, {"wan", "203.0.113.2"}, {"alt", "198.18.0.2"}};
    return mac_octets(kOwn.at(port));
  }
  static void set_macs(Frame& frame, const Frame& source, const Frame& destination) {
    std::copy(destination.begin(), destination.end(), frame.begin());
    std::copy(source.begin(), source.end(), frame.begin() + 6);
  }
  std::vector<std::string> ports() {
    std::vector<std::string> names;
    for (const auto& [name, port] : router_.runtime().ports()) names.push_back(name);
    return names;
  }
  std::map<std::string, uint64_t> drops(const std::string& port) {
    std::map<std::string, uint64_t> counts;
    for (size_t reason = 0; reason < dataplane::kDropReasons; ++reason) {
      counts[std::string(dataplane::kDropNames[reason])] =
          router_.drops(port, static_cast<dataplane::DropReason>(reason));
    }
    return counts;
  }

  TestSwitch router_;
};

}  // namespace sluice::test
