# SPDX-License-Identifier: BSD-3-Clause
"""Ports that are not kernel devices: capture files and rings."""

import os
import random

from frames import Wire, frame, padded, read_capture, write_capture
from lab import LabTest, flat
from world import wait_until

FRAMES = 100
SENDER, RECEIVER = "02:00:00:00:79:01", "02:00:00:00:79:02"


def hundred():
    """Frames of different lengths and contents, the same in every run."""
    source = random.Random(1)
    return [frame(RECEIVER, SENDER, source.randbytes(source.randrange(46, 1501))) for _ in range(FRAMES)]


class Captures(LabTest):
    def test_from_a_capture_to_a_host(self):
        """The 100 frames of a capture reach a host, each once, unchanged and in order."""
        host = self.host("one")
        write_capture(self.world.path("in.pcap"), hundred())
        config = flat([host])
        config["ports"]["file"] = {"device": "pcap", "read": self.world.path("in.pcap")}
        config["bridges"]["lan"]["ports"].append("file")
        ear = self.world.enter(Wire(host.netns))  # before the device is there: the frames come at once
        with self.running(config) as switch:
            self.assertEqual(ear.heard(FRAMES), hundred())
            switch.check_books()
            self.assertEqual(ear.rest(), [])
            self.assertEqual(switch.macs(), {SENDER: "file"})

    def test_from_capture_to_capture(self):
        """The 100 frames of a capture are written by another pcap port exactly, and by the reading one none."""
        paths = {name: self.world.path(name + ".pcap") for name in ("in", "back", "out")}
        write_capture(paths["in"], hundred())
        config = {"ports": {"a": {"device": "pcap", "read": paths["in"], "write": paths["back"]},
                            "b": {"device": "pcap", "write": paths["out"]}},
                  "bridges": {"lan": {"ports": ["a", "b"]}}}
        with self.running(config) as switch:
            switch.wait_received("a", FRAMES)
            wait_until(lambda: switch.ports()["b"]["transmitted"] == FRAMES, "all have left")
        self.assertEqual(read_capture(paths["out"]), hundred())
        self.assertEqual(read_capture(paths["back"]), [])

    def test_tags_in_a_capture(self):
        """A trunk that is written to a capture has the tags of its VLANs in it; short frames are padded."""
        host = self.host("one")
        out = self.world.path("out.pcap")
        config = {"ports": {"one": host.port(), "file": {"device": "pcap", "write": out}},
                  "bridges": {"lan": {"ports": {"one": {"vlan": 10}, "file": {"vlans": [10, 20]}}}}}
        with self.running(config) as switch:
            host.wire().send(frame(RECEIVER, SENDER, b"short"))
            wait_until(lambda: switch.ports()["file"]["transmitted"] == 1, "it has left")
        (data,) = read_capture(out)
        whole = padded(frame(RECEIVER, SENDER, b"short", b"\x81\x00\x00\x0a"))
        self.assertEqual(data[:len(whole)], whole)
        self.assertEqual(data[len(whole):].strip(b"\0"), b"")

    def test_ring_between_bridges(self):
        """Two bridges joined by a pair of rings carry a ping; a null port beside them gets its copies."""
        one, two = pair = self.hosts("one", "two")
        config = {"ports": {"one": one.port(), "two": two.port(), "left": {"device": "ring", "peer": "right"},
                            "right": {"device": "ring", "peer": "left"}, "hole": {"device": "null"}},
                  "bridges": {"west": {"ports": ["one", "left", "hole"]}, "east": {"ports": ["two", "right"]}}}
        with self.running(config, pair) as switch:
            self.assertEqual(one.ping(two, count=100), 100)
            self.assertGreater(switch.ports()["hole"]["transmitted"], 0)
            self.assertEqual(switch.macs("--bridge", "east"), {one.mac: "right", two.mac: "two"})

    def test_missing_capture(self):
        """A capture that is not there: exit 2, and the sentence names port and file."""
        code, words = self.refused({"ports": {"file": {"device": "pcap", "read": "/nowhere/in.pcap"}}})
        self.assertEqual(code, 2, words)
        self.assertIn("port 'file'", words)
        self.assertIn("/nowhere/in.pcap", words)
        self.assertFalse(os.path.exists("/nowhere"))
