// SPDX-License-Identifier: BSD-3-Clause
#include "control/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>

#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "control/status.h"

namespace sluice::control {
namespace {

constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z %l: %v";

std::unique_ptr<spdlog::logger>& current() {
  static auto logger = [] {
    auto first =
        std::make_unique<spdlog::logger>("sluice", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    first->set_pattern(kPattern);
    return first;
  }();
  return logger;
}

spdlog::sink_ptr make_sink(const config::Log& wanted) {
  using Target = config::Log::Target;
  switch (wanted.target) {
    case Target::journal:
      return std::make_shared<spdlog::sinks::systemd_sink_mt>("sluice");
    case Target::file:
      return std::make_shared<spdlog::sinks::basic_file_sink_mt>(wanted.file);
    case Target::standard_error:
      break;
  }
  return std::make_shared<spdlog::sinks::stderr_sink_mt>();
}

spdlog::level::level_enum level_of(config::Log::Level level) {
  using Level = config::Log::Level;
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void log_debug(std::string_view message) {
  current()->debug(message);
}
void log_info(std::string_view message) {
  current()->info(message);
}
void log_warning(std::string_view message) {
  current()->warn(message);
}
void log_error(std::string_view message) {
  current()->error(message);
}

absl::Status start_log(const config::Log& wanted) try {
  // spdlog would make the directory, and with it every slip of the pen.
  const std::filesystem::path directory = std::filesystem::path(wanted.file).parent_path();
  std::error_code ignored;
  if (!directory.empty() && !std::filesystem::is_directory(directory, ignored)) {
    return machine_error(
        absl::StrCat("log: there is no directory ", directory.string(), ": mkdir -p ", directory.string()));
  }
  auto next = std::make_unique<spdlog::logger>("sluice", make_sink(wanted));
  if (wanted.target != config::Log::Target::journal) next->set_pattern(kPattern);
  next->set_level(level_of(wanted.level));
  next->flush_on(spdlog::level::info);
  current() = std::move(next);
  return absl::OkStatus();
} catch (const spdlog::spdlog_ex& error) {
  return machine_error(absl::StrCat("log: cannot write to ", wanted.file, ": ", error.what()));
}

}  // namespace sluice::control
