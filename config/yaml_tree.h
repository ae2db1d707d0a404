// SPDX-License-Identifier: BSD-3-Clause
//
// A YAML document as a small tree of its own, stricter than YAML: one document, no duplicate keys, no tags,
// no merge keys. Aliases are copies, within a budget.
//
// Thread safety: none needed; a Node is plain data and owns what is below it.
// Invariants:    every key of a mapping is a non-null scalar and unique in it; the tree is at most 32 deep,
//                so that whoever walks it may recurse, and has at most a million nodes.
// Owner:         parse().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"

namespace sluice::config {

struct Entry;

struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  Location location;        ///< null: that of its key or list; what an alias stands for: where it is written
  std::string text;         ///< scalar: its value; null: "null" where it is spelled so, else empty
  bool quoted = false;      ///< scalar: a string whatever it looks like
  std::vector<Node> items;  ///< sequence
  std::vector<Entry> entries;  ///< mapping, in the order of the file

  /// \return the value of `key` in a mapping; nullptr if it has none, or this is no mapping.
  const Node* find(std::string_view key) const;
};

struct Entry {
  Node key;
  Node value;
};

/// \return the document, null if the text holds none; nothing if an error in `diagnostics` left no tree.
std::optional<Node> read_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace sluice::config
