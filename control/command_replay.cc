// SPDX-License-Identifier: BSD-3-Clause
//
// sluice replay FILE --in PORT=CAPTURE … --out DIR, sluice explain FILE --in PORT=CAPTURE ….
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "control/commands.h"
#include "control/load.h"
#include "control/log.h"
#include "control/replay.h"
#include "control/tables.h"

namespace sluice::control {
namespace {

struct Arguments {
  std::string file;
  std::vector<std::string> inputs;
  ReplayOptions options;
  unsigned packet = 0;  ///< explain: only this one; 0: all
  bool json = false;
};

// PORT=FILE
absl::StatusOr<ReplayOptions::Input> read_input(const std::string& text, const config::Config& config) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    return input_error(absl::StrCat("--in ", text, ": write PORT=FILE.pcap"));
  ReplayOptions::Input input{text.substr(0, equals), text.substr(equals + 1)};
  const bool known = std::any_of(config.ports.begin(), config.ports.end(),
                                 [&](const config::Port& port) { return port.name == input.port; });
  if (known) return input;
  return input_error(absl::StrCat("--in ", text, ": ", config.file, " has no port '", input.port, "'"));
}

// The configuration, when all is ready for it. The status of a wrong one has no message: it was printed.
absl::StatusOr<config::Config> prepare(Arguments& arguments) {
  absl::StatusOr<Loaded> loaded = load(arguments.file);
  if (!loaded.ok()) return input_error("");
  for (const std::string& text : arguments.inputs) {
    absl::StatusOr<ReplayOptions::Input> input = read_input(text, loaded->config);
    if (!input.ok()) return input.status();
    arguments.options.inputs.push_back(*std::move(input));
  }
  // What a running sluice would log is no news here: the counters tell.
  config::Log log;
  log.level = config::Log::Level::warning;
  if (absl::Status status = start_log(log); !status.ok()) return status;
  const EalOptions eal = offline_eal(loaded->config, arguments.options.pipeline);
  if (absl::Status status = start_eal(eal); !status.ok()) return status;
  return std::move(loaded->config);
}

int refuse(const absl::Status& status) {
  return status.message().empty() ? exit_code(status) : fail(status);
}

int replay(Arguments& arguments) {
  const absl::StatusOr<config::Config> config = prepare(arguments);
  if (!config.ok()) return refuse(config.status());
  Replay replay(arguments.options);
  if (absl::Status status = replay.run(*config); !status.ok()) return fail(status);
  const nlohmann::json summary = replay.summary();
  std::cout << (arguments.json ? summary.dump(2) + "\n" : replay_table(summary));
  return summary["unaccounted"] == 0 ? kExitDone : kExitMachine;
}

int explain(Arguments& arguments) {
  const absl::StatusOr<config::Config> config = prepare(arguments);
  if (!config.ok()) return refuse(config.status());
  nlohmann::json packets = nlohmann::json::array();
  bool told = false;
  const auto tell = [&](const Story& story) {
    if (arguments.packet != 0 && story.number != arguments.packet) return;
    told = true;
    if (arguments.json) {
      packets.push_back(story_json(story));
    } else {
      std::cout << story_text(story);
    }
  };
  Replay replay(arguments.options);
  if (absl::Status status = replay.explain(*config, tell); !status.ok()) return fail(status);
  if (arguments.packet != 0 && !told)
    return fail(input_error(absl::StrCat("--packet ", arguments.packet, ": there are not so many packets")));
  if (arguments.json) std::cout << nlohmann::json{{"packets", packets}}.dump(2) << '\n';
  return kExitDone;
}

void add_options(CLI::App& command, Arguments& arguments) {
  command.add_option("FILE", arguments.file, "the configuration; its devices are not opened")->required();
  command.add_option("--in", arguments.inputs, "PORT=FILE.pcap: what arrives at a port (pcap or pcapng)");
  command.add_option("--until", arguments.options.until_s, "seconds that time goes on after the last packet")
      ->check(CLI::Range(0, 10'000'000));
  command.add_option("--seed", arguments.options.pipeline.seed, "of every key and choice (default 1)");
}

}  // namespace

void add_replay(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add_command(line.app, line, "replay", "pass captures through what FILE describes, on their own clock",
                  [arguments] { return replay(*arguments); });
  add_options(*command, *arguments);
  command->add_option("--out", arguments->options.out, "directory for PORT.pcap of every port")->required();
  OfflineOptions& pipeline = arguments->options.pipeline;
  command->add_option("--workers", pipeline.workers, "stepped in turn (default 1)")
      ->check(CLI::Range(1u, dataplane::kMaxWorkers));
  command->add_option("--burst", pipeline.burst, "packets that arrive at once (default 1)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--json", arguments->json, "the counters for programs");
}

void add_explain(CommandLine& line) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(line.app, line, "explain",
                                  "say in words what becomes of every packet of a capture, and why",
                                  [arguments] { return explain(*arguments); });
  add_options(*command, *arguments);
  command->add_option("--packet", arguments->packet, "the story of the N-th packet alone")
      ->check(CLI::Range(1u, UINT32_MAX));
  command->add_flag("--json", arguments->json, "for programs");
}

}  // namespace sluice::control
