// SPDX-License-Identifier: BSD-3-Clause
#include "control/scenario_look.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Frames = std::vector<const std::vector<uint8_t>*>;
using Findings = std::vector<std::string>;

constexpr size_t kRowsShown = 20;

// ---- packets

std::string shown(const std::vector<uint8_t>& frame) {
  return absl::StrCat("\n  ", PacketLine::of(frame).text());
}

void report_difference(const std::string& what, const PacketPattern& expected,
                       const std::vector<uint8_t>& frame, Findings& findings) {
  findings.push_back(absl::StrCat(what, ":\n  ", absl::StrJoin(expected.differences(frame), "\n  "),
                                  "\n  expected:\n    ", expected.text(), "\n  left:\n    ",
                                  PacketLine::of(frame).text()));
}

void compare_in_order(const std::string& port, const std::vector<PacketPattern>& expected, const Frames& left,
                      Findings& findings) {
  for (size_t i = 0; i < std::max(expected.size(), left.size()); ++i) {
    const std::string what = absl::StrCat(port, ": frame ", i + 1);
    if (i >= left.size()) {
      findings.push_back(absl::StrCat(what, " was expected, and did not leave:\n  ", expected[i].text()));
    } else if (i >= expected.size()) {
      findings.push_back(absl::StrCat(what, " left, and was not expected:", shown(*left[i])));
    } else if (!expected[i].differences(*left[i]).empty()) {
      report_difference(absl::StrCat(what, " is not as expected"), expected[i], *left[i], findings);
    }
  }
}

// The frame that is most like it.
Frames::iterator nearest(const PacketPattern& expected, Frames& left) {
  return std::min_element(left.begin(), left.end(), [&](const auto* one, const auto* other) {
    return expected.differences(*one).size() < expected.differences(*other).size();
  });
}

void compare_in_any_order(const std::string& port, const std::vector<PacketPattern>& expected, Frames left,
                          Findings& findings) {
  std::vector<const PacketPattern*> missing;
  for (const PacketPattern& pattern : expected) {
    const auto found = std::find_if(left.begin(), left.end(),
                                    [&](const auto* frame) { return pattern.differences(*frame).empty(); });
    if (found == left.end()) {
      missing.push_back(&pattern);
    } else {
      left.erase(found);
    }
  }
  for (const PacketPattern* pattern : missing) {
    const auto like = nearest(*pattern, left);
    if (like == left.end()) {
      findings.push_back(
          absl::StrCat(port, ": a frame was expected, and did not leave:\n  ", pattern->text()));
    } else {
      report_difference(absl::StrCat(port, ": no frame is as expected; the nearest"), *pattern, **like,
                        findings);
      left.erase(like);
    }
  }
  for (const auto* frame : left)
    findings.push_back(absl::StrCat(port, ": a frame left, and was not expected:", shown(*frame)));
}

std::vector<PacketPattern> all_of(const std::vector<SentPacket>& sent) {
  std::vector<PacketPattern> packets;
  for (const SentPacket& packet : sent) packets.push_back(packet.packet);
  return packets;
}

// ---- numbers

uint64_t number_in(const json& document, const std::string& key) {
  return document.value(key, uint64_t{0});
}

void compare_number(const std::string& what, uint64_t expected, uint64_t found, Findings& findings) {
  if (expected != found) findings.push_back(absl::StrCat(what, ": expected ", expected, ", found ", found));
}

// ---- rows

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool matches(const config::Node& expected, const json& found) {
  switch (expected.kind) {
    case config::Node::Kind::null:
      return found.is_null();
    case config::Node::Kind::scalar:
      return !found.is_structured() && text_of(found) == expected.text;
    case config::Node::Kind::sequence:
      return found.is_array() &&
             std::equal(expected.items.begin(), expected.items.end(), found.begin(), found.end(), matches);
    case config::Node::Kind::mapping:
      return found.is_object() &&
             std::all_of(expected.entries.begin(), expected.entries.end(), [&](const config::Entry& entry) {
               const auto value = found.find(entry.key.text);
               return value != found.end() && matches(entry.value, *value);
             });
  }
  return false;
}

std::string text_of(const config::Node& node) {
  std::vector<std::string> parts;
  for (const config::Node& item : node.items) parts.push_back(text_of(item));
  for (const config::Entry& entry : node.entries)
    parts.push_back(absl::StrCat(entry.key.text, ": ", text_of(entry.value)));
  if (node.kind == config::Node::Kind::sequence) return absl::StrCat("[", absl::StrJoin(parts, ", "), "]");
  if (node.kind == config::Node::Kind::mapping) return absl::StrCat("{ ", absl::StrJoin(parts, ", "), " }");
  return node.kind == config::Node::Kind::null ? "null" : node.text;
}

