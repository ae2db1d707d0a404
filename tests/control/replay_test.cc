// SPDX-License-Identifier: BSD-3-Clause
//
// Captures through the pipeline: what goes in where and when, what comes out, and the counters at the end.
#include "control/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/captures.h"
#include "tests/support/frame.h"
#include "tests/support/ip.h"
#include "tests/support/packets.h"
#include "tests/support/test_switch.h"

namespace sluice::test {
namespace {

using control::CaptureReader;
using control::Replay;
using control::ReplayOptions;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kSwitch =
    "ports: { a: {device: \"null\"}, b: {device: \"null\"}, c: {device: \"null\"} }\n"
    "bridges: { lan: { ports: [a, b, c] } }\n";
const std::string kRouter =
    "ports: { a: {device: \"null\"}, b: {device: tap} }\n"
    "interfaces: { left: { port: a, addresses: [192.0.2.1/24], mac: \"02:00:00:00:00:01\" }, "
    "right: { port: b, addresses: [198.51.100.1/24] } }\n"
    "neighbors: [{ address: 192.0.2.9, mac: \"02:00:00:00:00:09\", interface: left }]\n";

using Inputs = std::vector<ReplayOptions::Input>;

json play(const Captures& files, const std::string& yaml, const Inputs& inputs, uint64_t until_s = 0,
          control::OfflineOptions pipeline = {}) {
  start_dpdk();
  Replay replay({inputs, files.out(), until_s, pipeline});
  const absl::Status status = replay.run(parse_or_die(yaml));
  EXPECT_TRUE(status.ok()) << status;
  json summary = replay.summary();
  EXPECT_EQ(summary["unaccounted"], 0);
  EXPECT_EQ(summary["held"], 0);
  return summary;
}

Frame broadcast(uint8_t number) {
  return from(kAnn).to(kEverybody).first(number);
}

TEST(Replay, floods_what_arrives_and_keeps_the_captures_clock) {
  const Captures files;
  const std::string in = files.write("in.pcap", {{kEpoch, broadcast(1)}, {kEpoch + 1500, broadcast(2)}});
  const json summary = play(files, kSwitch, {{"a", in}});
  const std::vector<Timed> wanted{{kEpoch, broadcast(1)}, {kEpoch + 1000, broadcast(2)}};  // microseconds
  EXPECT_EQ(files.sent("b"), wanted);
  EXPECT_EQ(files.sent("c"), wanted);
  EXPECT_EQ(files.sent("a"), std::vector<Timed>());
  EXPECT_EQ(summary["ports"]["a"]["received"], 2);
  EXPECT_EQ(summary["ports"]["a"]["transmitted"], 0);
  EXPECT_EQ(summary["ports"]["b"]["transmitted"], 2);
  EXPECT_EQ(summary["generated"], 2);
  EXPECT_EQ(summary["macs"], 1);
  EXPECT_EQ(summary["sessions"], 0);
  EXPECT_EQ(summary["drops"], json::object());
}

TEST(Replay, plays_all_captures_in_the_order_of_their_times_and_of_the_ports_in_the_file) {
  const Captures files;
  const auto frame = [](const char* source, uint8_t number) -> Frame {
    return from(source).to(kEverybody).first(number);
  };
  const std::string first =
      files.write("1", {{kEpoch + 2000, frame(kAnn, 2)}, {kEpoch + 5000, frame(kAnn, 5)}});
  const std::string second = files.write("2", {{kEpoch, frame(kBob, 0)}, {kEpoch + 5000, frame(kBob, 6)}});
  play(files, kSwitch, {{"b", second}, {"a", first}});
  EXPECT_EQ(files.sent("c"), (std::vector<Timed>{{kEpoch, frame(kBob, 0)},
                                                 {kEpoch + 2000, frame(kAnn, 2)},
                                                 {kEpoch + 5000, frame(kAnn, 5)},
                                                 {kEpoch + 5000, frame(kBob, 6)}}));
}

TEST(Replay, does_what_is_due_at_its_own_virtual_time) {
  const Captures files;
  const std::string in = files.write(
      "in", {{kEpoch, udp("192.0.2.9:1", "198.51.100.7:2").via("02:00:00:00:00:09", "02:00:00:00:00:01")}});
  const json summary = play(files, kRouter, {{"a", in}}, 10);
  // Three requests one second apart; then the sender is told.
  std::vector<uint64_t> asked;
  for (const Timed& timed : files.sent("b")) {
    if (test::told(timed.frame).starts_with("arp who-has 198.51.100.7"))
      asked.push_back(timed.time_ns - kEpoch);
  }
  EXPECT_THAT(asked, ElementsAre(0, kSecond, 2 * kSecond));
  const std::vector<Timed> back = files.sent("a");
  ASSERT_FALSE(back.empty());
  EXPECT_THAT(test::told(back.back().frame), HasSubstr("icmp 192.0.2.1 > 192.0.2.9 ttl 64 error 3/1"));
  EXPECT_EQ(back.back().time_ns, kEpoch + 3 * kSecond);
  EXPECT_EQ(summary["drops"], (json{{"neighbor-failed", 1}}));
}

TEST(Replay, drops_what_waits_at_the_end) {
  const Captures files;
  const std::string in = files.write(
      "in", {{kEpoch, udp("192.0.2.9:1", "198.51.100.7:2").via("02:00:00:00:00:09", "02:00:00:00:00:01")}});
  const json summary = play(files, kRouter, {{"a", in}});
  EXPECT_EQ(summary["drops"], (json{{"end-of-replay", 1}}));
}

TEST(Replay, ages_addresses_on_virtual_time) {
  const Captures files;
  const std::string in = files.write("in", {{kEpoch, broadcast(1)}});
  EXPECT_EQ(play(files, kSwitch, {{"a", in}}, 299)["macs"], 1);
  EXPECT_EQ(play(files, kSwitch, {{"a", in}}, 301)["macs"], 0);
}

TEST(Replay, time_that_steps_back_in_a_capture_does_not_step_back_here) {
  const Captures files;
  const std::string in = files.write("in", {{kEpoch + 9000, broadcast(1)}, {kEpoch, broadcast(2)}});
  play(files, kSwitch, {{"a", in}});
  EXPECT_EQ(files.sent("b"),
            (std::vector<Timed>{{kEpoch + 9000, broadcast(1)}, {kEpoch + 9000, broadcast(2)}}));
}

TEST(Replay, without_any_input_every_port_has_an_empty_capture) {
  const Captures files;
  const json summary = play(files, kSwitch, {});
  for (const char* port : {"a", "b", "c"}) EXPECT_EQ(files.sent(port), std::vector<Timed>());
  EXPECT_EQ(summary["ports"]["a"]["received"], 0);
}

TEST(Replay, frames_of_every_size_come_out_as_they_went_in) {
  const Captures files;
  std::vector<Timed> frames;
  for (size_t size = 60; size < 1514; size += 7)
    frames.push_back({kEpoch + size * 1000, from(kAnn).to(kEverybody).octets(size)});
  const std::string in = files.write("in", frames);
  play(files, kSwitch, {{"a", in}});
  EXPECT_EQ(files.sent("b"), frames);
}

// ---- the same again

class SameAgain : public testing::Test {
 protected:
  /// Hosts on all ports that talk to each other and to nobody, through a switch and a router.
  void SetUp() override {
    std::vector<Timed> frames[2];
    for (uint64_t i = 0; i < 400; ++i) {
      const std::string host = station(i % 12), other = station(i * 7 % 16);
      frames[i % 2].push_back(
          {kEpoch + i * 37'000'000, from(host.c_str()).to(other.c_str()).octets(60 + i % 50)});
    }
    inputs_ = {{"a", files_.write("1", frames[0])}, {"b", files_.write("2", frames[1])}};
  }
  /// All that a run leaves behind.
  std::string run(control::OfflineOptions pipeline) {
    json summary = play(files_, kSwitch, inputs_, 3, pipeline);
    std::string all = summary.dump();
    for (const char* port : {"a", "b", "c"}) all += files_.octets("out/" + std::string(port) + ".pcap");
    return all;
  }
  const Captures files_;
  Inputs inputs_;
};

TEST_F(SameAgain, gives_the_same_octets) {
  EXPECT_TRUE(run({}) == run({}));
  EXPECT_TRUE(run({4, 9, 32}) == run({4, 9, 32}));
}

TEST_F(SameAgain, gives_the_same_octets_with_any_number_of_workers) {
  for (const unsigned burst : {1u, 32u}) {
    const std::string one = run({1, 1, burst});
    EXPECT_TRUE(run({2, 1, burst}) == one) << "2 workers, bursts of " << burst;
    EXPECT_TRUE(run({5, 1, burst}) == one) << "5 workers, bursts of " << burst;
  }
}

// ---- files

TEST(Capture, pcapng_is_read) {
  // A section header, an interface with a resolution of nanoseconds, one packet of 14 octets.
  const std::vector<uint32_t> words{
      0x0A0D0D0A, 28,         0x1A2B3C4D, 0x00000001, 0xFFFFFFFF, 0xFFFFFFFF, 28,         0x00000001, 32,
      0x00000001, 0x00040000, 0x00010009, 0x00000009, 0,          32,         0x00000006, 48,         0,
      0,          77,         14,         14,         0xFFFFFFFF, 0x0002FFFF, 0x00000000, 0x0000B588, 48};
  const Captures files;
  std::ofstream(files.path("in"), std::ios::binary)
      .write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(words.size() * 4));
  auto reader = CaptureReader::open(files.path("in"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto frame = reader->next();
  ASSERT_TRUE(frame.ok() && *frame) << frame.status();
  EXPECT_EQ((*frame)->time_ns, 77u);
  EXPECT_EQ((*frame)->octets.size(), 14u);
  EXPECT_EQ((*frame)->octets[12], 0x88);
  EXPECT_FALSE(*reader->next());
}

TEST(Capture, what_is_none_is_refused_in_words) {
  const Captures files;
  EXPECT_THAT(CaptureReader::open(files.path("none")).status().message(),
              testing::AllOf(HasSubstr("none"), HasSubstr("No such file")));
  std::ofstream(files.path("text")) << "this is no capture, though it is long enough to be one";
  EXPECT_THAT(CaptureReader::open(files.path("text")).status().message(),
              HasSubstr("text: unknown file format"));
  std::ofstream(files.path("empty"));
  EXPECT_FALSE(CaptureReader::open(files.path("empty")).ok());
}

TEST(Capture, a_file_that_ends_within_a_frame_is_an_error_after_the_frames_before) {
  const Captures files;
  const std::string in = files.write("in", {{kEpoch, broadcast(1)}, {kEpoch, broadcast(2)}});
  std::filesystem::resize_file(in, std::filesystem::file_size(in) - 3);
  auto reader = CaptureReader::open(files.path("in"));
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(reader->next().ok());
  EXPECT_THAT(reader->next().status().message(), HasSubstr("in: after frame 1: "));
}

}  // namespace
}  // namespace sluice::test
