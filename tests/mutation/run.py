#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the mistakes of mutations.yaml, one at a time, and looks which scenarios notice.

    tests/mutation/run.py                    all of them, in a copy of HEAD that is removed at the end
    tests/mutation/run.py --only WORD …      those with one of the words in their name, file or behaviours
    tests/mutation/run.py --from-result      those that result.json does not know yet
    tests/mutation/run.py --everything       all scenarios each time, not only those that should notice, if they do
    tests/mutation/run.py --suites           what no scenario notices is tried against the unit tests, too: slow
    tests/mutation/run.py --check            only: every `from` still occurs exactly once (`./test.sh checks`)

result.json has for each mutation the numbers of the behaviours whose scenarios failed, of those that were played, and
the suites, if any. Ends with 1 if a mutation is not noticed, does not compile or does not fit."""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "tests/mutation/mutations.yaml"
RESULT = ROOT / "tests/mutation/result.json"
NUMBER = re.compile(r"B\d\d")
MEMBERS = {"name", "file", "from", "to", "behaviours"}
# A scenario that hangs would be waited for; virtual time needs no patience.
LEAST_PATIENCE_S = 60
SCENARIO_PATIENCE_S = 20


def fingerprint(mutation):
    """Of what is changed: a result holds as long as this does."""
    words = "\0".join(mutation[key] for key in ("file", "from", "to"))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def read_list(path=LIST):
    mutations = yaml.safe_load(path.read_text(encoding="utf-8"))
    for mutation in mutations:
        mutation["hash"] = fingerprint(mutation)
    return mutations


def mistakes(mutations, root=ROOT):
    """What is wrong with the list itself."""
    names, hashes = set(), set()
    for mutation in mutations:
        name = mutation.get("name", "?")
        if set(mutation) != MEMBERS | {"hash"}:
            yield f"{name}: has to have {', '.join(sorted(MEMBERS))} and nothing else"
            continue
        if name in names or mutation["hash"] in hashes:
            yield f"{name}: is there twice"
        names.add(name)
        hashes.add(mutation["hash"])
        path = root / mutation["file"]
        count = path.read_text(encoding="utf-8").count(mutation["from"]) if path.is_file() else 0
        if count != 1:
            yield f"{name}: `from` occurs {count} times in {mutation['file']}, not once"


def run(command, patience_s=None, **options):
    """The exit code and what was written. None: it took too long, and was ended with all its children."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True, **options) as process:
        try:
            output, _ = process.communicate(timeout=patience_s)
            return process.returncode, output
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
    return None, ""


class Broken(Exception):
    """Nothing can be said about any mutation."""


