# SPDX-License-Identifier: BSD-3-Clause
"""./demo.sh: what a newcomer starts first.

It runs with a /run of its own, so that it meets no namespace or demo of anybody else's."""

import contextlib
import glob
import os
import re
import signal
import subprocess

import lab
from lab import LabTest
from world import must, run, wait_until

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "demo.sh")
SECONDS = 300
# In a mount namespace: an empty /run, the demo, and what is there afterwards.
IN_A_RUN_OF_ITS_OWN = """
mount -t tmpfs tmpfs /run || exit 77
"$@"
code=$?
find /run -mindepth 1 -not -path '/run/netns' -not -path '/run/dpdk' | sed 's/^/left behind: /'
exit $code
"""


class Demo(LabTest):
    def alone(self, *command):
        """The command in a /run of its own; its processes carry our mark."""
        return self.world.start("unshare", "--mount", "sh", "-c", IN_A_RUN_OF_ITS_OWN, "sh", *command, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env={**os.environ, "SLUICE_DEMO_TEST": self.world.directory})

    def demo(self, program=None):
        return self.alone(DEMO, "--sluice", program or lab.BINARY)

    def ended(self, process):
        words = process.communicate(timeout=SECONDS)[0]
        if process.returncode == 77:
            self.skipTest(f"no file system can be mounted here: {words}")
        self.assertNotIn("left behind", words)
        wait_until(lambda: not self._running(), "no process of the demo runs")
        return process.returncode, words

    def _running(self):
        """Processes with our mark."""
        mark, found = f"SLUICE_DEMO_TEST={self.world.directory}\0".encode(), []
        for path in glob.glob("/proc/[0-9]*/environ"):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                if mark in file.read() + b"\0":
                    found.append(path)
        return found

    def test_whole(self):
        """The demo ends by itself with exit 0, tells what it shows, and leaves nothing behind."""
        code, words = self.ended(self.demo())
        self.assertEqual(code, 0, words)
        for sentence in ("The switch", "The router", "Hello 203.0.113.2, this is the web server of internet",
                         "203.0.113.2 asked: GET /", "this is the web server of phone", "ttl=63", "unaccounted 0",
                         "not firewalled", "steps went as they should", "The lab is gone"):
            self.assertIn(sentence, words)
        self.assertRegex(words, r"(?m)^ +1  192\.168\.10\.1 ")
        steps = [int(number) for number in re.findall(r"(?m)^== (\d+)\. ", words)]
        self.assertEqual(steps, list(range(1, len(steps) + 1)))

    def test_interrupted(self):
        """Ended by Ctrl-C, SIGTERM or SIGHUP in the middle, the demo leaves nothing behind."""
        for number, after in ((signal.SIGINT, "sluice run"), (signal.SIGINT, "The switch"),
                              (signal.SIGTERM, "The request"), (signal.SIGHUP, "The port forward")):
            with self.subTest(signal=number.name, after=after):
                process = self.demo()
                said = ""
                while after not in said:
                    line = process.stdout.readline()
                    self.assertTrue(line, f"it ended: {said}")
                    said += line
                os.kill(int(must("pgrep", "-P", str(process.pid))), number)
                code, words = self.ended(process)
                self.assertEqual(code, 130 if number == signal.SIGINT else 143, words)
                self.assertIn("The lab is gone", words)

    def test_kept_and_stopped(self):
        """--keep leaves the lab up and says how to go on; a second demo leaves it alone; --stop ends it."""
        script = self.world.path("keep.sh")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"set -e\n{DEMO} --sluice {lab.BINARY} --keep\nif {DEMO} --sluice {lab.BINARY}; then exit 9; fi\n"
                       "ip netns exec laptop curl -sS --max-time 20 http://198.51.100.80/ | sed 's/^/still: /'\n"
                       f"{DEMO} --stop\n{DEMO} --stop\n")
        code, words = self.ended(self.alone("sh", script))
        self.assertEqual(code, 0, words)
        for sentence in ("ip netns exec laptop bash", "demo.sh --stop", "a lab is up already",
                         "still: Hello 203.0.113.2", "The lab is gone", "No lab is up"):
            self.assertIn(sentence, words)

    def test_broken_step(self):
        """A step that goes wrong is named, the exit code is 1, and nothing is left behind."""
        broken = self.world.path("broken")
        with open(broken, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\n[ "$1 $2" = "show macs" ] && exec echo nobody\nexec {lab.BINARY} "$@"\n')
        os.chmod(broken, 0o755)
        code, words = self.ended(self.demo(broken))
        self.assertEqual(code, 1, words)
        self.assertRegex(words, r"(?m)^demo: failed in step 2 \(.*\): the switch has not learned where the laptop is")

    def test_help(self):
        """--help tells the options; a wrong one is exit 1."""
        done = run(DEMO, "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for option in ("--keep", "--stop", "--sluice"):
            self.assertIn(option, done.stdout)
        self.assertEqual(run(DEMO, "--nonsense").returncode, 1)
