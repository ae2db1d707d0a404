// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/test_switch.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <cstdlib>
#include <iostream>
#include <numeric>

#include "config/parse.h"
#include "control/config_json.h"

namespace sluice::test {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;

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

void TestSwitch::turn() {
  while (runtime_->step(now_ns_) != 0) {
  }
}

void TestSwitch::pass(unsigned seconds) {
  for (unsigned i = 0; i < seconds; ++i) {
    now_ns_ += kSecond_ns;
    turn();
    runtime_->age_macs();
  }
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
