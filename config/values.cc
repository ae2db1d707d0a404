// SPDX-License-Identifier: BSD-3-Clause
#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr VlanId kMaxVlan = 4094;
constexpr uint64_t kMebibyte = 1 << 20;
constexpr size_t kMaxWordBytes = 32;  // longer ones resemble no word that we know

struct Unit {
  std::string_view name;
  uint64_t factor;
};

bool is_all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

std::optional<uint64_t> to_number(std::string_view digits, int base = 10) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number, base);
  return error == std::errc() && end == digits.end() ? std::optional(number) : std::nullopt;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return quote(node.text);
    case Node::Kind::sequence:
      return node.items.empty() ? "an empty list" : "a list";
    case Node::Kind::mapping:
      return node.entries.empty() ? "an empty mapping" : "a mapping";
  }
  return "";
}

/// `'a', 'b' or 'c'`
std::string list_words(const std::vector<std::string_view>& words) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    list += concat(i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", quote(words[i]));
  }
  return list;
}

/// The edits (insert, delete, replace, swap two neighbours) that lead from `a` to `b`.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::array<std::array<size_t, kMaxWordBytes + 1>, kMaxWordBytes + 1> edits{};
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        edits[i][j] = i + j;
        continue;
      }
      const size_t replace = edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

/// Takes a number and its unit off the front of `text`. \return the index of the unit.
std::optional<size_t> take_quantity(std::string_view& text, const std::vector<Unit>& units, uint64_t& sum) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const size_t end = std::min(text.find_first_of("0123456789", digits), text.size());
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& known) {
    return known.name == text.substr(digits, end - digits);
  });
  // Nine digits of the largest unit (GiB) stay below 2^60.
  const std::optional<uint64_t> count = to_number(text.substr(0, digits));
  if (unit == units.end() || digits > 9 || !count) return std::nullopt;
  sum += *count * unit->factor;
  text.remove_prefix(end);
  return unit - units.begin();
}

}  // namespace

void Value::error(std::string message) const {
  diagnostics.error(node.location, std::move(message));
}

void Value::mismatch(std::string_view expected) const {
  error(concat("'", name, "' must be ", expected, ", not ", describe(node)));
}

std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.empty() || word.size() > kMaxWordBytes) return std::nullopt;
  std::optional<std::string_view> best;
  // A slip is one edit in three letters, three at most, and leaves some letter as it was.
  size_t fewest_edits = 1 + std::min(std::clamp<size_t>(word.size() / 3, 1, 3), word.size() - 1);
  for (const std::string_view candidate : known) {
    if (candidate.size() > kMaxWordBytes) continue;
    const size_t edits = edit_distance(word, candidate);
    if (edits >= fewest_edits) continue;
    fewest_edits = edits;
    best = candidate;
  }
  return best;
}

std::string suggest(std::string_view word, const std::vector<std::string_view>& known,
                    std::string_view instead) {
  if (const auto meant = nearest(word, known)) return concat(": did you mean ", quote(*meant), "?");
  return known.empty() ? "" : concat(": ", instead, " ", list_words(known));
}

std::optional<uint64_t> read_integer(const Value& value, uint64_t min, uint64_t max,
                                     std::string_view otherwise) {
  const std::string expected = concat(otherwise, "a decimal number from ", min, " to ", max);
  const std::string& text = value.node.text;
  if (!value.is_scalar() || !is_all_digits(text)) {
    value.mismatch(expected);
    return std::nullopt;
  }
  if (value.node.quoted) {
    value.error(concat("'", value.name, "' is a number: remove the quotes"));
    return std::nullopt;
  }
  if (text.size() > 1 && text[0] == '0') {
    value.error(concat(quote(text), " could be meant as octal: write the number without leading zeros"));
    return std::nullopt;
  }
  const std::optional<uint64_t> number = to_number(text);
  if (!number || *number < min || *number > max) {
    value.mismatch(expected);
    return std::nullopt;
  }
  return number;
}

