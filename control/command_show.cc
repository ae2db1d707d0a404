// SPDX-License-Identifier: BSD-3-Clause
//
// sluice show, clear, reload, diff: questions to the running sluice.
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "config/addresses.h"
#include "control/commands.h"
#include "control/tables.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct ShowOptions {
  bool as_json = false;
  double watch_s = 0;  ///< 0: once
  std::string bridge, port, interface, address, source, destination, protocol;
  unsigned vlan = 0, family = 0;
};

using Options = std::shared_ptr<ShowOptions>;

// What was not said is not asked for; each view has only the options that it takes.
std::string query_of(const ShowOptions& options) {
  std::string query;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&query, query.empty() ? "?" : "&", key, "=", url_encode(value));
  };
  add("bridge", options.bridge);
  add("port", options.port);
  add("vlan", options.vlan == 0 ? "" : absl::StrCat(options.vlan));
  add("interface", options.interface);
  add("address", options.address);
  add("source", options.source);
  add("destination", options.destination);
  add("protocol", options.protocol);
  add("family", options.family == 0 ? "" : absl::StrCat(options.family));
  return query;
}

absl::Status errors_of(const Answer& answer) {
  std::string text;
  for (const json& error : answer.body.value("errors", json::array())) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", error.get<std::string>());
  }
  return answer.body.value("exit", kExitMachine) == kExitInput ? input_error(text) : machine_error(text);
}

}  // namespace

absl::StatusOr<json> ask(const CommandLine& line, const std::string& method, const std::string& target,
                         const std::string& body) {
  absl::StatusOr<Answer> answer = HttpClient(line.socket).request(method, target, body);
  if (!answer.ok()) return answer.status();
  for (const json& warning : answer->body.value("warnings", json::array())) {
    std::cerr << warning.get<std::string>() << '\n';
  }
  if (answer->code != 200) return errors_of(*answer);
  return answer->body;
}

namespace {

using Format = std::string (*)(const json&);

int show(const CommandLine& line, const std::string& target, const ShowOptions& options, Format format) {
  for (;;) {
    const absl::StatusOr<json> view = ask(line, "GET", target + query_of(options));
    if (!view.ok()) return fail(view.status());
    // A watched table repaints the screen of a person; programs get one document a line.
    if (options.watch_s > 0 && !options.as_json && isatty(STDOUT_FILENO) != 0) std::cout << "\033[H\033[2J";
    if (!options.as_json) {
      std::cout << format(*view);
    } else {
      std::cout << view->dump(options.watch_s > 0 ? -1 : 2) << '\n';
    }
    std::cout.flush();
    if (options.watch_s <= 0 || !std::cout) return kExitDone;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.watch_s));
  }
}

// An empty shell variable must not come to mean "all".
const CLI::Validator kNotEmpty([](std::string& text) { return text.empty() ? "must not be empty" : ""; },
                               "NAME");

void add_filters(CLI::App* command, const Options& options) {
  command->add_option("--bridge", options->bridge, "only of this bridge")->check(kNotEmpty);
  command->add_option("--port", options->port, "only on this port")->check(kNotEmpty);
  command->add_option("--vlan", options->vlan, "only of this VLAN")->check(CLI::Range(1, 4094));
}

const CLI::Validator kIsAddress(
    [](std::string& text) {
      return config::parse_address(text) ? "" : absl::StrCat("'", text, "' is no IP address");
    },
    "ADDRESS");
const CLI::Validator kIsIpv4Address(
    [](std::string& text) {
      const auto address = config::parse_address(text);
      return address && address->is_ipv4() ? "" : absl::StrCat("'", text, "' is no IPv4 address");
    },
    "ADDRESS");

void add_neighbor_filters(CLI::App* command, const Options& options) {
  command->add_option("--interface", options->interface, "only on this interface")->check(kNotEmpty);
  command->add_option("--address", options->address, "only this one")->check(kIsAddress);
}

void add_session_filters(CLI::App* command, const Options& options) {
  command->add_option("--source", options->source, "only from this address")->check(kIsIpv4Address);
  command->add_option("--destination", options->destination, "only to this address")->check(kIsIpv4Address);
  command->add_option("--protocol", options->protocol, "only tcp, udp or icmp")
      ->check(CLI::IsMember({"tcp", "udp", "icmp"}));
}

