// SPDX-License-Identifier: BSD-3-Clause
//
// Scenarios: what they do to the pipeline, what they find, and the mistakes in their files.
#include "control/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "control/scenario_run.h"
#include "tests/support/captures.h"
#include "tests/support/packets.h"

namespace sluice::test {
namespace {

using control::Scenario;
using control::ScenarioRun;
using control::StepFailure;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kSwitch =
    "config:\n"
    "  ports: { a: { device: tap }, b: { device: tap }, c: { device: tap } }\n"
    "  bridges: { lan: { ports: [a, b, c] } }\n";
const std::string kRouter =
    "config:\n"
    "  ports: { a: { device: tap }, b: { device: tap } }\n"
    "  interfaces:\n"
    "    left: { port: a, addresses: [192.0.2.1/24], mac: \"02:00:00:00:00:01\" }\n"
    "    right: { port: b, addresses: [198.51.100.1/24], mac: \"02:00:00:00:00:02\" }\n";
const std::string kAnnToAll = "\"eth src=02:00:00:00:00:0a dst=ff:ff:ff:ff:ff:ff / payload 50\"";
const std::string kAnnToBob = "\"eth src=02:00:00:00:00:0a dst=02:00:00:00:00:0b / payload 50\"";
const std::string kBobToAnn = "\"eth src=02:00:00:00:00:0b dst=02:00:00:00:00:0a / payload 50\"";

class Scenarios : public testing::Test {
 protected:
  std::optional<Scenario> read(const std::string& text) {
    std::ofstream(files_.path("scenario.yaml")) << text;
    errors_.clear();
    return control::read_scenario(std::filesystem::path(files_.path("")).parent_path(), errors_);
  }
  // What it finds; nothing: it holds.
  std::vector<std::string> findings(const std::string& text) {
    start_dpdk();
    const std::optional<Scenario> scenario = read(text);
    EXPECT_TRUE(scenario) << testing::PrintToString(errors_);
    if (!scenario) return {"it cannot be read"};
    ScenarioRun run(*scenario);
    const auto failure = run.play();
    EXPECT_TRUE(failure.ok()) << failure.status();
    if (!failure.ok() || !*failure) return {};
    failed_ = **failure;
    EXPECT_THAT(failed_.findings, Not(IsEmpty()));
    return failed_.findings;
  }
  // The mistakes of a file, without the name of the file.
  std::vector<std::string> mistakes(const std::string& text) {
    EXPECT_FALSE(read(text));
    std::vector<std::string> plain;
    for (const std::string& error : errors_)
      plain.push_back(error.substr(error.rfind("scenario.yaml:") + 14));
    return plain;
  }

