// SPDX-License-Identifier: BSD-3-Clause
//
// What the model of NAT is made of: endpoints, flows, sessions and mappings as a person thinks of them, with
// addresses as text; and the configuration that it knows. See nat_model_test.cc.
//
// Thread safety: plain data.
#pragma once

#include <compare>
#include <map>
#include <string>

#include "tests/dataplane/nat_world.h"

namespace sluice::test {

enum Protocol { kUdp, kTcp, kEcho, kProtocols };
inline constexpr unsigned kTimeout_s[kProtocols] = {20, 30, 15};
/// How long what has expired may still be there: all sessions are swept once a second, and then the loans
/// that they had from other workers.
inline constexpr unsigned kSweep_s = 3;
inline constexpr const char* kNeverLeaves = "192.0.2.12";  ///< the pool address that comes and goes
inline constexpr const char* kWeb = "192.168.10.20:80";    ///< what 8080 of the pool is forwarded to
inline constexpr const char* kServer = "192.168.10.30";    ///< has 203.0.113.30 to itself
inline constexpr const char* kServerOutside = "203.0.113.30";

inline std::string yaml_nat(bool with_third) {
  return std::string(
             "- { name: internet, interface: uplink, source: [192.168.10.0/24], "
             "address: [203.0.113.10-203.0.113.11") +
         (with_third ? std::string(", ") + kNeverLeaves : "") +
         "], timeouts: { udp: 20s, icmp: 15s, tcp-established: 30s, tcp-transitory: 30s }, "
         "port-forward: [{ protocol: tcp, port: 8080, to: \"" +
         kWeb + "\" }], static: [{ inside: " + kServer + ", outside: " + kServerOutside + " }] }\n";
}

/// `with_third`: with the pool address that comes and goes.
inline Plan plan(bool with_third) {
  Plan plan{.nat = yaml_nat(with_third)};
  plan.tables = "macs: 64, routes: 256, neighbors: 256, sessions: 8192";
  return plan;
}

/// An address and a port; of an echo, its identifier.
struct Endpoint {
  std::string address;
  unsigned port = 0;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
  [[nodiscard]] std::string text() const { return address + ":" + std::to_string(port); }
  [[nodiscard]] bool is_inside() const { return address.starts_with("192.168.10."); }
};

struct Flow {
  Protocol protocol = kUdp;
  Endpoint source, destination;
  friend auto operator<=>(const Flow&, const Flow&) = default;
  [[nodiscard]] Flow reversed() const { return {protocol, destination, source}; }
  [[nodiscard]] const char* port() const { return source.is_inside() ? "lan" : "wan"; }
  [[nodiscard]] std::string text() const {
    static constexpr const char* kNames[] = {"udp ", "tcp ", "echo "};
    return kNames[protocol] + source.text() + " > " + destination.text();
  }
};

struct Session {
  Flow arriving[2];
  unsigned deadline_s;
  /// The mapping that it came in by, and lives as long as that does at most; 0: none, or it was answered.
  unsigned came_by = 0;
  [[nodiscard]] Flow leaving(unsigned direction) const { return arriving[1 - direction].reversed(); }
  [[nodiscard]] std::string text() const {
    return arriving[0].text() + " answered by " + arriving[1].text() + " until " +
           std::to_string(deadline_s) + "s";
  }
  [[nodiscard]] bool is_hairpin() const {
    return arriving[0].source.is_inside() && arriving[1].source.is_inside();
  }
  [[nodiscard]] bool shows(const std::string& address) const {
    return arriving[0].destination.address == address || arriving[1].destination.address == address;
  }
};

/// A mapping is there until `until_s`, perhaps until `perhaps_s`.
struct Mapping {
  Endpoint inside, outside;
  unsigned until_s, perhaps_s;
  unsigned number;  ///< each time that it is made another one
};

/// What differs between packets of one flow.
struct Body {
  Frame data;
  uint16_t id;
  uint8_t tcp_flags;
};

enum class Known { yes, no, perhaps };

inline Known known(unsigned until_s, unsigned perhaps_s, unsigned now_s) {
  if (now_s < until_s) return Known::yes;
  return now_s < perhaps_s + kSweep_s ? Known::perhaps : Known::no;
}

inline bool hides_source(const Flow& arriving, const Flow& leaving) {
  return arriving.source.address != leaving.source.address;
}

/// All that left, a line a frame.
inline std::string told_all(const std::map<std::string, Frames>& sent) {
  std::string all;
  for (const auto& [port, frames] : sent) {
    for (const Frame& frame : frames) all += "\n  " + port + ": " + told(frame);
  }
  return all.empty() ? "nothing" : all;
}

}  // namespace sluice::test
