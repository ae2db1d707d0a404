// SPDX-License-Identifier: BSD-3-Clause
#include "control/daemon.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "config/parse.h"
#include "control/config_json.h"
#include "control/log.h"
#include "control/router_api.h"
#include "control/status.h"
#include "control/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr timeval kEverySecond = {1, 0};
constexpr size_t kMaxFile = 16 << 20;  // as much as the parser takes

// A member function as one of libevent's callbacks.
template <void (Runtime::*Work)()>
void timer(evutil_socket_t, short, void* runtime) {
  (static_cast<Runtime*>(runtime)->*Work)();
}

sigset_t served_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, signal);
  return set;
}

void unblock_signals() {
  const sigset_t set = served_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

template <class Items>
bool has(const Items& items, const std::string& name) {
  return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
}

Response bad_request(const std::string& sentence) {
  return {400, {{"errors", {sentence}}, {"exit", kExitInput}}};
}

}  // namespace

absl::StatusOr<std::string> read_file(const std::string& path, Readable readable) {
  const auto refuse = [&](absl::string_view why) {
    return input_error(absl::StrCat(path, ":1:1: error: ", why));
  };
  // Non-blocking, so that a pipe that nobody writes to does not stop the caller in open().
  const int fd =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | (readable == Readable::regular_only ? O_NONBLOCK : 0));
  if (fd < 0) return refuse(absl::StrCat("cannot be read: ", std::strerror(errno)));
  const absl::Cleanup closing = [fd] { close(fd); };
  struct stat status {};
  fstat(fd, &status);
  if (S_ISDIR(status.st_mode)) return refuse("is a directory");
  if (readable == Readable::regular_only && !S_ISREG(status.st_mode)) return refuse("is not a regular file");
  std::string text;
  char chunk[65536];
  while (text.size() <= kMaxFile) {
    const ssize_t size = ::read(fd, chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return refuse(absl::StrCat("cannot be read: ", std::strerror(errno)));
    if (size == 0) return text;
    text.append(chunk, static_cast<size_t>(size));
  }
  return refuse("is larger than 16 MiB");
}

void hold_signals() {
  const sigset_t set = served_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
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
  add_router_requests(*server_, runtime_);
  server_->on("GET", "/v1/macs", [this](const Request& request) { return handle_macs(request, false); });
  server_->on("DELETE", "/v1/macs", [this](const Request& request) { return handle_macs(request, true); });
  server_->on("POST", "/v1/reload", [this](const Request& request) { return handle_reload(request, false); });
  server_->on("POST", "/v1/diff", [this](const Request& request) { return handle_reload(request, true); });
}

void Daemon::serve() {
  add_signal(SIGHUP, &call<&Daemon::reload_own_file>);
  add_signal(SIGTERM, &call<&Daemon::terminate>);
  add_signal(SIGINT, &call<&Daemon::terminate>);
  for (auto work :
       {&timer<&Runtime::age_macs>, &timer<&Runtime::watch_links>, &timer<&Runtime::wake_workers>}) {
    events_.push_back(event_new(base_, -1, EV_PERSIST, work, &runtime_));
    event_add(events_.back(), &kEverySecond);
  }
  watch_router();
  unblock_signals();  // those that came during the start are served now
  log_info(absl::StrCat(file_, " is in force; ask with: sluice show ports --socket ",
                        runtime_.config().control.socket));
  sd_notify(0, "READY=1");
  event_base_dispatch(base_);
  sd_notify(0, "STOPPING=1");
}

void Daemon::add_signal(int signal, event_callback_fn handler) {
  events_.push_back(evsignal_new(base_, signal, handler, this));
  event_add(events_.back(), nullptr);
}

// Woken by workers, by what falls due, and by the next request: it may have given the router work.
void Daemon::watch_router() {
  events_.push_back(
      event_new(base_, runtime_.control_fd(), EV_READ | EV_PERSIST, &call<&Daemon::serve_router>, this));
  event_add(events_.back(), nullptr);
  router_timer_ = event_new(base_, -1, 0, &call<&Daemon::serve_router>, this);
  events_.push_back(router_timer_);
  serve_router();
}

