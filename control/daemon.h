// SPDX-License-Identifier: BSD-3-Clause
//
// The running sluice: the control thread's event loop around a Runtime, with its API, its signals and its
// timers.
//
// Thread safety: the control thread alone.
// Owner:         the `run` command.
#pragma once

#include <event2/event.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "control/http_server.h"
#include "control/runtime.h"

namespace sluice::control {

class Daemon {
 public:
  /// `file`: as given on the command line; `text`: what it held, which `config` was read from.
  Daemon(Runtime& runtime, std::string file, std::string text);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// The socket is this one, whatever the file says, now and after every reload.
  void use_socket(const std::string& socket) { socket_ = socket; }

  /// Takes the socket: who asks from now on waits for serve(). Error: it cannot be had.
  absl::Status listen(const config::Control& control) { return server_->listen(control); }

  /// Serves until SIGTERM or SIGINT. REQUIRES: the runtime has started, listen() was called.
  void serve();

 private:
  /// What came of a reload: empty errors mean that it is in force.
  struct Outcome {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
    std::vector<std::string> changes;
    int exit = 0;
    void refuse(const absl::Status& status);
  };
  struct Candidate {
    std::string text;
    config::Config config;
  };

  void add_routes();
  void add_signal(int signal, event_callback_fn handler);
  /// A member function as one of libevent's callbacks.
  template <void (Daemon::*Handler)()>
  static void call(evutil_socket_t, short, void* self) {
    (static_cast<Daemon*>(self)->*Handler)();
  }
  void watch_router();
  void serve_router();
  void reload_own_file();
  void terminate();
  std::optional<Candidate> consider(const std::string& path, const std::string& name, Outcome& outcome);
  Outcome reload(const std::string& path, const std::string& name);
  Response handle_reload(const Request& request, bool only_compare);
  Response handle_macs(const Request& request, bool clear);

  Runtime& runtime_;
  std::string file_;
  std::string text_;
  std::optional<std::string> socket_;
  event_base* base_;
  std::unique_ptr<HttpServer> server_;
  std::vector<event*> events_;
  event* router_timer_ = nullptr;  ///< one of `events_`
};

/// Keeps SIGHUP, SIGTERM and SIGINT until Daemon::serve() can answer them. Before any other thread is
/// started.
void hold_signals();

enum class Readable {
  anything,      ///< pipes too, as long as they last
  regular_only,  ///< for the control thread, which must not wait for a writer
};

/// The whole of a file of 16 MiB at most. Error: input_error, it cannot be read.
absl::StatusOr<std::string> read_file(const std::string& path, Readable readable);

}  // namespace sluice::control
