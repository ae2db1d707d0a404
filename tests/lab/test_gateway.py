# SPDX-License-Identifier: BSD-3-Clause
"""The gateway whole: what people do through it with the tools that they have."""

import os

from gateway import GUESTS, GUESTS6, HOME, HOME6, UPLINK, UPLINK6, GatewayTest, forward

CURLS = 100
IPERF = 5201
FEW_PACKETS = 100
UDP = ("-u", "-b", "5M", "-l", "1200")
DIRECTIONS = ((), ("-R",))


class Pings(GatewayTest):
    def test_the_gateway_itself(self):
        """B42: every address of the gateway answers pings from inside and from outside, over IPv4 and IPv6."""
        with self.gateway():
            for address in (f"{HOME}.1", f"{GUESTS}.1", UPLINK, f"{HOME6}:1", f"{GUESTS6}:1", UPLINK6):
                for host in self.home:
                    self.assertEqual(host.ping(address), 3, f"{host.name} pings {address}")
            for address in (UPLINK, UPLINK6):
                self.assertEqual(self.server.ping(address), 3, address)
            self.assertEqual(self.server.ping(f"{HOME6}:1"), 3)

    def test_through_the_gateway(self):
        """B27, B31: in one VLAN the ttl stays, between VLANs it falls by 1, to the server by 2, over both families."""
        with self.gateway():
            for other, ttl in ((self.phone, 64), (self.guest, 63), (self.server, 62)):
                for address in (other.address, other.address6):
                    self.assertEqual(self.laptop.ping(address, count=20), 20, address)
                    self.assertEqual(self.laptop.ttl(address), ttl, address)
            self.assertEqual(self.guest.ping(self.phone), 3)
            self.assertEqual(self.server.ping(self.guest.address6), 3)

    def test_link_local_addresses(self):
        """B49: the gateway answers at its link-local address, and does not forward to one."""
        with self.gateway() as switch:
            macs = {entry["name"]: entry["mac"] for entry in switch.show("interfaces")["interfaces"]}
            self.assertEqual(self.laptop.ping(f"{link_local(macs['home'])}%laptop"), 3)
            self.assertEqual(self.guest.ping(f"{link_local(macs['guests'])}%guest"), 3)
            self.assertEqual(self.laptop.ping(f"{link_local(self.guest.mac)}%laptop", "-W", "0.3"), 0)

    def test_every_size(self):
        """Echo requests from 0 octets to 8000, fragments included, are routed and translated."""
        with self.gateway():
            for other in (self.guest, self.server):
                for address in (other.address, other.address6):
                    for size in (0, 1, 17, 64, 1400, 1452, 1453, 1472, 1473, 4000, 8000):
                        self.assertEqual(self.laptop.ping(address, size=size), 3, f"{address}, {size} octets")

    def test_tables_for_people(self):
        """Every table has rows, without colour, once hosts have talked."""
        with self.gateway() as switch:
            self.assertEqual((self.laptop.ping(self.guest), self.laptop.ping(self.server)), (3, 3))
            for table, words in (("interfaces", ["home", "guests", "uplink", f"{HOME}.1", UPLINK6]),
                                 ("routes", [f"{GUESTS}.0/24", self.provider.address, "uplink"]),
                                 ("neighbors", [self.guest.address, self.guest.mac, "guests"]),
                                 ("nat", ["internet", "uplink"]),
                                 ("sessions", ["icmp", self.laptop.address, UPLINK, self.server.address])):
                text = switch.command("show", table).stdout
                for word in words:
                    self.assertIn(word, text, table)
                self.assertNotIn("\033", text, table)

    def test_interfaces_are_shown(self):
        """show interfaces lists name, place, MAC address, mtu and addresses."""
        with self.gateway() as switch:
            shown = {entry["name"]: entry for entry in switch.show("interfaces")["interfaces"]}
            self.assertEqual(sorted(shown), ["guests", "home", "uplink"])
            self.assertEqual((shown["home"]["bridge"], shown["home"]["vlan"]), ("home", 10))
            self.assertEqual(shown["uplink"]["port"], "provider")
            self.assertLessEqual({f"{UPLINK}/24", f"{UPLINK6}/64"}, set(shown["uplink"]["addresses"]))
            self.assertEqual(shown["uplink"]["mtu"], 1500)

    def test_routes_are_shown(self):
        """show routes lists the connected and the static routes, of one family or both."""
        with self.gateway() as switch:
            four, six = ({route["to"]: route for route in switch.show("routes", "--family", family)["routes"]}
                         for family in "46")
            self.assertLessEqual({"0.0.0.0/0", f"{HOME}.0/24", f"{GUESTS}.0/24", "203.0.113.0/24"}, set(four))
            self.assertLessEqual({"::/0", f"{HOME6}:/64", f"{GUESTS6}:/64", "2001:db8::/64"}, set(six))
            via = four["0.0.0.0/0"]["via"][0]
            self.assertEqual((via["address"], via["interface"]), (self.provider.address, "uplink"))
            self.assertEqual(six["::/0"]["via"][0]["address"], self.provider.address6)


def link_local(mac):
    """fe80::/64 with the interface identifier of RFC 4291 appendix A."""
    octets = [int(octet, 16) for octet in mac.split(":")]
    octets = [octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]]
    return "fe80::" + ":".join(f"{octets[at] << 8 | octets[at + 1]:x}" for at in range(0, 8, 2))