class Copy:
    """A copy of a commit, its build directory, and the one mutation that is in it."""

    def __init__(self, directory, commit, ninja, jobs):
        self.tree, self.build = directory / "tree", directory / "build"
        self.junit = directory / "junit.xml"
        self.ninja, self.jobs = ninja, jobs
        self.changed = None  # path and text of the file that is not as it was
        self.seconds = 0.0
        self.suites_before = {}
        self.tree.mkdir()
        archive = subprocess.run(["git", "-C", ROOT, "archive", commit], capture_output=True, check=True)
        subprocess.run(["tar", "x", "-C", self.tree], input=archive.stdout, check=True)

    def configure(self):
        # Without precompiled headers: a compiler cache knows the file again when a mutation is undone.
        environment = {**os.environ, "CXX": "ccache g++" if shutil.which("ccache") else "g++"}
        code, output = run(["meson", "setup", self.build, self.tree, "--werror", "-Dbuildtype=plain",
                            "-Doptimization=1", "-Db_pch=false"], env=environment)
        if code != 0:
            raise Broken(output)

    def compile(self, *targets):
        return run([*self.ninja, "-C", str(self.build), *targets])

    def apply(self, mutation):
        path = self.tree / mutation["file"]
        self.changed = path, path.read_text(encoding="utf-8")
        path.write_text(self.changed[1].replace(mutation["from"], mutation["to"]), encoding="utf-8")

    def undo(self):
        if self.changed:
            self.changed[0].write_text(self.changed[1], encoding="utf-8")
        self.changed = None

    def play(self, folders, patience_s):
        """The names of the scenarios that failed, and of all; None, None: it hung or crashed as a whole."""
        self.junit.unlink(missing_ok=True)
        command = [self.build / "control/sluice", "test", *folders, "--junit", self.junit]
        if self.jobs:
            command += ["--jobs", str(self.jobs)]
        run(command, patience_s, cwd=self.tree)
        if not self.junit.exists():
            return None, None
        cases = xml.etree.ElementTree.parse(self.junit).getroot().iter("testcase")
        names = {case.get("name"): case.find("failure") is not None for case in cases}
        return {name for name, failed in names.items() if failed}, set(names)

    def folders(self, behaviours):
        """The scenarios of some behaviours."""
        all_folders = sorted(path.parent for path in (self.tree / "tests/scenarios").rglob("scenario.yaml"))
        return [path for path in all_folders if path.name[:3] in behaviours]

    def check_unbroken(self):
        code, output = self.compile("control/sluice")
        if code != 0:
            raise Broken(f"the unbroken tree does not compile:\n{output[-4000:]}")
        began = time.monotonic()
        failed, names = self.play(["tests/scenarios"], None)
        self.seconds = time.monotonic() - began
        if failed is None or not names:
            raise Broken("there are no scenarios, or sluice cannot play them")
        if failed:
            raise Broken(f"these scenarios fail without any mutation: {', '.join(sorted(failed))}")
        print(f"{len(names)} scenarios hold without a mutation, in {self.seconds:.0f} s", flush=True)

    def failing(self, mutation, everything):
        """The numbers of the scenarios that the mutation in the tree makes fail: of those it is about, or of all."""
        named = self.folders(mutation["behaviours"])
        failed = set() if everything or not named else self.failed_of(named, named)
        if not failed:
            failed = self.failed_of(["tests/scenarios"], named)
        return sorted({name[:3] for name in failed if NUMBER.match(name)})

    def failed_of(self, folders, named):
        failed, _ = self.play(folders, max(LEAST_PATIENCE_S, 4 * self.seconds))
        if failed is None:  # one by one those it is about tell at least whether it is noticed
            failed = {folder.name for folder in named if self.play([folder], SCENARIO_PATIENCE_S)[0] != set()}
        return failed

    # ---- unit suites

    def suites_of(self, directory):
        """Name and target of the unit suites in tests/DIRECTORY."""
        output = subprocess.run(["meson", "introspect", "--tests", self.build], capture_output=True, text=True,
                                check=True).stdout
        targets = {test["name"]: os.path.relpath(test["cmd"][0], self.build) for test in json.loads(output)}
        return {name: target for name, target in targets.items() if target.startswith(f"tests/{directory}/")}

    def failing_suites(self, directory):
        suites = self.suites_of(directory)
        code, output = self.compile(*suites.values())
        if code != 0:
            raise Broken(output[-4000:])
        tally = self.build / "tally"
        tally.unlink(missing_ok=True)
        only = [word for name in suites for word in ("--only", name)]
        run([self.tree / "tests/run_suites.py", self.build, "--tally", tally, *only])
        lines = [line.split() for line in tally.read_text(encoding="ascii").splitlines()]
        return {name.split("/")[-1] for name, _, failed, _ in lines if failed != "0"}

    def suites_noticing(self, mutation):
        directory = mutation["file"].split("/")[0]
        if directory not in self.suites_before:
            self.undo()
            self.suites_before[directory] = self.failing_suites(directory)
            self.apply(mutation)
        return sorted(self.failing_suites(directory) - self.suites_before[directory])


