// SPDX-License-Identifier: BSD-3-Clause
//
// sluice run FILE, sluice check FILE.
#include <sys/random.h>

#include <cstdio>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "config/addresses.h"
#include "config/parse.h"
#include "control/buffers.h"
#include "control/commands.h"
#include "control/config_json.h"
#include "control/cpus.h"
#include "control/daemon.h"
#include "control/dpdk_devices.h"
#include "control/eal.h"
#include "control/load.h"
#include "control/log.h"
#include "control/runtime.h"
#include "control/tables.h"

namespace sluice::control {
namespace {

std::string cpu_finding(const config::Config& config, const absl::Status& status,
                        config::Diagnostic::Severity severity) {
  return config::to_string({severity, config.workers.location, std::string(status.message())}, config.file);
}

int run(const CommandLine& line, const std::string& file) {
  hold_signals();
  absl::StatusOr<Loaded> loaded = load(file);
  if (!loaded.ok()) return kExitInput;
  if (line.socket_option->count() > 0) loaded->config.control.socket = line.socket;
  const config::Config& config = loaded->config;
  const absl::StatusOr<CpuPlan> cpus = plan_cpus(config.workers, available_cpus());
  if (!cpus.ok()) {
    std::cerr << cpu_finding(config, cpus.status(), config::Diagnostic::Severity::error) << '\n';
    return exit_code(cpus.status());
  }
  if (absl::Status status = start_log(config.log); !status.ok()) return fail(status);
  if (cpus->shared)
    log_warning("the workers take every core: control and the hosts beside it share with them");

  const auto workers = static_cast<unsigned>(cpus->workers.size());
  const uint64_t needed = mbuf_bytes(mbuf_count(config, workers)) + handover_bytes(workers);
  const EalOptions eal{config.dpdk, *cpus, config.dpdk.memory_bytes.value_or(needed)};
  if (absl::Status status = start_eal(eal); !status.ok()) return fail(status);

  DpdkDevices devices;
  Runtime::Options options{.mode = Runtime::Mode::threads, .cpus = *cpus};
  if (getrandom(options.seed, sizeof options.seed, 0) != sizeof options.seed) {
    return fail(machine_error("the kernel gives no random numbers (getrandom)"));
  }
  Runtime runtime(devices, options);
  Daemon daemon(runtime, file, loaded->text);
  if (line.socket_option->count() > 0) daemon.use_socket(line.socket);
  // The socket first: if another sluice has it, nothing else here should be tried.
  if (absl::Status status = daemon.listen(config.control); !status.ok()) return fail(status);
  if (absl::Status status = runtime.start(config); !status.ok()) return fail(status);
  daemon.serve();
  return kExitDone;
}

std::string size_text(uint64_t bytes) {
  constexpr double kKibibyte = 1 << 10, kMebibyte = 1 << 20;
  const auto size = static_cast<double>(bytes);
  return bytes < (1 << 20) ? absl::StrFormat("%.1f KiB", size / kKibibyte)
                           : absl::StrFormat("%.1f MiB", size / kMebibyte);
}

// 10,20-29
std::string ranges_text(const std::vector<config::VlanId>& vlans) {
  std::string text;
  for (size_t first = 0, last; first < vlans.size(); first = last + 1) {
    for (last = first; last + 1 < vlans.size() && vlans[last + 1] == vlans[last] + 1;) ++last;
    absl::StrAppend(&text, text.empty() ? "" : ",", vlans[first]);
    if (last != first) absl::StrAppend(&text, "-", vlans[last]);
  }
  return text;
}

std::string members_text(const config::BridgePort& member) {
  if (!member.trunk) return absl::StrCat("access vlan ", member.native_vlan);
  const std::string native = member.native_vlan == 0 ? "" : absl::StrCat(", native ", member.native_vlan);
  return absl::StrCat("trunk vlans ", ranges_text(member.vlans), native);
}

void print_ports(const config::Config& config) {
  const nlohmann::json ports = to_json(config)["ports"];
  std::vector<std::vector<std::string>> rows;
  for (const config::Port& port : config.ports) {
    std::string bridge = "-", vlans = "-";
    for (const config::Bridge& candidate : config.bridges) {
      for (const config::BridgePort& member : candidate.ports) {
        if (member.port != port.name) continue;
        bridge = candidate.name;
        vlans = members_text(member);
      }
    }
    rows.push_back({port.name, ports[port.name]["device"], absl::StrCat(port.mtu), bridge, vlans});
  }
  std::cout << table({"port", "device", "mtu", "bridge", "vlans"}, rows) << '\n';
}

void print_interfaces(const config::Config& config) {
  if (config.interfaces.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const config::Interface& interface : config.interfaces) {
    std::vector<std::string> addresses;
    for (const config::InterfaceAddress& own : interface.addresses) addresses.push_back(config::to_text(own));
    const std::string where = interface.port.empty()
                                  ? absl::StrCat("bridge ", interface.bridge, " vlan ", interface.vlan)
                                  : absl::StrCat("port ", interface.port);
    rows.push_back({interface.name, where, absl::StrCat(interface.mtu), absl::StrJoin(addresses, " ")});
  }
  std::cout << table({"interface", "on", "mtu", "addresses"}, rows) << '\n';
}

void print_nat(const config::Config& config) {
  if (config.nat.empty()) return;
  const nlohmann::json nat = to_json(config)["nat"];
  std::vector<std::vector<std::string>> rows;
  for (const nlohmann::json& rule : nat) {
    const auto list = [&](const char* key) {
      if (!rule.contains(key)) return std::string("-");
      return rule[key].is_array() ? absl::StrJoin(rule[key].get<std::vector<std::string>>(), " ")
                                  : rule[key].get<std::string>();
    };
    const auto count = [&](const char* key) {
      return absl::StrCat(rule.value(key, nlohmann::json::array()).size());
    };
    rows.push_back({rule["name"], rule["interface"], list("source"), list("address"), count("port-forward"),
                    count("static")});
  }
  std::cout << table({"nat rule", "interface", "source", "address", "port-forwards", "static"}, rows) << '\n';
}

void print_memory(const config::Config& config, unsigned workers) {
  std::vector<std::vector<std::string>> rows;
  uint64_t at_start = 0, full = 0;
  for (const Item& item : memory_plan(config, workers)) {
    rows.push_back({item.what, absl::StrCat(item.capacity),
                    absl::StrCat(item.grows ? "up to " : "", size_text(item.bytes))});
    at_start += item.grows ? 0 : item.bytes;
    full += item.bytes;
  }
  std::cout << table({"table", "capacity", "memory"}, rows) << size_text(at_start) << " at start, up to "
            << size_text(full) << " with every table full\n";
}

int check(const CommandLine&, const std::string& file) {
  const absl::StatusOr<Loaded> loaded = load(file);
  if (!loaded.ok()) return kExitInput;
  const config::Config& config = loaded->config;
  const auto workers = static_cast<unsigned>(std::max<size_t>(config.workers.cores.size(), 1));
  const bool sleeps = config.workers.idle == config::Workers::Idle::sleep;
  if (const auto plan = plan_cpus(config.workers, available_cpus()); !plan.ok()) {
    std::cerr << cpu_finding(config, plan.status(), config::Diagnostic::Severity::warning) << '\n';
  }
  std::cout << "workers: " << workers << " on "
            << (config.workers.cores.empty() ? "the last core"
                                             : "core " + absl::StrJoin(config.workers.cores, ", "))
            << (sleeps ? ", asleep when idle" : ", spinning when idle") << "\n\n";
  print_ports(config);
  print_interfaces(config);
  print_nat(config);
  print_memory(config, workers);
  return kExitDone;
}

void add_file_command(CommandLine& line, const char* name, const char* what,
                      int (*work)(const CommandLine&, const std::string&)) {
  auto file = std::make_shared<std::string>();
  CLI::App* command =
      add_command(line.app, line, name, what, [&line, file, work] { return work(line, *file); });
  command->add_option("FILE", *file, "the configuration")->required();
}

}  // namespace

void add_run(CommandLine& line) {
  add_file_command(line, "run", "run the dataplane that FILE describes", run);
}

void add_check(CommandLine& line) {
  add_file_command(line, "check", "say what is wrong with FILE, or what it would take", check);
}

}  // namespace sluice::control
