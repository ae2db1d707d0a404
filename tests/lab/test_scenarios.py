# SPDX-License-Identifier: BSD-3-Clause
"""`sluice test`, as a user without any privilege runs it."""

import os
import xml.etree.ElementTree

import lab
from lab import LabTest
from world import run

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]
CONFIG = """\
config:
  ports: { a: { device: tap }, b: { device: "0000:3b:00.0" } }
  bridges: { lan: { ports: [a, b] } }
"""
BROADCAST = '"eth src=02:00:00:00:00:0a dst=ff:ff:ff:ff:ff:ff / payload 50"'
HOLDS = f"steps: [{{ name: a broadcast is flooded, send: {{ a: {BROADCAST} }}, expect: {{ b: same }} }}]\n"
FAILS = f"steps: [{{ name: nothing <leaves> & all, send: {{ a: {BROADCAST} }}, expect: {{}} }}]\n"


class Scenarios(LabTest):
    def setUp(self):
        super().setUp()
        self.root = self.world.path("scenarios")
        os.makedirs(self.root)
        os.chmod(os.path.dirname(self.root), 0o777)

    def scenario(self, name, text):
        os.makedirs(os.path.join(self.root, name))
        with open(os.path.join(self.root, name, "scenario.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def play(self, *args):
        return run(*NOBODY, lab.BINARY, "test", *args)

    def test_they_hold(self):
        """All scenarios below a folder are played; all hold: exit code 0."""
        self.scenario("one", CONFIG + HOLDS)
        self.scenario("more/two", CONFIG + HOLDS)
        done = self.play(self.root)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"ok    {self.root}/more/two\nok    {self.root}/one\n\n2 hold, 0 fail\n")

    def test_one_fails(self):
        """One that fails says where, what and why; the others are played all the same: exit code 1."""
        self.scenario("bad", CONFIG + FAILS)
        self.scenario("good", CONFIG + HOLDS)
        report = self.world.path("report.xml")
        done = self.play(self.root, "--junit", report, "--jobs", "1")
        self.assertEqual(done.returncode, 1)
        for part in (f"FAIL  {self.root}/bad\n  scenario.yaml:4: nothing <leaves> & all\n",
                     "    b: frame 1 left, and was not expected:\n",
                     "      eth dst=ff:ff:ff:ff:ff:ff src=02:00:00:00:00:0a / payload 50\n",
                     "  what became of the packets of this step:\n    #1  a → b   64 bytes",
                     f"ok    {self.root}/good\n", "1 hold, 1 fail\n"):
            self.assertIn(part, done.stdout)
        suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        bad, good = suite.findall("testcase")
        self.assertEqual((bad.get("name"), good.get("name")), ("bad", "good"))
        self.assertEqual(bad.find("failure").get("message"), "scenario.yaml:4: nothing <leaves> & all")
        self.assertIn("b: frame 1 left", bad.find("failure").text)
        self.assertIsNone(good.find("failure"))

    def test_mistakes_in_a_file(self):
        """A scenario that cannot be read fails with every mistake at its place."""
        self.scenario("wrong", CONFIG + "steps: [{ sned: {} }, { time: 5 }]\n")
        done = self.play(self.root)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.root}/wrong/scenario.yaml:4:11: error: ", done.stdout)
        self.assertIn("did you mean 'send'?", done.stdout)
        self.assertIn(f"{self.root}/wrong/scenario.yaml:4:31: error: 'time' has no unit", done.stdout)

    def test_wrong_arguments(self):
        """No scenario, no such folder: exit code 1 and a sentence."""
        for folder, words in ((self.root, "there is no scenario.yaml in it, nor below"),
                              (self.root + "/none", "No such file or directory")):
            done = self.play(folder)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f"{folder}: {words}", done.stderr)
        self.assertEqual(self.play().returncode, 1)

    def test_the_story_on_request(self):
        """--explain tells of every packet, also of scenarios that hold."""
        self.scenario("one", CONFIG + HOLDS)
        done = self.play(self.root, "--explain")
        self.assertEqual(done.returncode, 0)
        self.assertIn("#1  a → b   64 bytes", done.stdout)
        self.assertIn("of bridge lan", done.stdout)
