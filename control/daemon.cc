// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon.h"

#include <systemd/sd-daemon.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "config/parse.h"
#include "control/config_json.h"
#include "control/log.h"
#include "control/status.h"
#include "control/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr timeval kEverySecond = {1, 0};

// A member function as one of libevent's callbacks.
template <void (Runtime::*Work)()>
void timer(evutil_socket_t, short, void* runtime) {
  (static_cast<Runtime*>(runtime)->*Work)();
}

Response bad_request(const std::string& sentence) {
  return {400, {{"errors", {sentence}}, {"exit", kExitInput}}};
}

}  // namespace

absl::StatusOr<std::string> read_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return input_error(absl::StrCat(path, ":1:1: error: is a directory"));
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return input_error(absl::StrCat(path, ":1:1: error: cannot be read: ", std::strerror(errno)));
  return text.str();
}

Daemon::Daemon(Runtime& runtime, std::string file, std::string text)
    : runtime_(runtime),
      file_(std::move(file)),
      text_(std::move(text)),
      base_(event_base_new()),
      server_(std::make_unique<HttpServer>(base_)) {
  add_routes();
}

Daemon::~Daemon() {
  for (event* item : events_) event_free(item);
  server_.reset();
  event_base_free(base_);
}

void Daemon::add_routes() {
  const auto get = [&](const char* path, auto view) {
    server_->on("GET", path, [this, view](const Request&) { return Response{200, view(runtime_)}; });
  };
  get("/v1/ports", ports_view);
  get("/v1/drops", drops_view);
  get("/v1/workers", workers_view);
  get("/v1/config", [this](Runtime& runtime) {
    return json{{"config", to_json(runtime.config())}, {"file", file_}, {"text", text_}};
  });
  server_->on("GET", "/v1/macs", [this](const Request& request) { return handle_macs(request, false); });
  server_->on("DELETE", "/v1/macs", [this](const Request& request) { return handle_macs(request, true); });
  server_->on("POST", "/v1/reload", [this](const Request& request) { return handle_reload(request, false); });
  server_->on("POST", "/v1/diff", [this](const Request& request) { return handle_reload(request, true); });
}

absl::Status Daemon::serve(const config::Control& control) {
  if (absl::Status status = server_->listen(control); !status.ok()) return status;
  add_signal(SIGHUP, &call<&Daemon::reload_own_file>);
  add_signal(SIGTERM, &call<&Daemon::terminate>);
  add_signal(SIGINT, &call<&Daemon::terminate>);
  for (auto work : {&timer<&Runtime::age_macs>, &timer<&Runtime::watch_links>}) {
    events_.push_back(event_new(base_, -1, EV_PERSIST, work, &runtime_));
    event_add(events_.back(), &kEverySecond);
  }
  log_info(absl::StrCat(file_, " is in force: ", runtime_.ports().size(), " ports, ",
                        runtime_.cpus().workers.size(), " workers; ask with: sluice show ports --socket ",
                        control.socket));
  sd_notify(0, "READY=1");
  event_base_dispatch(base_);
  sd_notify(0, "STOPPING=1");
  return absl::OkStatus();
}

void Daemon::add_signal(int signal, event_callback_fn handler) {
  events_.push_back(evsignal_new(base_, signal, handler, this));
  event_add(events_.back(), nullptr);
}

void Daemon::terminate() {
  log_info("stopping");
  event_base_loopbreak(base_);
}

void Daemon::reload_own_file() {
  sd_notify(0, "RELOADING=1");
  const Outcome outcome = reload(file_, file_, false);
  for (const std::string& warning : outcome.warnings) log_warning(warning);
  for (const std::string& error : outcome.errors) log_error(error);
  for (const std::string& change : outcome.changes) log_info(absl::StrCat("reload: ", change));
  log_info(outcome.errors.empty() ? "reload: done" : "reload: refused, nothing has changed");
  sd_notify(0, "READY=1");
}

Daemon::Outcome Daemon::reload(const std::string& path, const std::string& name, bool only_compare) {
  Outcome outcome;
  const auto refuse = [&](const absl::Status& status) {
    outcome.errors.emplace_back(status.message());
    outcome.exit = exit_code(status);
    return outcome;
  };
  const absl::StatusOr<std::string> text = read_file(path);
  if (!text.ok())
    return refuse(input_error(absl::StrCat(name, ":1:1: error: cannot be read by the running sluice")));
  const config::ParseResult parsed = config::parse(*text, name);
  for (const config::Diagnostic& found : parsed.diagnostics) {
    const bool error = found.severity == config::Diagnostic::Severity::error;
    (error ? outcome.errors : outcome.warnings).push_back(config::to_string(found, name));
  }
  if (!parsed.config) {
    outcome.exit = kExitInput;
    return outcome;
  }
  outcome.changes = runtime_.difference(*parsed.config);
  if (only_compare) return outcome;
  if (absl::Status status = runtime_.apply(*parsed.config); !status.ok()) return refuse(status);
  file_ = path;  // from now on SIGHUP applies this one again
  text_ = *text;
  return outcome;
}

Response Daemon::handle_reload(const Request& request, bool only_compare) {
  const json body = json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (!body.is_object()) return bad_request("the body must be a JSON object: {\"file\": PATH}");
  const bool texts =
      std::all_of(body.begin(), body.end(), [](const json& value) { return value.is_string(); });
  if (!texts) return bad_request("file and name must be strings");
  const std::string path = body.value("file", file_);
  const Outcome outcome = reload(path, body.value("name", path), only_compare);
  const int code = outcome.errors.empty() ? 200 : outcome.exit == kExitInput ? 400 : 503;
  return {code,
          {{"errors", outcome.errors},
           {"warnings", outcome.warnings},
           {"changes", outcome.changes},
           {"exit", outcome.exit}}};
}

Response Daemon::handle_macs(const Request& request, bool clear) {
  MacFilter filter;
  for (const auto& [key, value] : request.query) {
    if (key == "bridge") {
      filter.bridge = value;
    } else if (key == "port") {
      filter.port = value;
    } else if (key == "vlan") {
      config::VlanId vlan = 0;
      const char* end = value.data() + value.size();
      const auto [rest, error] = std::from_chars(value.data(), end, vlan);
      if (error != std::errc() || rest != end) return bad_request("vlan must be a number from 1 to 4094");
      filter.vlan = vlan;
    } else {
      return bad_request(absl::StrCat("unknown filter '", key, "': bridge, vlan and port are known"));
    }
  }
  if (clear) return {200, {{"cleared", runtime_.clear_macs(filter)}}};
  return {200, macs_view(runtime_, filter)};
}

}  // namespace sluice::control
