#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How much of the packet path and of the configuration the suites reach, and whether that is enough.

    tests/coverage.py BUILD PROFILES [--show FILE]

BUILD was compiled by clang with -fprofile-instr-generate -fcoverage-mapping. PROFILES is the directory into which its
suites, run with LLVM_PROFILE_FILE, wrote what they passed through. Fuzzers do not count: they reach much and assert
little. The figures are those of `llvm-cov-14 report`. Nothing is excluded: every source and header of the two
directories counts, also a source that no suite is linked with. What a template makes of its arguments counts once, by
the instance that was reached best; conditions that the compiler knows the answer to have no branches.

--show also prints FILE, a path in the tree, with how often each line and branch was passed through."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import run_suites

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIRECTORIES = ("config", "dataplane")
LEAST = {"lines": 90.0, "branches": 80.0}  # per cent
WORST = 10  # files to name, those with the most missing


def llvm(tool, *arguments):
    """What the tool prints. It warns of mismatched data for inline functions that some program never calls."""
    ended = subprocess.run([f"llvm-{tool}-14", *arguments], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"llvm-{tool}-14 failed:\n{ended.stderr}")
    return ended.stdout


def arguments_for(build, profiles, merged):
    """What llvm-cov wants to hear: the merged profile and every program that wrote a part of it."""
    written = sorted(str(path) for path in pathlib.Path(profiles).glob("*.profraw"))
    if not written:
        sys.exit(f"{profiles} holds no profiles: was LLVM_PROFILE_FILE set, and {build} compiled for coverage?")
    # The profile of a suite that died while it wrote is torn; the others still count.
    llvm("profdata", "merge", "-sparse", "-failure-mode=all", "-o", merged, *written)
    first, *others = (test["cmd"][0] for test in run_suites.suites(build, []) if os.path.exists(test["cmd"][0]))
    return [f"-instr-profile={merged}", first, *(f"-object={program}" for program in others)]


def in_tree(name, build):
    """The path in the tree of a file as the compiler called it; None if it is not of the two directories."""
    path = pathlib.Path(os.path.normpath(os.path.join(build, name)))
    inside = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in DIRECTORIES
    return str(path.relative_to(ROOT)) if inside else None


def summaries(build, arguments):
    """{path in the tree: {"lines": (covered, count), "branches": …}} of the two directories."""
    found = {}
    for file in json.loads(llvm("cov", "export", "-summary-only", *arguments))["data"][0]["files"]:
        if path := in_tree(file["filename"], build):
            found[path] = {what: (file["summary"][what]["covered"], file["summary"][what]["count"]) for what in LEAST}
    return found


def shown(path, arguments):
    """The file, with its counts. llvm-cov itself does not find files that it knows by a path with dots in it."""
    everything = llvm("cov", "show", "-show-branches=count", "-show-instantiations=false", *arguments)
    _, _, rest = everything.partition(f"{ROOT / path}:\n")
    return rest.partition("\n/")[0] or f"{path}: not compiled for coverage"


def forgotten(found):
    """Sources that are in no suite: nothing is known of them, so they must not pass unseen."""
    sources = (str(path.relative_to(ROOT)) for name in DIRECTORIES for path in (ROOT / name).rglob("*.cc"))
    return sorted(set(sources) - set(found))


def total(files, what):
    covered, count = (sum(part) for part in zip(*(file[what] for file in files)))
    return covered, count, 100.0 * covered / count


def report(directory, found):
    """Prints the figures of a directory; whether they are good enough."""
    files = {path: sums for path, sums in found.items() if path.startswith(directory + "/")}
    if not files:
        sys.exit(f"no file of {directory}/ was compiled for coverage")
    enough = True
    for what, least in LEAST.items():
        covered, count, share = total(files.values(), what)
        enough = enough and share >= least
        print(f"{directory + '/':<11} {what:<9} {share:6.2f} %  {covered} of {count}, at least {least:.0f} %"
              f"{'' if share >= least else ': TOO FEW'}")
    missing = {path: [count - covered for covered, count in sums.values()] for path, sums in files.items()}
    for path in sorted(missing, key=lambda path: -sum(missing[path]))[:WORST]:
        lines, branches = missing[path]
        if lines + branches:
            print(f"    {path:<32} misses {lines:>3} lines, {branches:>3} branches")
    return enough


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("profiles")
    parser.add_argument("--show", metavar="FILE")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    with tempfile.TemporaryDirectory() as directory:
        arguments = arguments_for(build, options.profiles, os.path.join(directory, "merged.profdata"))
        found = summaries(build, arguments)
        enough = [report(name, found) for name in DIRECTORIES]
        if options.show:
            print(shown(options.show, arguments))
    for path in forgotten(found):
        print(f"{path}: no suite is linked with it")
        enough.append(False)
    sys.exit(0 if all(enough) else 1)


if __name__ == "__main__":
    main()
