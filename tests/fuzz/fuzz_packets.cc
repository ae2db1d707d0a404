// SPDX-License-Identifier: BSD-3-Clause
//
// Packets of every kind, whole and damaged, through the whole pipeline, in bursts; after each burst the
// invariants are looked at (invariants.h). docs/fuzzing.md says how to run it and how to repeat a finding.
//
// The bursts are cut into episodes. Each begins with a new switch, and with random numbers that follow from
// the seed and its own number alone: a burst is repeated by playing its episode up to it.
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "control/log.h"
#include "tests/fuzz/hosts.h"
#include "tests/fuzz/invariants.h"
#include "tests/fuzz/mutations.h"
#include "tests/fuzz/outcomes.h"
#include "tests/fuzz/packet_maker.h"
#include "tests/fuzz/world.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace sluice::fuzz {
namespace {

constexpr uint64_t kBurstsOfEpisode = 2048;
constexpr unsigned kLargestBurst = 64;
constexpr uint64_t kReally_packets = 500'000;  ///< with as many, every essential outcome must have happened

struct Options {
  uint64_t packets = 2'000'000;
  uint64_t seed = 1;
  std::optional<uint64_t> only;
  std::string corpus = "tests/fuzz/corpus/packets";
};

/// What a finding is reported with.
struct Now {
  uint64_t seed = 0, burst = 0;
  std::vector<Packet> packets{};
};
Now now;

void tell_burst() {
  std::fprintf(stderr,
               "\nfuzz_packets: seed %" PRIu64 ", burst %" PRIu64 ": --seed %" PRIu64 " --only %" PRIu64 "\n",
               now.seed, now.burst, now.seed, now.burst);
  for (const Packet& packet : now.packets)
    std::fprintf(stderr, "%s%s\n", to_line(packet).c_str(),
                 packet.is_chained ? "  # in several buffers" : "");
}

void on_abort(int) {
  tell_burst();
}

class Fuzzer {
 public:
  Fuzzer(const Options& options, std::vector<Packet> corpus)
      : options_(options), corpus_(std::move(corpus)) {}
  /// The exit code.
  int run();

 private:
  /// A switch, its surroundings, and what must hold there.
  struct Episode {
    Episode(uint64_t seed, uint64_t number, const std::vector<Packet>& corpus, Outcomes& outcomes)
        : random(seed * 0x9E37'79B9'7F4A'7C15u + number),
          world(1 + static_cast<unsigned>(number % 2), seed + number),
          maker(random, corpus),
          hosts(random),
          invariants(world, outcomes) {}
    Random random;
    World world;
    PacketMaker maker;
    Hosts hosts;
    Invariants invariants;
  };
  void begin_episode(uint64_t number);
  bool burst(uint64_t number);
  void fill(std::vector<Packet>& burst);
  void collect();
  void disturb();
  void pass_time();
  int finish(double seconds);

