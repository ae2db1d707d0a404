// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/test_switch.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <numeric>

#include "config/parse.h"
#include "control/config_json.h"

namespace sluice::test {
namespace {

[[noreturn]] void die(absl::string_view why) {
  std::cerr << why << '\n';
  std::abort();
}

// With fewer buffers than a real switch, which would take most of a test's time to make.
config::Config small(const std::string& yaml) {
  config::Config config = parse_or_die(yaml);
  if (!config.dpdk.mbufs) config.dpdk.mbufs = 4096;
  return config;
}

control::IpAddress parse_address(const std::string& text) {
  std::array<uint8_t, 16> octets{};
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return dataplane::load_ip6(octets.data());
  in_addr ipv4{};
  if (inet_pton(AF_INET, text.c_str(), &ipv4) != 1) die("no address: " + text);
  return dataplane::Ip4{ntohl(ipv4.s_addr)};
}

}  // namespace

config::Config parse_or_die(const std::string& yaml) {
  config::ParseResult parsed = config::parse(yaml, "test.yaml");
  if (parsed.config) return *std::move(parsed.config);
  for (const auto& found : parsed.diagnostics) std::cerr << config::to_string(found, "test.yaml") << '\n';
  die(yaml);
}

TestSwitch::TestSwitch(const std::string& yaml, Options options) : options_(options) {
  start_dpdk();
  devices_.set_slots(options.ring_slots);
  devices_.set_needs_linear(options.needs_linear);
  control::Runtime::Options runtime{.mode = control::Runtime::Mode::stepped, .cpus = {}, .seed = {1, 2}};
  runtime.cpus.workers.resize(options.workers);
  std::iota(runtime.cpus.workers.begin(), runtime.cpus.workers.end(), 0);
  runtime_ = std::make_unique<control::Runtime>(devices_, runtime);
  const absl::Status status = runtime_->start(small(yaml));
  if (!status.ok()) die(status.message());
}

absl::Status TestSwitch::reload(const std::string& yaml) {
  return runtime_->apply(small(yaml));
}

TestSwitch::~TestSwitch() {
  turn();
  runtime_->router().drop_all();
  turn();
  for (const auto& [name, port] : runtime_->ports()) sent(name);
  const control::Books books = runtime_->books();
  EXPECT_EQ(books.unaccounted, 0) << "packets vanished";
  EXPECT_EQ(books.held, 0u) << "packets are held for ever";
  EXPECT_EQ(books.total.handed_over, books.total.taken_over) << "packets were lost between workers";
  EXPECT_EQ(runtime_->mbufs_in_use(), 0u) << "buffers leaked";
}

void TestSwitch::receive(const std::string& port, const Frame& frame, unsigned queue) {
  receive_burst(port, {frame}, queue);
}

void TestSwitch::receive_burst(const std::string& port, const Frames& frames, unsigned queue) {
  for (const Frame& frame : frames) {
    rte_mbuf* packet = make_packet(frame, pool(), options_.buffer);
    if (packet == nullptr || !devices_.give(port, packet, queue))
      die("the test has no room for its own frames");
  }
  turn();
}

void TestSwitch::receive_packet(const std::string& port, rte_mbuf* packet, unsigned queue) {
  if (!devices_.give(port, packet, queue)) die("the test has no room for its own frames");
  turn();
}

// What control sends at the end of one step arrives with the next: two idle ones are quiet.
void TestSwitch::turn() {
  for (unsigned idle = 0; idle < 2;) idle = runtime_->step(now_ns_) == 0 ? idle + 1 : 0;
}

void TestSwitch::pass_ms(unsigned milliseconds) {
  const uint64_t end_ns = now_ns_ + uint64_t{milliseconds} * 1'000'000;
  for (auto due_ns = runtime_->router().next_due(); due_ns && *due_ns <= end_ns;) {
    now_ns_ = std::max(now_ns_, *due_ns);
    turn();
    const auto next_ns = runtime_->router().next_due();
    if (next_ns && *next_ns <= now_ns_) die("a timer is due, and stays due");
    due_ns = next_ns;
  }
  now_ns_ = end_ns;
  turn();
}

void TestSwitch::pass_without_control(unsigned milliseconds) {
  now_ns_ += uint64_t{milliseconds} * 1'000'000;
  for (unsigned idle = 0; idle < 2; ++idle) {
    for (unsigned worker = 0; worker < options_.workers; ++worker) turn_of(worker);
  }
}

void TestSwitch::turn_of(unsigned worker) {
  while (runtime_->worker(worker).poll(now_ns_) != 0) {
  }
}

void TestSwitch::pass(unsigned seconds) {
  for (unsigned i = 0; i < seconds; ++i) {
    pass_ms(1000);
    runtime_->age_macs();
  }
}

std::string TestSwitch::mac(const std::string& interface) {
  const control::L3Interface* found = runtime_->router().interfaces().find(interface);
  if (found == nullptr) die("no interface " + interface);
  return control::mac_text(dataplane::octets(found->mac));
}

void TestSwitch::knows(const std::string& port, const std::string& interface, const std::string& mac,
                       const std::string& address, std::optional<uint16_t> vlan) {
  const control::L3Interface* found = runtime_->router().interfaces().find(interface);
  if (found == nullptr) die("no interface " + interface);
  const control::IpAddress host = parse_address(address);
  const auto ours = runtime_->router().neighbors().own().source_for(found->index, host);
  if (!ours) die("no address of ours is beside " + address);
  const std::string target = control::to_text(*ours);
  Frame question =
      ours->is_ipv4() ? arp_request(mac, address, target) : neighbor_solicitation(mac, address, target);
  if (vlan) {
    const uint8_t tag[] = {0x81, 0x00, static_cast<uint8_t>(*vlan >> 8), static_cast<uint8_t>(*vlan)};
    question.insert(question.begin() + 12, tag, tag + 4);
  }
  receive(port, question);
  if (!runtime_->router().neighbors().find(found->index, host)) die(address + " was not learned");
  sent(port);
}

Frames TestSwitch::sent(const std::string& port) {
  Frames frames;
  while (rte_mbuf* packet = devices_.take(port)) {
    const char* flaw = "";
    EXPECT_EQ(rte_mbuf_check(packet, 1, &flaw), 0) << flaw;
    frames.push_back(octets(packet));
    rte_pktmbuf_free(packet);
  }
  return frames;
}

uint64_t TestSwitch::drops(const std::string& port, dataplane::DropReason reason) {
  const dataplane::PortIndex index = runtime_->ports().at(port).index;
  return counters().ports[index].drops[static_cast<size_t>(reason)];
}

std::vector<std::string> TestSwitch::macs(const control::MacFilter& filter) {
  std::vector<std::string> lines;
  for (const control::MacView& entry : runtime_->macs(filter)) {
    lines.push_back(control::mac_text(entry.mac) + " " + entry.bridge + " vlan " +
                    std::to_string(entry.vlan) + " on " + entry.port + (entry.is_static ? " static" : ""));
  }
  return lines;
}

}  // namespace sluice::test
