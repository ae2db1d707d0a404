# SPDX-License-Identifier: BSD-3-Clause
"""`sluice replay` and `explain`, as a user without any privilege runs it."""

import json
import os

import lab
from frames import BROADCAST, frame, padded, read_capture, write_capture
from lab import LabTest
from world import run

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]
CONFIG = """\
ports:
  left: { device: tap }
  right: { device: "0000:3b:00.0" }
bridges:
  lan: { ports: [left, right] }
"""
ONE, TWO = "02:00:00:00:7a:01", "02:00:00:00:7a:02"


class WithCaptures(LabTest):
    def setUp(self):
        super().setUp()
        self.config = self.world.path("lan.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        os.chmod(os.path.dirname(self.config), 0o777)

    def capture(self, name, *frames):
        write_capture(self.world.path(name), frames)
        return self.world.path(name)


class Replay(WithCaptures):
    def replay(self, *args, out="out"):
        return run(*NOBODY, lab.BINARY, "replay", self.config, "--out", self.world.path(out), *args)

    def test_without_privileges(self):
        """Captures go through a switch of devices that are not there, for a user who may open none."""
        first = frame(BROADCAST, ONE, b"a question of sixty octets at least, as they leave a station")
        answer = padded(frame(ONE, TWO, b"its answer"))
        done = self.replay("--in", f"left={self.capture('left.pcap', first)}",
                           "--in", f"right={self.capture('right.pcap', answer)}", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        sums = json.loads(done.stdout)
        self.assertEqual({name: (port["received"], port["transmitted"]) for name, port in sums["ports"].items()},
                         {"left": (1, 1), "right": (1, 1)})
        self.assertEqual([sums[key] for key in ("held", "unaccounted", "macs", "sessions")], [0, 0, 2, 0])
        self.assertEqual(read_capture(self.world.path("out/right.pcap")), [first])
        self.assertEqual(read_capture(self.world.path("out/left.pcap")), [answer])

    def test_the_same_again(self):
        """Two runs of one command give the same octets."""
        frames = [frame(BROADCAST, f"02:00:00:00:7b:{number:02x}", bytes(46 + number)) for number in range(200)]
        capture = self.capture("left.pcap", *frames)
        runs = []
        for out in ("once", "again"):
            done = self.replay("--in", f"left={capture}", "--workers", "3", "--burst", "7", "--until", "500", out=out)
            with open(self.world.path(f"{out}/right.pcap"), "rb") as file:
                runs.append((done.returncode, done.stdout, file.read()))
        self.assertEqual(runs[0], runs[1])
        self.assertEqual((runs[0][0], len(runs[0][2])), (0, 24 + sum(16 + len(data) for data in frames)))

    def test_the_table(self):
        """Without --json the counters are a table for people."""
        done = self.replay("--in", "left=" + self.capture("left.pcap", frame(ONE, ONE, bytes(50))))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"left +1 +0 +1\b")
        self.assertIn("same-port 1", done.stdout)
        self.assertIn("unaccounted 0", done.stdout)

    def test_wrong_input(self):
        """What cannot be replayed is exit 1 with a sentence, and nothing on standard output."""
        good = self.capture("good.pcap", frame(BROADCAST, ONE, bytes(50)))
        for argument, sentence in (("left", "--in left: write PORT=FILE.pcap"),
                                   ("=" + good, "write PORT=FILE.pcap"),
                                   ("left=", "write PORT=FILE.pcap"),
                                   ("centre=" + good, "has no port 'centre'"),
                                   ("left=" + self.world.path("none.pcap"), "none.pcap: No such file or directory"),
                                   ("left=" + self.config, "lan.yaml: unknown file format")):
            done = self.replay("--in", argument)
            self.assertEqual((done.returncode, done.stdout), (1, ""), argument)
            self.assertIn(sentence, done.stderr)
        for arguments in (("--workers", "0"), ("--workers", "17"), ("--burst", "0"), ("--burst", "1025"), ("--until", "-1"), ("--seed", "x")):
            self.assertEqual(self.replay(*arguments).returncode, 1, arguments)
        done = self.replay(out="lan.yaml/out")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("lan.yaml/out: ", done.stderr)

    def test_a_wrong_configuration(self):
        """A mistake in the file is named as 'check' names it."""
        with open(self.config, "a", encoding="utf-8") as file:
            file.write("bridgse: {}\n")
        done = self.replay()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("lan.yaml:6:1: error: unknown key 'bridgse': did you mean 'bridges'?", done.stderr)


class Explain(WithCaptures):
    def explain(self, *args):
        return run(*NOBODY, lab.BINARY, "explain", self.config, *args)

    def test_a_story(self):
        """explain tells what became of a packet, with the lines of the file."""
        done = self.explain("--in", "left=" + self.capture("left.pcap", frame(BROADCAST, ONE, bytes(46))))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"""\
#1  left → right   60 bytes   {ONE} > {BROADCAST} type 0x88b5
  parse     untagged ethernet, type 0x88b5
  switch    access port, vlan 1 of bridge lan ({self.config}:5); {ONE} learned on left; destination {BROADCAST} is a group
  flood     to all other ports of vlan 1: right

""")

    def test_one_packet(self):
        """--packet N tells of that one, as JSON if asked; one that there is not is exit 1."""
        left = "left=" + self.capture("left.pcap", frame(BROADCAST, ONE, bytes(46)), frame(ONE, TWO, bytes(46)))
        done = self.explain("--in", left, "--packet", "2", "--json")
        (story,) = json.loads(done.stdout)["packets"]
        self.assertEqual((story["number"], story["outcome"], story["drop"], story["transmitted"]),
                         (2, "dropped: same-port", "same-port", []))
        self.assertEqual([step["stage"] for step in story["episodes"][0]["steps"]], ["parse", "switch", "drop"])
        done = self.explain("--in", left, "--packet", "3")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--packet 3", done.stderr)
