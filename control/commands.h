// SPDX-License-Identifier: BSD-3-Clause
//
// The sub-commands. Each adds itself to the command line and returns its exit code when it is chosen.
//
// Thread safety: the main thread alone.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <string>

#include "control/http_client.h"
#include "control/status.h"

namespace sluice::control {

/// What the command line has in common for all sub-commands, and which of them was chosen.
struct CommandLine {
  CLI::App app{"sluice: a software switch, router and NAT on DPDK, configured by one YAML file", "sluice"};
  std::string socket = "/run/sluice/sluice.sock";
  CLI::Option* socket_option = nullptr;  ///< said on the command line or in the environment, if it counts
  std::function<int()> chosen;
};

void add_run(CommandLine& line);
void add_check(CommandLine& line);
void add_reload(CommandLine& line);
void add_show(CommandLine& line);
void add_clear(CommandLine& line);
void add_ping(CommandLine& line);
void add_replay(CommandLine& line);
void add_explain(CommandLine& line);
void add_test(CommandLine& line);

/// Prints the message of `status` to standard error and returns its exit code.
int fail(const absl::Status& status);

/// One answer of the running sluice, or why there is none. Its warnings go to standard error.
absl::StatusOr<nlohmann::json> ask(const CommandLine& line, const std::string& method,
                                   const std::string& target, const std::string& body = "");

/// Adds a sub-command without sub-commands of its own that does `work`.
CLI::App* add_command(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& what,
                      std::function<int()> work);

}  // namespace sluice::control
