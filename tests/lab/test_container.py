# SPDX-License-Identifier: BSD-3-Clause
"""config/examples/container.yaml and docker/wire.sh, in a namespace that is wired and restricted as a container is.

    laptop -- eth0 [ br-lan -- lan -- sluice -- wan -- br-wan ] eth1 -- outside"""

import os

from gateway import Web
from lab import Host, LabTest
from world import must

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CONFIG = os.path.join(TOP, "config", "examples", "container.yaml")
WIRE = os.path.join(TOP, "docker", "wire.sh")
HOME, OUTSIDE = "172.30.10", "172.30.20"
CAPABILITIES = "-all,+net_admin,+net_raw"


class Neighbour(Host):
    """A host at the other end of one of the container's interfaces."""

    def __init__(self, world, name, box, device, network, number):
        super().__init__(world, name, number)
        self.address = f"{network}.{number}"
        must("ip", "-n", box, "link", "add", device, "type", "veth", "peer", "name", name, "netns", self.netns)
        must("ip", "-n", box, "address", "add", f"{network}.2/24", "dev", device)
        must("ip", "-n", box, "link", "set", device, "up")
        must("ip", "-n", self.netns, "address", "add", self.address + "/24", "dev", name)
        self.link("up")


class Container(LabTest):
    def setUp(self):
        super().setUp()
        self.box = self.world.namespace("box")
        self.laptop = Neighbour(self.world, "laptop", self.box, "eth0", HOME, 7)
        self.outside = Neighbour(self.world, "outside", self.box, "eth1", OUTSIDE, 1)
        must("ip", "-n", self.laptop.netns, "route", "add", "default", "via", f"{HOME}.2")
        self.into = ("ip", "netns", "exec", self.box)
        self.restricted = (*self.into, "setpriv", "--no-new-privs", f"--bounding-set={CAPABILITIES}",
                           f"--inh-caps={CAPABILITIES}")

    def test_gateway_with_two_capabilities(self):
        """With CAP_NET_ADMIN and CAP_NET_RAW alone, sluice makes its taps, and is the gateway between two networks."""
        with self.running(CONFIG, through=self.restricted) as switch:
            self._assert_capabilities(switch.process.pid)
            must(*self.restricted, WIRE, "lan", f"{HOME}.2", "wan", f"{OUTSIDE}.2")
            for address in (f"{HOME}.2", f"{OUTSIDE}.2", self.outside.address):
                self.wait_answered(self.laptop, address)
            web = Web(self.outside, 80)
            url = f"http://{self.outside.address}/"
            said = must("ip", "netns", "exec", self.laptop.netns, "curl", "-sS", "--max-time", "20", url)
            self.assertIn(f"Hello {OUTSIDE}.2,", said)
            self.assertEqual(web.clients(), [f"{OUTSIDE}.2"])
            self.assertEqual(len(switch.show("sessions", "--protocol", "tcp")["sessions"]), 1)
            for direction in ((), ("-R",)):
                end = self.iperf(self.laptop, self.outside, *direction, seconds=2)
                self.assertGreater(end["sum_received"]["bytes"], 1 << 20, direction)

    def _assert_capabilities(self, pid):
        """NET_ADMIN is bit 12, NET_RAW bit 13: linux/capability.h."""
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            effective = next(line.split()[1] for line in status if line.startswith("CapEff"))
        self.assertEqual(int(effective, 16), 1 << 12 | 1 << 13)

    def test_wire_needs_the_address(self):
        """wire.sh says which address no interface has, and how it is called."""
        done = must("sh", "-c", f"! {WIRE} lan 192.0.2.99 2>&1")
        self.assertIn("no interface has the address 192.0.2.99", done)
        self.assertIn("wire.sh TAP ADDRESS", must("sh", "-c", f"! {WIRE} 2>&1"))
