// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "config/decode.h"
#include "config/keys.h"
#include "config/text.h"

namespace sluice::config {
namespace {

constexpr size_t kMaxSocketPath = 107;  // sun_path of unix(7), less the final zero

void decode_path(const Value& value, Control& control) {
  const std::optional<std::string> path = read_text(value);
  if (path && path->size() > kMaxSocketPath) {
    value.error(concat("a socket's path has at most ", kMaxSocketPath, " bytes, this one has ", path->size(),
                       ": write a shorter one"));
  }
  store(path, control.socket);
}

void decode_group(const Value& value, Control& control) {
  store(read_text(value), control.socket_group);
}

void decode_mode(const Value& value, Control& control) {
  const std::string& text = value.node.text;
  const bool is_octal = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  const bool is_mode = is_octal && (text.size() == 3 || (text.size() == 4 && text[0] == '0'));
  if (!value.is_scalar() || !value.node.quoted || !is_mode) {
    value.mismatch("permissions as octal digits in double quotes, like \"0660\"");
    return;
  }
  control.socket_mode = 0;
  for (const char digit : text)
    control.socket_mode = control.socket_mode * 8 + static_cast<uint32_t>(digit - '0');
}

constexpr Key<Control> kSocketKeys[] = {
    {"path", "where the socket is", decode_path},
    {"group", "the group that owns it", decode_group},
    {"mode", "its permissions, octal and quoted", decode_mode},
};

void decode_socket(const Value& value, Control& control) {
  if (value.is_scalar()) return decode_path(value, control);
  if (!value.is_mapping()) return value.mismatch("a path, or a mapping of path, group and mode");
  decode_keys(value, kSocketKeys, control);
}

constexpr Key<Control> kKeys[] = {
    {"socket", "a path, or path, group and mode", decode_socket},
    {"http", "the address of metrics, health and the live page"},
    {"api", "the gRPC API and its certificates"},
};

}  // namespace

void decode_control(const Value& value, Config& config) {
  decode_keys(value, kKeys, config.control);
}

}  // namespace sluice::config
