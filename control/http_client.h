// SPDX-License-Identifier: BSD-3-Clause
//
// One HTTP request over a unix socket, from `sluice show` and the like to the running sluice. libevent's
// client speaks only TCP, so this is HTTP/1.0 by hand: a request, an answer, the end of the stream.
//
// Thread safety: none needed; every call has its own connection.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace sluice::control {

struct Answer {
  int code = 0;  ///< HTTP status
  nlohmann::json body;
};

class HttpClient {
 public:
  explicit HttpClient(std::string socket) : socket_(std::move(socket)) {}

  /// Whether anybody listens.
  [[nodiscard]] bool reachable() const;

  /// Error: no_daemon_error when nobody answers, or not in HTTP and JSON.
  [[nodiscard]] absl::StatusOr<Answer> request(const std::string& method, const std::string& target,
                                               const std::string& body = "") const;

 private:
  std::string socket_;
};

/// For a query string: everything but letters, digits and -_.~ as %XX (RFC 3986 clause 2.1).
std::string url_encode(const std::string& text);

}  // namespace sluice::control
