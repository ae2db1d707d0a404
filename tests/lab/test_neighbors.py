# SPDX-License-Identifier: BSD-3-Clause
"""What the router knows of the hosts around it, and how it learns that they have changed or gone."""

from gateway import GUESTS, GUESTS6, GatewayTest
from world import wait_until

OTHER_MAC = "02:00:00:00:79:01"
# A reachable neighbor is trusted for 30 s and up to half as much more (RFC 4861 10), then probed.
FOUND_OUT_SECONDS = 120
NOBODY, NOBODY6 = f"{GUESTS}.99", f"{GUESTS6}:99"
TRUSTED = {"reachable", "stale", "delay", "probe"}


class Neighbors(GatewayTest):
    def neighbors(self, switch, *filters):
        return {entry["address"]: entry for entry in switch.show("neighbors", *filters)["neighbors"]}

    def mac_of(self, switch, address):
        return self.neighbors(switch).get(address, {}).get("mac")

    def test_found_by_a_ping(self):
        """B44: hosts are found when packets are for them, none of which is lost; show neighbors has them."""
        with self.gateway() as switch:
            for address in (self.guest.address, self.guest.address6, self.server.address, self.server.address6):
                self.assertEqual(self.laptop.ping(address, count=5), 5, address)
            shown = self.neighbors(switch)
            for address, host, interface in ((self.guest.address, self.guest, "guests"),
                                             (self.guest.address6, self.guest, "guests"),
                                             (self.laptop.address, self.laptop, "home"),
                                             (self.provider.address, self.provider, "uplink"),
                                             (self.provider.address6, self.provider, "uplink")):
                entry = shown[address]
                self.assertEqual((entry["mac"], entry["interface"], entry["static"]), (host.mac, interface, False))
                self.assertIn(entry["state"], TRUSTED, entry)
            guests = self.neighbors(switch, "--interface", "guests")
            self.assertEqual({entry["interface"] for entry in guests.values()}, {"guests"})
            self.assertIn(self.guest.address, guests)

    def test_nobody_there(self):
        """B34: packets for an address that nobody has: destination host unreachable, from the gateway."""
        with self.gateway() as switch:
            for address, teller in ((NOBODY, self.laptop.router), (NOBODY6, self.laptop.router6)):
                done = self.laptop.run("ping", "-n", "-c", "3", "-i", "0.3", "-W", "15", address, timeout=60)
                words = rf"(?i)from {teller}:? icmp_seq=\d+ destination.*(host|address) unreachable"
                self.assertRegex(done.stdout, words)
                self.assertIsNone(self.mac_of(switch, address))

    def test_who_comes_late(self):
        """B44: an address that nobody had is reached as soon as somebody takes it."""
        with self.gateway():
            self.assertEqual(self.laptop.ping(NOBODY, "-W", "6"), 0)
            self.guest.run("ip", "address", "add", NOBODY + "/24", "dev", "guest")
            self.wait_answered(self.laptop, NOBODY)

    def test_cleared(self):
        """clear neighbors forgets, of one interface or all; the next packets find the host again, none is lost."""
        with self.gateway() as switch:
            self.laptop.ping(self.guest)
            self.assertEqual(switch.command("clear", "neighbors", "--interface", "uplink").returncode, 0)
            self.assertEqual(self.mac_of(switch, self.guest.address), self.guest.mac)
            self.assertEqual(switch.command("clear", "neighbors", "--interface", "guests").returncode, 0)
            self.assertIsNone(self.mac_of(switch, self.guest.address))
            self.assertEqual(self.mac_of(switch, self.laptop.address), self.laptop.mac)
            self.assertEqual(self.laptop.ping(self.guest, count=5), 5)
            self.assertEqual(switch.command("clear", "neighbors").returncode, 0)
            self.assertEqual(self.laptop.ping(self.server, count=5), 5)

    def test_sluice_ping(self):
        """sluice ping: exit 0 if the host answers, something else if not; a neighbor of either family or beyond."""
        with self.gateway() as switch:
            for address in (self.guest.address, self.guest.address6, self.server.address, self.server.address6):
                done = switch.command("ping", address, "--count", "2")
                self.assertEqual(done.returncode, 0, f"{address}: {done.stdout}{done.stderr}")
                self.assertIn(address, done.stdout)
            done = switch.command("ping", NOBODY, "--count", "1")
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertEqual(switch.command("ping", "nonsense").returncode, 1)

    def test_static(self):
        """B46: a static neighbor is there from the start, is not cleared, and is believed whatever the host says."""
        config = self.config()
        config["neighbors"] = [{"address": self.guest.address, "mac": self.guest.mac, "interface": "guests"}]
        with self.gateway(config) as switch:
            entry = self.neighbors(switch)[self.guest.address]
            self.assertEqual((entry["mac"], entry["static"], entry["state"]), (self.guest.mac, True, "static"))
            switch.command("clear", "neighbors")
            self.assertEqual(self.laptop.ping(self.guest), 3)
            believed = self.guest.mac
            self.guest.change_mac(OTHER_MAC)
            self.guest.run("arping", "-c", "2", "-i", "guest", self.guest.router)
            self.assertEqual(self.mac_of(switch, self.guest.address), believed)
            self.assertEqual(self.laptop.ping(self.guest, "-W", "0.3"), 0)

    def test_announced_mac(self):
        """B45: a host that announces its new MAC address is reached at once."""
        with self.gateway() as switch:
            self.assertEqual(self.laptop.ping(self.guest), 3)
            self.guest.run("sysctl", "-qw", "net.ipv4.conf.guest.arp_notify=1")
            self.guest.change_mac(OTHER_MAC)
            self.guest.run("arping", "-U", "-c", "1", "-i", "guest", "-S", self.guest.address, self.guest.address)
            wait_until(lambda: self.mac_of(switch, self.guest.address) == OTHER_MAC, "the new MAC address is known")
            self.assertEqual(self.laptop.ping(self.guest), 3)

    def test_silent_new_mac(self):
        """B46: a host that changes its MAC address without a word is found again, over both families."""
        with self.gateway() as switch:
            addresses = (self.guest.address, self.guest.address6)
            for address in addresses:
                self.assertEqual(self.laptop.ping(address), 3)
            self.guest.change_mac(OTHER_MAC)
            for address in addresses:
                wait_until(lambda address=address: self.laptop.ping(address, count=1), f"{address} is found again",
                           FOUND_OUT_SECONDS)
                self.assertEqual(self.mac_of(switch, address), OTHER_MAC)
                self.assertEqual(self.laptop.ping(address, count=20), 20)

    def test_gone_and_back(self):
        """B46: a host whose link goes down becomes unreachable, and is reached again when it is back."""
        with self.gateway() as switch:
            self.assertEqual(self.laptop.ping(self.guest), 3)
            self.guest.link("down")

            def unreachable():
                done = self.laptop.run("ping", "-n", "-c", "1", "-W", "5", self.guest.address)
                return "Destination Host Unreachable" in done.stdout

            wait_until(unreachable, "the guest is unreachable", FOUND_OUT_SECONDS)
            self.assertIsNone(self.mac_of(switch, self.guest.address))
            self.guest.take_address()
            for address in (self.guest.address, self.guest.address6):
                self.wait_answered(self.laptop, address)
            self.assertEqual(self.laptop.ping(self.guest, count=20), 20)
