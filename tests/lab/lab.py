# SPDX-License-Identifier: BSD-3-Clause
"""The base of every lab test: hosts in network namespaces around a running sluice."""

import contextlib
import json
import re
import subprocess
import threading
import unittest

from frames import Wire
from switch import Switch, remove_runtime_directory
from world import World, must, run, wait_until

BINARY = "sluice"  # the runner says which
ANSWER_SECONDS = 30


class Host:
    """A station: a network namespace, and in it the kernel device of a tap port of the same name."""

    ipv6 = False

    def __init__(self, world, name, number):
        self.world, self.name = world, name
        self.netns = world.namespace(name, self.ipv6)
        self.address = f"10.73.0.{number}"
        self.mac = f"02:00:00:00:73:{number:02x}"

    def port(self, **more):
        """The port as the configuration has it."""
        return {"device": "tap", "netns": self.netns, "mac": self.mac, **more}

    def take_address(self):
        must("ip", "-n", self.netns, "address", "add", self.address + "/24", "dev", self.name)

    def link(self, state):
        must("ip", "-n", self.netns, "link", "set", self.name, state)

    def has_device(self):
        return run("ip", "-n", self.netns, "link", "show", self.name).returncode == 0

    def run(self, *command, **options):
        return run("ip", "netns", "exec", self.netns, *command, **options)

    def start(self, *command, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
        return self.world.start("ip", "netns", "exec", self.netns, *command, **options)

    def wire(self):
        return self.world.enter(Wire(self.netns, self.name))

    def ping(self, other, *options, count=3, size=56, timeout=30):
        """How many of `count` echo requests to a host, or an address, were answered, each once."""
        before = self._echo_replies()
        done = self.run("ping", "-n", "-q", "-i", "0.01", "-W", "2", "-c", str(count), "-s", str(size), *options,
                        getattr(other, "address", other), timeout=timeout)
        answers = answered(done.stdout)
        return self._with_late_ones(count, before) if 0 < answers < count else answers

    def _with_late_ones(self, count, before):
        """After some answers ping waits for the last no longer than twice the slowest took, which on a busy machine
        may be too short. The kernel counts what comes later, too."""
        with contextlib.suppress(AssertionError):
            wait_until(lambda: self._echo_replies() - before >= count, "the last answers come")
        return min(count, self._echo_replies() - before)

    def _echo_replies(self):
        """Of both families, received in this namespace."""
        four = self.run("cat", "/proc/net/snmp").stdout.splitlines()
        names, values = (line.split() for line in four if line.startswith("Icmp:"))
        six = re.findall(r"Icmp6InEchoReplies\s+(\d+)", self.run("cat", "/proc/net/snmp6").stdout)
        return int(values[names.index("InEchoReps")]) + sum(map(int, six))

    def tcpdump(self, *options):
        return Tcpdump(self, *options)


def answered(ping_output):
    """The answers that ping counts in its last lines; duplicates are an error."""
    assert "duplicates" not in ping_output, ping_output
    found = re.search(r"(\d+) packets transmitted, (\d+) received", ping_output)
    assert found, f"ping said: {ping_output}"
    return int(found.group(2))


class Tcpdump:
    """tcpdump on a host's device; its lines, link level headers included."""

    def __init__(self, host, *options):
        self.lines = []
        self._process = host.start("tcpdump", "-e", "-n", "-l", "--immediate-mode", "-i", host.name, *options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: self._saw("listening on"), "tcpdump listens")

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    def _saw(self, text):
        return [line for line in self.lines if text in line]

    def wait_for(self, *texts):
        """The first line that holds all the texts."""
        return wait_until(lambda: [line for line in self.lines if all(text in line for text in texts)],
                          f"tcpdump shows {texts}; it has: {self.lines}")[0]

    def count(self):
        """Ends it. How many packets it captured."""
        self._process.terminate()
        self._reader.join(5)
        found = [line for line in self.lines if re.search(r"^\d+ packets? captured", line)]
        assert found, f"tcpdump did not count: {self.lines}"
        return int(found[0].split()[0])


class LabTest(unittest.TestCase):
    """A test's hosts and switches; all go when it ends."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self._number = 0

    def host(self, name):
        self._number += 1
        return Host(self.world, name, self._number)

    def hosts(self, *names):
        return [self.host(name) for name in names]

    @contextlib.contextmanager
    def running(self, config, hosts=(), **options):
        """A sluice with this configuration, its hosts with their addresses. At the end, if all went well so
        far, its books must balance and it must go without a trace."""
        switch = Switch(self.world, BINARY, config, **options)
        self.world.on_close(self.forget, switch)
        switch.start()
        for host in hosts:
            host.take_address()
        try:
            yield switch
        except Exception as error:
            error.add_note(f"log of sluice:\n{switch.logged()}")
            raise
        if switch.process.poll() is None:
            switch.check_books()
            switch.stop()
        for host in hosts:
            self.assertFalse(host.has_device(), f"the device {host.name} is still there")

    @staticmethod
    def forget(switch):
        if hasattr(switch, "process"):
            remove_runtime_directory(switch.process.pid)

    def refused(self, config):
        """`sluice run` of what it cannot run: its exit code and its words."""
        return self.refused_file(Switch(self.world, BINARY, config, name="refused").file)

    def refused_file(self, path):
        self.world.on_close(lambda: remove_runtime_directory(process.pid))  # once it has ended
        process = self.world.start(BINARY, "run", path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        words, _ = process.communicate(timeout=15)
        return process.returncode, words

    @staticmethod
    def wait_answered(host, address):
        """Until a ping is answered: duplicate address detection takes a router a second."""
        wait_until(lambda: host.ping(address, count=1), f"{address} answers {host.name}", ANSWER_SECONDS)

    def iperf(self, client, server, *options, seconds=3, address=None):
        """One iperf3 run from `client` to `server`, or to another address that leads there; what the client
        reports at the end."""
        self.iperf_server(server)
        done = client.run("iperf3", "-c", address or server.address, "-t", str(seconds), "-J", *options,
                          timeout=seconds + 60)
        return self.iperf_report(done.stdout)

    def iperf_server(self, server):
        process = server.start("iperf3", "-s", "-1", "--forceflush")
        for line in process.stdout:
            if "listening" in line:
                return process
        self.fail("iperf3 does not listen")

    def iperf_report(self, output):
        report = json.loads(output)
        self.assertNotIn("error", report, output[-2000:])
        return report["end"]


def flat(hosts, **port):
    """One bridge, every host in it at an access port of VLAN 1."""
    return {"ports": {host.name: host.port(**port) for host in hosts},
            "bridges": {"lan": {"ports": [host.name for host in hosts]}}}
