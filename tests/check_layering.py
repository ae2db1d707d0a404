#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Who may include what: config knows no DPDK, dataplane knows neither configuration nor logs, control knows both.

    tests/check_layering.py          checks the tree, after it has shown on planted mistakes that it finds them
"""

import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

STANDARD = r"[a-z_]+"  # <vector>: a header of C++ has no extension
SYSTEM = r"(sys|net|netinet|arpa|linux)/[a-z_]+\.h|(unistd|fcntl|pthread|sched|time|poll|immintrin|grp|pwd)\.h"

# What the files of a directory may include. First the files that a line is about, then what they may name.
ALLOWED = {
    "config": [("", STANDARD), ("", r"absl/.+"), ("", r"config/.+"), (r"yaml_tree\.cc", r"yaml-cpp/.+"),
               (r"addresses\.cc", r"arpa/inet\.h")],
    "dataplane": [("", r"(?!iostream|fstream|sstream|ostream|regex|filesystem|format)" + STANDARD), ("", SYSTEM),
                  ("", r"rte_.+\.h"), ("", r"absl/base/.+"), ("", r"dataplane/.+")],
    "control": [("", r"(?!tests/|bench/).+")],
}

# Files with a mistake each, and one without.
PLANTED = {
    "config/bad1.cc": "#include <rte_mbuf.h>\n",
    "config/bad2.cc": '#include "dataplane/batch.h"\n',
    "config/bad3.cc": "#include <yaml-cpp/yaml.h>\n",
    "config/bad4.h": '#include "control/log.h"\n',
    "dataplane/bad1.cc": '#include "config/config.h"\n',
    "dataplane/bad2.cc": '#include "control/runtime.h"\n',
    "dataplane/bad3.h": "#include <spdlog/spdlog.h>\n",
    "dataplane/bad4.cc": "  #  include <iostream>\n",
    "dataplane/bad5.cc": '#include "absl/strings/str_cat.h"\n',
    "dataplane/deep/bad6.cc": "#include <yaml-cpp/yaml.h>\n",
    "control/bad1.cc": '#include "tests/support/frame.h"\n',
}
GOOD = {
    "config/yaml_tree.cc": '#include <yaml-cpp/parser.h>\n#include <vector>\n#include "absl/status/status.h"\n',
    "dataplane/good.cc": '#include <rte_mbuf.h>\n#include <sys/epoll.h>\n#include "dataplane/batch.h"\n',
    "control/good.cc": '#include <spdlog/logger.h>\n#include "config/config.h"\n#include "dataplane/batch.h"\n',
}


def may_include(directory, file_name, header):
    return any((not file or re.fullmatch(file, file_name)) and re.fullmatch(headers, header)
               for file, headers in ALLOWED[directory])


def mistakes(root):
    """Lines `FILE:LINE: …`, one for each forbidden include below `root`."""
    for directory in ALLOWED:
        for path in sorted((root / directory).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                found = INCLUDE.match(line)
                if found and not may_include(directory, path.name, found.group(2)):
                    yield f"{path.relative_to(root)}:{number}: {directory} must not include {found.group(2)}"


def finds_planted_mistakes():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in {**PLANTED, **GOOD}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="ascii")
        return sorted(line.split(":")[0] for line in mistakes(root)) == sorted(PLANTED)


def main():
    if not finds_planted_mistakes():
        sys.exit("check_layering does not find the mistakes that it planted, or finds others")
    if not all((ROOT / directory).is_dir() for directory in ALLOWED):
        sys.exit("a directory of the layering is missing")
    found = list(mistakes(ROOT))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
