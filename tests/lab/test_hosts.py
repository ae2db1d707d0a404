# SPDX-License-Identifier: BSD-3-Clause
"""Hosts that talk to each other with the tools that people use."""

import os

from lab import LabTest, flat

TINY_RATE = 1e6  # bit/s: that it flows at all, not how fast


class Hosts(LabTest):
    def setUp(self):
        super().setUp()
        self.one, self.two = self.pair = self.hosts("one", "two")

    def test_ping_of_every_size(self):
        """B28: echo requests of 64 to 8000 octets, and as large as the mtu allows, are answered unfragmented."""
        with self.running(flat(self.pair, mtu=8100), self.pair):
            for size in (64, 1000, 1471, 1472, 1473, 1474, 2020, 2048, 4000, 6000, 8000, 8072):
                self.assertEqual(self.one.ping(self.two, "-M", "do", size=size), 3, f"{size} octets")

    def test_ping_of_every_small_size(self):
        """B17: echo requests of 0 to 64 octets, frames shorter than 60 octets among them, are answered."""
        with self.running(flat(self.pair), self.pair):
            for size in range(0, 65, 4):
                self.assertEqual(self.one.ping(self.two, size=size), 3, f"{size} octets")

    def test_fragments(self):
        """An echo request of 8000 octets crosses ports of mtu 1500 in fragments."""
        with self.running(flat(self.pair), self.pair):
            self.assertEqual(self.one.ping(self.two, size=8000), 3)

    def test_arping(self):
        """arping is answered by the host that has the address, from its own MAC address."""
        with self.running(flat(self.pair), self.pair):
            done = self.one.run("arping", "-c", "3", "-i", "one", self.two.address, timeout=20)
            if done.returncode != 0 and "invalid option" in done.stderr + done.stdout:  # that of iputils
                done = self.one.run("arping", "-c", "3", "-I", "one", self.two.address, timeout=20)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(self.two.mac, done.stdout.lower())

    def test_tcp_both_ways(self):
        """TCP transfers of iperf3 complete in both directions."""
        with self.running(flat(self.pair), self.pair):
            for direction in ((), ("-R",)):
                end = self.iperf(self.one, self.two, *direction)
                self.assertGreater(end["sum_received"]["bits_per_second"], TINY_RATE, direction)

    def test_jumbo_tcp(self):
        """A TCP transfer completes between ports of mtu 9000."""
        with self.running(flat(self.pair, mtu=9000), self.pair):
            end = self.iperf(self.one, self.two, seconds=2)
            self.assertGreater(end["sum_received"]["bits_per_second"], TINY_RATE)

    def test_udp_both_ways(self):
        """UDP at 20 Mbit/s arrives, nine tenths of it at least, in both directions."""
        with self.running(flat(self.pair), self.pair):
            for direction in ((), ("-R",)):
                total = self.iperf(self.one, self.two, "-u", "-b", "20M", *direction)["sum"]
                self.assertGreater(total["packets"], 1000)
                self.assertLessEqual(total["lost_packets"], total["packets"] / 10, total)

    def test_spinning_workers(self):
        """Hosts reach each other through workers that never sleep."""
        config = {"workers": {"idle": "spin"}, **flat(self.pair)}
        with self.running(config, self.pair):
            self.assertEqual(self.one.ping(self.two, count=100, timeout=60), 100)

    def test_two_workers(self):
        """Two workers on two cores carry ping and TCP; both see traffic."""
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("this machine has one core")
        cores = sorted(os.sched_getaffinity(0))[:2]
        with self.running({"workers": {"cores": cores}, **flat(self.pair)}, self.pair) as switch:
            self.assertEqual(self.one.ping(self.two, count=100), 100)
            end = self.iperf(self.one, self.two, "-P", "8", seconds=2)
            self.assertGreater(end["sum_received"]["bits_per_second"], TINY_RATE)
            self.assertTrue(all(worker["packets"] for worker in switch.show("workers")["workers"]))
