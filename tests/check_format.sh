#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every C++ file is laid out as .clang-format says. To mend: tests/check_format.sh --fix
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

directories=()
for directory in config dataplane control tests bench; do
  [ -d "$directory" ] && directories+=("$directory")
done
mode=(--dry-run -Werror)
[ "${1-}" = --fix ] && mode=(-i)
find "${directories[@]}" \( -name '*.h' -o -name '*.cc' \) -print0 |
  xargs -0 -r -n 20 -P "$(nproc)" clang-format-14 "${mode[@]}"