std::optional<std::pair<uint64_t, uint64_t>> read_integer_range(const Value& value, uint64_t min,
                                                                uint64_t max) {
  const std::string_view text = value.text();
  const size_t dash = std::min(text.find('-'), text.size());
  const std::string_view first_text = text.substr(0, dash);
  const std::string_view last_text = text.substr(std::min(dash + 1, text.size()));
  if (!is_all_digits(first_text) || !is_all_digits(last_text)) {
    const std::optional<uint64_t> number = read_integer(value, min, max);
    if (!number) return std::nullopt;
    return std::pair(*number, *number);
  }
  const auto read_end = [&](std::string_view end_text) {
    Node end;
    end.kind = Node::Kind::scalar;
    end.location = value.node.location;
    end.text = end_text;
    return read_integer({value.name, end, value.diagnostics}, min, max);
  };
  const std::optional<uint64_t> first = read_end(first_text);
  const std::optional<uint64_t> last = read_end(last_text);
  if (!first || !last) return std::nullopt;
  if (*first > *last) {
    value.error(concat("range ", quote(text), " runs backwards: write ", *last, "-", *first));
    return std::nullopt;
  }
  return std::pair(*first, *last);
}

std::optional<bool> read_boolean(const Value& value) {
  const std::string& text = value.node.text;
  if (value.is_scalar() && !value.node.quoted && (text == "true" || text == "false")) return text == "true";
  value.mismatch("true or false");
  return std::nullopt;
}

std::optional<std::string> read_text(const Value& value) {
  if (!value.is_scalar()) {
    value.mismatch("text");
    return std::nullopt;
  }
  if (value.node.text.empty() || has_control_character(value.node.text)) {
    value.error(concat("'", value.name, "' must be text without control characters, and not empty"));
    return std::nullopt;
  }
  return value.node.text;
}

std::optional<size_t> read_word(const Value& value, const std::vector<std::string_view>& words) {
  const auto found = std::find(words.begin(), words.end(), value.node.text);
  if (value.is_scalar() && found != words.end()) return found - words.begin();
  const auto meant = nearest(value.node.text, words);
  if (value.is_scalar() && meant) {
    value.error(concat("unknown word ", quote(value.node.text), ": did you mean ", quote(*meant), "?"));
  } else {
    value.mismatch(list_words(words));
  }
  return std::nullopt;
}

namespace {

// `2h4m`: in milliseconds, a multiple of `step_ms`. What is wrong is reported.
std::optional<uint64_t> read_time(const Value& value, const std::string& expected, uint64_t step_ms,
                                  uint64_t min_ms, uint64_t max_ms) {
  static const std::vector<Unit> units = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};
  if (value.is_scalar() && is_all_digits(value.node.text)) {
    value.error(concat("'", value.name, "' has no unit: write it like ", quote(value.node.text + "s")));
    return std::nullopt;
  }
  std::string_view rest = value.text();
  uint64_t sum_ms = 0;
  bool is_valid = !rest.empty();
  for (size_t next_unit = 0; is_valid && !rest.empty();) {
    const std::optional<size_t> unit = take_quantity(rest, units, sum_ms);
    is_valid = unit && *unit >= next_unit;  // each unit once, the larger ones first
    if (is_valid) next_unit = *unit + 1;
  }
  if (is_valid && sum_ms % step_ms == 0 && sum_ms >= min_ms && sum_ms <= max_ms) return sum_ms;
  value.mismatch(expected);
  return std::nullopt;
}

}  // namespace

std::optional<uint32_t> read_seconds(const Value& value, uint32_t min_s, uint32_t max_s) {
  const std::string expected = concat("a time in whole seconds from ", min_s, "s to ", max_s, "s");
  const auto time_ms = read_time(value, expected, 1000, uint64_t{min_s} * 1000, uint64_t{max_s} * 1000);
  if (!time_ms) return std::nullopt;
  return static_cast<uint32_t>(*time_ms / 1000);
}

std::optional<uint64_t> read_milliseconds(const Value& value, uint64_t min_ms, uint64_t max_ms) {
  return read_time(value, concat("a time from ", min_ms, "ms to ", max_ms / 1000, "s"), 1, min_ms, max_ms);
}

