// SPDX-License-Identifier: BSD-3-Clause
//
// scenario.yaml, read: every mistake is reported at its place.
#include <filesystem>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "config/diagnostics.h"
#include "config/keys.h"
#include "config/text.h"
#include "config/values.h"
#include "control/capture_file.h"
#include "control/daemon.h"
#include "control/scenario.h"
#include "dataplane/drop_reasons.h"
#include "dataplane/worker.h"

namespace sluice::control {
namespace {

using config::concat;
using config::Diagnostic;
using config::Diagnostics;
using config::Entry;
using config::Key;
using config::Node;
using config::quote;
using config::Value;

constexpr uint64_t kMostTimes = 100'000;
constexpr uint64_t kLongest_ms = 1'000'000'000;
constexpr std::string_view kCounters[] = {"received", "transmitted", "generated", "consumed", "held"};
constexpr std::string_view kPortCounters[] = {"received", "transmitted"};

/// A scenario while it is read.
struct Draft {
  Scenario scenario;
  std::vector<std::string> errors;                                  ///< of other files, whole lines
  std::set<std::string> ports;                                      ///< of all configurations
  std::vector<std::pair<config::Location, std::string>> port_uses;  ///< that are to be among them
};

struct StepDraft {
  Draft& scenario;
  ScenarioStep step;
  unsigned actions = 0;
};

struct PacketDraft {
  const Draft& scenario;
  std::vector<PacketPattern> packets;
  uint64_t times = 1;
};

std::string path_of(const Draft& draft, std::string_view name) {
  return (std::filesystem::path(draft.scenario.folder) / name).lexically_normal().string();
}

// ---- configurations

// Where its mistakes go to is up to the caller: a reload may be meant to have some.
std::optional<config::Config> read_config(const Value& value, const Draft& draft,
                                          std::vector<std::string>& errors) {
  config::ParseResult parsed;
  std::string file = draft.scenario.file;
  if (value.is_scalar()) {
    file = path_of(draft, value.text());
    const absl::StatusOr<std::string> text = read_file(file, Readable::anything);
    if (!text.ok()) {
      value.error(std::string(text.status().message()));
      return std::nullopt;
    }
    parsed = config::parse(*text, file);
  } else {
    parsed = config::parse(value.node, file);
  }
  for (const Diagnostic& found : parsed.diagnostics) {
    if (found.severity == Diagnostic::Severity::error) errors.push_back(config::to_string(found, file));
  }
  return std::move(parsed.config);
}

void remember_ports(const std::optional<config::Config>& config, Draft& draft) {
  if (!config) return;
  for (const config::Port& port : config->ports) draft.ports.insert(port.name);
}

std::string read_port(const Node& name, Draft& draft) {
  draft.port_uses.emplace_back(name.location, name.text);
  return name.text;
}

// ---- packets

void add_packet(const Value& value, absl::StatusOr<PacketPattern> packet, PacketDraft& draft) {
  if (packet.ok()) {
    draft.packets.push_back(*std::move(packet));
  } else {
    value.error(std::string(packet.status().message()));
  }
}

void add_capture(const Value& value, PacketDraft& draft) {
  absl::StatusOr<CaptureReader> reader = CaptureReader::open(path_of(draft.scenario, value.text()));
  if (!reader.ok()) return value.error(std::string(reader.status().message()));
  while (true) {
    const auto frame = reader->next();
    if (!frame.ok()) return value.error(std::string(frame.status().message()));
    if (!*frame) return;
    draft.packets.push_back(PacketPattern::from_frame((*frame)->octets));
  }
}

constexpr Key<PacketDraft> kPacketKeys[] = {
    {"line", "a packet as a line",
     [](const Value& value, PacketDraft& draft) {
       add_packet(value, PacketPattern::from_line(value.text()), draft);
     }},
    {"hex", "octets, '?' for any four bits",
     [](const Value& value, PacketDraft& draft) {
       add_packet(value, PacketPattern::from_hex(value.text()), draft);
     }},
    {"capture", "all frames of a pcap or pcapng", add_capture},
    {"times", "how often",
     [](const Value& value, PacketDraft& draft) {
       config::store(config::read_integer(value, 1, kMostTimes), draft.times);
     }},
};

void read_packet(const Value& value, const Draft& scenario, std::vector<PacketPattern>& packets) {
  PacketDraft draft{scenario, {}};
  if (value.is_scalar()) {
    add_packet(value, PacketPattern::from_line(value.text()), draft);
  } else if (config::decode_keys(value, kPacketKeys, draft) && draft.packets.empty() &&
             value.node.find("capture") == nullptr && !value.diagnostics.has_errors()) {
    value.error("a packet is one of line, hex and capture");
  }
  for (uint64_t time = 0; time < draft.times; ++time)
    packets.insert(packets.end(), draft.packets.begin(), draft.packets.end());
}

std::vector<PacketPattern> read_packets(const Value& value, const Draft& scenario) {
  std::vector<PacketPattern> packets;
  if (!value.is_list()) {
    read_packet(value, scenario, packets);
    return packets;
  }
  for (size_t i = 0; i < value.node.items.size(); ++i) read_packet(value.item(i), scenario, packets);
  return packets;
}

void decode_send(const Value& value, StepDraft& draft) {
  ++draft.actions;
  if (!value.is_mapping()) return value.mismatch("a mapping like { lan1: \"eth … / ipv4 …\" }");
  for (const Entry& entry : value.node.entries) {
    const std::string port = read_port(entry.key, draft.scenario);
    const Value packets{"send", entry.value, value.diagnostics};
    for (PacketPattern& packet : read_packets(packets, draft.scenario)) {
      if (!packet.is_exact()) {
        packets.error(concat("what is sent has no fields left open: ", packet.text()));
      } else {
        draft.step.send.push_back({port, std::move(packet)});
      }
    }
  }
}

// ---- what is expected

ExpectedPackets read_expected(const Value& value, const Draft& scenario) {
  ExpectedPackets expected;
  if (value.text() == "same") {
    expected.same = true;
    return expected;
  }
  const Node* any_order = value.node.find("any-order");
  if (any_order != nullptr && value.node.entries.size() > 1)
    value.error("'any-order' stands alone, for all packets of the port");
  expected.any_order = any_order != nullptr;
  expected.packets = read_packets(
      any_order == nullptr ? value : Value{"any-order", *any_order, value.diagnostics}, scenario);
  return expected;
}

void decode_expect(const Value& value, StepDraft& draft) {
  Expectation& expect = draft.step.expect.emplace();
  expect.any = value.text() == "any";
  if (expect.any) return;
  if (!value.is_mapping())
    return value.mismatch("'any', or a mapping like { lan1: \"eth … / ipv4 …\" }, {} for nothing");
  for (const Entry& entry : value.node.entries) {
    const std::string port = read_port(entry.key, draft.scenario);
    expect.ports[port] = read_expected({"expect", entry.value, value.diagnostics}, draft.scenario);
  }
}

template <size_t n>
std::vector<std::string_view> words(const std::string_view (&known)[n]) {
  return {std::begin(known), std::end(known)};
}

std::vector<std::string> reason_names() {
  std::vector<std::string> names;
  for (const std::string_view name : dataplane::kDropNames) {
    names.emplace_back(name);
    std::replace(names.back().begin(), names.back().end(), '_', '-');
  }
  return names;
}

// { WORD: NUMBER, … } with words that are known.
std::map<std::string, uint64_t> read_numbers(const Value& value, const std::vector<std::string_view>& known) {
  std::map<std::string, uint64_t> numbers;
  if (!value.is_mapping()) {
    value.mismatch("a mapping of names to numbers");
    return numbers;
  }
  for (const Entry& entry : value.node.entries) {
    const std::string& name = entry.key.text;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      value.diagnostics.error(entry.key.location, concat("'", value.name, "' has no ", quote(name),
                                                         config::suggest(name, known, "it is one of")));
    }
    const auto number = config::read_integer({name, entry.value, value.diagnostics}, 0, UINT64_MAX / 2);
    if (number) numbers[name] = *number;
  }
  return numbers;
}

void decode_drops(const Value& value, StepDraft& draft) {
  static const std::vector<std::string> names = reason_names();
  draft.step.drops = read_numbers(value, {names.begin(), names.end()});
}

void decode_counters(const Value& value, StepDraft& draft) {
  ExpectedCounters& counters = draft.step.counters.emplace();
  if (!value.is_mapping()) return value.mismatch("a mapping of names to numbers");
  Node own = value.node;
  std::erase_if(own.entries, [](const Entry& entry) { return entry.value.kind == Node::Kind::mapping; });
  counters.all = read_numbers({"counters", own, value.diagnostics}, words(kCounters));
  for (const Entry& entry : value.node.entries) {
    if (entry.value.kind != Node::Kind::mapping) continue;
    const std::string port = read_port(entry.key, draft.scenario);
    counters.ports[port] = read_numbers({port, entry.value, value.diagnostics}, words(kPortCounters));
  }
}

// The keys of the rows of docs/json.md: one that is misspelt would match no row, and `lacks` would always
// hold.
std::vector<std::string_view> columns(std::string_view table) {
  if (table == "macs") return {"age", "bridge", "mac", "port", "static", "vlan"};
  if (table == "neighbors") return {"address", "age", "held", "interface", "mac", "state", "static"};
  if (table == "routes") return {"origin", "to", "type", "via"};
  if (table == "interfaces") return {"addresses", "bridge", "mac", "mtu", "name", "port", "vlan"};
  if (table == "sessions")
    return {"destination",       "expires", "protocol", "rule", "source", "state", "translated-destination",
            "translated-source", "worker"};
  if (table == "ports")
    return {"bridge",
            "device",
            "drops",
            "link",
            "mac",
            "mtu",
            "name",
            "received",
            "received-bytes",
            "transmitted",
            "transmitted-bytes",
            "rx-queues",
            "tx-queues"};
  return {};  // not said in advance
}

struct RowsDraft {
  std::string_view table;
  ExpectedRows& rows;
};

std::vector<Node> read_rows(const Value& value, std::string_view table) {
  if (!value.is_list()) value.mismatch("a list of rows like { mac: \"02:00:00:00:00:0a\", port: lan1 }");
  const std::vector<std::string_view> known = columns(table);
  for (const Node& row : value.node.items) {
    if (row.kind != Node::Kind::mapping)
      value.diagnostics.error(row.location, "a row is a mapping of the keys that matter to their values");
    for (const Entry& entry : row.entries) {
      const std::string& key = entry.key.text;
      if (known.empty() || std::find(known.begin(), known.end(), key) != known.end()) continue;
      value.diagnostics.error(entry.key.location, concat("rows of 'show ", table, "' have no ", quote(key),
                                                         config::suggest(key, known, "they have")));
    }
  }
  return value.node.items;
}

constexpr Key<RowsDraft> kRowKeys[] = {
    {"contains", "rows that there are",
     [](const Value& value, RowsDraft& draft) { draft.rows.contains = read_rows(value, draft.table); }},
    {"lacks", "rows that there are not",
     [](const Value& value, RowsDraft& draft) { draft.rows.lacks = read_rows(value, draft.table); }},
    {"count", "how many there are",
     [](const Value& value, RowsDraft& draft) {
       draft.rows.count = config::read_integer(value, 0, UINT32_MAX);
     }},
};

void decode_show(const Value& value, StepDraft& draft) {
  if (!value.is_mapping()) return value.mismatch("a mapping of tables to rows");
  for (const Entry& entry : value.node.entries) {
    const std::vector<std::string_view> known = words(kShownTables);
    if (!config::read_word({"show", entry.key, value.diagnostics}, known)) continue;
    ExpectedRows& rows = draft.step.show[entry.key.text];
    const Value what{entry.key.text, entry.value, value.diagnostics};
    if (what.is_list()) {
      rows.exactly = read_rows(what, entry.key.text);
    } else {
      RowsDraft rows_draft{entry.key.text, rows};
      config::decode_keys(what, kRowKeys, rows_draft);
    }
  }
}

// ---- steps

void decode_time(const Value& value, StepDraft& draft) {
  ++draft.actions;
  config::store(config::read_milliseconds(value, 1, kLongest_ms), draft.step.time_ms);
}

void decode_reload(const Value& value, StepDraft& draft) {
  ++draft.actions;
  draft.step.reload = read_config(value, draft.scenario, draft.step.reload_errors);
  remember_ports(draft.step.reload, draft.scenario);
}

void decode_clear(const Value& value, StepDraft& draft) {
  ++draft.actions;
  const auto table = config::read_word(value, {"macs", "neighbors", "sessions"});
  if (table) draft.step.clear = static_cast<ScenarioStep::Clear>(*table + 1);
}

constexpr Key<StepDraft> kStepKeys[] = {
    {"name", "what it shows",
     [](const Value& value, StepDraft& draft) { config::store(config::read_text(value), draft.step.name); }},
    {"send", "packets that arrive", decode_send},
    {"time", "that goes on", decode_time},
    {"reload", "a configuration", decode_reload},
    {"refused", "why the reload is refused",
     [](const Value& value, StepDraft& draft) { draft.step.refused = config::read_text(value); }},
    {"clear", "a table", decode_clear},
    {"expect", "what left since the last time", decode_expect},
    {"drops", "in this step, by reason", decode_drops},
    {"counters", "in this step", decode_counters},
    {"show", "rows of tables", decode_show},
};

void check_step(const Value& value, StepDraft& draft) {
  const ScenarioStep& step = draft.step;
  if (draft.actions > 1) value.error("a step does one thing: send, time, reload or clear; write two steps");
  const bool reloads = value.node.find("reload") != nullptr;
  if (step.refused && !reloads) value.error("'refused' stands beside 'reload'");
  if (!step.refused)
    draft.scenario.errors.insert(draft.scenario.errors.end(), step.reload_errors.begin(),
                                 step.reload_errors.end());
  if (!step.expect || !step.send.empty()) return;
  for (const auto& [port, expected] : step.expect->ports) {
    if (expected.same) value.error("'same' is what the step sends, and it sends nothing");
  }
}

void decode_steps(const Value& value, Draft& draft) {
  if (!value.is_list()) return value.mismatch("a list of steps");
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const Value item{"a step", value.node.items[i], value.diagnostics};
    StepDraft step{draft, {}};
    step.step.location = item.node.location;
    if (!config::decode_keys(item, kStepKeys, step)) continue;
    check_step(item, step);
    draft.scenario.steps.push_back(std::move(step.step));
  }
}

