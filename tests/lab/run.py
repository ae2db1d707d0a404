#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The lab: a real sluice, real kernel hosts, real tools. Run as root.

    tests/lab/run.py --sluice build/control/sluice [--result FILE.json] [WORD …]

A WORD runs only the tests whose name or sentence holds it."""

import argparse
import json
import os
import signal
import sys
import time
import unittest

import lab
from world import World

HERE = os.path.dirname(os.path.abspath(__file__))


class Lines(unittest.TestResult):
    """A line a test, and the list for the result file."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def startTest(self, test):
        super().startTest(test)
        self._began, self._verdict, self._words = time.monotonic(), "", ""

    def addSuccess(self, test):
        super().addSuccess(test)
        self._verdict = "passed"

    def addError(self, test, err):
        super().addError(test, err)
        self._judge("failed", self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._judge("failed", self.failures[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self._judge("failed", self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if self._verdict != "failed":
            self._judge("skipped", reason)

    def _judge(self, verdict, words):
        self._verdict, self._words = verdict, self._words + words

    def stopTest(self, test):
        super().stopTest(test)
        if not self._verdict:
            self._judge("failed", "it did not come to its end")
        seconds = time.monotonic() - self._began
        name = test.id().removeprefix("test_")
        sentence = " ".join((test._testMethodDoc or name).split())
        self.rows.append({"name": name, "sentence": sentence, "result": self._verdict,
                          "seconds": round(seconds, 2), "message": self._words})
        words = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}
        print(f"{words[self._verdict]}  {sentence}  [{name}, {seconds:.1f} s]", flush=True)
        if self._words:
            print("      " + self._words.rstrip().replace("\n", "\n      "), flush=True)

    def sums(self):
        return {verdict: sum(row["result"] == verdict for row in self.rows)
                for verdict in ("passed", "failed", "skipped")}


def interrupt(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def chosen(words):
    """All tests, or those that a word picks."""
    def each(suite):
        for item in suite:
            if isinstance(item, unittest.TestSuite):
                yield from each(item)
            elif not words or any(word in item.id() + (item._testMethodDoc or "") for word in words):
                yield item
    found = unittest.defaultTestLoader.discover(HERE, pattern="test_*.py", top_level_dir=HERE)
    return unittest.TestSuite(each(found))


def play(words):
    result, whole = Lines(), False
    try:
        chosen(words).run(result)
        whole = True
    except KeyboardInterrupt as signal_name:
        print(f"interrupted: {signal_name}", flush=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        World.close_all()
    return result, whole


def main():
    parser = argparse.ArgumentParser(description="the lab tests of sluice")
    parser.add_argument("--sluice", default="build/control/sluice", help="the program under test")
    parser.add_argument("--result", help="where the list of results goes, as JSON")
    parser.add_argument("words", nargs="*", help="only tests whose name or sentence holds one of these")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("the lab makes network namespaces: run it as root")
    if not os.access(options.sluice, os.X_OK):
        sys.exit(f"there is no program {options.sluice}: build it first")
    os.environ.update(LC_ALL="C", NO_COLOR="1", no_proxy="*")
    os.environ.pop("SLUICE_SOCKET", None)
    lab.BINARY = os.path.abspath(options.sluice)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    result, whole = play(options.words)
    sums = result.sums()
    if options.result and whole:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump({**sums, "tests": result.rows}, file, indent=1)
    print("lab: " + ", ".join(f"{count} {verdict}" for verdict, count in sums.items()), flush=True)
    sys.exit(0 if whole and sums["passed"] and not sums["failed"] else 1)


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    main()
