# SPDX-License-Identifier: BSD-3-Clause
"""NAT as the hosts at its two sides see it."""

import concurrent.futures
import errno
import socket

from gateway import HOME, UPLINK, GatewayTest, forward
from world import wait_until

POOL = ["203.0.113.10", "203.0.113.11"]
ALIAS = "203.0.113.20"
SILENCE_SECONDS = 1
ROUNDS = 20


class Masquerading(GatewayTest):
    def test_web(self):
        """B62: the server sees every host of the home at the uplink's address."""
        with self.gateway():
            web = self.server.web()
            for host in self.home:
                self.assertIn(f"Hello {UPLINK},", host.curl(f"http://{self.server.address}/"))
            self.assertEqual(web.clients(), [UPLINK] * 3)

    def test_ipv6_is_not_translated(self):
        """Over IPv6 the server sees the hosts' own addresses."""
        with self.gateway():
            web = self.server.web()
            for host in self.home:
                host.curl(f"http://[{self.server.address6}]/")
            self.assertEqual(web.clients(), [host.address6 for host in self.home])

    def test_echoes_of_one_identifier(self):
        """B69: three hosts ping one server with the same identifier at the same time, and each gets its answers."""
        with self.gateway():
            with concurrent.futures.ThreadPoolExecutor() as pool:
                pings = [pool.submit(host.ping, self.server, "-e", "7", "-i", "0.05", count=ROUNDS)
                         for host in self.home]
                self.assertEqual([ping.result() for ping in pings], [ROUNDS] * 3)

    def test_one_port_for_all_destinations(self):
        """B60, B63: two servers see one socket at one and the same address and port, its own if that is free."""
        with self.gateway():
            ears = self.server.udp(7001), self.server.udp(7002), self.provider.udp(7001)
            mouth = self.laptop.udp(40007)
            for host, port in ((self.server, 7001), (self.server, 7002), (self.provider, 7001)):
                mouth.sendto(b"where am I?", (host.address, port))
            self.assertEqual([ear.recvfrom(100)[1] for ear in ears], [(UPLINK, 40007)] * 3)

    def test_same_port_of_two_hosts(self):
        """B63: where two hosts use the same port, the server sees two, and each host gets its own answers."""
        with self.gateway():
            ear = self.server.udp(7001)
            mouths = [host.udp(40008) for host in self.home]
            seen = set()
            for number, mouth in enumerate(mouths):
                mouth.sendto(bytes([number]), (self.server.address, 7001))
                question, source = ear.recvfrom(100)
                seen.add(source)
                ear.sendto(question * 2, source)
            self.assertEqual({address for address, _ in seen}, {UPLINK})
            self.assertEqual(len(seen), 3)
            for number, mouth in enumerate(mouths):
                self.assertEqual(mouth.recvfrom(100), (bytes([number] * 2), (self.server.address, 7001)))

    def test_who_may_answer(self):
        """B61: whoever was asked may answer, from another port too; a stranger is not let in."""
        with self.gateway():
            asked, other_port, stranger = self.server.udp(7001), self.server.udp(7009), self.provider.udp(7001)
            mouth = self.laptop.udp(40009)
            mouth.sendto(b"?", (self.server.address, 7001))
            _, outside = asked.recvfrom(100)
            stranger.sendto(b"stranger", outside)
            other_port.sendto(b"answer", outside)
            self.assertEqual(mouth.recvfrom(100), (b"answer", (self.server.address, 7009)))
            self.assert_silent(mouth)

    def assert_silent(self, ear):
        ear.settimeout(SILENCE_SECONDS)
        with self.assertRaises(TimeoutError):
            ear.recvfrom(100)

    def test_fragments(self):
        """Datagrams of 6000 octets pass NAT in fragments, in both directions."""
        with self.gateway():
            ear, mouth = self.server.udp(7001), self.laptop.udp()
            for number in range(ROUNDS):
                data = bytes([number]) * 6000
                mouth.sendto(data, (self.server.address, 7001))
                got, source = ear.recvfrom(9000)
                self.assertEqual(got, data)
                ear.sendto(data[::-1], source)
                self.assertEqual(mouth.recvfrom(9000)[0], data)

    def test_pool(self):
        """B62: hosts are seen at addresses of the pool, each always at the same; the gateway answers ARP for them."""
        with self.gateway(self.config(address=[f"{POOL[0]}-{POOL[1]}"])):
            web = self.server.web()
            for _ in range(4):
                for host in self.home:
                    host.curl(f"http://{self.server.address}/")
            clients = web.clients()
            self.assertLessEqual(set(clients), set(POOL))
            self.assertEqual(clients, clients[:3] * 4)

    def test_exempt(self):
        """B82: destinations that are exempt see the hosts' own addresses, and their answers come back."""
        config = self.config(exempt=["198.51.100.0/24"])
        with self.gateway(config):
            self.provider.route(f"{HOME}.0/24", "via", UPLINK)
            web = self.server.web()
            self.laptop.curl(f"http://{self.server.address}/")
            self.assertEqual(web.clients(), [self.laptop.address])
            self.assertEqual(self.server.ping(self.laptop), 3)

    def test_not_to_private_addresses(self):
        """A packet from outside to a private address of the home is dropped as nat-untranslated."""
        with self.gateway() as switch:
            self.provider.route(f"{HOME}.0/24", "via", UPLINK)
            self.assertEqual(self.server.ping(self.laptop, "-W", "0.5"), 0)
            self.assertEqual(switch.drops("provider").get("nat-untranslated"), 3, switch.drops("provider"))

    def test_the_router_itself(self):
        """B82: the gateway's outside address answers pings from inside and outside, and has no open UDP port."""
        with self.gateway():
            self.assertEqual((self.laptop.ping(UPLINK), self.server.ping(UPLINK)), (3, 3))
            mouth = self.server.udp()
            mouth.connect((UPLINK, 9))
            self.assert_refused(mouth)

    def assert_refused(self, connected):
        connected.send(b"anybody?")
        with self.assertRaises(ConnectionRefusedError):
            connected.recv(100)