void decode_config(const Value& value, Draft& draft) {
  std::optional<config::Config> config = read_config(value, draft, draft.errors);
  remember_ports(config, draft);
  if (config) draft.scenario.config = *std::move(config);
}

constexpr Key<Draft> kKeys[] = {
    {"config", "the configuration, or the name of its file", decode_config},
    {"workers", "stepped in turn",
     [](const Value& value, Draft& draft) {
       config::store(config::read_integer(value, 1, dataplane::kMaxWorkers), draft.scenario.workers);
     }},
    {"seed", "of every key and choice",
     [](const Value& value, Draft& draft) {
       config::store(config::read_integer(value, 0, UINT64_MAX / 2), draft.scenario.seed);
     }},
    {"settle", "time before the first step",
     [](const Value& value, Draft& draft) {
       config::store(config::read_milliseconds(value, 0, kLongest_ms), draft.scenario.settle_ms);
     }},
    {"steps", "what happens, in order", decode_steps},
};

void decode(std::string_view text, Draft& draft, Diagnostics& diagnostics) {
  if (!config::check_text(text, diagnostics)) return;
  const std::optional<Node> root = config::read_yaml(text, diagnostics);
  if (!root) return;
  if (!config::decode_keys({"the scenario", *root, diagnostics}, kKeys, draft)) return;
  for (const std::string_view key : {"config", "steps"})
    config::require_key(*root, key, {}, "the scenario", diagnostics);
  if (draft.ports.empty()) return;  // the configuration's mistakes come first
  const std::vector<std::string_view> known(draft.ports.begin(), draft.ports.end());
  for (const auto& [location, port] : draft.port_uses) {
    if (draft.ports.contains(port)) continue;
    diagnostics.error(location, concat("there is no port ", quote(port),
                                       config::suggest(port, known, "the configuration has")));
  }
}

}  // namespace

std::optional<Scenario> read_scenario(const std::string& folder, std::vector<std::string>& errors) {
  Draft draft;
  draft.scenario.folder = folder;
  draft.scenario.file = (std::filesystem::path(folder) / "scenario.yaml").string();
  const absl::StatusOr<std::string> text = read_file(draft.scenario.file, Readable::anything);
  if (!text.ok()) {
    errors.emplace_back(text.status().message());
    return std::nullopt;
  }
  Diagnostics diagnostics;
  try {
    decode(*text, draft, diagnostics);
  } catch (const config::TooManyErrors&) {  // the list says so itself
  } catch (const std::exception& error) {
    diagnostics.error({}, concat("the file cannot be read: ", error.what()));
  }
  for (const Diagnostic& found : diagnostics.take())
    errors.push_back(config::to_string(found, draft.scenario.file));
  errors.insert(errors.end(), draft.errors.begin(), draft.errors.end());
  if (!errors.empty()) return std::nullopt;
  return std::move(draft.scenario);
}

}  // namespace sluice::control
