# SPDX-License-Identifier: BSD-3-Clause
"""What of the machine sluice takes: huge pages, which not every machine has, and cores."""

import glob
import os

from lab import LabTest, flat
from world import wait_until

COUNT = "/proc/sys/vm/nr_hugepages"
PAGES = 160  # of 2 MiB


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class HugePages(LabTest):
    def _reserve(self):
        try:
            before = read(COUNT)
            self.world.on_close(write, COUNT, before)
            write(COUNT, str(int(before) + PAGES))
        except OSError as error:
            self.skipTest(f"huge pages cannot be reserved here: {error}")
        if int(read(COUNT)) < int(before) + PAGES:
            self.skipTest(f"this machine has no memory for {PAGES} huge pages more")

    def _free(self):
        return sum(int(read(path)) for path in glob.glob("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"))

    def test_ping_on_huge_pages(self):
        """With hugepages: true hosts ping each other, and every page is given back at the end."""
        self._reserve()
        free = self._free()
        pair = self.hosts("one", "two")
        with self.running(flat(pair), pair, hugepages=True):
            self.assertLess(self._free(), free, "no huge page is in use")
            self.assertEqual(pair[0].ping(pair[1], count=100), 100)
        wait_until(lambda: self._free() == free, "all huge pages are free again")

    def test_too_few_huge_pages(self):
        """hugepages: true without enough of them is exit 2 and the command that makes more."""
        config = {"ports": {"hole": {"device": "null"}}, "dpdk": {"hugepages": True, "memory": "512GiB"}}
        code, words = self.refused(config)
        self.assertEqual(code, 2, words)
        self.assertIn("sysctl -w vm.nr_hugepages=", words)


def allowed_cores(task):
    """The cores that a thread may run on, as the kernel lists them: "0-1"."""
    with open(task + "/status", encoding="ascii") as file:
        return next(line.split()[1] for line in file if line.startswith("Cpus_allowed_list"))


class Cores(LabTest):
    def test_control_keeps_off_the_workers_core(self):
        """Of all threads the worker alone may run on its core, DPDK's own threads included."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            self.skipTest("this machine has one core, which all share")
        pair = self.hosts("one", "two")
        config = {**flat(pair), "workers": {"cores": [cores[-1]]}}
        with self.running(config, pair) as switch:
            threads = {}
            for task in glob.glob(f"/proc/{switch.process.pid}/task/*"):
                with open(task + "/comm", encoding="ascii") as file:
                    threads.setdefault(file.read().strip(), []).append(allowed_cores(task))
            self.assertEqual(threads.pop("worker-0"), [str(cores[-1])])
            self.assertGreaterEqual(len(threads), 2, "control and DPDK's interrupt thread")
            for name, lists in threads.items():
                for text in lists:
                    spans = [span.split("-") for span in text.split(",")]
                    used = {core for span in spans for core in range(int(span[0]), int(span[-1]) + 1)}
                    self.assertNotIn(cores[-1], used, name)
