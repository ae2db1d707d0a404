# SPDX-License-Identifier: BSD-3-Clause
"""Links that carry less than others: who is told, and that data arrives all the same."""

import re

from gateway import UPLINK, GatewayTest
from world import must

SMALL = 1400
SMALLER = 1300
HEADERS, HEADERS6 = 28, 48  # of an echo request: IP and ICMP
WHOLE = 3_000_000


def url(address):
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


class PathMtu(GatewayTest):
    def small(self, interface, mtu):
        config = self.config()
        config["interfaces"][interface]["mtu"] = mtu
        return config

    def assert_told(self, host, address, size, mtu, teller):
        """An echo request of this size that must not be fragmented brings word of the mtu; then it is known."""
        done = host.run("ping", "-n", "-M", "do", "-c", "3", "-i", "0.2", "-W", "2", "-s", str(size), address)
        words = rf"(?i)from {re.escape(teller)}:? icmp_seq=\d+ (frag needed|packet too big).*mtu ?= ?{mtu}\b"
        self.assertRegex(done.stdout, words)
        self.assert_knows(host, address, mtu)

    def assert_knows(self, host, address, mtu):
        self.assertIn(f"mtu {mtu}", must("ip", "-n", host.netns, "route", "get", address))

    def assert_sends(self, client, address):
        """A web server of the internet gets all that the client sends."""
        path = self.world.path("upload")
        with open(path, "wb") as file:
            file.write(bytes(WHOLE))
        said = client.curl(url(address), "--data-binary", f"@{path}", "-H", "Expect:")
        self.assertEqual(said, f"{WHOLE} octets\n")

    def assert_gets(self, client, address):
        """And it sends so much."""
        self.assertEqual(len(client.curl(f"{url(address)}{WHOLE}")), WHOLE)

    def test_small_uplink(self):
        """B38: a packet that must not be fragmented and is too large for the uplink: fragmentation needed, with the
        uplink's mtu, from the gateway's inside address; what fits passes."""
        with self.gateway(self.small("uplink", SMALL)):
            self.assert_told(self.laptop, self.server.address, SMALL - HEADERS + 1, SMALL, self.laptop.router)
            self.assertEqual(self.laptop.ping(self.server, "-M", "do", size=SMALL - HEADERS), 3)

    def test_small_uplink_over_ipv6(self):
        """B39: the same over IPv6: packet too big."""
        with self.gateway(self.small("uplink", SMALL)):
            self.assert_told(self.laptop, self.server.address6, SMALL - HEADERS6 + 1, SMALL, self.laptop.router6)
            self.assertEqual(self.laptop.ping(self.server.address6, "-M", "do", size=SMALL - HEADERS6), 3)

    def test_tcp_over_a_small_uplink(self):
        """TCP finds the path's mtu out and all data arrives, over IPv4 through NAT and over IPv6."""
        with self.gateway(self.small("uplink", SMALL)):
            self.server.web()
            for address in (self.server.address, self.server.address6):
                self.assert_sends(self.laptop, address)
                self.assert_knows(self.laptop, address, SMALL)

    def test_fragments_for_a_small_uplink(self):
        """B38: IPv4 packets that may be fragmented are, after their translation, and the server puts them together."""
        with self.gateway(self.small("uplink", SMALL)):
            before = self.server.counters()["IpReasmOKs"]
            self.assertEqual(self.laptop.ping(self.server, "-M", "dont", size=1472), 3)
            self.assertGreaterEqual(self.server.counters()["IpReasmOKs"] - before, 3)
            self.assertEqual(self.laptop.ping(self.server, "-M", "dont", size=4000), 3)

    def test_fragments_between_vlans(self):
        """B38: the same between VLANs."""
        with self.gateway(self.small("guests", SMALLER)):
            before = self.guest.counters()["IpReasmOKs"]
            self.assertEqual(self.laptop.ping(self.guest, "-M", "dont", size=1472), 3)
            self.assertGreaterEqual(self.guest.counters()["IpReasmOKs"] - before, 3)

    def test_small_link_inside(self):
        """B38: a server in the internet that sends too much for a guest's network hears of it from the uplink's
        address, and the transfer completes."""
        with self.gateway(self.small("guests", SMALLER)):
            self.server.web()
            self.assert_gets(self.guest, self.server.address)
            self.assert_knows(self.server, UPLINK, SMALLER)

    def test_small_link_inside_over_ipv6(self):
        """B39: the same over IPv6."""
        with self.gateway(self.small("guests", SMALLER)):
            self.server.web()
            self.assert_gets(self.guest, self.server.address6)
            self.assert_knows(self.server, self.guest.address6, SMALLER)

    def test_small_link_in_the_internet(self):
        """B70: word of a smaller link beyond the NAT reaches the host that sent too much, and the transfer
        completes."""
        for host, device in ((self.provider, "net"), (self.server, "server")):
            must("ip", "-n", host.netns, "link", "set", device, "mtu", str(SMALLER))
        # The server's TCP must not give away how small its own link is: the smaller one stands for any on the way.
        must("ip", "-n", self.server.netns, "route", "replace", "default", "via", self.server.router, "advmss", "1460")
        with self.gateway():
            self.assert_told(self.laptop, self.server.address, 1400, SMALLER, self.provider.address)
            self.server.web()
            self.assert_sends(self.phone, self.server.address)
            self.assert_knows(self.phone, self.server.address, SMALLER)
