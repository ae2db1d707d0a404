#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes docs/walk.md: one HTTP request through the home gateway, every packet explained.

    tests/walk.py SLUICE            writes the page
    tests/walk.py SLUICE --check    ends with 1 if the page says anything else

The packets are those of docs/walk/scenario.yaml; the words are those of `sluice test docs/walk --explain`."""

import argparse
import difflib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/walk.md"
HEAD = """# One HTTP request, packet by packet

A laptop behind the [home gateway](../config/examples/home-gateway.yaml) fetches a page from a web server on the
internet, as `./demo.sh` shows it with real hosts:

```
laptop 192.168.10.10 ──[ switch "home", VLAN 10 ]──[ router 192.168.10.1 | NAT 203.0.113.2 ]── wan ── 198.51.100.80:80
```

Read a packet from top to bottom: each line is a stage that it passes, what the stage looked up, what it found, and
which line of the configuration said so. Words for newcomers: *ARP* asks which MAC address, the address on the cable, an
IP address has; *SYN*, *SYN ACK*, *ACK* open a TCP connection, *FIN* ends it; *TTL* counts the routers that a packet may
still cross; a *session* is what NAT remembers of a connection, so that answers find their way back.

This page is written by `tests/walk.py` from [the packets](walk/scenario.yaml), with the words of
`sluice test docs/walk --explain`. To see the same of your own traffic: `sluice explain FILE.yaml --in PORT=FILE.pcap`.
"""


def page(output):
    """The page, from what `sluice test` printed: `-- STEP` before the stories of each step."""
    lines = output.splitlines()
    if not lines or lines[0] != "ok    docs/walk":
        sys.exit(f"the walk does not hold:\n{output}")
    steps = "\n".join(lines[1:]).split("\n-- ")
    steps[0] = steps[0].removeprefix("-- ")
    steps[-1] = steps[-1].rpartition("\n1 hold")[0]
    out = [HEAD]
    for number, step in enumerate(steps, 1):
        name, _, stories = step.partition("\n")
        out.append(f"## {number}. {name}\n\n```\n{stories.strip()}\n```\n")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sluice", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    done = subprocess.run([options.sluice.resolve(), "test", "docs/walk", "--explain"], cwd=ROOT, check=False,
                          capture_output=True, text=True)
    text = page(done.stdout)
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
        return
    now = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    difference = list(difflib.unified_diff(now.splitlines(), text.splitlines(), "docs/walk.md", "as it is", lineterm=""))
    if difference:
        sys.exit("\n".join(difference[:40]) + "\ndocs/walk.md is not what is: run tests/walk.py SLUICE")


if __name__ == "__main__":
    main()