std::optional<uint32_t> read_per_second(const Value& value, uint32_t min, uint32_t max) {
  std::string_view digits = value.text();
  const bool has_unit = digits.ends_with("/s");
  if (has_unit) digits.remove_suffix(2);
  const bool is_plain = is_all_digits(digits) && (digits.size() == 1 || digits[0] != '0');
  const std::optional<uint64_t> rate = is_plain ? to_number(digits) : std::nullopt;
  if (rate && !has_unit) {
    value.error(concat("'", value.name, "' has no unit: write it like ", quote(concat(digits, "/s"))));
    return std::nullopt;
  }
  if (!rate || *rate < min || *rate > max) {
    value.mismatch(concat("a rate from ", min, "/s to ", max, "/s"));
    return std::nullopt;
  }
  return static_cast<uint32_t>(*rate);
}

std::optional<uint64_t> read_bytes(const Value& value, uint64_t min_bytes, uint64_t max_bytes) {
  static const std::vector<Unit> units = {{"KiB", 1 << 10}, {"MiB", kMebibyte}, {"GiB", 1 << 30}};
  std::string_view rest = value.text();
  uint64_t bytes = 0;
  const bool is_valid = take_quantity(rest, units, bytes) && rest.empty();
  if (!is_valid || bytes < min_bytes || bytes > max_bytes || bytes % kMebibyte != 0) {
    value.mismatch(concat("a size like 512MiB, in whole MiB from ", min_bytes / kMebibyte, "MiB to ",
                          max_bytes / kMebibyte, "MiB"));
    return std::nullopt;
  }
  return bytes;
}

std::optional<MacAddress> read_mac(const Value& value) {
  constexpr std::string_view form = "xx:xx:xx:xx:xx:xx";
  const std::string_view text = value.node.text;
  MacAddress mac{};
  bool is_valid = value.is_scalar() && text.size() == form.size();
  for (size_t i = 0; is_valid && i < form.size(); ++i) {
    is_valid = form[i] == ':' ? text[i] == ':' : absl::ascii_isxdigit(static_cast<unsigned char>(text[i]));
  }
  for (size_t i = 0; is_valid && i < mac.size(); ++i) {
    mac[i] = static_cast<uint8_t>(to_number(text.substr(3 * i, 2), 16).value_or(0));
  }
  if (!is_valid) {
    value.mismatch("a MAC address like \"02:00:00:00:00:07\"");
    return std::nullopt;
  }
  // The group bit is the first on the wire, the lowest of the first octet (IEEE 802-2014 clause 8.2).
  if ((mac[0] & 1) != 0 || mac == MacAddress{}) {
    value.mismatch("the address of one station (first octet even, not all zeros)");
    return std::nullopt;
  }
  return mac;
}

std::optional<VlanId> read_vlan(const Value& value) {
  const std::optional<uint64_t> vlan = read_integer(value, 1, kMaxVlan);
  return vlan ? std::optional(static_cast<VlanId>(*vlan)) : std::nullopt;
}

std::optional<std::vector<VlanId>> read_vlan_list(const Value& value) {
  if (!value.is_list() || value.node.items.empty()) {
    value.mismatch("a list of VLANs like [10, 100-200]");
    return std::nullopt;
  }
  // How many ranges begin at a VLAN, less those that ended before it: linear, however the ranges overlap.
  std::array<int, kMaxVlan + 2> begins{};
  bool is_valid = true;
  for (size_t i = 0; i < value.node.items.size(); ++i) {
    const auto range = read_integer_range(value.item(i), 1, kMaxVlan);
    is_valid = is_valid && range;
    if (!range) continue;
    ++begins[range->first];
    --begins[range->second + 1];
  }
  if (!is_valid) return std::nullopt;
  std::vector<VlanId> vlans;
  int open = 0;
  for (VlanId vlan = 1; vlan <= kMaxVlan; ++vlan) {
    open += begins[vlan];
    if (open > 0) vlans.push_back(vlan);
  }
  return vlans;
}

bool check_name(const Node& name, size_t max_bytes, Diagnostics& diagnostics) {
  const std::string& text = name.text;
  const bool is_word = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
  if (text.empty() || !is_word || !absl::ascii_isalnum(text[0])) {
    diagnostics.error(name.location,
                      concat("name ", quote(text), ": write letters, digits, '-', '_' and '.', ",
                             "a letter or digit first"));
    return false;
  }
  if (text.size() <= max_bytes) return true;
  diagnostics.error(name.location, concat("name ", quote(text), " has ", text.size(),
                                          " characters: write at most ", max_bytes));
  return false;
}

}  // namespace sluice::config
