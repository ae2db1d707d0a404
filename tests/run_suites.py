#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the googletest suites that a build directory knows, and counts their tests.

    tests/run_suites.py BUILD --tally FILE [--label WORD] [--only SUITE …] [--targets]

Appends a line `LABEL/SUITE PASSED FAILED SKIPPED` to FILE for each suite. One that crashes, hangs or leaves no result
counts as one failed test more. --targets prints what ninja has to build instead."""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

LOG_OCTETS = 20000  # of a suite that failed
PATIENCE = 4  # times meson's own timeout: sanitizers are slow


def suites(build, only):
    """Those of the build directory, or those that were asked for, which then must exist."""
    output = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True, text=True, check=True)
    found = {test["name"]: test for test in json.loads(output.stdout)}
    missing = set(only) - set(found)
    if missing or not found:
        sys.exit(f"{build} has no test suite {' '.join(sorted(missing))}")
    return [found[name] for name in only or found]


def counts(path):
    """Passed, failed, skipped of a result file of googletest."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    passed = failed = skipped = 0
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("failures"):
                failed += 1
            elif test["status"] == "RUN" and test.get("result") == "COMPLETED":
                passed += 1
            else:
                skipped += 1
    return passed, failed, skipped


def run(test, directory):
    """Passed, failed, skipped of one suite; and why, if it did not come to its end."""
    result = os.path.join(directory, test["name"] + ".json")
    command = [*test["cmd"], f"--gtest_output=json:{result}", "--gtest_brief=1"]
    try:
        with open(os.path.join(directory, test["name"] + ".log"), "w", encoding="utf-8") as log:
            code = subprocess.run(command, env={**os.environ, **test["env"]}, cwd=test["workdir"] or directory,
                                  timeout=test["timeout"] * PATIENCE, check=False, stdout=log,
                                  stderr=subprocess.STDOUT).returncode
        passed, failed, skipped = counts(result)
    except subprocess.TimeoutExpired:
        return 0, 1, 0, "did not end"
    except (OSError, ValueError, KeyError) as error:
        return 0, 1, 0, f"left no result: {error}"
    if passed + failed + skipped == 0:
        return 0, 1, 0, "has no tests"
    if code != 0 and failed == 0:
        return passed, 1, skipped, f"ended with {code} though no test failed"
    return passed, failed, skipped, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--tally")
    parser.add_argument("--label", default="unit")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--targets", action="store_true")
    options = parser.parse_args()
    chosen = suites(options.build, options.only)
    if options.targets:
        print(*(os.path.relpath(test["cmd"][0], options.build) for test in chosen))
        return
    whole = True

    def timed(test):
        began = time.monotonic()
        return test, run(test, directory), time.monotonic() - began

    # As many at once as there are cores, the long ones first.
    chosen.sort(key=lambda test: -test["timeout"])
    with (tempfile.TemporaryDirectory() as directory, open(options.tally, "a", encoding="ascii") as tally,
          concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool):
        for done in concurrent.futures.as_completed([pool.submit(timed, test) for test in chosen]):
            test, (passed, failed, skipped, words), seconds = done.result()
            name, whole = f"{options.label}/{test['name']}", whole and failed == 0
            tally.write(f"{name} {passed} {failed} {skipped}\n")
            print(f"{'PASS' if failed == 0 else 'FAIL'}  {name}: {passed} passed, {failed} failed, {skipped} skipped"
                  f"{': ' if words else ''}{words}  [{seconds:.1f} s]", flush=True)
            if failed:
                with open(os.path.join(directory, test["name"] + ".log"), encoding="utf-8", errors="replace") as log:
                    print(log.read()[-LOG_OCTETS:], flush=True)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