class Errors(GatewayTest):
    """B70: what routers and hosts beyond the NAT have to say reaches the host that it is for."""

    def test_closed_port(self):
        """A closed UDP port of the server: the application inside learns of it at once."""
        with self.gateway():
            for port in (9, 10, 11):
                mouth = self.laptop.udp()
                mouth.connect((self.server.address, port))
                mouth.send(b"anybody?")
                with self.assertRaises(ConnectionRefusedError):
                    mouth.recv(100)

    def test_no_route_beyond(self):
        """A network that the provider does not know: pings and TCP connections learn of it."""
        with self.gateway():
            done = self.laptop.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "5", "192.0.2.1")
            self.assertRegex(done.stdout, rf"(?i)from {self.provider.address} icmp_seq=\d+ destination net unreachable")
            mouth = self.laptop.socket(socket.SOCK_STREAM)
            with self.assertRaises(OSError) as caught:
                mouth.connect(("192.0.2.1", 80))
            self.assertEqual(caught.exception.errno, errno.ENETUNREACH)

    def test_ttl_ends_beyond(self):
        """A ttl that ends at the provider: ping shows the provider."""
        with self.gateway():
            done = self.laptop.run("ping", "-n", "-t", "2", "-c", "2", "-W", "5", self.server.address)
            self.assertRegex(done.stdout, rf"(?i)from {self.provider.address} icmp_seq=\d+ time to live exceeded")

    def test_error_from_inside(self):
        """B70: a closed port behind a port forward: the host outside hears it from the address that it asked."""
        nat = {"port-forward": [forward("udp", 7000, f"{self.phone.address}:7000")]}
        with self.gateway(self.config(**nat)):
            mouth = self.server.udp()
            mouth.connect((UPLINK, 7000))
            mouth.send(b"anybody?")
            with self.assertRaises(ConnectionRefusedError):
                mouth.recv(100)


class FromOutside(GatewayTest):
    def forwarding(self):
        return self.config(**{"port-forward": [forward("tcp", 8080, f"{self.phone.address}:80"),
                                               forward("udp", 7000, f"{self.phone.address}:7001")]})

    def test_port_forward(self):
        """B80: a port forward leads to the host inside, which sees who asks; the answer comes from the address that
        was asked."""
        with self.gateway(self.forwarding()):
            web = self.phone.web()
            self.assertIn("web server of phone", self.server.curl(f"http://{UPLINK}:8080/"))
            self.assertEqual(web.clients(), [self.server.address])
            ear, mouth = self.phone.udp(7001), self.server.udp()
            mouth.sendto(b"?", (UPLINK, 7000))
            _, source = ear.recvfrom(100)
            self.assertEqual(source[0], self.server.address)
            ear.sendto(b"!", source)
            self.assertEqual(mouth.recvfrom(100), (b"!", (UPLINK, 7000)))

    def test_no_other_port(self):
        """Without a forward nobody gets in: a connection to another port fails."""
        with self.gateway(self.forwarding()):
            self.phone.web()
            done = self.server.run("curl", "-sS", "--max-time", "3", f"http://{UPLINK}:80/")
            self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_hairpin(self):
        """B71: hosts inside reach the forwarded port at the outside address; the phone sees them at that address."""
        with self.gateway(self.forwarding()):
            web = self.phone.web()
            for host in (self.laptop, self.guest):
                self.assertIn("web server of phone", host.curl(f"http://{UPLINK}:8080/"))
            self.assertEqual(web.clients(), [UPLINK] * 2)

    def test_one_to_one(self):
        """B80: a host with an outside address of its own is seen at that, and reached at it, by ping, TCP and UDP."""
        config = self.config(static=[{"inside": self.laptop.address, "outside": ALIAS}])
        with self.gateway(config):
            web, at_laptop = self.server.web(), self.laptop.web(8000)
            self.laptop.curl(f"http://{self.server.address}/")
            self.phone.curl(f"http://{self.server.address}/")
            self.assertEqual(web.clients(), [ALIAS, UPLINK])
            self.assertEqual(self.server.ping(ALIAS), 3)
            self.assertIn("web server of laptop", self.server.curl(f"http://{ALIAS}:8000/"))
            self.assertEqual(at_laptop.clients(), [self.server.address])


