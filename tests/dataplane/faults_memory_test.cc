// SPDX-License-Identifier: BSD-3-Clause
//
// Memory for a new configuration cannot be had: at whatever moment of a reload it runs out, the reload is
// done whole or not at all, says so, and what was in force goes on. This program's operator new fails on
// request.
#include <gmock/gmock.h>
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "control/config_json.h"
#include "control/status.h"
#include "tests/dataplane/router_world.h"

namespace sluice::test {
namespace {

/// The heap as seen by operator new. One thread.
struct Heap {
  size_t calls = 0;        ///< since it was last set
  size_t failing = 0;      ///< this call finds nothing, once; 0: none
  size_t room = SIZE_MAX;  ///< octets beyond which there is nothing
  size_t used = 0, blocks = 0;
  size_t most = 0, largest = 0;  ///< octets in use but for the largest block; and that
};
Heap heap;

void* obtain(size_t size) {
  if (++heap.calls == heap.failing || heap.used + size > heap.room) return nullptr;
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) return nullptr;
  heap.used += malloc_usable_size(block);
  ++heap.blocks;
  heap.largest = std::max(heap.largest, size);
  heap.most = std::max(heap.most, heap.used);
  return block;
}

void give_back(void* block) {
  if (block == nullptr) return;
  heap.used -= malloc_usable_size(block);
  --heap.blocks;
  std::free(block);
}

// As the standard says it (new.delete.single).
void* obtain_or_throw(size_t size) {
  for (;;) {
    if (void* block = obtain(size)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void* obtain_or_null(size_t size) noexcept {
  try {
    return obtain_or_throw(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace
}  // namespace sluice::test

void* operator new(size_t size) {
  return sluice::test::obtain_or_throw(size);
}
void* operator new[](size_t size) {
  return sluice::test::obtain_or_throw(size);
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return sluice::test::obtain_or_null(size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return sluice::test::obtain_or_null(size);
}
void operator delete(void* block) noexcept {
  sluice::test::give_back(block);
}
void operator delete[](void* block) noexcept {
  sluice::test::give_back(block);
}
void operator delete(void* block, size_t) noexcept {
  sluice::test::give_back(block);
}
void operator delete[](void* block, size_t) noexcept {
  sluice::test::give_back(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  sluice::test::give_back(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  sluice::test::give_back(block);
}

namespace sluice::test {
namespace {

using testing::HasSubstr;

const char* const kServer = "198.51.100.9:53";
const std::string kNat =
    "nat: [{ name: internet, interface: uplink, source: [192.168.10.0/24], address: interface }]\n";

// Everything that a reload can change but for ports: routes, next hops, neighbors, rules, static MACs, VLANs.
std::string changed() {
  return Home{.routes =
                  "routes:\n  - { to: default, via: [203.0.113.1, 203.0.113.7] }\n"
                  "  - { to: 198.51.100.0/24, via: 203.0.113.7 }\n"
                  "  - { to: 10.0.0.0/8, type: blackhole }\n",
              .neighbors = std::string(kThreeNeighbors) +
                           "  - { address: 203.0.113.7, mac: \"02:00:00:00:00:0d\", interface: uplink }\n",
              .more =
                  "nat:\n  - { name: internet, interface: uplink, source: [192.168.10.0/24], address: "
                  "[203.0.113.20] }\n"};
}
std::string original() {
  return Home{.more = kNat};
}
// Port w restarts, port x is new.
std::string more_ports() {
  std::string yaml = original();
  const auto replace = [&](const std::string& what, const std::string& by) {
    yaml.replace(yaml.find(what), what.size(), by);
  };
  replace("w: {device: \"null\", mtu: 1500}", "w: {device: \"null\", mtu: 1600}, x: {device: \"null\"}");
  replace("t: { vlans: [10, 20] }", "t: { vlans: [10, 20] }, x: { vlan: 20 }");
  return yaml;
}

config::Config config_of(const std::string& yaml) {
  config::Config config = parse_or_die(yaml);
  config.dpdk.mbufs = 4096;
  return config;
}

class MemoryFaults : public testing::Test {
 protected:
  MemoryFaults() : router_(original()), before_(config_of(original())) {
    before_text_ = control::to_json(router_.runtime().config()).dump();
  }
  ~MemoryFaults() override { heap.failing = 0, heap.room = SIZE_MAX; }

  control::Runtime& runtime() { return router_.runtime(); }
  /// Applies `config` while memory fails as it was told to; nothing else sees that.
  absl::Status apply(const config::Config& config, size_t failing, size_t room = SIZE_MAX) {
    heap.calls = 0;
    heap.failing = failing;
    heap.room = room;
    const absl::Status status = runtime().apply(config);
    calls_ = std::exchange(heap.calls, 0);
    heap.failing = 0;
    heap.room = SIZE_MAX;
    return status;
  }
  void go_back() { ASSERT_TRUE(runtime().apply(before_).ok()); }

  void goes_by(const char* sentence) {
    router_.hush();
    router_.send(kAnnHost, udp("192.168.10.7:5000", kServer));
    EXPECT_THAT(router_.told("w"), testing::ElementsAre(sentence));
  }
  void old_one_is_in_force() {
    EXPECT_EQ(control::to_json(runtime().config()).dump(), before_text_);
    EXPECT_EQ(router_.devices().opened - router_.devices().closed, 3u);
    goes_by("udp 203.0.113.2:5000 > 198.51.100.9:53 ttl 63");
    router_.send(kCatHost, udp(kServer, "203.0.113.2:5000"));
    EXPECT_EQ(router_.told("a"), Said{"udp 198.51.100.9:53 > 192.168.10.7:5000 ttl 63"});
    router_.send(kAnnHost, udp("192.168.10.7:5000", "192.168.20.8:53"));
    EXPECT_EQ(router_.told("t"), Said{"udp 192.168.10.7:5000 > 192.168.20.8:53 ttl 63 vlan 20"});
  }
  void refused_or(const absl::Status& status, const char* new_way) {
    if (status.ok()) return goes_by(new_way);
    EXPECT_EQ(control::exit_code(status), control::kExitMachine);
    EXPECT_THAT(std::string(status.message()), HasSubstr("no memory"));
    old_one_is_in_force();
  }

  TestRouter router_;
  config::Config before_;
  std::string before_text_;
  size_t calls_ = 0;
};

TEST_F(MemoryFaults, whichever_allocation_of_a_reload_fails_it_is_done_whole_or_not_at_all) {
  const config::Config next = config_of(changed());
  unsigned refused = 0, done = 0;
  size_t blocks = 0;
  for (size_t n = 1; n == 1 || calls_ >= n - 1; ++n) {
    const absl::Status status = apply(next, n);
    refused_or(status, "udp 203.0.113.20:5000 > 198.51.100.9:53 ttl 63");
    ++(status.ok() ? done : refused);
    go_back();
    if (n == 100) blocks = heap.blocks;
    if (HasFailure()) FAIL() << "when allocation " << n << " failed";
  }
  RecordProperty("refused", static_cast<int>(refused));
  EXPECT_GT(refused, 0u);
  EXPECT_GT(done, 100u);
  EXPECT_LE(heap.blocks, blocks + 100) << "each failure left something behind";
  EXPECT_TRUE(apply(next, 0).ok());
}

TEST_F(MemoryFaults, nor_does_it_when_ports_open_and_restart) {
  const config::Config next = config_of(more_ports());
  EXPECT_TRUE(apply(next, 0).ok());
  const size_t calls = calls_;
  go_back();
  // A prime: another place in each loop.
  for (size_t n = 1; n <= calls; n += 37) {
    const absl::Status status = apply(next, n);
    refused_or(status, "udp 203.0.113.2:5000 > 198.51.100.9:53 ttl 63");
    EXPECT_EQ(router_.devices().opened - router_.devices().closed, status.ok() ? 4u : 3u);
    go_back();
    if (HasFailure()) FAIL() << "when allocation " << n << " failed";
  }
}

// Not one allocation, but all beyond so many octets.
TEST_F(MemoryFaults, however_little_memory_there_is_a_reload_is_done_whole_or_not_at_all) {
  const config::Config next = config_of(changed());
  unsigned refused = 0, done = 0;
  for (size_t room = 0; room < 64u << 20; room = room < 4096 ? room + 64 : room + room / 8) {
    const absl::Status status = apply(next, 0, heap.used + room);
    refused_or(status, "udp 203.0.113.20:5000 > 198.51.100.9:53 ttl 63");
    ++(status.ok() ? done : refused);
    go_back();
    if (HasFailure()) FAIL() << "with " << room << " octets";
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(done, 0u);
}

// What a reload asks for beforehand is more than it comes to use, also when the file is long.
TEST_F(MemoryFaults, what_is_set_aside_is_enough_for_a_long_file) {
  std::string routes = kBothDefaults, neighbors = kThreeNeighbors, statics;
  for (unsigned i = 0; i < 800; ++i) {
    const std::string octets = std::to_string(i / 256) + "." + std::to_string(i % 256);
    routes += "  - { to: 10." + octets + ".0/24, via: [203.0.113.1, 203.0.113." +
              std::to_string(10 + i % 200) + "] }\n";
  }
  for (unsigned i = 10; i < 100; ++i)
    neighbors += "  - { address: 203.0.113." + std::to_string(i) + ", mac: \"" + station(i) +
                 "\", interface: uplink }\n";
  const config::Config next = config_of(Home{.routes = routes, .neighbors = neighbors, .more = kNat});
  heap.most = heap.used, heap.largest = 0;
  const size_t used = heap.used;
  ASSERT_TRUE(apply(next, 0).ok());
  const size_t reserve = heap.largest, needed = heap.most - used - reserve;
  RecordProperty("octets", std::to_string(needed) + " of " + std::to_string(reserve));
  EXPECT_LT(needed, reserve / 2);
  goes_by("udp 203.0.113.2:5000 > 198.51.100.9:53 ttl 63");
}

TEST(MemoryAtStart, that_is_missing_is_an_error_and_leaves_nothing) {
  start_dpdk();
  const config::Config config = config_of(original());
  RingDevices devices;
  const auto start = [&](size_t failing) {
    const control::Runtime::Options options{.mode = control::Runtime::Mode::stepped,
                                            .cpus = {.workers = {0}, .control = {}, .shared = false}};
    control::Runtime runtime(devices, options);
    heap.calls = 0;
    heap.failing = failing;
    const absl::Status status = runtime.start(config);
    heap.failing = 0;
    return std::pair(status, std::exchange(heap.calls, 0));
  };
  const size_t calls = start(0).second;
  ASSERT_GT(calls, 100u);
  unsigned refused = 0;
  for (size_t n = 1; n <= calls; n += 53) {
    const absl::Status status = start(n).first;
    if (status.ok()) continue;
    EXPECT_EQ(control::exit_code(status), control::kExitMachine) << n;
    ++refused;
  }
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(devices.opened, devices.closed);
}

}  // namespace
}  // namespace sluice::test
