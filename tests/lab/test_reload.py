# SPDX-License-Identifier: BSD-3-Clause
"""Changes to a sluice that is carrying traffic."""

import copy
import itertools
import os
import signal
import threading
import time

from frames import BROADCAST, frame
from lab import LabTest, answered, flat
from world import wait_until

RELOADS = 100
PINGS = 10_000
MORE_PINGS = 1_000
PAYLOAD = b"before and after " * 4


class Reload(LabTest):
    def test_a_hundred_reloads_under_traffic(self):
        """100 reloads during 10,000 pings, 1,000 a second, and a TCP transfer between ports that they do not name:
        no ping is lost, no address forgotten."""
        pair = self.hosts("one", "two")
        movers = self.hosts("turns", "comes", "alone")
        plans = self._plans(pair, movers)
        with self.running(plans[0], pair) as switch:
            known = self._make_known(switch, pair)
            files = [switch.write(plan, f"plan{number}.yaml") for number, plan in enumerate(plans)]
            self.iperf_server(pair[1])
            tcp = pair[0].start("iperf3", "-c", pair[1].address, "-t", "12", "-b", "20M", "-J")
            reloaded, batches = threading.Event(), []
            pinging = threading.Thread(target=self._ping_until, args=(reloaded, pair, batches))
            pinging.start()
            self.world.on_close(reloaded.set)  # should a reload fail, too
            began = time.monotonic()
            for number in range(RELOADS):
                done = switch.command("reload", files[(number + 1) % len(files)])
                self.assertEqual((done.returncode, done.stderr), (0, ""), f"reload {number}")
                now = switch.macs("--bridge", "lan", "--port", "one") | switch.macs("--port", "two")
                self.assertEqual(now, known, f"after reload {number}")
                self._pace(began, number)
            reloaded.set()
            pinging.join()
            lost = {count: answers for count, answers in batches if answers != count}
            self.assertEqual(lost, {}, f"{batches}\n{switch.show('drops')['drops']}")
            self.assertGreaterEqual(sum(count for count, _ in batches), PINGS)
            self.assertGreater(self.iperf_report(tcp.communicate(timeout=60)[0])["sum_received"]["bytes"], 1 << 20)
            self.assertEqual(switch.command("reload", files[0]).returncode, 0)

    @staticmethod
    def _ping_until(reloaded, pair, batches):
        """10,000 pings, and if the reloads take longer on a busy machine, more. Sent and answered, of each batch."""
        for count in itertools.chain([PINGS], itertools.repeat(MORE_PINGS)):
            done = pair[0].run("ping", "-n", "-q", "-i", "0.001", "-c", str(count), "-W", "3", pair[1].address, timeout=120)
            batches.append((count, answered(done.stdout)))
            if reloaded.is_set():
                return

    @staticmethod
    def _plans(pair, movers):
        """Configurations that take turns: as at the start; a port's VLAN changed; a port added; a bridge added."""
        turns, comes, alone = movers
        start = {"ports": {host.name: host.port() for host in (*pair, turns)},
                 "bridges": {"lan": {"ports": {"one": {}, "two": {}, "turns": {"vlan": 1}}}}}
        other_vlan, more_ports, more_bridges = (copy.deepcopy(start) for _ in range(3))
        other_vlan["bridges"]["lan"]["ports"]["turns"] = {"vlan": 7}
        more_ports["ports"]["comes"] = comes.port()
        more_ports["bridges"]["lan"]["ports"]["comes"] = {}
        more_bridges["ports"]["alone"] = alone.port()
        more_bridges["bridges"]["other"] = {"ports": ["alone"]}
        return start, other_vlan, more_ports, more_bridges

    def _make_known(self, switch, pair):
        """Addresses on the ports of the pair: their own, and one each that never speaks again."""
        silent = {"02:00:00:00:78:01": pair[0], "02:00:00:00:78:02": pair[1]}
        for mac, host in silent.items():
            host.wire().send(frame(BROADCAST, mac, PAYLOAD))
        pair[0].ping(pair[1])
        known = {host.mac: host.name for host in pair} | {mac: host.name for mac, host in silent.items()}
        wait_until(lambda: switch.macs() == known, "all addresses are learned")
        return known

    @staticmethod
    def _pace(began, number):
        """Spreads the reloads over nine of the ten seconds that the pings take."""
        time.sleep(max(0.0, began + (number + 1) * 9 / RELOADS - time.monotonic()))

    def test_what_is_no_file(self):
        """A pipe that nobody writes to, and /dev/zero, are refused at once, by the command and by the API."""
        pair = self.hosts("one", "two")
        with self.running(flat(pair), pair) as switch:
            pipe = self.world.path("pipe")
            os.mkfifo(pipe)
            for path in (pipe, "/dev/zero"):
                done = switch.command("reload", path)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(f"{path}:1:1: error: is not a regular file", done.stderr)
                answer = switch.api("POST", "/v1/reload", {"file": path})
                self.assertIn("is not a regular file", answer["errors"][0])
            self.assertEqual(pair[0].ping(pair[1]), 3)

    def test_bad_file(self):
        """A file with errors changes nothing: every error is printed, exit 1, traffic goes on."""
        pair = self.hosts("one", "two")
        with self.running(flat(pair), pair) as switch:
            before, text = switch.show("config"), "ports:\n  one: { device: tab }\n  two: {}\nbridgs: {}\n"
            path = self.world.path("bad.yaml")
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            done = switch.command("reload", path)
            self.assertEqual(done.returncode, 1)
            for line in (2, 3, 4):
                self.assertRegex(done.stderr, rf"(?m)^{path}:{line}:\d+: error: ")
            self.assertEqual(switch.show("config"), before)
            self.assertEqual(pair[0].ping(pair[1]), 3)

    def test_port_that_cannot_be_opened(self):
        """A reload whose new port cannot be opened changes nothing: exit 2 and the command that mends it."""
        pair = self.hosts("one", "two")
        with self.running(flat(pair), pair) as switch:
            before = (switch.show("config"), list(switch.ports()))
            next_config = flat([*pair, self.host("third")])
            next_config["ports"]["third"]["netns"] = "slab-nowhere"
            next_config["bridges"]["lan"]["ports"].remove("one")
            done = switch.reload(next_config)
            self.assertEqual(done.returncode, 2)
            self.assertIn("ip netns add slab-nowhere", done.stderr)
            self.assertEqual((switch.show("config"), list(switch.ports())), before)
            self.assertEqual(pair[0].ping(pair[1]), 3)

    def test_keys_that_need_a_restart(self):
        """A reload that changes what needs a restart is refused with exit 1 and says so."""
        pair = self.hosts("one", "two")
        with self.running(flat(pair), pair) as switch:
            done = switch.reload({**flat(pair), "tables": {"macs": 1000}})
            self.assertEqual(done.returncode, 1)
            self.assertIn("tables", done.stderr)
            self.assertIn("restart", done.stderr)
            self.assertEqual(pair[0].ping(pair[1]), 3)

    def test_sighup(self):
        """SIGHUP applies the file again: what was written into it in the meantime holds."""
        one, two, three = hosts = self.hosts("one", "two", "three")
        with self.running(flat([one, two]), (one, two)) as switch:
            self.assertEqual(one.ping(two), 3)
            switch.write(flat(hosts))
            switch.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "three" in switch.ports(), "the third port is there")
            three.take_address()
            self.assertEqual(one.ping(three), 3)
            with open(switch.file, "w", encoding="ascii") as file:
                file.write("ports: nonsense\n")
            switch.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "error" in switch.logged(), "the log names the error")
            self.assertEqual(one.ping(three), 3)
            switch.write(flat([one, two]))
            switch.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "three" not in switch.ports(), "the third port is gone")
            self.assertFalse(three.has_device())

    def test_diff(self):
        """diff says what a reload would change, and changes nothing."""
        pair = self.hosts("one", "two")
        with self.running(flat(pair)) as switch:
            next_config = flat([*pair, self.host("third")])
            done = switch.command("diff", switch.write(next_config, "next.yaml"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("third", done.stdout)
            self.assertIn("lan", done.stdout)
            self.assertEqual(sorted(switch.ports()), ["one", "two"])
            self.assertEqual(switch.command("diff").stdout, "no change\n")

    def test_port_restarts_alone(self):
        """A port whose mtu changes is opened anew; the addresses behind the other ports are kept."""
        one, two, three = hosts = self.hosts("one", "two", "three")
        with self.running(flat(hosts), (one, two, three)) as switch:
            self.assertEqual((one.ping(two), one.ping(three)), (3, 3))
            next_config = flat(hosts)
            next_config["ports"]["three"]["mtu"] = 1400
            pinging = one.start("ping", "-n", "-q", "-i", "0.002", "-c", "500", "-W", "2", two.address)
            self.assertEqual(switch.reload(next_config).returncode, 0)
            self.assertEqual(switch.macs(), {one.mac: "one", two.mac: "two"})
            self.assertEqual(answered(pinging.communicate(timeout=30)[0]), 500)
            three.take_address()
            self.assertEqual(one.ping(three), 3)

    def test_removed_vlan(self):
        """When a port's VLAN changes its host is no longer heard in the old one, and its address is forgotten."""
        one, two = pair = self.hosts("one", "two")
        with self.running(flat(pair), pair) as switch:
            self.assertEqual(one.ping(two), 3)
            changed = flat(pair)
            changed["bridges"]["lan"]["ports"] = {"one": {"vlan": 1}, "two": {"vlan": 2}}
            self.assertEqual(switch.reload(changed).returncode, 0)
            self.assertNotIn(two.mac, switch.macs("--vlan", "1"))
            self.assertEqual(one.ping(two, "-W", "0.2"), 0)
            self.assertEqual(switch.reload(flat(pair)).returncode, 0)
            self.assertEqual(one.ping(two), 3)
