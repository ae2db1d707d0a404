# SPDX-License-Identifier: BSD-3-Clause
"""Workers that sleep: what it costs to wait, and that nothing is lost on waking up."""

import time

from frames import frame
from lab import LabTest, flat
from world import must, wait_until

SECONDS = 4
MOST_OF_A_CORE = 0.05
BURST = 500


class Idle(LabTest):
    def _sleeps_and_wakes(self, in_bridge, elsewhere):
        one, two = pair = self.hosts("one", "two")
        config = {**flat(pair), "workers": {"idle": "sleep"}}
        config["ports"].update(in_bridge | elsewhere)
        config["bridges"]["lan"]["ports"] += list(in_bridge)
        with self.running(config, pair) as switch:
            self.assertEqual(one.ping(two), 3)
            sender, receiver = one.wire(), two.wire()
            self._assert_idle(switch)
            frames = [frame(two.mac, one.mac, number.to_bytes(4, "big") * 20) for number in range(BURST)]
            sender.send(*frames)
            got = receiver.heard(BURST)
            self.assertEqual(len(got), BURST, switch.show("drops")["drops"])
            self.assertTrue(got == frames, "the frames are not what was sent, or not in that order")
            self.assertEqual(one.ping(two, "-i", "0.001", count=BURST), BURST)
            self.assertGreater(switch.show("workers")["workers"][0]["sleeps"], 1)

    def _assert_idle(self, switch):
        before, began = switch.cpu_seconds(), time.monotonic()
        time.sleep(SECONDS)  # the time that is measured
        used = (switch.cpu_seconds() - before) / (time.monotonic() - began)
        self.assertLess(used, MOST_OF_A_CORE, f"{used:.1%} of a core, doing nothing")

    def test_sleeping_worker(self):
        """idle: sleep takes under 5 % of a core without traffic, and a burst of 500 frames right after is whole
        and in order."""
        self._sleeps_and_wakes({}, {})

    def test_sleeping_worker_with_polled_ports(self):
        """The same with ring, null and pcap ports, which cannot wake a worker."""
        self._sleeps_and_wakes({"hole": {"device": "null"}, "file": {"device": "pcap", "write": self.world.path("o")}},
                               {"near": {"device": "ring", "peer": "far"}, "far": {"device": "ring"}})

    def test_kernel_device_gone(self):
        """A tap whose kernel device was deleted under it does not keep its worker awake."""
        one, two = pair = self.hosts("one", "two")
        with self.running({**flat(pair), "workers": {"idle": "sleep"}}, pair) as switch:
            must("ip", "-n", two.netns, "link", "delete", two.name)
            wait_until(lambda: switch.ports()["two"]["link"] == "down", "the link is down")
            self._assert_idle(switch)

    def test_frame_by_frame(self):
        """Single frames wake a sleeping worker one by one."""
        one, two = pair = self.hosts("one", "two")
        with self.running({**flat(pair), "workers": {"idle": "sleep"}}, pair) as switch:
            sender, receiver = one.wire(), two.wire()
            for number in range(100):
                slept = switch.show("workers")["workers"][0]["sleeps"]
                wait_until(lambda: switch.show("workers")["workers"][0]["sleeps"] > slept, "the worker sleeps")
                sender.send(frame(two.mac, one.mac, bytes([number]) * 60))
                self.assertEqual(receiver.heard(1), [frame(two.mac, one.mac, bytes([number]) * 60)])
