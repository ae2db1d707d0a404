// SPDX-License-Identifier: BSD-3-Clause
#include "control/load.h"

#include <iostream>

#include "config/parse.h"
#include "control/daemon.h"
#include "control/status.h"

namespace sluice::control {

absl::StatusOr<Loaded> load(const std::string& file) {
  absl::StatusOr<std::string> text = read_file(file, Readable::anything);
  if (!text.ok()) {
    std::cerr << text.status().message() << '\n';
    return text.status();
  }
  config::ParseResult parsed = config::parse(*text, file);
  for (const config::Diagnostic& found : parsed.diagnostics)
    std::cerr << config::to_string(found, file) << '\n';
  if (!parsed.config) return input_error("");
  return Loaded{*std::move(text), *std::move(parsed.config)};
}

}  // namespace sluice::control
