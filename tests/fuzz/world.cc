// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fuzz/world.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "tests/support/packets.h"
#include "tests/support/test_switch.h"

namespace sluice::fuzz {
namespace {

constexpr uint64_t kSecond_ns = 1'000'000'000;
constexpr unsigned kMostTurns = 10'000;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "fuzz_packets: %s\n", why.c_str());
  std::abort();
}

}  // namespace

World::World(unsigned workers, uint64_t seed) : workers_(workers), plan_(make_plan(Variant::base)) {
  test::start_dpdk();
  control::Runtime::Options options{.mode = control::Runtime::Mode::stepped, .cpus = {}, .seed = {seed, 1}};
  options.cpus.workers.resize(workers);
  std::iota(options.cpus.workers.begin(), options.cpus.workers.end(), 0);
  runtime_ = std::make_unique<control::Runtime>(devices_, options);
  const absl::Status status = runtime_->start(test::parse_or_die(plan_.yaml));
  if (!status.ok()) die(std::string(status.message()));
}

World::~World() {
  runtime_->stop();
}

PortName World::port_name(const std::string& name) {
  const auto* found = std::find(kPortNames.begin(), kPortNames.end(), name);
  return static_cast<PortName>(found - kPortNames.begin());
}

Octets World::octets_of(rte_mbuf* packet) {
  const char* flaw = "";
  if (rte_mbuf_check(packet, 1, &flaw) != 0) die(std::string("a packet that leaves is no packet: ") + flaw);
  scratch_.resize(std::max<size_t>(scratch_.size(), packet->pkt_len));
  return {static_cast<const uint8_t*>(rte_pktmbuf_read(packet, 0, packet->pkt_len, scratch_.data())),
          packet->pkt_len};
}

void World::release(rte_mbuf* packet) {
  rte_pktmbuf_free(packet);
}

rte_mbuf* World::make_chain(const Frame& frame, Random& random) {
  static constexpr uint32_t kHeads[] = {1, 13, 14, 15, 18, 20, 33, 34, 38, 42, 54, 58, 64, 100};
  rte_mbuf* chain = nullptr;
  for (size_t at = 0, length = random.pick(kHeads); at < frame.size();
       at += length, length = random.one_in(3) ? random.between(1, 40) : random.between(40, 2000)) {
    const size_t end = std::min(frame.size(), at + length);
    const bool is_last_chance = chain != nullptr && chain->nb_segs == 12;
    const Frame piece(frame.begin() + static_cast<ptrdiff_t>(at),
                      is_last_chance ? frame.end() : frame.begin() + static_cast<ptrdiff_t>(end));
    rte_mbuf* segment = test::make_packet(piece, runtime_->pool(), test::Buffer::exact);
    if (segment == nullptr) die("the fuzzer has no buffers for its own packets");
    if (chain == nullptr) {
      chain = segment;
    } else {
      rte_pktmbuf_chain(chain, segment);
    }
    if (is_last_chance) break;
  }
  return chain;
}

void World::arrive(const Packet& packet, Random& random) {
  const bool chained = packet.is_chained && packet.octets.size() > 1;
  rte_mbuf* mbuf = chained ? make_chain(packet.octets, random)
                           : test::make_packet(packet.octets, runtime_->pool(), test::Buffer::exact);
  if (mbuf == nullptr || !devices_.give(kPortNames[packet.port], mbuf, packet.queue % workers_))
    die("the fuzzer has no room for its own packets");
}

void World::turn() {
  unsigned turns = 0;
  for (unsigned idle = 0; idle < 2; ++turns) {
    idle = runtime_->step(now_ns_) == 0 ? idle + 1 : 0;
    if (turns > kMostTurns) die("packets go round and round");
  }
}

void World::pass_ms(unsigned milliseconds) {
  const uint64_t end_ns = now_ns_ + uint64_t{milliseconds} * 1'000'000;
  while (true) {
    const uint64_t second_ns = second_ns_ + kSecond_ns;
    const uint64_t due_ns = std::min(runtime_->router().next_due().value_or(UINT64_MAX), second_ns);
    if (due_ns > end_ns) break;
    now_ns_ = std::max(now_ns_, due_ns);
    turn();
    if (due_ns != second_ns) continue;
    runtime_->age_macs();
    second_ns_ = second_ns;
  }
  now_ns_ = end_ns;
  turn();
}

void World::reload(Variant variant) {
  // A packet that waits for a neighbor begins again on the VLAN that its port has then: until that is mended,
  // none waits while port b moves from one VLAN to another (docs/fuzzing.md).
  drop_all();
  plan_ = make_plan(variant);
  const absl::Status status = runtime_->apply(test::parse_or_die(plan_.yaml));
  if (!status.ok()) die(std::string(status.message()));
  turn();
}

void World::drop_all() {
  turn();
  runtime_->router().drop_all();
  turn();
}

}  // namespace sluice::fuzz
