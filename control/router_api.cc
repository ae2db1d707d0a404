// SPDX-License-Identifier: BSD-3-Clause
#include "control/router_api.h"

#include <charconv>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/addresses.h"
#include "control/router_views.h"
#include "control/status.h"

namespace sluice::control {
namespace {

using nlohmann::json;

Response refused(const absl::Status& status) {
  return {400, {{"errors", {std::string(status.message())}}, {"exit", kExitInput}}};
}

absl::Status unknown_filter(const std::string& key, const char* known) {
  return input_error(absl::StrCat("unknown filter '", key, "': ", known));
}

absl::StatusOr<IpAddress> read_address(const std::string& text) {
  const std::optional<config::IpAddress> address = config::parse_address(text);
  if (!address) return input_error(absl::StrCat("'", text, "' is no IP address"));
  return IpAddress::from_config(*address);
}

absl::StatusOr<dataplane::Ip4> read_ipv4(const std::string& text) {
  const absl::StatusOr<IpAddress> address = read_address(text);
  if (!address.ok()) return address.status();
  if (!address->is_ipv4()) return input_error("sessions are IPv4: write an IPv4 address");
  if (address->ip4() == 0) return input_error("no session has 0.0.0.0");
  return address->ip4();
}

absl::StatusOr<uint8_t> read_protocol(const std::string& text) {
  if (text == "tcp") return dataplane::kProtocolTcp;
  if (text == "udp") return dataplane::kProtocolUdp;
  if (text == "icmp") return dataplane::kProtocolIcmp;
  return input_error("protocol must be tcp, udp or icmp");
}

absl::StatusOr<dataplane::SessionFilter> session_filter(const Request& request) {
  dataplane::SessionFilter filter;
  for (const auto& [key, value] : request.query) {
    if (key == "protocol") {
      const absl::StatusOr<uint8_t> protocol = read_protocol(value);
      if (!protocol.ok()) return protocol.status();
      filter.protocol = *protocol;
      continue;
    }
    if (key != "source" && key != "destination")
      return unknown_filter(key, "source, destination and protocol are known");
    const absl::StatusOr<dataplane::Ip4> address = read_ipv4(value);
    if (!address.ok()) return address.status();
    (key == "source" ? filter.source : filter.destination) = *address;
  }
  return filter;
}

absl::StatusOr<NeighborFilter> neighbor_filter(Runtime& runtime, const Request& request) {
  NeighborFilter filter;
  for (const auto& [key, value] : request.query) {
    if (key == "interface") {
      const L3Interface* interface = runtime.router().interfaces().find(value);
      if (interface == nullptr) return input_error(absl::StrCat("there is no interface '", value, "'"));
      filter.interface = interface->index;
    } else if (key == "address") {
      const absl::StatusOr<IpAddress> address = read_address(value);
      if (!address.ok()) return address.status();
      filter.address = *address;
    } else {
      return unknown_filter(key, "interface and address are known");
    }
  }
  return filter;
}

absl::StatusOr<unsigned> family_filter(const Request& request) {
  unsigned family = 0;
  for (const auto& [key, value] : request.query) {
    if (key != "family") return unknown_filter(key, "family is known");
    if (value != "4" && value != "6") return input_error("family must be 4 or 6");
    family = value == "4" ? 4 : 6;
  }
  return family;
}

/// What `ping` asks for: one echo request, or its answer.
struct Ping {
  IpAddress address;
  Router::EchoId id;
  uint16_t size = 0;
};

absl::StatusOr<Ping> read_ping(const Request& request) {
  const json body = json::parse(request.body.empty() ? "{}" : request.body, nullptr, false);
  const auto number = [&](const char* key) -> std::optional<uint16_t> {
    if (!body.contains(key) || !body[key].is_number_unsigned() || body[key] > 65507) return std::nullopt;
    return body[key].get<uint16_t>();
  };
  if (!body.is_object() || !body.contains("address") || !body["address"].is_string())
    return input_error(R"(the body must be {"address": …, "identifier": …, "sequence": …, "size": …})");
  const absl::StatusOr<IpAddress> address = read_address(body["address"].get<std::string>());
  if (!address.ok()) return address.status();
  const auto identifier = number("identifier"), sequence = number("sequence"), size = number("size");
  if (!identifier || !sequence || !size)
    return input_error("identifier, sequence and size must be numbers from 0 to 65507");
  return Ping{*address, {*identifier, *sequence}, *size};
}

Response send_ping(Runtime& runtime, const Request& request) {
  const absl::StatusOr<Ping> ping = read_ping(request);
  if (!ping.ok()) return refused(ping.status());
  const bool sent = runtime.router().ping(ping->address, ping->id, ping->size);
  return {200, {{"sent", sent}}};
}

Response look_for_reply(Runtime& runtime, const Request& request) {
  const absl::StatusOr<Ping> ping = read_ping(request);
  if (!ping.ok()) return refused(ping.status());
  const std::optional<Echo> reply = runtime.router().take_reply(ping->id);
  if (!reply) return {200, {{"answered", false}}};
  return {200,
          {{"answered", true},
           {"from", to_text(reply->source)},
           {"hop-limit", reply->hop_limit},
           {"size", reply->data_length}}};
}

// A view with a filter: what is wrong with the filter, or what it matches.
template <class Filter, class View>
HttpServer::Handler filtered(Filter filter, View view) {
  return [filter, view](const Request& request) {
    const auto wanted = filter(request);
    return wanted.ok() ? Response{200, view(*wanted)} : refused(wanted.status());
  };
}

}  // namespace

void add_router_requests(HttpServer& server, Runtime& runtime) {
  const auto neighbors = [&runtime](const Request& request) { return neighbor_filter(runtime, request); };
  server.on("GET", "/v1/interfaces", [&](const Request&) { return Response{200, interfaces_view(runtime)}; });
  server.on("GET", "/v1/nat", [&](const Request&) { return Response{200, nat_view(runtime)}; });
  server.on("GET", "/v1/routes",
            filtered(family_filter, [&](unsigned family) { return routes_view(runtime, family); }));
  server.on("GET", "/v1/neighbors",
            filtered(neighbors, [&](const auto& filter) { return neighbors_view(runtime, filter); }));
  server.on("GET", "/v1/sessions",
            filtered(session_filter, [&](const auto& filter) { return sessions_view(runtime, filter); }));
  server.on("DELETE", "/v1/neighbors", filtered(neighbors, [&](const auto& filter) {
              return json{{"cleared", runtime.router().neighbors().clear(filter)}};
            }));
  server.on("DELETE", "/v1/sessions", filtered(session_filter, [&](const auto& filter) {
              return json{{"cleared", runtime.clear_sessions(filter)}};
            }));
  server.on("POST", "/v1/ping", [&](const Request& request) { return send_ping(runtime, request); });
  server.on("POST", "/v1/ping/reply",
            [&](const Request& request) { return look_for_reply(runtime, request); });
}

}  // namespace sluice::control
