// SPDX-License-Identifier: BSD-3-Clause
//
// Scalars of the language: numbers, times, sizes, addresses, words. Each reader gives what it read; or it
// gives nothing and has reported what is wrong and what to write instead.
//
// Thread safety: pure functions, but for the diagnostics that a Value carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/diagnostics.h"
#include "config/yaml_tree.h"

namespace sluice::config {

/// What stands behind one key, or as one item of its list.
struct Value {
  std::string_view name;  ///< the key
  const Node& node;
  Diagnostics& diagnostics;

  void error(std::string message) const;
  /// `'mtu' must be EXPECTED, not 'abc'`
  void mismatch(std::string_view expected) const;
  Value item(size_t index) const { return {name, node.items[index], diagnostics}; }
  /// Empty for all but scalars.
  std::string_view text() const { return is_scalar() ? std::string_view(node.text) : std::string_view(); }
  bool is_scalar() const { return node.kind == Node::Kind::scalar; }
  bool is_list() const { return node.kind == Node::Kind::sequence; }
  bool is_mapping() const { return node.kind == Node::Kind::mapping; }
};

/// \return the word of `known` that was most likely meant by `word`, if any is near.
std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known);

/// \return `: did you mean 'known'?`, or, where nothing is near, `: INSTEAD 'a', 'b' or 'c'`.
std::string suggest(std::string_view word, const std::vector<std::string_view>& known,
                    std::string_view instead);

/// `otherwise` is what the message says may stand there beside a number, "auto or " say.
std::optional<uint64_t> read_integer(const Value& value, uint64_t min, uint64_t max,
                                     std::string_view otherwise = "");
/// `5000-5009`, or one number.
std::optional<std::pair<uint64_t, uint64_t>> read_integer_range(const Value& value, uint64_t min,
                                                                uint64_t max);
std::optional<bool> read_boolean(const Value& value);
/// At least one byte, no control characters.
std::optional<std::string> read_text(const Value& value);
/// An index into `words`.
std::optional<size_t> read_word(const Value& value, const std::vector<std::string_view>& words);
/// `10s`, `5m`, `2h4m`: hours, minutes, seconds and milliseconds, in that order; whole seconds in all.
std::optional<uint32_t> read_seconds(const Value& value, uint32_t min_s, uint32_t max_s);
/// The same, to the millisecond.
std::optional<uint64_t> read_milliseconds(const Value& value, uint64_t min_ms, uint64_t max_ms);
/// `1000/s`
std::optional<uint32_t> read_per_second(const Value& value, uint32_t min, uint32_t max);
/// `512MiB`: KiB, MiB or GiB. Whole MiB within the bounds.
std::optional<uint64_t> read_bytes(const Value& value, uint64_t min_bytes, uint64_t max_bytes);
/// The address of one station: neither a group nor zero.
std::optional<MacAddress> read_mac(const Value& value);
std::optional<VlanId> read_vlan(const Value& value);
/// `[10, 100-200]`, sorted and unique.
std::optional<std::vector<VlanId>> read_vlan_list(const Value& value);
/// Whether `name`, the key of an entry, may name a port or a bridge; if not, that is reported.
bool check_name(const Node& name, size_t max_bytes, Diagnostics& diagnostics);

/// Stores what was read, if anything was.
template <class Read, class Target>
void store(const std::optional<Read>& read, Target& target) {
  using To = std::conditional_t<std::is_arithmetic_v<Read> && std::is_arithmetic_v<Target>, Target, Read>;
  if (read) target = static_cast<To>(*read);
}

}  // namespace sluice::config
