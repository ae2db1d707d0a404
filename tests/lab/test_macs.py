# SPDX-License-Identifier: BSD-3-Clause
"""What sluice remembers of who is where."""

from frames import BROADCAST, frame
from lab import LabTest, flat
from world import wait_until

ROAMER = "02:00:00:00:75:01"
PAYLOAD = b"who is where? " * 5


class Macs(LabTest):
    def setUp(self):
        super().setUp()
        self.one, self.two, self.three = self.all = self.hosts("one", "two", "three")

    def test_learned_by_a_ping(self):
        """B01: after a ping both hosts are known on their ports, and the third host no longer hears them."""
        with self.running(flat(self.all), (self.one, self.two)) as switch:
            self.assertEqual(self.one.ping(self.two, count=1), 1)
            self.assertEqual(switch.macs(), {self.one.mac: "one", self.two.mac: "two"})
            self.assertEqual(switch.macs("--port", "two"), {self.two.mac: "two"})
            before = switch.ports()["three"]["transmitted"]
            self.assertEqual(self.one.ping(self.two, count=20), 20)
            self.assertEqual(switch.ports()["three"]["transmitted"], before)

    def test_cleared(self):
        """B10: clear macs forgets every learned address, and the next frame floods again."""
        with self.running(flat(self.all), (self.one, self.two)) as switch:
            self.one.ping(self.two, count=1)
            self.assertEqual(len(switch.macs()), 2)
            done = switch.command("clear", "macs")
            self.assertEqual((done.returncode, done.stdout), (0, "2 learned addresses forgotten\n"))
            self.assertEqual(switch.macs(), {})
            ear = self.three.wire()
            self.one.wire().send(frame(self.two.mac, self.one.mac, PAYLOAD))
            self.assertEqual(ear.heard(1), [frame(self.two.mac, self.one.mac, PAYLOAD)])

    def test_host_that_moves(self):
        """B07: a host that moves to another port is followed there, and the old port hears nothing more."""
        with self.running(flat(self.all)) as switch:
            one, two, three = (host.wire() for host in self.all)
            for port, wire in (("one", one), ("three", three), ("one", one)):
                wire.send(frame(BROADCAST, ROAMER, PAYLOAD))
                self.assertEqual(len(two.heard(1)), 1)
                self.assertEqual(switch.macs(), {ROAMER: port})
            for wire in (one, three):
                wire.rest()
            three.send(frame(BROADCAST, ROAMER, PAYLOAD))
            self.assertEqual((len(one.heard(1)), len(two.heard(1))), (1, 1))
            two.send(frame(ROAMER, self.two.mac, PAYLOAD))
            self.assertEqual(three.heard(1), [frame(ROAMER, self.two.mac, PAYLOAD)])
            switch.wait_received("two", 1)
            self.assertEqual(one.rest(), [])
            self.assertEqual(switch.show("workers")["workers"][0]["macs"]["moved"], 3)

    def test_interface_moves_with_its_address(self):
        """B07: when another port takes over a host's MAC and IP address, ping follows."""
        with self.running(flat(self.all), (self.one, self.two)) as switch:
            self.assertEqual(self.one.ping(self.two), 3)
            self.two.link("down")
            old, self.two.mac = self.two.mac, "02:00:00:00:75:02"
            self.two.run("ip", "link", "set", "two", "address", self.two.mac)
            self.three.run("ip", "link", "set", "three", "address", old)
            self.three.run("ip", "address", "add", self.two.address + "/24", "dev", "three")
            self.three.run("arping", "-c", "1", "-i", "three", self.one.address)
            self.assertEqual(self.one.ping(self.two), 3)
            self.assertEqual(switch.macs()[old], "three")

    def test_link_down(self):
        """B10: a link that goes down takes the addresses of its port along, and of no other port."""
        with self.running(flat(self.all), self.all) as switch:
            self.one.ping(self.two, count=1)
            self.three.ping(self.two, count=1)
            everyone = {host.mac: host.name for host in self.all}
            self.assertEqual(switch.macs(), everyone)
            self.three.link("down")
            wait_until(lambda: switch.ports()["three"]["link"] == "down", "the link of three is down")
            remaining = {mac: port for mac, port in everyone.items() if port != "three"}
            wait_until(lambda: switch.macs() == remaining, f"only {remaining} remain: {switch.macs()}")
            self.assertEqual(self.one.ping(self.two), 3)
            self.three.link("up")
            wait_until(lambda: switch.ports()["three"]["link"] == "up", "the link of three is up")
            self.assertEqual(self.three.ping(self.two), 3)
            self.assertEqual(switch.macs(), everyone)

    def test_static_address(self):
        """B06, B08: a static address is there from the start, stays where the file put it, and is not cleared."""
        config = flat(self.all)
        config["bridges"]["lan"]["static-macs"] = [{"mac": ROAMER, "port": "two"}]
        with self.running(config) as switch:
            one, two, three = (host.wire() for host in self.all)
            self.assertEqual(switch.macs(), {ROAMER: "two"})
            one.send(frame(ROAMER, self.one.mac, PAYLOAD))
            self.assertEqual(len(two.heard(1)), 1)
            switch.command("clear", "macs")
            three.send(frame(BROADCAST, ROAMER, PAYLOAD))
            switch.wait_received("three", 1)
            self.assertEqual(switch.macs(), {ROAMER: "two"})
            self.assertEqual(three.rest(), [])

    def test_limit_of_a_port(self):
        """B09: past a port's mac-limit no address is learned there, frames are flooded, other ports still learn."""
        config = flat(self.all)
        config["bridges"]["lan"]["ports"] = {"one": {"mac-limit": 4}, "two": {}, "three": {}}
        with self.running(config) as switch:
            one, two = self.one.wire(), self.two.wire()
            one.send(*(frame(BROADCAST, f"02:00:00:00:76:{n:02x}", PAYLOAD) for n in range(20)))
            self.assertEqual(len(two.heard(20)), 20)
            self.assertEqual(len(switch.macs()), 4)
            two.send(frame(BROADCAST, self.two.mac, PAYLOAD))
            switch.wait_received("two", 1)
            self.assertEqual(switch.macs()[self.two.mac], "two")

    def test_ageing(self):
        """B05: a host that is silent for the ageing time is forgotten, one that sends is not."""
        config = flat(self.all)
        config["bridges"]["lan"]["mac-ageing"] = "10s"
        with self.running(config) as switch:
            one, two = self.one.wire(), self.two.wire()
            one.send(frame(BROADCAST, self.one.mac, PAYLOAD))
            self.assertEqual(len(two.heard(1)), 1)

            def silent_is_forgotten():
                two.send(frame(BROADCAST, self.two.mac, PAYLOAD))
                return self.one.mac not in switch.macs()

            wait_until(silent_is_forgotten, "the silent host is forgotten", 14)
            self.assertEqual(switch.macs(), {self.two.mac: "two"})