class Transfers(GatewayTest):
    """The receiving kernels look at every checksum: see GatewayTest.gateway."""

    def _tcp(self, client, server, address=None, *options):
        for direction in DIRECTIONS:
            end = self.iperf(client, server, *direction, *options, address=address)
            self.assertGreater(end["sum_received"]["bytes"], 1 << 20, direction)

    def _udp(self, client, server, address=None):
        for direction in DIRECTIONS:
            total = self.iperf(client, server, *UDP, *direction, address=address)["sum"]
            self.assertGreater(total["packets"], FEW_PACKETS)
            self.assertLessEqual(total["lost_packets"], total["packets"] / 10, total)

    def test_tcp_through_nat(self):
        """B65, B67: TCP transfers from and to a server in the internet complete, one and eight at a time."""
        with self.gateway():
            self._tcp(self.laptop, self.server)
            self._tcp(self.guest, self.server, None, "-P", "8")

    def test_udp_through_nat(self):
        """UDP flows through NAT in both directions."""
        with self.gateway():
            self._udp(self.laptop, self.server)

    def test_from_outside_in(self):
        """B80: TCP and UDP transfers from outside through a port forward, in both directions."""
        forwards = [forward(protocol, IPERF, f"{self.phone.address}:{IPERF}") for protocol in ("tcp", "udp")]
        with self.gateway(self.config(**{"port-forward": forwards})):
            self._tcp(self.server, self.phone, UPLINK)
            self._udp(self.server, self.phone, UPLINK)

    def test_between_vlans(self):
        """TCP and UDP between hosts of two VLANs, over IPv4 and IPv6."""
        with self.gateway():
            for address in (self.guest.address, self.guest.address6):
                self._tcp(self.laptop, self.guest, address)
                self._udp(self.laptop, self.guest, address)

    def test_ipv6_to_the_internet(self):
        """TCP and UDP over IPv6 with the server, begun from inside and from outside."""
        with self.gateway():
            self._tcp(self.laptop, self.server, self.server.address6)
            self._udp(self.server, self.laptop, self.laptop.address6)

    def test_a_hundred_curls(self):
        """100 web requests at once all get their answer through NAT."""
        with self.gateway() as switch:
            web = self.server.web()
            curl = "curl -sS --max-time 60 -o /dev/null -w '%{http_code} %{size_download}\\n'"
            shell = f"for n in $(seq {CURLS}); do {curl} http://{self.server.address}/20000 & done; wait"
            done = self.laptop.run("sh", "-c", shell, timeout=120)
            self.assertEqual(done.stdout.splitlines(), ["200 20000"] * CURLS, done.stderr)
            self.assertEqual(web.clients(), [UPLINK] * CURLS)
            shown = switch.show("sessions", "--source", self.laptop.address, "--protocol", "tcp")["sessions"]
            self.assertEqual(len({session["translated-source"] for session in shown}), CURLS)

    def test_two_workers(self):
        """Two workers switch, route and translate together."""
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("this machine has one core")
        config = {**self.config(), "workers": {"cores": sorted(os.sched_getaffinity(0))[:2]}}
        with self.gateway(config) as switch:
            for host in self.home:
                for address in (self.server.address, self.server.address6):
                    self.assertEqual(host.ping(address, count=100), 100, address)
            self._tcp(self.laptop, self.server, None, "-P", "8")
            self._udp(self.phone, self.server)
            self.assertEqual(self.guest.hops(self.server.address)[0], self.guest.router)
            self.assertTrue(all(worker["packets"] for worker in switch.show("workers")["workers"]))


class Traceroutes(GatewayTest):
    def test_from_inside(self):
        """B31, B70: traceroute with UDP, ICMP and TCP shows the gateway's address on the laptop's side, the provider
        and the server."""
        with self.gateway():
            self.server.web()
            path = [self.laptop.router, self.provider.address, self.server.address]
            for options in ((), ("-I",), ("-T", "-p", "80"), ("-U", "-p", "33434")):
                self.assertEqual(self.laptop.hops(self.server.address, *options), path, options)

    def test_from_inside_over_ipv6(self):
        """B40: traceroute over IPv6 shows the same."""
        with self.gateway():
            path = [self.laptop.router6, self.provider.address6, self.server.address6]
            for options in ((), ("-I",)):
                self.assertEqual(self.laptop.hops(self.server.address6, "-6", *options), path, options)

    def test_between_vlans(self):
        """traceroute to a host of another VLAN shows the gateway's address in one's own."""
        with self.gateway():
            self.assertEqual(self.laptop.hops(self.guest.address), [self.laptop.router, self.guest.address])
            self.assertEqual(self.guest.hops(self.laptop.address), [self.guest.router, self.laptop.address])
            self.assertEqual(self.guest.hops(self.laptop.address6, "-6"), [self.guest.router6, self.laptop.address6])

    def test_from_outside(self):
        """traceroute from the server shows the gateway's address on the uplink: at the end over IPv4, on the way
        over IPv6."""
        with self.gateway():
            self.assertEqual(self.server.hops(UPLINK), [self.server.router, UPLINK])
            self.assertEqual(self.server.hops(self.laptop.address6, "-6"),
                             [self.server.router6, UPLINK6, self.laptop.address6])