def try_one(copy, mutation, options):
    """The mutation's entry in the result."""
    entry = {"name": mutation["name"], "hash": mutation["hash"], "failed": [], "suites": []}
    copy.apply(mutation)
    try:
        code, output = copy.compile("control/sluice")
        if code != 0:
            return {**entry, "error": "it does not compile"}, output[-2000:]
        entry["failed"] = copy.failing(mutation, options.everything)
        if not entry["failed"] and options.suites:
            entry["suites"] = copy.suites_noticing(mutation)
        return entry, ""
    finally:
        copy.undo()


def words_for(entry, mutation):
    if "error" in entry:
        return "ERROR   ", entry["error"]
    if not entry["failed"]:
        return ("UNIT    ", " ".join(entry["suites"])) if entry["suites"] else ("MISSED  ", "nothing notices")
    lacking = sorted(set(mutation["behaviours"]) - set(entry["failed"]))
    return ("CAUGHT  " if not lacking else "OTHERS  "), " ".join(entry["failed"]) + (
        f"; not {' '.join(lacking)}" if lacking else "")


def write_result(entries, mutations):
    """In the order of the list; what is not in the list any more goes."""
    known = {entry["hash"]: entry for entry in entries}
    lines = [json.dumps({**known[mutation["hash"]], "name": mutation["name"]}, ensure_ascii=False)
             for mutation in mutations if mutation["hash"] in known]
    text = '{\n"mutations": [\n' + ",\n".join(lines) + "\n]\n}\n"
    with tempfile.NamedTemporaryFile("w", dir=RESULT.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, RESULT)


def read_result():
    return json.loads(RESULT.read_text(encoding="utf-8"))["mutations"] if RESULT.exists() else []


def chosen(mutations, known, options):
    def matches(mutation):
        words = [mutation["name"], mutation["file"], *mutation["behaviours"]]
        return not options.only or any(word in text for word in options.only for text in words)

    done = {entry["hash"] for entry in known if "error" not in entry} if options.from_result else set()
    return [mutation for mutation in mutations if matches(mutation) and mutation["hash"] not in done]


def try_all(copy, mutations, options):
    known = {entry["hash"]: entry for entry in read_result()}
    todo = chosen(mutations, known.values(), options)
    copy.configure()
    copy.check_unbroken()
    missed = 0
    for count, mutation in enumerate(todo, 1):
        entry, output = try_one(copy, mutation, options)
        known[mutation["hash"]] = entry
        write_result(known.values(), mutations)
        verdict, details = words_for(entry, mutation)
        missed += not (entry["failed"] or entry["suites"])
        print(f"{verdict}{count}/{len(todo)} {mutation['file']}: {mutation['name']}: {details}\n{output}".rstrip(),
              flush=True)
    print(f"{len(todo) - missed} of {len(todo)} mutations are noticed")
    return missed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD")
    parser.add_argument("--from-result", action="store_true")
    parser.add_argument("--everything", action="store_true")
    parser.add_argument("--suites", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--commit", default="HEAD", help="what is copied (default: HEAD)")
    parser.add_argument("--ninja", default="ninja", help="how to call it (default: ninja)")
    parser.add_argument("--jobs", type=int, help="scenarios at once (default: as many as there are cores)")
    options = parser.parse_args()
    mutations = read_list()
    if options.check:
        found = list(mistakes(mutations))
        print("\n".join(found), end="\n" if found else "")
        sys.exit(1 if found else 0)
    # Then the copy is removed, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        with tempfile.TemporaryDirectory(prefix="mutation-", ignore_cleanup_errors=True) as directory:
            copy = Copy(pathlib.Path(directory), options.commit, shlex.split(options.ninja), options.jobs)
            if found := list(mistakes(mutations, copy.tree)):
                raise Broken("\n".join(found))
            sys.exit(0 if try_all(copy, mutations, options) else 1)
    except Broken as broken:
        sys.exit(str(broken))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