std::string all_rows(const std::vector<json>& rows) {
  if (rows.empty()) return "\n  there are none";
  std::string text = "\n  there are:";
  for (size_t i = 0; i < std::min(rows.size(), kRowsShown); ++i)
    absl::StrAppend(&text, "\n    ", rows[i].dump());
  if (rows.size() > kRowsShown) absl::StrAppend(&text, "\n    and ", rows.size() - kRowsShown, " more");
  return text;
}

void compare_exactly(const std::string& table, const std::vector<config::Node>& expected,
                     const std::vector<json>& rows, Findings& findings) {
  std::vector<json> left = rows;
  for (const config::Node& row : expected) {
    const auto found =
        std::find_if(left.begin(), left.end(), [&](const json& one) { return matches(row, one); });
    if (found == left.end()) {
      findings.push_back(absl::StrCat(table, ": no row is ", text_of(row), all_rows(rows)));
    } else {
      left.erase(found);
    }
  }
  for (const json& row : left)
    findings.push_back(absl::StrCat(table, ": a row was not expected: ", row.dump()));
}

}  // namespace

void compare_packets(const Expectation& expected, const std::vector<SentPacket>& sent,
                     const std::vector<ScenarioRun::Left>& left, Findings& findings) {
  if (expected.any) return;
  std::map<std::string, Frames> by_port;
  for (const auto& [port, packets] : expected.ports) by_port[port];
  for (const ScenarioRun::Left& frame : left) by_port[frame.port].push_back(&frame.frame);
  for (const auto& [port, frames] : by_port) {
    const auto said = expected.ports.find(port);
    const ExpectedPackets wanted = said == expected.ports.end() ? ExpectedPackets{} : said->second;
    if (wanted.any_order) {
      compare_in_any_order(port, wanted.packets, frames, findings);
    } else {
      compare_in_order(port, wanted.same ? all_of(sent) : wanted.packets, frames, findings);
    }
  }
}

void compare_drops(const std::map<std::string, uint64_t>& expected, const json& before, const json& now,
                   Findings& findings) {
  std::set<std::string> reasons;
  for (const auto& [reason, number] : expected) reasons.insert(reason);
  for (const auto& [reason, number] : now["drops"].items()) reasons.insert(reason);
  for (const std::string& reason : reasons) {
    const auto wanted = expected.find(reason);
    compare_number(absl::StrCat("drops: ", reason), wanted == expected.end() ? 0 : wanted->second,
                   number_in(now["drops"], reason) - number_in(before["drops"], reason), findings);
  }
}

void compare_counters(const ExpectedCounters& expected, const json& before, const json& now,
                      Findings& findings) {
  for (const auto& [name, number] : expected.all) {
    const uint64_t base = name == "held" ? 0 : number_in(before, name);
    compare_number(absl::StrCat("counters: ", name), number, number_in(now, name) - base, findings);
  }
  static const json kNone = json::object();
  const auto port_in = [](const json& document, const std::string& port) -> const json& {
    const auto found = document["ports"].find(port);
    return found == document["ports"].end() ? kNone : *found;
  };
  for (const auto& [port, numbers] : expected.ports) {
    for (const auto& [name, number] : numbers)
      compare_number(absl::StrCat("counters: ", port, " ", name), number,
                     number_in(port_in(now, port), name) - number_in(port_in(before, port), name), findings);
  }
}

void compare_rows(const std::string& table, const ExpectedRows& expected, const json& rows,
                  Findings& findings) {
  const std::vector<json> all(rows.begin(), rows.end());
  const auto has = [&](const config::Node& row) {
    return std::any_of(all.begin(), all.end(), [&](const json& one) { return matches(row, one); });
  };
  if (expected.exactly) compare_exactly(table, *expected.exactly, all, findings);
  for (const config::Node& row : expected.contains) {
    if (!has(row)) findings.push_back(absl::StrCat(table, ": no row is ", text_of(row), all_rows(all)));
  }
  for (const config::Node& row : expected.lacks) {
    if (has(row)) findings.push_back(absl::StrCat(table, ": there is a row ", text_of(row), all_rows(all)));
  }
  if (expected.count && *expected.count != all.size())
    findings.push_back(
        absl::StrCat(table, ": expected ", *expected.count, " rows, found ", all.size(), all_rows(all)));
}

}  // namespace sluice::control