  Options options_;
  std::vector<Packet> corpus_;
  Outcomes outcomes_;
  std::unique_ptr<Episode> episode_;
  uint64_t packets_ = 0;
};

void Fuzzer::begin_episode(uint64_t number) {
  if (episode_) outcomes_.collect(episode_->world);
  episode_.reset();
  episode_ = std::make_unique<Episode>(options_.seed, number, corpus_, outcomes_);
  episode_->invariants.burst_begins();
  episode_->world.turn();
  collect();
}

// Half of it answers what was seen, half comes of itself.
void Fuzzer::fill(std::vector<Packet>& burst) {
  Random& random = episode_->random;
  const unsigned size = random.percent(80) ? kLargestBurst : random.between(1, kLargestBurst);
  if (random.one_in(500)) episode_->maker.storm(burst);
  while (burst.size() < size)
    if (!random.percent(60) || !episode_->hosts.answer(burst)) episode_->maker.make(burst);
  mutate(random, burst);
  for (Packet& packet : burst) {
    packet.queue = static_cast<uint8_t>(random.below(2));
    packet.is_chained = random.one_in(16);
  }
}

void Fuzzer::collect() {
  episode_->world.leave([&](PortName port, Octets frame) {
    const View view = view_of(frame);
    episode_->invariants.leaves(port, frame, view);
    episode_->hosts.see(port, frame, view);
  });
}

void Fuzzer::pass_time() {
  Random& random = episode_->random;
  unsigned milliseconds = random.below(12);
  if (random.one_in(40)) milliseconds = random.between(100, 1500);
  if (random.one_in(400)) milliseconds = random.between(2000, 35'000);
  episode_->world.pass_ms(milliseconds);
  collect();
}

void Fuzzer::disturb() {
  Random& random = episode_->random;
  World& world = episode_->world;
  if (random.one_in(200)) {
    world.reload(static_cast<Variant>(random.one_in(2) ? 0 : random.below(kVariants)));
    outcomes_.count("reloads");
  }
  if (random.one_in(300)) {
    if (world.runtime().clear_sessions({}) != 0) outcomes_.count("sessions cleared");
  }
  if (random.one_in(150)) world.runtime().clear_macs({});
  if (random.one_in(150)) {
    for (const auto& neighbor : world.runtime().router().neighbors().list(world.runtime().now_ns()))
      world.runtime().router().neighbors().clear({neighbor.interface, neighbor.address});
  }
  collect();
}

bool Fuzzer::burst(uint64_t number) {
  now.burst = number;
  now.packets.clear();
  fill(now.packets);
  Invariants& invariants = episode_->invariants;
  invariants.burst_begins();
  for (const Packet& packet : now.packets) {
    invariants.arrives(packet);
    episode_->world.arrive(packet, episode_->random);
  }
  packets_ += now.packets.size();
  episode_->world.turn();
  collect();
  pass_time();
  disturb();
  const bool drop_all = number % 64 == 63;
  if (drop_all) episode_->world.drop_all();
  collect();
  invariants.burst_ends(drop_all);
  if (!invariants.finding()) return true;
  std::fprintf(stderr, "\nfuzz_packets: FINDING: %s\n", invariants.finding()->c_str());
  tell_burst();
  return false;
}

int Fuzzer::run() {
  now.seed = options_.seed;
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const uint64_t first = options_.only ? *options_.only / kBurstsOfEpisode * kBurstsOfEpisode : 0;
  for (uint64_t number = first; options_.only ? number <= *options_.only : packets_ < options_.packets;
       ++number) {
    if (number % kBurstsOfEpisode == 0) begin_episode(number / kBurstsOfEpisode);
    if (!burst(number)) return 1;
    if ((number + 1) % (kBurstsOfEpisode * 16) == 0)
      std::fprintf(stderr, "%" PRIu64 " packets, %.0f a second\n", packets_,
                   static_cast<double>(packets_) / seconds());
  }
  return finish(seconds());
}

int Fuzzer::finish(double seconds) {
  outcomes_.collect(episode_->world);
  episode_.reset();
  if (options_.only) {
    std::fprintf(stderr, "fuzz_packets: nothing is wrong with burst %" PRIu64 "\n", *options_.only);
    tell_burst();
    return 0;
  }
  outcomes_.print(stdout);
  std::printf("%" PRIu64 " packets with seed %" PRIu64 " in %.1f s: %.0f a second\n", packets_, options_.seed,
              seconds, static_cast<double>(packets_) / seconds);
  if (options_.packets < kReally_packets) return 0;
  const std::vector<std::string> missing = outcomes_.missing();
  for (const std::string& what : missing) std::printf("never reached: %s\n", what.c_str());
  return missing.empty() ? 0 : 1;
}

[[noreturn]] void usage() {
  std::fputs("usage: fuzz_packets [--packets N] [--seed S] [--only BURST] [--corpus DIRECTORY]\n", stderr);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 >= argc) usage();
    const std::string key = argv[i];
    const auto number = [&] { return std::strtoull(argv[i + 1], nullptr, 10); };
    if (key == "--packets") {
      options.packets = number();
    } else if (key == "--seed") {
      options.seed = number();
    } else if (key == "--only") {
      options.only = number();
    } else if (key == "--corpus") {
      options.corpus = argv[i + 1];
    } else {
      usage();
    }
  }
  return options;
}

}  // namespace
}  // namespace sluice::fuzz

int main(int argc, char** argv) {
  using namespace sluice::fuzz;
  const Options options = parse(argc, argv);
  std::signal(SIGABRT, on_abort);
  // The product tells of claims to its addresses, thousands of them here.
  using sluice::config::Log;
  static_cast<void>(sluice::control::start_log(
      {.level = Log::Level::error, .target = Log::Target::file, .file = "/dev/null"}));
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_burst);
  return Fuzzer(options, read_corpus(options.corpus)).run();
}
