// SPDX-License-Identifier: BSD-3-Clause
//
// HTTP over a unix socket, on libevent: a table of handlers by method and path, JSON out.
//
// Thread safety: the control thread alone; handlers run in its event loop.
// Owner:         Daemon.
#pragma once

#include <event2/event.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "config/config.h"

struct evhttp;
struct evhttp_request;

namespace sluice::control {

struct Request {
  std::map<std::string, std::string> query;  ///< decoded; of a repeated key the last value
  std::string body;
};

struct Response {
  int code = 200;  ///< HTTP status (RFC 9110 clause 15)
  nlohmann::json body;
};

class HttpServer {
 public:
  using Handler = std::function<Response(const Request&)>;

  explicit HttpServer(event_base* base);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// `method`: "GET", "POST", "DELETE"; `path` matches whole.
  void on(const std::string& method, const std::string& path, Handler handler);

  /// Makes the socket, with its directory, group and mode, and serves it from now on. A socket file that
  /// nobody listens to is replaced. Error: somebody does listen there, or it cannot be made.
  absl::Status listen(const config::Control& control);

 private:
  static void serve(evhttp_request* request, void* self);
  Response answer(evhttp_request* request) const;

  evhttp* http_;
  std::map<std::string, std::map<std::string, Handler>> handlers_;  ///< by path, then method
  std::string socket_;
};

}  // namespace sluice::control
