// SPDX-License-Identifier: BSD-3-Clause
#include "control/tables.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

std::string number(const json& value) {
  return absl::StrCat(value.get<int64_t>());
}

bool is_number(const std::string& text) {
  // Addresses begin with a digit, too.
  return !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text.front())) &&
         text.find_first_of(":/") == std::string::npos && std::count(text.begin(), text.end(), '.') < 2;
}

void append_row(std::string& out, const Row& row, const std::vector<size_t>& widths, const Row& first) {
  for (size_t column = 0; column < row.size(); ++column) {
    const bool right = column < first.size() && is_number(first[column]);
    const int width = static_cast<int>(widths[column]);
    absl::StrAppend(&out, column == 0 ? "" : "  ",
                    absl::StrFormat("%*s", right ? width : -width, row[column]));
  }
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

uint64_t sum(const json& counts) {
  uint64_t total = 0;
  for (const json& count : counts) total += count.get<uint64_t>();
  return total;
}

// The last line of every table of counters: an operator should never have to wonder.
std::string balance(const json& view) {
  return absl::StrCat("generated ", number(view["generated"]), ", consumed ", number(view["consumed"]),
                      ", held ", number(view["held"]), ", unaccounted ", number(view["unaccounted"]), "\n");
}

}  // namespace

std::string table(const Row& heading, const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const std::string& name : heading) widths.push_back(name.size());
  for (const Row& row : rows) {
    for (size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  }
  const Row none, &first = rows.empty() ? none : rows.front();
  std::string out;
  append_row(out, heading, widths, first);
  for (const Row& row : rows) append_row(out, row, widths, first);
  return out;
}

std::string ports_table(const json& view) {
  std::vector<Row> rows;
  for (const auto& [name, port] : view["ports"].items()) {
    rows.push_back({name, port["device"], port["link"],
                    port["bridge"].get<std::string>().empty() ? "-" : port["bridge"], port["mac"],
                    number(port["mtu"]), number(port["received"]), number(port["transmitted"]),
                    absl::StrCat(sum(port["drops"]))});
  }
  return table({"port", "device", "link", "bridge", "mac", "mtu", "received", "transmitted", "dropped"},
               rows) +
         balance(view);
}

std::string replay_table(const json& view) {
  std::vector<Row> rows;
  for (const auto& [name, port] : view["ports"].items()) {
    rows.push_back(
        {name, number(port["received"]), number(port["transmitted"]), absl::StrCat(sum(port["drops"]))});
  }
  std::string out = table({"port", "received", "transmitted", "dropped"}, rows);
  for (const auto& [reason, count] : view["drops"].items())
    absl::StrAppend(&out, reason, " ", number(count), "\n");
  return out + balance(view) +
         absl::StrCat(number(view["sessions"]), " sessions, ", number(view["macs"]), " learned addresses\n");
}

std::string drops_table(const json& view) {
  std::vector<Row> rows;
  for (const auto& [port, drops] : view["ports"].items()) {
    for (const auto& [reason, count] : drops.items()) {
      rows.push_back({port, reason, number(count), view["reasons"][reason]});
    }
  }
  if (rows.empty()) return "nothing was dropped\n" + balance(view);
  return table({"port", "reason", "packets", "because"}, rows) + balance(view);
}

std::string macs_table(const json& view) {
  std::vector<Row> rows;
  for (const json& entry : view["macs"]) {
    const std::string age = entry["static"] ? "static" : absl::StrCat(number(entry["age"]), "s");
    rows.push_back({entry["bridge"], number(entry["vlan"]), entry["mac"], entry["port"], age});
  }
  return table({"bridge", "vlan", "mac", "port", "age"}, rows) +
         absl::StrCat(number(view["dynamic"]), " learned, room for ", number(view["capacity"]), "\n");
}

std::string workers_table(const json& view) {
  std::vector<Row> rows;
  for (const json& worker : view["workers"]) {
    Row queues;
    for (const json& queue : worker["queues"]) {
      queues.push_back(absl::StrCat(queue["port"].get<std::string>(), "/", number(queue["queue"])));
    }
    Row stages;
    for (const auto& [name, stage] : worker["stages"].items()) {
      const auto cycles = stage["cycles-per-packet"].get<double>();
      if (cycles > 0) stages.push_back(absl::StrFormat("%s %.0f", name, cycles));
    }
    rows.push_back({number(worker["worker"]), number(worker["core"]), worker["answers"] ? "yes" : "no",
                    absl::StrFormat("%.1f%%", 100 * worker["busy"].get<double>()), number(worker["packets"]),
                    absl::StrFormat("%.1f", worker["packets-per-sweep"].get<double>()),
                    absl::StrJoin(queues, " "), absl::StrJoin(stages, ", ")});
  }
  return table({"worker", "core", "answers", "busy", "packets", "a sweep", "queues", "cycles a packet"},
               rows) +
         absl::StrCat("packet buffers: ", number(view["mbufs"]["in-use"]), " of ",
                      number(view["mbufs"]["total"]), " in use; unaccounted ", number(view["unaccounted"]),
                      "\n");
}

std::string config_text(const json& view) {
  return view["text"];
}

}  // namespace sluice::control