  Captures files_;
  std::vector<std::string> errors_;
  StepFailure failed_;
};

// ---- packets

TEST_F(Scenarios, what_is_sent_leaves_as_expected) {
  EXPECT_THAT(findings(kSwitch + "steps:\n" + "  - { send: { a: " + kAnnToAll +
                       " }, expect: { b: same, c: same } }\n" + "  - { send: { b: " + kBobToAnn +
                       " }, expect: { a: " + kBobToAnn + " } }\n"),
              IsEmpty());
}

TEST_F(Scenarios, a_frame_too_many_one_that_lacks_and_one_that_differs_are_found) {
  EXPECT_THAT(findings(kSwitch + "steps: [{ send: { a: " + kAnnToAll + " }, expect: { b: same } }]\n"),
              ElementsAre(AllOf(HasSubstr("c: frame 1 left, and was not expected:"),
                                HasSubstr("eth dst=ff:ff:ff:ff:ff:ff src=02:00:00:00:00:0a / payload 50"))));
  EXPECT_THAT(findings(kSwitch + "steps: [{ send: { a: " + kAnnToAll +
                       " }, expect: { a: same, b: same, c: same } }]\n"),
              ElementsAre(HasSubstr("a: frame 1 was expected, and did not leave:")));
  EXPECT_THAT(findings(kSwitch + "steps: [{ send: { a: " + kAnnToAll + " }, expect: { b: " + kAnnToBob +
                       ", c: same } }]\n"),
              ElementsAre(AllOf(HasSubstr("b: frame 1 is not as expected:"),
                                HasSubstr("eth dst: expected 02:00:00:00:00:0b, found ff:ff:ff:ff:ff:ff"))));
}

TEST_F(Scenarios, order_counts_unless_any_is_right) {
  const std::string two =
      "steps: [{ send: { a: [" + kAnnToAll + ", " + kAnnToBob + "] }, expect: { c: same, b: ";
  EXPECT_THAT(findings(kSwitch + two + "[" + kAnnToAll + ", " + kAnnToBob + "] } }]\n"), IsEmpty());
  EXPECT_THAT(findings(kSwitch + two + "[" + kAnnToBob + ", " + kAnnToAll + "] } }]\n"), testing::SizeIs(2));
  EXPECT_THAT(findings(kSwitch + two + "{ any-order: [" + kAnnToBob + ", " + kAnnToAll + "] } } }]\n"),
              IsEmpty());
  EXPECT_THAT(findings(kSwitch + two + "{ any-order: [" + kAnnToBob + ", " + kAnnToBob + "] } } }]\n"),
              ElementsAre(HasSubstr("no frame is as expected; the nearest")));
  EXPECT_THAT(findings(kSwitch + two + "{ any-order: [" + kAnnToBob + "] } } }]\n"),
              ElementsAre(HasSubstr("a frame left, and was not expected")));
}

TEST_F(Scenarios, what_no_step_looks_at_is_found_at_the_end) {
  EXPECT_THAT(findings(kSwitch + "steps: [{ send: { a: " + kAnnToAll + " } }]\n"), testing::SizeIs(2));
  EXPECT_EQ(failed_.name, "the end");
  EXPECT_THAT(findings(kSwitch + "steps: [{ send: { a: " + kAnnToAll + " } }, { expect: any }]\n"),
              IsEmpty());
  EXPECT_THAT(findings(kSwitch + "steps: [{ send: { a: " + kAnnToAll +
                       " } }, { name: later, expect: { b: " + kAnnToAll + ", c: " + kAnnToAll + " } }]\n"),
              IsEmpty());
}

TEST_F(Scenarios, packets_come_as_hex_with_open_nibbles_and_from_captures) {
  const std::string capture = files_.write("in.pcap", {{kEpoch, from(kAnn).to(kEverybody).first(1)},
                                                       {kEpoch, from(kAnn).to(kEverybody).first(2)}});
  const std::string rest(46 * 2, '?');
  const auto hex = [&](const std::string& first) {
    return "{ hex: \"ff ff ff ff ff ff 02 00 00 00 00 0a ?? ??" + first + rest.substr(first.size()) +
           "\", times: 2 }";
  };
  const std::string send = "steps: [{ send: { a: { capture: in.pcap } }, expect: { c: same, b: ";
  EXPECT_THAT(findings(kSwitch + send + hex("") + " } }]\n"), IsEmpty());
  EXPECT_THAT(findings(kSwitch + send + hex("7?") + " } }]\n"),
              ElementsAre(HasSubstr("octet 14: expected 0x70"), HasSubstr("frame 2")));
}

// ---- time, reloads, tables

TEST_F(Scenarios, time_passes_and_tables_are_looked_at) {
  EXPECT_THAT(
      findings(
          kSwitch +
          "steps:\n"
          "  - send: { a: " +
          kAnnToAll +
          " }\n"
          "    expect: any\n"
          "    show: { macs: [{ mac: \"02:00:00:00:00:0a\", port: a, vlan: 1, static: false }] }\n"
          "  - { time: 299s, show: { macs: { count: 1, contains: [{ port: a }], lacks: [{ port: b }] } } }\n"
          "  - { time: 2500ms, show: { macs: [] } }\n"),
      IsEmpty());
  const std::string learned =
      kSwitch + "steps: [{ send: { a: " + kAnnToAll + " }, expect: any, show: { macs: ";
  EXPECT_THAT(findings(learned + "[] } }]\n"), ElementsAre(HasSubstr("a row was not expected: {\"age\":")));
  EXPECT_THAT(findings(learned + "[{ port: b }] } }]\n"),
              ElementsAre(HasSubstr("no row is { port: b }"), HasSubstr("a row was not expected")));
  EXPECT_THAT(findings(learned + "{ count: 2 } } }]\n"), ElementsAre(HasSubstr("expected 2 rows, found 1")));
  EXPECT_THAT(findings(learned + "{ lacks: [{ port: a }] } } }]\n"),
              ElementsAre(HasSubstr("there is a row { port: a }")));
}

TEST_F(Scenarios, drops_and_counters_are_those_of_the_step) {
  const std::string filtered =
      "  - { send: { a: " + kAnnToAll +
      " }, expect: any }\n"
      "  - { send: { a: \"eth src=02:00:00:00:00:0b dst=02:00:00:00:00:0a / payload 50\" }, expect: {}, ";
  EXPECT_THAT(
      findings(kSwitch + "steps:\n" + filtered +
               "drops: { same-port: 1 }, counters: { received: 1, transmitted: 0, held: 0, a: { received: "
               "1 } } }\n"),
      IsEmpty());
  EXPECT_THAT(findings(kSwitch + "steps:\n" + filtered + "drops: {} }\n"),
              ElementsAre("drops: same-port: expected 0, found 1"));
  EXPECT_THAT(
      findings(kSwitch + "steps:\n" + filtered + "counters: { received: 2, b: { transmitted: 1 } } }\n"),
      ElementsAre("counters: received: expected 2, found 1", "counters: b transmitted: expected 1, found 0"));
}

TEST_F(Scenarios, a_reload_is_taken_or_refused) {
  const std::string other =
      "{ ports: { a: { device: tap }, b: { device: tap } }, bridges: { lan: { ports: [a, b] } } }";
  EXPECT_THAT(findings(kSwitch +
                       "steps:\n"
                       "  - reload: " +
                       other +
                       "\n"
                       "  - { send: { a: " +
                       kAnnToAll +
                       " }, expect: { b: same } }\n"
                       "  - { reload: { ports: 7 }, refused: \"must be a mapping\" }\n"
                       "  - { send: { a: " +
                       kAnnToAll + " }, expect: { b: same } }\n"),
              IsEmpty());
  EXPECT_THAT(findings(kSwitch + "steps: [{ reload: { ports: 7 }, refused: \"no such words\" }]\n"),
              ElementsAre(HasSubstr("it was refused, but not for 'no such words'")));
  EXPECT_THAT(findings(kSwitch + "steps: [{ reload: " + other + ", refused: x }]\n"),
              ElementsAre("reload: it was taken, and was to be refused"));
}

TEST_F(Scenarios, announcements_are_over_when_the_first_step_begins_unless_it_wants_to_see_them) {
  EXPECT_THAT(findings(kRouter + "steps: [{ time: 10s, expect: {} }]\n"), IsEmpty());
  EXPECT_THAT(findings(kRouter + "settle: 0s\nsteps: [{ time: 10s, expect: { a: " +
                       "\"eth src=02:00:00:00:00:01 dst=ff:ff:ff:ff:ff:ff / arp op=* sha=02:00:00:00:00:01 "
                       "spa=192.0.2.1 tpa=192.0.2.1\" } }]\n"),
              testing::Each(Not(HasSubstr("a: frame 1"))));
}

TEST_F(Scenarios, the_story_of_a_step_is_told) {
  start_dpdk();
  const auto scenario =
      read(kSwitch + "steps: [{ name: a question, send: { a: " + kAnnToAll + " }, expect: any }]\n");
  ASSERT_TRUE(scenario);
  ScenarioRun run(*scenario);
  ASSERT_TRUE(run.explain().ok());
  ASSERT_EQ(run.told().size(), 1u);
  ASSERT_EQ(run.told()[0].stories.size(), 1u);
  EXPECT_EQ(run.told()[0].step, "a question");
  EXPECT_THAT(control::story_text(run.told()[0].stories[0]), HasSubstr("#1  a → b, c"));
}

// ---- mistakes

TEST_F(Scenarios, mistakes_in_the_file_are_named_at_their_place) {
  EXPECT_THAT(mistakes("config: { ports: { a: { device: tap } } }\n"),
              ElementsAre("1:1: error: the scenario has no 'steps': add it"));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { sned: {} }\n"),
              ElementsAre(AllOf(HasSubstr("5:7: error: "), HasSubstr("did you mean 'send'?"))));
  EXPECT_THAT(
      mistakes(kSwitch + "steps:\n  - { send: { d: " + kAnnToAll + " } }\n"),
      ElementsAre(AllOf(HasSubstr("5:15: error: there is no port 'd'"), HasSubstr("'a', 'b' or 'c'"))));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { send: { a: \"eth / ipv5\" } }\n"),
              ElementsAre(HasSubstr("5:18: error: 'ipv5' is no header")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { send: { a: \"eth / ipv4 id=*\" } }\n"),
              ElementsAre(HasSubstr("error: what is sent has no fields left open: eth / ipv4 id=*")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { send: { a: { hex: \"0\" } } }\n"),
              ElementsAre(HasSubstr("hex takes two digits for each octet")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { drops: { same-prot: 1 } }\n"),
              ElementsAre(HasSubstr("did you mean 'same-port'?")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { time: 5 }\n"), ElementsAre(HasSubstr("has no unit")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { time: 5s, clear: macs }\n"),
              ElementsAre(HasSubstr("a step does one thing")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { time: 5s, expect: { a: same } }\n"),
              ElementsAre(HasSubstr("'same' is what the step sends, and it sends nothing")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { refused: x }\n"),
              ElementsAre(HasSubstr("'refused' stands beside 'reload'")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { show: { mac: [] } }\n"),
              ElementsAre(HasSubstr("did you mean 'macs'?")));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { show: { macs: { lacks: [{ mca: x }] } } }\n"),
              ElementsAre(AllOf(HasSubstr("5:33: error: "), HasSubstr("did you mean 'mac'?"))));
}

TEST_F(Scenarios, mistakes_in_the_configuration_keep_their_line) {
  EXPECT_THAT(
      mistakes("config:\n  ports: { a: { device: tap } }\n  bridges: { lan: { ports: [b] } }\nsteps: []\n"),
      ElementsAre(AllOf(HasSubstr("3:29: error: "), HasSubstr("'b'"))));
  EXPECT_THAT(mistakes(kSwitch + "steps:\n  - { reload: { ports: 7 } }\n"),
              ElementsAre(HasSubstr("5:24: error: 'ports' must be a mapping")));
  EXPECT_THAT(mistakes("config: nowhere.yaml\nsteps: []\n"), ElementsAre(HasSubstr("nowhere.yaml")));
}

}  // namespace
}  // namespace sluice::test
