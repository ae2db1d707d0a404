// SPDX-License-Identifier: BSD-3-Clause
//
// A section of the language is a table of its keys; what is allowed, what is unknown and what is not built
// yet all follow from it.
//
// Thread safety: the tables are constant.
#pragma once

#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/values.h"
#include "config/yaml_tree.h"

namespace sluice::config {

/// What every key has, whatever it decodes into.
struct KeyInfo {
  std::string_view name;
  std::string_view about;  ///< one line for a person
  bool is_built = false;
  /// Whether the bare word `null` is a value of this key like any other, as it is of `device`.
  bool takes_word_null = false;
};

template <class Section>
struct Key {
  std::string_view name;
  std::string_view about;
  void (*decode)(const Value&, Section&) = nullptr;  ///< none: the language has the key, we do not yet
  bool takes_word_null = false;

  KeyInfo info() const { return {name, about, decode != nullptr, takes_word_null}; }
};

/// Reports all of `value` that is not in `keys`, is not built or has no value.
/// \return whether `value` is a mapping at all.
bool check_keys(const Value& value, const std::vector<KeyInfo>& keys);

/// Reports the lack of `key`, at `location`.
void require_key(const Node& mapping, std::string_view key, Location location, std::string_view what,
                 Diagnostics& diagnostics);

/// Decodes in the order of the table, not of the file: a table may name first what its later keys refer to.
template <class Section, size_t n>
bool decode_keys(const Value& value, const Key<Section> (&keys)[n], Section& section) {
  std::vector<KeyInfo> infos;
  for (const Key<Section>& key : keys) infos.push_back(key.info());
  if (!check_keys(value, infos)) return false;
  for (const Key<Section>& key : keys) {
    const Node* node = key.decode ? value.node.find(key.name) : nullptr;
    const bool has_value =
        node && (node->kind != Node::Kind::null || (key.takes_word_null && !node->text.empty()));
    if (has_value) key.decode({key.name, *node, value.diagnostics}, section);
  }
  return true;
}

}  // namespace sluice::config
