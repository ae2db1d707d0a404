# SPDX-License-Identifier: BSD-3-Clause
"""The command line: exit codes, and what is said with them."""

import json
import os
import signal

import lab
from lab import LabTest, flat
from world import must, run

TABLES = ["ports", "macs", "workers", "drops", "config", "interfaces", "routes", "neighbors", "nat", "sessions"]
SHOWING = [["show", table] for table in TABLES]
CLEARING = [["clear", table] for table in ("macs", "neighbors", "sessions")]
COMMANDS = [["run"], ["check"], ["diff"], ["reload"], ["show"], ["clear"], ["ping"], ["replay"], ["explain"], *SHOWING, *CLEARING]
ASKING = [*SHOWING, *CLEARING, ["reload"], ["diff"], ["ping", "192.0.2.1"]]
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "config", "examples")


def sluice(*args):
    return run(lab.BINARY, *args)


class Words(LabTest):
    """What needs no running sluice."""

    def test_help(self):
        """Every command has --help, with exit 0 and words on standard output."""
        for command in [[], *COMMANDS]:
            done = sluice(*command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), command)
            self.assertIn("Usage", done.stdout, command)

    def test_version(self):
        """--version says which sluice this is."""
        done = sluice("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^sluice \d+\.\d+")

    def test_wrong_arguments(self):
        """Wrong arguments are exit 1, also where no sluice runs that could be asked."""
        for command in ([], ["rnu"], ["run"], ["check"], ["run", "a", "b"], ["show"], ["show", "prots"], ["clear"],
                        ["show", "ports", "--jsno"], ["show", "macs", "--vlan", "4095"], ["show", "macs", "--vlan", "x"],
                        ["show", "ports", "--watch", "-1"], ["show", "sessions", "--protocol", "xyz"],
                        ["show", "sessions", "--source", "192.0.2"], ["show", "routes", "--family", "5"], ["ping"],
                        ["ping", "nonsense"], ["ping", "192.0.2.1", "--count", "0"],
                        ["clear", "sessions", "--source", "nobody"]):
            done = sluice(*command, "--socket", self.world.path("none.sock")) if command else sluice()
            self.assertEqual(done.returncode, 1, f"{command}: {done.stdout}{done.stderr}")
            self.assertTrue(done.stderr, command)
            self.assertEqual(done.stdout, "", command)

    def test_no_daemon(self):
        """A question to a sluice that does not run is exit 3 and says how to start one."""
        for command in ASKING:
            done = sluice(*command, "--socket", self.world.path("none.sock"))
            self.assertEqual((done.returncode, done.stdout), (3, ""), f"{command}: {done.stderr}")
            self.assertIn("none.sock", done.stderr)

    def test_check_of_a_good_file(self):
        """check of a good file prints ports and memory, exit 0, and makes no device."""
        path = self._file(json.dumps({"ports": {"slabnone": {"device": "tap", "netns": "nowhere"}, "hole": {"device": "null"}},
                                      "bridges": {"lan": {"ports": ["slabnone", "hole"]}}}))
        done = sluice("check", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("slabnone", done.stdout)
        self.assertIn("MiB", done.stdout)

    def test_check_of_the_home_gateway(self):
        """check of the home gateway prints its interfaces and NAT, and says that IPv6 is not firewalled."""
        done = sluice("check", os.path.join(EXAMPLES, "home-gateway.yaml"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("uplink", "203.0.113.2", "internet"):
            self.assertIn(word, done.stdout)
        self.assertRegex(done.stdout + done.stderr, r"(?is)ipv6.*(firewalled|filtered)")

    def test_check_of_a_bad_file(self):
        """check of a bad file prints every error with FILE:LINE:COLUMN, exit 1; run does the same."""
        path = self._file("ports:\n  one: { device: tap, mtuu: 9 }\n  one: { device: tap }\n  two: { device: tpa }\n")
        for command in ("check", "run"):
            done = sluice(command, path)
            self.assertEqual((done.returncode, done.stdout), (1, ""), command)
            lines = done.stderr.splitlines()
            for line in (2, 3, 4):
                self.assertTrue([text for text in lines if text.startswith(f"{path}:{line}:")], done.stderr)
            for text in lines:
                self.assertRegex(text, rf"^{path}:\d+:\d+: error: .")

    def test_check_of_no_file(self):
        """check and run of a file that is not there, empty, or a directory: exit 1, an error at 1:1."""
        for path in (self.world.path("none.yaml"), self._file(""), self.world.directory):
            for command in ("check", "run"):
                done = sluice(command, path)
                self.assertEqual(done.returncode, 1, path)
                self.assertTrue(done.stderr.startswith(f"{path}:1:1: error: "), done.stderr)

    def test_no_namespace(self):
        """A tap in a network namespace that is not there: exit 2 and the command that makes it."""
        code, words = self.refused({"ports": {"one": {"device": "tap", "netns": "slab-nowhere"}}})
        self.assertEqual(code, 2, words)
        self.assertIn("port 'one'", words)
        self.assertIn("ip netns add slab-nowhere", words)

    def test_device_name_taken(self):
        """A tap whose name is taken: exit 2, the command that removes the other device, which is left alone."""
        host = self.host("one")
        must("ip", "-n", host.netns, "tuntap", "add", "name", "one", "mode", "tap")
        code, words = self.refused(flat([host]))
        self.assertEqual(code, 2, words)
        self.assertIn(f"ip -n {host.netns} link delete one", words)
        self.assertTrue(host.has_device())

    def _file(self, text):
        path = self.world.path("file.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path


class Running(LabTest):
    """What people ask a running sluice."""

    def test_tables_for_people(self):
        """Every show command prints a table for people without colour, and JSON for programs."""
        pair = self.hosts("one", "two")
        with self.running(flat(pair), pair) as switch:
            pair[0].ping(pair[1])
            for what in TABLES:
                done = switch.command("show", what)
                self.assertEqual((done.returncode, done.stderr), (0, ""), what)
                self.assertTrue(done.stdout.strip(), what)
                self.assertNotIn("\033", done.stdout, what)
                self.assertIsInstance(switch.show(what), dict)
            self.assertIn(pair[0].mac, switch.command("show", "macs").stdout)

    def test_every_frame_is_in_the_books(self):
        """After traffic, received + generated equals transmitted + consumed + dropped, by the numbers shown."""
        hosts = self.hosts("one", "two", "three")
        with self.running(flat(hosts), hosts) as switch:
            for other in hosts[1:]:
                self.assertEqual(hosts[0].ping(other, count=100), 100)
            view = switch.show("ports")
            received = sum(port["received"] for port in view["ports"].values())
            transmitted = sum(port["transmitted"] for port in view["ports"].values())
            self.assertEqual(received + view["generated"],
                             transmitted + view["consumed"] + sum(view["drops"].values()) + view["held"])
            self.assertGreater(received, 400)

    def test_socket_from_the_environment(self):
        """SLUICE_SOCKET names the socket as --socket does."""
        with self.running(flat(self.hosts("one"))) as switch:
            done = run(lab.BINARY, "show", "ports", "--json", env={**os.environ, "SLUICE_SOCKET": switch.socket})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("one", json.loads(done.stdout)["ports"])

    def test_two_at_once(self):
        """Two sluices with different sockets run side by side; a third on a socket in use is exit 2."""
        first, second = self.hosts("one", "two"), self.hosts("three", "four")
        with self.running(flat(first), first, name="first") as switch:
            with self.running(flat(second), second, name="second"):
                self.assertEqual(first[0].ping(first[1]), 3)
                self.assertEqual(second[0].ping(second[1]), 3)
            code, words = self.refused_file(self._twin(switch))
            self.assertEqual(code, 2, words)
            self.assertIn(switch.socket, words)
            self.assertEqual(first[0].ping(first[1]), 3)
            self.assertEqual(switch.command("show", "ports").returncode, 0)

    def _twin(self, switch):
        return switch.write({"ports": {"hole": {"device": "null"}}}, "twin.yaml")

    def test_stale_socket(self):
        """The socket that a killed sluice left does not keep the next from starting."""
        host = self.host("one")
        with self.running(flat([host]), name="sluice") as switch:
            switch.process.send_signal(signal.SIGKILL)
            switch.process.wait()
        with self.running(flat([host]), name="sluice") as switch:
            self.assertEqual(list(switch.ports()), ["one"])

    def test_interrupt(self):
        """Ctrl-C ends sluice as SIGTERM does."""
        with self.running(flat(self.hosts("one"))) as switch:
            switch.stop(signal.SIGINT)

    def test_nothing_is_left(self):
        """When sluice ends not even an empty directory of DPDK's stays behind."""
        with self.running(flat(self.hosts("one"))) as switch:
            switch.stop()
            self.assertFalse(os.path.exists(switch.runtime_directory()), switch.runtime_directory())

    def test_namespaces_are_deleted_first(self):
        """When a host's namespace is deleted under a running sluice, the other hosts go on, and it still ends well."""
        one, two, three = hosts = self.hosts("one", "two", "three")
        with self.running(flat(hosts), (one, two)) as switch:
            must("ip", "netns", "delete", three.netns)
            self.assertEqual(one.ping(two), 3)
            self.assertEqual(switch.reload(flat([one, two])).returncode, 0)
            self.assertEqual(one.ping(two), 3)
            switch.mbufs_at_start = switch.mbufs()
