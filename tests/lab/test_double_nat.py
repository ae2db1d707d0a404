# SPDX-License-Identifier: BSD-3-Clause
"""Two gateways in a row: a home behind a box of its own, behind that of the provider.

    laptop, phone -- inner sluice -- cable -- outer sluice -- provider -- server"""

import contextlib

from gateway import HOME, HOME6, UPLINK, UPLINK6, Provider, Server, Station, forward
from lab import LabTest
from world import must

BETWEEN, BETWEEN6 = "192.168.178", "2001:db8:178:"
INNER = f"{BETWEEN}.2"
OUTER = f"{BETWEEN}.1"
SLOW_UDP = ("-u", "-b", "5M", "-l", "1200")


class Cable:
    """Two taps joined by a bridge of the kernel: `plug` of the inner gateway, `socket` of the outer one."""

    def __init__(self, world):
        self.netns = world.namespace("cable")
        must("ip", "-n", self.netns, "link", "add", "cable", "type", "bridge", "mcast_snooping", "0")
        must("ip", "-n", self.netns, "link", "set", "cable", "up")

    def port(self):
        return {"device": "tap", "netns": self.netns}

    def join(self):
        for end in ("plug", "socket"):
            must("ip", "-n", self.netns, "link", "set", end, "master", "cable", "up")


class DoubleNat(LabTest):
    def setUp(self):
        super().setUp()
        self.laptop = Station(self.world, "laptop", 7, HOME, HOME6)
        self.phone = Station(self.world, "phone", 20, HOME, HOME6)
        self.provider = Provider(self.world)
        self.server = Server(self.world, self.provider)
        self.cable = Cable(self.world)

    def _inner(self):
        return {
            "ports": {"laptop": self.laptop.port(), "phone": self.phone.port(), "plug": self.cable.port()},
            "bridges": {"home": {"ports": ["laptop", "phone"]}},
            "interfaces": {
                "home": {"bridge": "home", "vlan": 1, "addresses": [f"{HOME}.1/24", f"{HOME6}:1/64"]},
                "uplink": {"port": "plug", "addresses": [f"{INNER}/24", f"{BETWEEN6}:2/64"]}},
            "routes": [{"to": "default", "via": OUTER}, {"to": "default", "via": f"{BETWEEN6}:1"}],
            "nat": [{"name": "inner", "interface": "uplink", "source": [f"{HOME}.0/24"], "address": "interface",
                     "port-forward": [forward("tcp", 8081, f"{self.phone.address}:80")]}]}

    def _outer(self):
        return {
            "ports": {"socket": self.cable.port(), "provider": self.provider.port()},
            "interfaces": {
                "between": {"port": "socket", "addresses": [f"{OUTER}/24", f"{BETWEEN6}:1/64"]},
                "uplink": {"port": "provider", "addresses": [f"{UPLINK}/24", f"{UPLINK6}/64"]}},
            "routes": [{"to": "default", "via": self.provider.address},
                       {"to": "default", "via": self.provider.address6},
                       {"to": f"{HOME6}:/64", "via": f"{BETWEEN6}:2"}],
            "nat": [{"name": "outer", "interface": "uplink", "source": [f"{BETWEEN}.0/24"], "address": "interface",
                     "port-forward": [forward("tcp", 8080, f"{INNER}:8081")]}]}

    @contextlib.contextmanager
    def both(self):
        with self.running(self._outer(), [self.provider], name="outer") as outer:
            with self.running(self._inner(), [self.laptop, self.phone], name="inner") as inner:
                self.cable.join()
                for address in (OUTER, f"{BETWEEN6}:1"):
                    self.wait_answered(self.laptop, address)
                yield inner, outer

    def test_pings_and_traceroutes(self):
        """Pings pass both gateways, and traceroute shows both, over IPv4 and IPv6."""
        with self.both():
            self.assertEqual(self.laptop.ping(self.server, count=50), 50)
            self.assertEqual(self.laptop.ping(self.server.address6, count=50), 50)
            self.assertEqual(self.laptop.ttl(self.server.address), 61)
            self.assertEqual(self.laptop.hops(self.server.address),
                             [self.laptop.router, OUTER, self.provider.address, self.server.address])
            self.assertEqual(self.laptop.hops(self.server.address6, "-6"),
                             [self.laptop.router6, f"{BETWEEN6}:1", self.provider.address6, self.server.address6])

    def test_transfers(self):
        """B81: TCP and UDP pass both translations in both directions; the checksums are right."""
        with self.both():
            hosts = (self.laptop, self.phone, self.server)
            before = [host.damaged() for host in hosts]
            for direction in ((), ("-R",)):
                end = self.iperf(self.laptop, self.server, *direction, seconds=2)
                self.assertGreater(end["sum_received"]["bytes"], 1 << 20, direction)
                total = self.iperf(self.phone, self.server, *SLOW_UDP, *direction, seconds=2)["sum"]
                self.assertLessEqual(total["lost_packets"], total["packets"] / 10, total)
            self.assertEqual([host.damaged() for host in hosts], before)

    def test_web_both_ways(self):
        """B81: the server sees the outer gateway's address, the gateway between the inner one's; a port forward of
        each, one behind the other, leads to the phone."""
        with self.both() as (inner, outer):
            web, at_home = self.server.web(), self.phone.web()
            self.assertIn(f"Hello {UPLINK},", self.laptop.curl(f"http://{self.server.address}/"))
            self.assertIn("web server of phone", self.server.curl(f"http://{UPLINK}:8080/"))
            self.assertEqual((web.clients(), at_home.clients()), ([UPLINK], [self.server.address]))
            session = inner.show("sessions", "--source", self.laptop.address)["sessions"][0]
            self.assertTrue(session["translated-source"].startswith(INNER + ":"), session)
            session = outer.show("sessions", "--source", INNER)["sessions"][0]
            self.assertTrue(session["translated-source"].startswith(UPLINK + ":"), session)
