// SPDX-License-Identifier: BSD-3-Clause
//
// Layer 3 and NAT over the socket: the requests behind `show interfaces|routes|neighbors|nat|sessions`,
// `clear neighbors|sessions` and `ping`. docs/json.md lists them.
//
// Thread safety: the control thread alone.
#pragma once

#include "control/http_server.h"
#include "control/runtime.h"

namespace sluice::control {

/// Both must outlive the server.
void add_router_requests(HttpServer& server, Runtime& runtime);

}  // namespace sluice::control
