// SPDX-License-Identifier: BSD-3-Clause
//
// Keys in general, and the sections that concern the process: workers, dpdk, tables, log, control.
#include "tests/config/findings.h"

namespace sluice::config {
namespace {

/// The one finding about a file whose first line is `head`.
std::string finding(std::string_view head) {
  const auto all = findings(with_ports(head));
  return all.size() == 1 ? all[0] : testing::PrintToString(all);
}

TEST(Keys, AnUnknownKeyGetsTheNearestOne) {
  EXPECT_EQ(finding("prots: {}"), "f.yaml:1:1: error: unknown key 'prots': did you mean 'ports'?");
  EXPECT_EQ(finding("log: { levle: info }"), "f.yaml:1:8: error: unknown key 'levle': did you mean 'level'?");
  EXPECT_EQ(finding("interfces: {}"),
            "f.yaml:1:1: error: unknown key 'interfces': did you mean 'interfaces'?");
}

TEST(Keys, AKeyLikeNoOtherGetsTheListOfThoseThatAreBuilt) {
  EXPECT_EQ(
      finding("x: {}"),
      "f.yaml:1:1: error: unknown key 'x': write 'workers', 'dpdk', 'tables', 'log', 'ports', 'bridges', "
      "'interfaces', 'routes', 'neighbors', 'nat', 'icmp' or 'control'");
  EXPECT_EQ(finding("tables: { x: 1 }"),
            "f.yaml:1:11: error: unknown key 'x': write 'macs', 'sessions', 'routes' or 'neighbors'");
}

TEST(Keys, WhatIsNotBuiltYetIsRefusedNotIgnored) {
  EXPECT_EQ(finding("vrfs: {}"), "f.yaml:1:1: error: 'vrfs' is not built yet: remove it");
  for (const std::string key : {"http", "api"}) {
    EXPECT_EQ(finding("control: { " + key + ": 1 }"),
              "f.yaml:1:12: error: '" + key + "' is not built yet: remove it");
  }
}

TEST(Keys, ASectionMustBeAMapping) {
  for (const std::string section : {"workers", "dpdk", "tables", "log", "icmp", "control"}) {
    const std::string place =
        "f.yaml:1:" + std::to_string(section.size() + 3) + ": error: '" + section + "' must be ";
    EXPECT_EQ(finding(section + ": []"), place + "a mapping of keys to values, not an empty list");
    EXPECT_EQ(finding(section + ": x"), place + "a mapping of keys to values, not 'x'");
    EXPECT_EQ(finding(section + ":"),
              "f.yaml:1:1: error: '" + section + "' has no value: write one, or remove it");
    EXPECT_THAT(findings(with_ports(section + ": {}")), IsEmpty()) << "nothing but defaults";
  }
}

TEST(Numbers, AreDecimalAndPlain) {
  const std::string place = "f.yaml:1:17: error: ";
  const std::string expected = place + "'macs' must be a decimal number from 1 to 4194304, not ";
  for (const std::string text : {"-1", "+1", "1.5", "1e3", "1_000", "0x10", "0b1", "0o17", "many", "4194305",
                                 "99999999999999999999999999", "1 2"}) {
    EXPECT_EQ(finding("tables: { macs: " + text + " }"), expected + "'" + text + "'");
  }
  EXPECT_EQ(finding("tables: { macs: 0 }"), expected + "'0'");
  EXPECT_EQ(finding("tables: { macs: [1] }"), expected + "a list");
  EXPECT_EQ(finding("tables: { macs: {a: 1} }"), expected + "a mapping");
  EXPECT_EQ(finding("tables: { macs: \"10\" }"), place + "'macs' is a number: remove the quotes");
  EXPECT_EQ(finding("tables: { macs: 010 }"),
            place + "'010' could be meant as octal: write the number without leading zeros");
  EXPECT_EQ(finding("tables: { macs: ~ }"),
            "f.yaml:1:11: error: 'macs' has no value: write one, or remove it");
}

TEST(Tables, HaveTheirCapacities) {
  EXPECT_EQ(parsed(with_ports("")).tables.macs, 16384U);
  EXPECT_EQ(parsed(with_ports("tables: { macs: 1 }")).tables.macs, 1U);
  EXPECT_EQ(parsed(with_ports("tables: { macs: 4194304 }")).tables.macs, 4194304U);
}

TEST(Tables, OfLayer3HaveTheirCapacities) {
  const Tables defaults = parsed(with_ports("")).tables;
  EXPECT_EQ(defaults.sessions, 65536U);
  EXPECT_EQ(defaults.routes, 65536U);
  EXPECT_EQ(defaults.neighbors, 4096U);
  const Tables largest =
      parsed(with_ports("tables: { sessions: 4194304, routes: 4194303, neighbors: 1048576 }")).tables;
  EXPECT_EQ(largest.sessions, 4194304U);
  EXPECT_EQ(largest.routes, 4194303U);
  EXPECT_EQ(largest.neighbors, 1048576U);
  const Tables smallest = parsed(with_ports("tables: { sessions: 1, routes: 1, neighbors: 1 }")).tables;
  EXPECT_EQ(smallest.sessions + smallest.routes + smallest.neighbors, 3U);
}

TEST(Tables, RefuseCapacitiesOutOfRange) {
  for (const std::string key : {"sessions", "routes", "neighbors"}) {
    const std::string max = key == "neighbors" ? "1048576" : "4194304";
    const std::string too_many = key == "neighbors" ? "1048577" : "4194305";
    for (const std::string& text : {std::string("0"), too_many}) {
      EXPECT_EQ(finding("tables: { " + key + ": " + text + " }"),
                "f.yaml:1:" + std::to_string(13 + key.size()) + ": error: '" + key +
                    "' must be a decimal number from 1 to " + max + ", not '" + text + "'");
    }
  }
}

TEST(Icmp, HasALimitAndABurst) {
  EXPECT_EQ(parsed(with_ports("")).icmp.rate_limit, 1000U);
  EXPECT_EQ(parsed(with_ports("")).icmp.burst, 100U);
  const Icmp icmp = parsed(with_ports("icmp: { rate-limit: 1000000/s, burst: 1 }")).icmp;
  EXPECT_EQ(icmp.rate_limit, 1'000'000U);
  EXPECT_EQ(icmp.burst, 1U);
  EXPECT_EQ(parsed(with_ports("icmp: { rate-limit: \"1/s\", burst: 1000000 }")).icmp.burst, 1'000'000U);
}

TEST(Icmp, TakesARateASecond) {
  for (const std::string text : {"0/s", "1000001/s", "10/m", "-1/s", "1.5/s", "010/s", "/s", "fast", "10 /s",
                                 "99999999999999999999999/s"}) {
    EXPECT_EQ(finding("icmp: { rate-limit: " + text + " }"),
              "f.yaml:1:21: error: 'rate-limit' must be a rate from 1/s to 1000000/s, not '" + text + "'");
  }
  EXPECT_EQ(finding("icmp: { rate-limit: 1000 }"),
            "f.yaml:1:21: error: 'rate-limit' has no unit: write it like '1000/s'");
  EXPECT_EQ(finding("icmp: { rate-limit: [1/s] }"),
            "f.yaml:1:21: error: 'rate-limit' must be a rate from 1/s to 1000000/s, not a list");
}

TEST(Icmp, TakesABurstOfAtLeastOne) {
  for (const std::string text : {"0", "1000001"}) {
    EXPECT_EQ(finding("icmp: { burst: " + text + " }"),
              "f.yaml:1:16: error: 'burst' must be a decimal number from 1 to 1000000, not '" + text + "'");
  }
}

TEST(Workers, TakeTheirCoresInOrder) {
  const Config config = parsed(with_ports("workers: { cores: [3, 0, 1023], idle: spin }"));
  EXPECT_THAT(config.workers.cores, ElementsAre(3, 0, 1023));
  EXPECT_EQ(config.workers.idle, Workers::Idle::spin);
  EXPECT_EQ(config.workers.location, (Location{1, 19})) << "of the cores, which the machine may lack";
}

TEST(Workers, SleepByDefaultOnACoreOfOurChoice) {
  const Config config = parsed(with_ports(""));
  EXPECT_THAT(config.workers.cores, IsEmpty());
  EXPECT_EQ(config.workers.idle, Workers::Idle::sleep);
}

TEST(Workers, CoresAreAListOfOneToSixteenDistinctNumbers) {
  const std::string expected =
      "f.yaml:1:19: error: 'cores' must be a list of 1 to 16 cores like [1, 2], not ";
  EXPECT_EQ(finding("workers: { cores: 1 }"), expected + "'1'");
  EXPECT_EQ(finding("workers: { cores: [] }"), expected + "an empty list");
  EXPECT_EQ(finding("workers: { cores: [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] }"), expected + "a list");
  EXPECT_EQ(finding("workers: { cores: [1, 2, 1] }"),
            "f.yaml:1:26: error: core 1 is listed twice: one core runs one worker");
  EXPECT_EQ(finding("workers: { cores: [1024] }"),
            "f.yaml:1:20: error: 'cores' must be a decimal number from 0 to 1023, not '1024'");
  EXPECT_EQ(finding("workers: { cores: [1, ~] }"),
            "f.yaml:1:19: error: 'cores' must be a decimal number from 0 to 1023, not nothing");
}

TEST(Workers, IdleIsOneOfTwoWords) {
  EXPECT_EQ(finding("workers: { idle: spn }"),
            "f.yaml:1:18: error: unknown word 'spn': did you mean 'spin'?");
  EXPECT_EQ(finding("workers: { idle: true }"),
            "f.yaml:1:18: error: 'idle' must be 'sleep' or 'spin', not 'true'");
}

TEST(Dpdk, HugepagesAreAutomaticRequiredOrNeverUsed) {
  EXPECT_EQ(parsed(with_ports("")).dpdk.hugepages, Dpdk::Hugepages::automatic);
  EXPECT_EQ(parsed(with_ports("dpdk: { hugepages: auto }")).dpdk.hugepages, Dpdk::Hugepages::automatic);
  EXPECT_EQ(parsed(with_ports("dpdk: { hugepages: true }")).dpdk.hugepages, Dpdk::Hugepages::required);
  EXPECT_EQ(parsed(with_ports("dpdk: { hugepages: false }")).dpdk.hugepages, Dpdk::Hugepages::never);
  EXPECT_EQ(finding("dpdk: { hugepages: yes }"),
            "f.yaml:1:20: error: 'hugepages' must be 'auto', 'true' or 'false', not 'yes'");
}

TEST(Dpdk, MemoryIsASizeInWholeMebibytes) {
  EXPECT_EQ(parsed(with_ports("")).dpdk.memory_bytes, std::nullopt);
  EXPECT_EQ(parsed(with_ports("dpdk: { memory: 64MiB }")).dpdk.memory_bytes, 64U << 20);
  EXPECT_EQ(parsed(with_ports("dpdk: { memory: 1GiB }")).dpdk.memory_bytes, 1U << 30);
  EXPECT_EQ(parsed(with_ports("dpdk: { memory: 131072KiB }")).dpdk.memory_bytes, 128U << 20);
  EXPECT_EQ(parsed(with_ports("dpdk: { memory: 512GiB }")).dpdk.memory_bytes, uint64_t{512} << 30);
  for (const std::string text : {"63MiB", "513GiB", "65537KiB", "512", "512MB", "1.5GiB", "MiB", "1GiB512MiB",
                                 "999999999999999999GiB", "17179869185GiB", "-1GiB", "512 MiB"}) {
    EXPECT_EQ(finding("dpdk: { memory: " + text + " }"),
              "f.yaml:1:17: error: 'memory' must be a size like 512MiB, in whole MiB from 64MiB to "
              "524288MiB, not '" +
                  text + "'");
  }
}

TEST(Dpdk, MbufsAreANumberOrAuto) {
  EXPECT_EQ(parsed(with_ports("dpdk: { mbufs: auto }")).dpdk.mbufs, std::nullopt);
  EXPECT_EQ(parsed(with_ports("dpdk: { mbufs: 1024 }")).dpdk.mbufs, 1024U);
  EXPECT_EQ(parsed(with_ports("dpdk: { mbufs: 16777216 }")).dpdk.mbufs, 16777216U);
  for (const std::string text : {"1023", "16777217", "atuo"}) {
    EXPECT_EQ(finding("dpdk: { mbufs: " + text + " }"),
              "f.yaml:1:16: error: 'mbufs' must be auto or a decimal number from 1024 to 16777216, not '" +
                  text + "'");
  }
}

TEST(Dpdk, ArgumentsAreAListOfTexts) {
  EXPECT_THAT(parsed(with_ports("dpdk: { args: [\"--log-level=8\", -l, 1] }")).dpdk.args,
              ElementsAre("--log-level=8", "-l", "1"));
  EXPECT_THAT(parsed(with_ports("dpdk: { args: [] }")).dpdk.args, IsEmpty());
  EXPECT_THAT(finding("dpdk: { args: -l }"),
              StartsWith("f.yaml:1:15: error: 'args' must be a list of EAL arguments"));
  EXPECT_EQ(finding("dpdk: { args: [[-l]] }"), "f.yaml:1:16: error: 'args' must be text, not a list");
  EXPECT_EQ(finding("dpdk: { args: [\"\"] }"),
            "f.yaml:1:16: error: 'args' must be text without control characters, and not empty");
}

TEST(Log, HasALevel) {
  EXPECT_EQ(parsed(with_ports("")).log.level, Log::Level::info);
  EXPECT_EQ(parsed(with_ports("log: { level: debug }")).log.level, Log::Level::debug);
  EXPECT_EQ(parsed(with_ports("log: { level: warning }")).log.level, Log::Level::warning);
  EXPECT_EQ(parsed(with_ports("log: { level: error }")).log.level, Log::Level::error);
  EXPECT_EQ(finding("log: { level: warnin }"),
            "f.yaml:1:15: error: unknown word 'warnin': did you mean 'warning'?");
}

TEST(Log, GoesToStandardErrorTheJournalOrAFile) {
  EXPECT_EQ(parsed(with_ports("")).log.target, Log::Target::standard_error);
  EXPECT_EQ(parsed(with_ports("log: { target: stderr }")).log.target, Log::Target::standard_error);
  EXPECT_EQ(parsed(with_ports("log: { target: journal }")).log.target, Log::Target::journal);
  const Config config = parsed(with_ports("log: { target: ./sluice.log }"));
  EXPECT_EQ(config.log.target, Log::Target::file);
  EXPECT_EQ(config.log.file, "./sluice.log");
  EXPECT_EQ(finding("log: { target: jurnal }"),
            "f.yaml:1:16: error: unknown word 'jurnal': did you mean 'journal'?");
  EXPECT_EQ(finding("log: { target: sluice.log }"),
            "f.yaml:1:16: error: 'target' must be stderr, journal or the path of a file, with a '/', not "
            "'sluice.log'");
}

TEST(Control, HasASocketThatIsAPath) {
  EXPECT_EQ(parsed(with_ports("")).control.socket, "/run/sluice/sluice.sock");
  EXPECT_EQ(parsed(with_ports("")).control.socket_mode, 0660U);
  EXPECT_EQ(parsed(with_ports("control: { socket: s.sock }")).control.socket, "s.sock");
  EXPECT_EQ(finding("control: { socket: [a] }"),
            "f.yaml:1:20: error: 'socket' must be a path, or a mapping of path, group and mode, not a list");
}

TEST(Control, HasASocketOfAGroupAndAMode) {
  const Config config =
      parsed(with_ports(R"(control: { socket: { path: /s, group: netdev, mode: "0640" } })"));
  EXPECT_EQ(config.control.socket, "/s");
  EXPECT_EQ(config.control.socket_group, "netdev");
  EXPECT_EQ(config.control.socket_mode, 0640U);
  EXPECT_EQ(parsed(with_ports(R"(control: { socket: { mode: "600" } })")).control.socket_mode, 0600U);
}

TEST(Control, HasAPathThatFitsAUnixSocket) {
  EXPECT_EQ(parsed(with_ports("control: { socket: " + std::string(107, 's') + " }")).control.socket.size(),
            107U);
  EXPECT_EQ(
      finding("control: { socket: " + std::string(108, 's') + " }"),
      "f.yaml:1:20: error: a socket's path has at most 107 bytes, this one has 108: write a shorter one");
}

TEST(Control, HasAModeOfQuotedOctalDigits) {
  for (const std::string text : {"0660", "\"66\"", "\"0680\"", "\"4660\"", "\"00660\"", "\"rw\"", "\"\""}) {
    EXPECT_THAT(
        finding("control: { socket: { mode: " + text + " } }"),
        StartsWith("f.yaml:1:28: error: 'mode' must be permissions as octal digits in double quotes"));
  }
}

}  // namespace
}  // namespace sluice::config