class Tables(GatewayTest):
    def open_flows(self):
        """A UDP session of each host, from port 40007."""
        ear = self.server.udp(7001)
        for host in self.home:
            host.udp(40007).sendto(b"?", (self.server.address, 7001))
            ear.recvfrom(100)

    def sessions(self, switch, *filters):
        return switch.show("sessions", *filters)["sessions"]

    def test_shown(self):
        """show sessions has every field of a flow, and filters by source, destination and protocol; show nat sums
        up."""
        with self.gateway() as switch:
            self.open_flows()
            session, = self.sessions(switch, "--source", self.laptop.address)
            self.assertEqual(session["protocol"], "udp")
            self.assertEqual(session["source"], f"{self.laptop.address}:40007")
            self.assertEqual(session["destination"], f"{self.server.address}:7001")
            self.assertEqual(session["translated-source"], f"{UPLINK}:40007")
            self.assertEqual(session["translated-destination"], f"{self.server.address}:7001")
            self.assertEqual((session["rule"], session["worker"]), ("internet", 0))
            self.assertGreater(session["expires"], 0)
            self.assertEqual(len(self.sessions(switch, "--protocol", "udp", "--destination", self.server.address)), 3)
            self.assertEqual(self.sessions(switch, "--protocol", "tcp"), [])
            self.assertEqual(self.sessions(switch, "--destination", self.provider.address), [])
            rule, = switch.show("nat")["rules"]
            self.assertEqual((rule["name"], rule["interface"], rule["sessions"]), ("internet", "uplink", 3))
            for table in ("nat", "sessions"):
                self.assertIn("internet", switch.command("show", table).stdout)

    def test_cleared(self):
        """clear sessions ends those of one host, or all; who goes on begins a new one."""
        with self.gateway() as switch:
            self.open_flows()
            self.assertEqual(switch.command("clear", "sessions", "--source", self.phone.address).returncode, 0)
            left = {session["source"] for session in self.sessions(switch)}
            self.assertEqual(left, {f"{self.laptop.address}:40007", f"{self.guest.address}:40007"})
            self.assertEqual(switch.command("clear", "sessions").returncode, 0)
            self.assertEqual(self.sessions(switch), [])
            self.assertEqual(switch.show("nat")["rules"][0]["sessions"], 0)
            self.assertEqual(self.laptop.ping(self.server), 3)

    def test_forgotten_in_time(self):
        """B65: a flow that is silent for its time is forgotten, one that goes on is not."""
        config = self.config(timeouts={"udp": "2m", "icmp": "2s"})
        with self.gateway(config) as switch:
            self.open_flows()
            self.assertEqual(self.laptop.ping(self.server), 3)
            self.assertEqual(len(self.sessions(switch, "--protocol", "icmp")), 1)
            wait_until(lambda: not self.sessions(switch, "--protocol", "icmp"), "the echo session is gone", 30)
            self.assertEqual(len(self.sessions(switch, "--protocol", "udp")), 3)

    def test_full(self):
        """B75: when the table of sessions is full, new flows are refused and old ones go on; the gateway says so."""
        config = {**self.config(), "tables": {"sessions": 64}}
        with self.gateway(config) as switch:
            ear, old = self.server.udp(7001), self.laptop.udp(40000)
            old.sendto(b"old", (self.server.address, 7001))
            _, outside = ear.recvfrom(100)
            for port in range(40001, 40200):
                self.phone.udp(port).sendto(b"new", (self.server.address, 7001))
            wait_until(lambda: sum(switch.drops("phone").values()), "flows are refused")
            self.assertLessEqual(len(self.sessions(switch)), 64)
            for _ in range(ROUNDS):
                old.sendto(b"?", (self.server.address, 7001))
                while ear.recvfrom(100)[1] != outside:
                    pass
                ear.sendto(b"!", outside)
                self.assertEqual(old.recvfrom(100)[0], b"!")
