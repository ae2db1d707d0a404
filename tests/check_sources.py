#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every source file says its licence in its first lines and has 600 lines at most."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_LINES = 600
LICENCE = "SPDX-License-Identifier: BSD-3-Clause"
SOURCES = (".h", ".cc", ".py", ".sh", ".supp")
NAMES = ("meson.build", "meson_options.txt", "run")


def sources():
    for directory, subdirectories, files in os.walk(ROOT):
        here = pathlib.Path(directory)
        subdirectories[:] = sorted(name for name in subdirectories
                                   if name not in (".git", "__pycache__") and not name.startswith("build")
                                   and not (here / name / "meson-private").exists())
        yield from (here / name for name in sorted(files) if name.endswith(SOURCES) or name in NAMES)
    yield from sorted((ROOT / "config" / "examples").glob("*.yaml"))


def mistakes(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    name = path.relative_to(ROOT)
    if not any(LICENCE in line for line in lines[:2]):
        yield f"{name}:1: does not begin with {LICENCE}"
    if len(lines) > MOST_LINES and path.suffix != ".yaml":
        yield f"{name}:{MOST_LINES}: has {len(lines)} lines, {MOST_LINES} at most"


def main():
    paths = list(sources())
    if len(paths) < 10:
        sys.exit("check_sources sees no sources")
    found = [line for path in paths for line in mistakes(path)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