CLI::App* add_view(CLI::App* parent, CommandLine& line, const std::string& name, const std::string& what,
                   const Options& options, Format format) {
  CLI::App* command = add_command(*parent, line, name, what, [&line, name, options, format] {
    return show(line, "/v1/" + name, *options, format);
  });
  command->add_flag("--json", options->as_json, "for programs");
  command->add_option("--watch", options->watch_s, "again every so many seconds (1)")
      ->expected(0, 1)
      ->default_str("1")
      ->check(CLI::Range(0.1, 86400.0));
  return command;
}

int reload(const CommandLine& line, const std::string& file, const char* path) {
  std::error_code ignored;
  if (!file.empty() && access(file.c_str(), R_OK) != 0) {
    return fail(input_error(absl::StrCat(file, ":1:1: error: cannot be read: ", std::strerror(errno))));
  }
  if (!file.empty() && !std::filesystem::is_regular_file(file, ignored)) {
    return fail(input_error(absl::StrCat(file, ":1:1: error: is not a regular file")));
  }
  json body = json::object();
  if (!file.empty()) body = {{"file", std::filesystem::absolute(file).string()}, {"name", file}};
  const absl::StatusOr<json> answer = ask(line, "POST", path, body.dump());
  if (!answer.ok()) return fail(answer.status());
  for (const json& change : (*answer)["changes"]) std::cout << change.get<std::string>() << '\n';
  if ((*answer)["changes"].empty()) std::cout << "no change\n";
  return kExitDone;
}

int clear(const CommandLine& line, const std::string& table, const char* what, const ShowOptions& options) {
  const absl::StatusOr<json> answer = ask(line, "DELETE", "/v1/" + table + query_of(options));
  if (!answer.ok()) return fail(answer.status());
  std::cout << (*answer)["cleared"].get<uint64_t>() << ' ' << what << '\n';
  return kExitDone;
}

void add_reload_like(CommandLine& line, const char* name, const char* what, const char* path) {
  auto file = std::make_shared<std::string>();
  CLI::App* command =
      add_command(line.app, line, name, what, [&line, file, path] { return reload(line, *file, path); });
  command->add_option("FILE", *file, "the configuration; by default the one in force, read again");
}

}  // namespace

void add_show(CommandLine& line) {
  CLI::App* show = line.app.add_subcommand("show", "tables of the running sluice");
  show->fallthrough();
  show->require_subcommand(1);
  auto options = std::make_shared<ShowOptions>();
  add_view(show, line, "ports", "what each port received, transmitted and dropped", options, ports_table);
  add_filters(add_view(show, line, "macs", "which MAC address is where", options, macs_table), options);
  add_view(show, line, "workers", "what the worker cores do, and what each stage costs", options,
           workers_table);
  add_view(show, line, "drops", "what was dropped, and why", options, drops_table);
  add_view(show, line, "interfaces", "the router's addresses, and where", options, interfaces_table);
  add_view(show, line, "routes", "which destination goes where", options, routes_table)
      ->add_option("--family", options->family, "only IPv4 or IPv6")
      ->check(CLI::IsMember({4, 6}));
  add_neighbor_filters(
      add_view(show, line, "neighbors", "which host is at which MAC address", options, neighbors_table),
      options);
  add_view(show, line, "nat", "the NAT rules and their sessions", options, nat_table);
  add_session_filters(
      add_view(show, line, "sessions", "the flows that NAT translates", options, sessions_table), options);
  add_view(show, line, "config", "the configuration in force", options, config_text);
}

void add_clear(CommandLine& line) {
  CLI::App* command = line.app.add_subcommand("clear", "make the running sluice forget");
  command->fallthrough();
  command->require_subcommand(1);
  auto options = std::make_shared<ShowOptions>();
  const auto add = [&](const char* name, const char* what, const char* done) {
    return add_command(*command, line, name, what,
                       [&line, options, name, done] { return clear(line, name, done, *options); });
  };
  add_filters(add("macs", "forget learned MAC addresses", "learned addresses forgotten"), options);
  add_neighbor_filters(add("neighbors", "forget resolved neighbors", "neighbors forgotten"), options);
  add_session_filters(add("sessions", "end NAT sessions", "sessions ended"), options);
}

void add_reload(CommandLine& line) {
  add_reload_like(line, "reload", "apply the file again, wholly or not at all", "/v1/reload");
  add_reload_like(line, "diff", "what a reload would change", "/v1/diff");
}

}  // namespace sluice::control
