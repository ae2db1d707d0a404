// SPDX-License-Identifier: BSD-3-Clause
#include "control/eal.h"

#include <rte_cpuflags.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "control/log.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;
// For what drivers and rings allocate beside the buffers, ports added later among it.
constexpr uint64_t kHeadroom = 64 * kMebibyte;

std::string first_error;  // since take_dpdk_error() was last called
pthread_t control_thread;

// DPDK writes whole lines, each with its level in front of us already decided by rte_log.
ssize_t take_log_line(void*, const char* text, size_t size) {
  const std::string line(absl::StripAsciiWhitespace({text, size}));
  if (line.empty()) return static_cast<ssize_t>(size);
  const int level = rte_log_cur_msg_loglevel();
  const bool error = level >= 0 && level <= static_cast<int>(RTE_LOG_ERR);
  // The first line is the driver's own, those behind it only say that it failed. Other threads' errors are
  // not ours.
  if (error && first_error.empty() && pthread_equal(pthread_self(), control_thread) != 0) first_error = line;
  log_debug(absl::StrCat("dpdk: ", line));
  return static_cast<ssize_t>(size);
}

void redirect_log() {
  control_thread = pthread_self();
  cookie_io_functions_t functions{};
  functions.write = take_log_line;
  FILE* stream = fopencookie(nullptr, "w", functions);
  if (stream == nullptr) return;
  setvbuf(stream, nullptr, _IOLBF, BUFSIZ);
  rte_openlog_stream(stream);
}

uint64_t read_number(const std::filesystem::path& path) {
  uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

uint64_t free_huge_bytes() {
  uint64_t bytes = 0;
  std::error_code ignored;
  for (const auto& size : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", ignored)) {
    uint64_t kilobytes = 0;
    const std::string name = size.path().filename();  // hugepages-2048kB
    if (std::sscanf(name.c_str(), "hugepages-%lukB", &kilobytes) != 1) continue;
    bytes += read_number(size.path() / "free_hugepages") * kilobytes * 1024;
  }
  return bytes;
}

absl::StatusOr<bool> choose_huge_pages(const EalOptions& options) {
  using Hugepages = config::Dpdk::Hugepages;
  if (options.dpdk.hugepages == Hugepages::never) return false;
  const uint64_t free = free_huge_bytes();
  const uint64_t needed = options.memory_bytes + kHeadroom;
  if (free >= needed) return true;
  if (options.dpdk.hugepages == Hugepages::automatic) return false;
  const uint64_t pages = read_number("/proc/sys/vm/nr_hugepages") + (needed - free) / (2 * kMebibyte) + 1;
  return machine_error(absl::StrCat("dpdk: hugepages: ", needed / kMebibyte,
                                    " MiB of huge pages are needed and ", free / kMebibyte,
                                    " MiB are free: sysctl -w vm.nr_hugepages=", pages));
}

absl::Status check_processor() {
#if defined(__x86_64__)
  constexpr std::pair<rte_cpu_flag_t, const char*> kNeeded[] = {
      {RTE_CPUFLAG_AVX2, "AVX2"}, {RTE_CPUFLAG_BMI2, "BMI2"}, {RTE_CPUFLAG_AES, "AES"}};
  for (const auto& [flag, name] : kNeeded) {
    if (rte_cpu_get_flag_enabled(flag) > 0) continue;
    return machine_error(absl::StrCat("this processor lacks ", name,
                                      ", which this build uses: build with meson -Dcpp_args=-march=native"));
  }
#endif
  return absl::OkStatus();
}

// DPDK's tap driver asks the kernel for a real-time signal a packet, and once it has seen the first it looks
// at a queue only after another. The signal goes to any one thread of the process, and under load it may come
// seconds late. So no thread ever takes it: the driver then looks at its queues whenever it is polled (see
// device_tap.cc). When too many are pending the kernel sends SIGIO instead, whose default is to end us.
void settle_signals() {
  sigset_t realtime;
  sigemptyset(&realtime);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&realtime, signal);
  pthread_sigmask(SIG_BLOCK, &realtime, nullptr);
  std::signal(SIGIO, SIG_IGN);
}

absl::Status stay_on(const std::vector<unsigned>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned cpu : cpus) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) == 0) return absl::OkStatus();
  return machine_error(absl::StrCat("control cannot run on cores ", absl::StrJoin(cpus, ", "),
                                    ": allow them with taskset or the container's cpuset"));
}

}  // namespace

std::string take_dpdk_error() {
  return std::exchange(first_error, "");
}

std::vector<std::string> eal_arguments(const EalOptions& options, bool huge) {
  std::vector<std::string> arguments = {
      "sluice",
      absl::StrCat("--lcores=0@(", absl::StrJoin(options.cpus.control, ","), ")"),
      // An allow list with an address that no device has: buses then leave alone whatever is not named later.
      "--allow=ffff:ff:1f.7",
      absl::StrCat("--file-prefix=sluice-", getpid()),
      "--no-telemetry",
  };
  if (huge) {
    // No files in hugetlbfs, and few descriptors: vhost-user and virtio-user share memory by descriptor.
    arguments.insert(arguments.end(), {"--in-memory", "--single-file-segments"});
  } else {
    const uint64_t megabytes = (options.memory_bytes + kHeadroom) / kMebibyte;
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", absl::StrCat("-m", megabytes)});
  }
  arguments.insert(arguments.end(), options.dpdk.args.begin(), options.dpdk.args.end());
  return arguments;
}

absl::Status start_eal(const EalOptions& options) {
  if (absl::Status status = check_processor(); !status.ok()) return status;
  const absl::StatusOr<bool> huge = choose_huge_pages(options);
  if (!huge.ok()) return huge.status();
  for (const std::string& argument : options.dpdk.args) {
    for (const char* quits : {"-h", "--help", "-v", "--version"}) {
      if (argument == quits)
        return input_error(absl::StrCat("dpdk: args: ", quits, " would end sluice: remove it"));
    }
  }
  settle_signals();
  // DPDK's own threads go where this one may run; without this, to the cores that it does not know as lcores:
  // those of the workers.
  if (absl::Status status = stay_on(options.cpus.control); !status.ok()) return status;
  redirect_log();
  std::vector<std::string> arguments = eal_arguments(options, *huge);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0) {
    // Without shared configuration nothing is kept there, but DPDK makes the directory all the same.
    rmdir(rte_eal_get_runtime_dir());
    return absl::OkStatus();
  }
  return machine_error(absl::StrCat("DPDK did not start: ", rte_strerror(rte_errno), ": ", take_dpdk_error(),
                                    " (sluice run with log: {level: debug} tells more)"));
}

}  // namespace sluice::control
