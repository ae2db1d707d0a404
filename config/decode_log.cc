// SPDX-License-Identifier: BSD-3-Clause
#include "config/decode.h"
#include "config/keys.h"

namespace sluice::config {
namespace {

void decode_level(const Value& value, Log& log) {
  constexpr Log::Level meanings[] = {Log::Level::debug, Log::Level::info, Log::Level::warning,
                                     Log::Level::error};
  if (const auto word = read_word(value, {"debug", "info", "warning", "error"})) log.level = meanings[*word];
}

void decode_target(const Value& value, Log& log) {
  const std::string& text = value.node.text;
  const std::vector<std::string_view> words = {"stderr", "journal"};
  if (text.find('/') != std::string::npos) {
    log.target = Log::Target::file;
    store(read_text(value), log.file);
  } else if (value.is_scalar() && nearest(text, words)) {
    log.target =
        read_word(value, words).value_or(0) == 0 ? Log::Target::standard_error : Log::Target::journal;
  } else {
    value.mismatch("stderr, journal or the path of a file, with a '/'");
  }
}

constexpr Key<Log> kKeys[] = {
    {"level", "the least that is logged: debug, info, warning or error", decode_level},
    {"target", "stderr, journal, or the path of a file", decode_target},
};

}  // namespace

void decode_log(const Value& value, Config& config) {
  decode_keys(value, kKeys, config.log);
}

}  // namespace sluice::config
