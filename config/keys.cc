// SPDX-License-Identifier: BSD-3-Clause
#include "config/keys.h"

#include <algorithm>

#include "config/text.h"

namespace sluice::config {
namespace {

void report_unknown(const Node& key, const std::vector<KeyInfo>& keys, Diagnostics& diagnostics) {
  std::vector<std::string_view> names;
  std::vector<std::string_view> built;
  for (const KeyInfo& known : keys) {
    names.push_back(known.name);
    if (known.is_built) built.push_back(known.name);
  }
  const auto meant = nearest(key.text, names);
  diagnostics.error(key.location, concat("unknown key ", quote(key.text),
                                         suggest(key.text, meant ? names : built, "write")));
}

void check_entry(const Entry& entry, const std::vector<KeyInfo>& keys, Diagnostics& diagnostics) {
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const KeyInfo& known) { return known.name == entry.key.text; });
  if (key == keys.end()) {
    report_unknown(entry.key, keys, diagnostics);
  } else if (!key->is_built) {
    diagnostics.error(entry.key.location, concat("'", key->name, "' is not built yet: remove it"));
  } else if (entry.value.kind == Node::Kind::null && !(key->takes_word_null && !entry.value.text.empty())) {
    diagnostics.error(entry.value.location,
                      concat("'", key->name, "' has no value: write one, or remove it"));
  }
}

}  // namespace

bool check_keys(const Value& value, const std::vector<KeyInfo>& keys) {
  if (!value.is_mapping()) {
    value.mismatch("a mapping of keys to values");
    return false;
  }
  for (const Entry& entry : value.node.entries) check_entry(entry, keys, value.diagnostics);
  return true;
}

void require_key(const Node& mapping, std::string_view key, Location location, std::string_view what,
                 Diagnostics& diagnostics) {
  if (mapping.find(key)) return;
  diagnostics.error(location, concat(what, " has no '", key, "': add it"));
}

}  // namespace sluice::config