void Daemon::serve_router() {
  uint64_t wakes;
  [[maybe_unused]] const ssize_t result = ::read(runtime_.control_fd(), &wakes, sizeof wakes);
  runtime_.serve_router();
  constexpr uint64_t kSecond_ns = 1'000'000'000, kMicrosecond_ns = 1000;
  // Once a second in any case: what a request began is due then at the latest.
  const uint64_t wait_ns = std::min(runtime_.ns_until_due().value_or(kSecond_ns), kSecond_ns);
  const timeval wait = {static_cast<time_t>(wait_ns / kSecond_ns),
                        static_cast<suseconds_t>(wait_ns % kSecond_ns / kMicrosecond_ns)};
  event_add(router_timer_, &wait);
}

void Daemon::terminate() {
  log_info("stopping");
  event_base_loopbreak(base_);
}

void Daemon::reload_own_file() {
  sd_notify(0, "RELOADING=1");
  reload(file_, file_);
  sd_notify(0, "READY=1");
}

void Daemon::Outcome::refuse(const absl::Status& status) {
  errors.emplace_back(status.message());
  exit = exit_code(status);
}

// The configuration that `path` holds, if it can come into force.
std::optional<Daemon::Candidate> Daemon::consider(const std::string& path, const std::string& name,
                                                  Outcome& outcome) {
  const absl::StatusOr<std::string> text = read_file(path, Readable::regular_only);
  if (!text.ok()) {
    outcome.refuse(input_error(absl::StrCat(text.status().message(), " (by the running sluice)")));
    return std::nullopt;
  }
  config::ParseResult parsed = config::parse(*text, name);
  for (const config::Diagnostic& found : parsed.diagnostics) {
    const bool error = found.severity == config::Diagnostic::Severity::error;
    (error ? outcome.errors : outcome.warnings).push_back(config::to_string(found, name));
  }
  outcome.exit = parsed.config ? kExitDone : kExitInput;
  if (!parsed.config) return std::nullopt;
  if (socket_) parsed.config->control.socket = *socket_;
  if (absl::Status status = runtime_.acceptable(*parsed.config); !status.ok()) {
    outcome.refuse(status);
    return std::nullopt;
  }
  outcome.changes = runtime_.difference(*parsed.config);
  return Candidate{*text, *std::move(parsed.config)};
}

Daemon::Outcome Daemon::reload(const std::string& path, const std::string& name) {
  Outcome outcome;
  if (const std::optional<Candidate> candidate = consider(path, name, outcome)) {
    if (absl::Status status = runtime_.apply(candidate->config); !status.ok()) {
      outcome.refuse(status);
    } else {
      file_ = path;  // from now on SIGHUP applies this one again
      text_ = candidate->text;
    }
  }
  for (const std::string& warning : outcome.warnings) log_warning(warning);
  for (const std::string& error : outcome.errors) log_error(absl::StrCat("reload refused: ", error));
  if (outcome.errors.empty())
    log_info(absl::StrCat("reload of ", path, ": ", outcome.changes.size(),
                          outcome.changes.size() == 1 ? " change" : " changes"));
  return outcome;
}

Response Daemon::handle_reload(const Request& request, bool only_compare) {
  const json body = json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  if (!body.is_object()) return bad_request("the body must be a JSON object: {\"file\": PATH}");
  const bool texts =
      std::all_of(body.begin(), body.end(), [](const json& value) { return value.is_string(); });
  if (!texts) return bad_request("file and name must be strings");
  const std::string path = body.value("file", file_);
  const std::string name = body.value("name", path);
  Outcome outcome;
  if (only_compare) {
    consider(path, name, outcome);
  } else {
    outcome = reload(path, name);
  }
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
      if (!has(runtime_.config().bridges, value))
        return bad_request(absl::StrCat("there is no bridge '", value, "'"));
      filter.bridge = value;
    } else if (key == "port") {
      if (!has(runtime_.config().ports, value))
        return bad_request(absl::StrCat("there is no port '", value, "'"));
      filter.port = value;
    } else if (key == "vlan") {
      config::VlanId vlan = 0;
      const char* end = value.data() + value.size();
      const auto [rest, error] = std::from_chars(value.data(), end, vlan);
      if (error != std::errc() || rest != end || vlan < 1 || vlan > 4094)
        return bad_request("vlan must be a number from 1 to 4094");
      filter.vlan = vlan;
    } else {
      return bad_request(absl::StrCat("unknown filter '", key, "': bridge, vlan and port are known"));
    }
  }
  if (clear) return {200, {{"cleared", runtime_.clear_macs(filter)}}};
  return {200, macs_view(runtime_, filter)};
}

}  // namespace sluice::control
