// SPDX-License-Identifier: BSD-3-Clause
#include "control/commands.h"

namespace sluice::control {

int fail(const absl::Status& status) {
  std::cerr << status.message() << '\n';
  return exit_code(status);
}

CLI::App* add_command(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& what,
                      std::function<int()> work) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->fallthrough();  // --socket may stand behind the sub-command
  command->callback([&line, work = std::move(work)] { line.chosen = work; });
  return command;
}

}  // namespace sluice::control

int main(int argc, char** argv) {
  using namespace sluice::control;
  CommandLine line;
  line.app.require_subcommand(1);
  line.app.set_version_flag("--version", "sluice " SLUICE_VERSION);
  line.socket_option = line.app.add_option("--socket", line.socket, "where the running sluice listens");
  line.socket_option->envname("SLUICE_SOCKET");
  add_run(line);
  add_check(line);
  add_reload(line);
  add_show(line);
  add_clear(line);
  add_ping(line);
  add_replay(line);
  add_explain(line);
  add_test(line);
  // CLI11 would only say that a sub-command is required.
  const auto known =
      line.app.get_subcommands([&](CLI::App* command) { return argc > 1 && command->check_name(argv[1]); });
  if (argc > 1 && argv[1][0] != '-' && known.empty()) {
    std::cerr << "there is no command '" << argv[1] << "': sluice --help lists those that there are\n";
    return kExitInput;
  }
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return line.app.exit(error) == 0 ? kExitDone : kExitInput;
  }
  try {
    return line.chosen();
  } catch (const nlohmann::json::exception&) {
    return fail(no_daemon_error("what listens on " + line.socket + " did not answer as sluice does"));
  }
}
