// SPDX-License-Identifier: BSD-3-Clause
//
// A list or a mapping where one value belongs: behind every kind of value, one finding, at the value, that
// says what to write there. What is inside it would have been right by itself.
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

struct Misplaced {
  const char* name;
  std::string head;      ///< the file up to the value
  std::string value;     ///< in brackets it must be refused
  std::string tail;      ///< the file behind it
  const char* expected;  ///< what the finding asks for
  friend void PrintTo(const Misplaced& misplaced, std::ostream* out) { *out << misplaced.name; }
};

const std::string kPorts = "ports: { a: { device: tap }, b: { device: tap } }\n";
const std::string kGateway = kPorts +
                             "interfaces:\n"
                             "  lan: { port: a, addresses: [192.168.10.1/24] }\n"
                             "  up: { port: b, addresses: [203.0.113.2/24] }\n";
const std::string kForward = kGateway + "nat: [{ name: out, interface: up, port-forward: [{ ";
const std::string kPool = kGateway + "nat: [{ name: out, interface: up, source: [192.168.10.0/24], address: ";

const Misplaced kMisplaced[] = {
    {"number", "ports: { a: { device: tap, mtu: ", "1500", " } }", "a decimal number from 68 to 65521"},
    {"number_or_auto", kPorts + "dpdk: { mbufs: ", "auto", " }", "auto or a decimal number from "},
    {"word", kPorts + "log: { level: ", "info", " }", "'debug', 'info', 'warning' or 'error'"},
    {"switch", "ports: { a: { device: tap, promiscuous: ", "true", " } }", "true or false"},
    {"text", "ports: { a: { device: tap, netns: ", "lab", " } }", "text"},
    {"device", "ports: { a: { device: ", "tap", " } }", "text"},
    {"mac", "ports: { a: { device: tap, mac: ", "\"02:00:00:00:00:07\"", " } }", "a MAC address like "},
    {"size", kPorts + "dpdk: { memory: ", "512MiB", " }", "a size like 512MiB"},
    {"rate", kPorts + "icmp: { rate-limit: ", "100/s", " }", "a rate from "},
    {"log_target", kPorts + "log: { target: ", "stderr", " }", "stderr, journal or the path of a file"},
    {"permissions", kPorts + "control: { socket: { mode: ", "\"0660\"", " } }",
     "permissions as octal digits"},
    {"prefix", kGateway + "routes: [{ to: ", "10.0.0.0/8", ", via: 203.0.113.1 }]", "a prefix like "},
    {"next_hop", kGateway + "routes: [{ to: 10.0.0.0/8, via: [{ address: ", "203.0.113.1", " }] }]",
     "an IPv4 or IPv6 address"},
    {"neighbor", kGateway + "neighbors: [{ mac: \"02:00:00:00:00:07\", interface: up, address: ",
     "203.0.113.9", " }]", "an IPv4 or IPv6 address"},
    {"interface", kGateway + "neighbors: [{ mac: \"02:00:00:00:00:07\", address: 203.0.113.9, interface: ",
     "up", " }]", "text"},
    {"forward_to", kForward + "protocol: tcp, port: 80, to: ", "192.168.10.9", " }] }]", "an inside address"},
    {"external_address", kForward + "protocol: tcp, port: 80, to: 192.168.10.9, address: ", "203.0.113.2",
     " }] }]", "an IPv4 address"},
    {"time", kPool + "interface, timeouts: { udp: ", "5m", " } }]", "a time in whole seconds"},
};

class Kinds : public testing::TestWithParam<Misplaced> {};
INSTANTIATE_TEST_SUITE_P(Of, Kinds, testing::ValuesIn(kMisplaced),
                         [](const auto& info) { return info.param.name; });

TEST_P(Kinds, AreToldApart) {
  const auto& [name, head, value, tail, expected] = GetParam();
  const auto errors = [](std::string_view text) {
    auto all = findings(text);
    std::erase_if(all, [](const std::string& line) { return line.find(": error: ") == std::string::npos; });
    return all;
  };
  EXPECT_THAT(errors(head + value + tail), IsEmpty()) << "by itself it is right";
  const auto line = 1 + std::count(head.begin(), head.end(), '\n');
  const auto column = head.size() - (head.rfind('\n') + 1) + 1;
  const std::string place = "f.yaml:" + std::to_string(line) + ":" + std::to_string(column) + ": error: ";
  EXPECT_THAT(errors(head + "[" + value + "]" + tail),
              ElementsAre(testing::AllOf(StartsWith(place), HasSubstr(expected), HasSubstr(", not a list"))));
  EXPECT_THAT(
      errors(head + "{ x: " + value + " }" + tail),
      ElementsAre(testing::AllOf(StartsWith(place), HasSubstr(expected), HasSubstr(", not a mapping"))));
}

}  // namespace
}  // namespace sluice::config
