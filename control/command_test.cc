// SPDX-License-Identifier: BSD-3-Clause
//
// sluice test DIR…: plays scenarios (docs/scenarios.md).
#include <fstream>

#include "absl/strings/str_cat.h"
#include "control/commands.h"
#include "control/scenario_suite.h"

namespace sluice::control {
namespace {

struct Arguments {
  std::vector<std::string> directories;
  std::string junit;
  SuiteOptions suite;
};

void print(const ScenarioResult& result) {
  std::cout << (result.holds ? "ok    " : "FAIL  ") << result.folder << '\n'
            << result.report << result.stories << std::flush;
}

absl::Status write_junit(const std::string& path, const std::vector<ScenarioResult>& results) {
  std::ofstream file(path);
  file << junit_xml(results);
  if (file.flush()) return absl::OkStatus();
  return input_error(absl::StrCat("--junit ", path, ": it cannot be written"));
}

int test(const Arguments& arguments) {
  const auto folders = find_scenarios(arguments.directories);
  if (!folders.ok()) return fail(folders.status());
  std::vector<ScenarioResult> results;
  const absl::Status status = play_scenarios(*folders, arguments.suite, [&](const ScenarioResult& result) {
    print(result);
    results.push_back(result);
  });
  if (!status.ok()) return fail(status);
  const auto holding =
      std::count_if(results.begin(), results.end(), [](const auto& one) { return one.holds; });
  std::cout << '\n' << holding << " hold, " << results.size() - static_cast<size_t>(holding) << " fail\n";
  if (!arguments.junit.empty()) {
    if (absl::Status written = write_junit(arguments.junit, results); !written.ok()) return fail(written);
  }
  const bool machine =
      std::any_of(results.begin(), results.end(), [](const auto& one) { return one.machine; });
  if (machine) return kExitMachine;
  return static_cast<size_t>(holding) == results.size() ? kExitDone : kExitInput;
}

}  // namespace

void add_test(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add_command(line.app, line, "test", "play scenarios: packets in, and what has to come out",
                  [arguments] { return test(*arguments); });
  command->add_option("DIR", arguments->directories, "folders with a scenario.yaml in them or below")
      ->required();
  command->add_option("--junit", arguments->junit, "write a report for CI to this file");
  command
      ->add_option("--jobs", arguments->suite.jobs, "scenarios at once (default: as many as there are cores)")
      ->check(CLI::Range(1, 256));
  command->add_flag("--explain", arguments->suite.explain, "tell what becomes of every packet");
}

}  // namespace sluice::control
