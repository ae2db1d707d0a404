// SPDX-License-Identifier: BSD-3-Clause
//
// The views of layer 3 and NAT as tables for people.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/tables.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

std::string number(const json& value) {
  return absl::StrCat(value.get<uint64_t>());
}

// "1 route", "2 routes"
std::string count(uint64_t number, const char* what) {
  return absl::StrCat(number, " ", what, number == 1 ? "" : "s");
}

std::string texts(const json& list) {
  return absl::StrJoin(list.get<Row>(), " ");
}

std::string via(const json& route) {
  Row hops;
  for (const json& hop : route["via"]) {
    const std::string interface = hop["interface"];
    const bool weighted = route["via"].size() > 1 && hop["weight"] != 1;
    if (!hop.contains("address")) {
      hops.push_back(interface);
    } else {
      hops.push_back(absl::StrCat(hop["address"].get<std::string>(), " on ", interface,
                                  weighted ? absl::StrCat(" weight ", number(hop["weight"])) : ""));
    }
  }
  return hops.empty() ? "-" : absl::StrJoin(hops, ", ");
}

}  // namespace

std::string interfaces_table(const json& view) {
  std::vector<Row> rows;
  for (const json& entry : view["interfaces"]) {
    const std::string where =
        entry.contains("port")
            ? absl::StrCat("port ", entry["port"].get<std::string>())
            : absl::StrCat("bridge ", entry["bridge"].get<std::string>(), " vlan ", number(entry["vlan"]));
    rows.push_back({entry["name"], where, entry["mac"], number(entry["mtu"]), texts(entry["addresses"])});
  }
  return table({"interface", "on", "mac", "mtu", "addresses"}, rows);
}

std::string routes_table(const json& view) {
  std::vector<Row> rows;
  for (const json& route : view["routes"])
    rows.push_back({route["to"], route["type"], via(route), route["origin"]});
  return table({"to", "type", "via", "origin"}, rows) +
         absl::StrCat(count(rows.size(), "route"), ", room for ", number(view["capacity"]), "\n");
}

std::string neighbors_table(const json& view) {
  std::vector<Row> rows;
  for (const json& entry : view["neighbors"]) {
    const std::string mac = entry["mac"].is_null() ? "-" : entry["mac"].get<std::string>();
    const std::string age = entry["static"] ? "-" : absl::StrCat(number(entry["age"]), "s");
    rows.push_back({entry["address"], mac, entry["interface"], entry["state"], age, number(entry["held"])});
  }
  return table({"address", "mac", "interface", "state", "age", "held"}, rows) +
         absl::StrCat(count(rows.size(), "neighbor"), ", room for ", number(view["capacity"]), "\n");
}

std::string nat_table(const json& view) {
  std::vector<Row> rows;
  for (const json& rule : view["rules"]) {
    const json& address = rule.contains("address") ? rule["address"] : json("-");
    rows.push_back({rule["name"], rule["interface"], rule.contains("source") ? texts(rule["source"]) : "-",
                    address.is_array() ? texts(address) : address.get<std::string>(),
                    absl::StrCat(rule.value("port-forward", json::array()).size()),
                    absl::StrCat(rule.value("static", json::array()).size()), number(rule["sessions"])});
  }
  return table({"rule", "interface", "source", "address", "port-forwards", "static", "sessions"}, rows) +
         absl::StrCat(count(view["sessions"].get<uint64_t>(), "session"), ", room for ",
                      number(view["capacity"]), "; ", number(view["opened"]), " opened and ",
                      number(view["ended"]), " ended since the start\n");
}

std::string sessions_table(const json& view) {
  std::vector<Row> rows;
  for (const json& entry : view["sessions"]) {
    rows.push_back({entry["protocol"], entry["source"], entry["destination"], entry["translated-source"],
                    entry["translated-destination"], entry["state"],
                    absl::StrCat(number(entry["expires"]), "s"), entry["rule"]});
  }
  return table({"protocol", "source", "destination", "becomes source", "becomes destination", "state",
                "expires", "rule"},
               rows) +
         absl::StrCat(count(rows.size(), "session"), ", room for ", number(view["capacity"]), "\n");
}

}  // namespace sluice::control
