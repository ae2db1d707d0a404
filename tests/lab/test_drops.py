# SPDX-License-Identifier: BSD-3-Clause
"""Frames that nobody should send: each is dropped under its own name, or forwarded if it may be."""

import collections

from frames import BROADCAST, frame, padded, tag, write_capture
from lab import LabTest, flat

SOURCE = "02:00:00:00:77:01"
NOBODY = "02:00:00:00:77:99"


class Drops(LabTest):
    def expect(self, switch, port, **reasons):
        wanted = {name.replace("_", "-"): count for name, count in reasons.items()}
        self.assertEqual(switch.drops(port), wanted)

    def test_short_frames(self):
        """B17: frames of 14 to 59 octets are forwarded, padded with zeros to 60."""
        one, two = hosts = self.hosts("one", "two")
        with self.running(flat(hosts)):
            sender, receiver = one.wire(), two.wire()
            for size in range(14, 60):
                data = frame(NOBODY, SOURCE, b"\xff" * (size - 14))
                sender.send(data)
                self.assertEqual(receiver.heard(1), [padded(data)], f"{size} octets")

    def test_runts_that_no_kernel_sends(self):
        """Frames that end within their Ethernet header or VLAN tag, from a capture: dropped as truncated."""
        host = self.host("one")
        runts = [frame(NOBODY, SOURCE)[:size] for size in range(1, 14)]
        runts += [frame(NOBODY, SOURCE, tags=tag(5))[:size] for size in range(14, 18)]
        write_capture(self.world.path("runts.pcap"), runts)
        config = flat([host])
        config["ports"]["file"] = {"device": "pcap", "read": self.world.path("runts.pcap")}
        config["bridges"]["lan"]["ports"] = {"one": {}, "file": {"vlans": [1, 5], "native-vlan": 1}}
        with self.running(config) as switch:
            switch.wait_received("file", len(runts))
            self.expect(switch, "file", truncated=len(runts))
            self.assertEqual(switch.ports()["one"]["transmitted"], 0)

    def test_group_sources(self):
        """B01: a frame with a group address as its source is dropped and not learned."""
        one, two = hosts = self.hosts("one", "two")
        with self.running(flat(hosts)) as switch:
            sources = ["01:00:5e:00:00:01", "33:33:00:00:00:01", BROADCAST, "03:00:00:00:00:00"]
            one.wire().send(*(frame(BROADCAST, source, b"x" * 50) for source in sources))
            switch.wait_received("one", len(sources))
            self.expect(switch, "one", group_source=len(sources))
            self.assertEqual(switch.macs(), {})
            self.assertEqual(switch.ports()["two"]["transmitted"], 0)

    def test_reserved_destinations(self):
        """B16: frames to 01-80-C2-00-00-00 to 0F are not forwarded; one to 10 is, as any multicast."""
        one, two = hosts = self.hosts("one", "two")
        with self.running(flat(hosts)) as switch:
            sender, receiver = one.wire(), two.wire()
            sender.send(*(frame(f"01:80:c2:00:00:{last:02x}", SOURCE, b"x" * 50) for last in range(17)))
            self.assertEqual(receiver.heard(1), [frame("01:80:c2:00:00:10", SOURCE, b"x" * 50)])
            self.expect(switch, "one", reserved_address=16)
            self.assertEqual(receiver.rest(), [])

    def test_wrong_vlans(self):
        """B12, B13: VID 4095, a VLAN that the trunk does not carry, no tag, a tag at an access port: dropped."""
        access, trunk, ear = hosts = self.hosts("access", "trunk", "ear")
        config = {"ports": {host.name: host.port() for host in hosts},
                  "bridges": {"lan": {"ports": {"access": {"vlan": 10}, "trunk": {"vlans": [10, 20]},
                                                "ear": {"vlans": [10, 20, 30]}}}}}
        with self.running(config) as switch:
            at_access, at_trunk = access.wire(), trunk.wire()
            for vid in (10, 20, 30, 4094):
                at_access.send(frame(BROADCAST, SOURCE, b"x" * 50, tag(vid)))
            at_trunk.send(*(frame(BROADCAST, SOURCE, b"x" * 50, tag(vid)) for vid in (4095, 30, 1, 4094)))
            at_trunk.send(frame(BROADCAST, SOURCE, b"x" * 50), frame(BROADCAST, SOURCE, b"x" * 50, tag(0)))
            switch.wait_received("access", 4)
            switch.wait_received("trunk", 6)
            self.expect(switch, "access", tagged_on_access=4)
            self.expect(switch, "trunk", vlan_reserved=1, vlan_not_allowed=3, untagged_on_trunk=2)
            self.assertEqual(switch.ports()["ear"]["transmitted"], 0)
            at_access.send(frame(BROADCAST, SOURCE, b"x" * 50, tag(4095)))
            switch.wait_received("access", 5)
            self.assertEqual(sum(switch.drops("access").values()), 5)
            self.assertEqual(switch.macs(), {})

    def test_nowhere_to_go(self):
        """B04: for a host on the same port, without another port, in no bridge: dropped, each under its name."""
        one, two, lonely, loose = hosts = self.hosts("one", "two", "lonely", "loose")
        config = flat(hosts)
        config["bridges"] = {"lan": {"ports": ["one", "two"]}, "hermitage": {"ports": ["lonely"]}}
        with self.running(config) as switch:
            sender = one.wire()
            sender.send(frame(BROADCAST, NOBODY, b"x" * 50), frame(NOBODY, SOURCE, b"x" * 50))
            lonely.wire().send(frame(BROADCAST, SOURCE, b"x" * 50))
            loose.wire().send(frame(BROADCAST, SOURCE, b"x" * 50))
            for port, count in (("one", 2), ("lonely", 1), ("loose", 1)):
                switch.wait_received(port, count)
            self.expect(switch, "one", same_port=1)
            self.expect(switch, "lonely", no_other_port=1)
            self.expect(switch, "loose", no_bridge=1)

    def test_too_big(self):
        """B17: a frame larger than the mtu of the port that it is for is dropped there; other ports get it."""
        big, also_big, small = hosts = self.hosts("big", "also-big", "small")
        config = flat(hosts)
        for name in ("big", "also-big"):
            config["ports"][name]["mtu"] = 1600
        config["ports"]["small"]["mtu"] = 1400
        with self.running(config) as switch:
            sender, fits, cut = big.wire(), also_big.wire(), small.wire()
            sender.send(frame(BROADCAST, SOURCE, b"y" * 1401), frame(BROADCAST, SOURCE, b"y" * 1400))
            self.assertEqual([len(data) for data in fits.heard(2)], [1415, 1414])
            self.assertEqual([len(data) for data in cut.heard(1)], [1414])
            everywhere = collections.Counter()
            for drops in (switch.drops(host.name) for host in hosts):
                everywhere.update(drops)
            self.assertEqual(everywhere, {"too-big": 1})

    def test_storm(self):
        """A storm of malformed frames is counted to the last one, while two other hosts ping without a loss."""
        one, two, bad = hosts = self.hosts("one", "two", "bad")
        with self.running(flat(hosts), (one, two)) as switch:
            one.ping(two)
            pinging = one.start("ping", "-n", "-q", "-i", "0.005", "-c", "200", "-W", "2", two.address)
            sender, rounds = bad.wire(), 200
            for _ in range(rounds):
                sender.send(frame("01:80:c2:00:00:02", SOURCE, b"x" * 50), frame(BROADCAST, BROADCAST, b""),
                            frame(BROADCAST, SOURCE, b"", tag(4095)), frame(BROADCAST, SOURCE, b"\x81"))
            output = pinging.communicate(timeout=30)[0]
            self.assertIn(" 200 received", output)
            switch.wait_received("bad", 4 * rounds)
            drops = switch.drops("bad")
            self.assertEqual(drops.get("reserved-address"), rounds)
            self.assertEqual(drops.get("group-source"), rounds)
            self.assertEqual(sum(drops.values()), 3 * rounds)
