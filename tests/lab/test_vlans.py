# SPDX-License-Identifier: BSD-3-Clause
"""VLANs and bridges: what is tagged, and who hears whom."""

import os

from frames import BROADCAST, frame, padded, tag
from lab import LabTest, flat

SOMEONE = "02:00:00:00:74:01"
PAYLOAD = b"over the lab wire " * 4


class Trunk(LabTest):
    """Access ports of VLAN 10 and 20, and a trunk that carries both, VLAN 10 untagged if it is native."""

    def setUp(self):
        super().setUp()
        self.red, self.blue, self.trunk = self.all = self.hosts("red", "blue", "trunk")

    def config(self, **trunk):
        members = {"red": {"vlan": 10}, "blue": {"vlan": 20}, "trunk": trunk}
        return {"ports": {host.name: host.port() for host in self.all}, "bridges": {"lan": {"ports": members}}}

    def test_tags_on_a_trunk(self):
        """B13: tcpdump on a trunk sees 802.1Q tags with the VLAN of the access port that a host is on."""
        with self.running(self.config(vlans=[10, 20]), self.all):
            dump = self.trunk.tcpdump("arp")
            for host, vlan in ((self.red, 10), (self.blue, 20)):
                host.ping(self.trunk, "-W", "0.2", count=1)  # nobody answers: the host behind the trunk has no VLAN device
                line = dump.wait_for(host.mac, f"vlan {vlan},")
                self.assertIn("802.1Q (0x8100)", line)

    def test_native_vlan_on_a_trunk(self):
        """B13: tcpdump on a trunk sees the native VLAN untagged and the other tagged; the native host answers."""
        with self.running({**self.config(vlans=[10, 20], **{"native-vlan": 10})}, self.all):
            dump = self.trunk.tcpdump("arp or icmp or vlan")
            self.assertEqual(self.red.ping(self.trunk), 3)
            self.assertNotIn("802.1Q", dump.wait_for(self.red.mac, "echo request"))
            self.assertEqual(self.blue.ping(self.trunk, "-W", "0.2", count=1), 0)
            self.assertIn("vlan 20,", dump.wait_for(self.blue.mac, "802.1Q"))

    def test_tagged_frames_reach_access_ports_untagged(self):
        """B13: a frame tagged on the trunk leaves the access port of its VLAN untagged, and no other port."""
        with self.running(self.config(vlans=[10, 20])) as switch:
            red, blue, trunk = (host.wire() for host in self.all)
            trunk.send(frame(BROADCAST, SOMEONE, PAYLOAD, tag(20)))
            self.assertEqual(blue.heard(1), [frame(BROADCAST, SOMEONE, PAYLOAD)])
            trunk.send(frame(BROADCAST, SOMEONE, PAYLOAD, tag(10)))
            self.assertEqual(red.heard(1), [frame(BROADCAST, SOMEONE, PAYLOAD)])
            switch.check_books()
            self.assertEqual((red.rest(), blue.rest(), trunk.rest()), ([], [], []))

    def test_priority_is_kept(self):
        """B12, B15: a priority tag keeps its PCP where a VLAN tag is pushed, and the access port takes it."""
        with self.running(self.config(vlans=[10, 20])):
            red, trunk = self.red.wire(), self.trunk.wire()
            red.send(frame(BROADCAST, SOMEONE, PAYLOAD, tag(0, pcp=5)))
            self.assertEqual(trunk.heard(1), [frame(BROADCAST, SOMEONE, PAYLOAD, tag(10, pcp=5))])

    def test_trunk_to_trunk(self):
        """B13: between trunks a tag stays, unless the VLAN is native on the far one; others are not carried."""
        far = self.host("far")
        config = self.config(vlans=[10, 20])
        config["ports"]["far"] = far.port()
        config["bridges"]["lan"]["ports"]["far"] = {"vlans": [10, 20, 30], "native-vlan": 20}
        with self.running(config) as switch:
            near_wire, far_wire = self.trunk.wire(), far.wire()
            near_wire.send(frame(BROADCAST, SOMEONE, PAYLOAD, tag(10, pcp=3)))
            near_wire.send(frame(BROADCAST, SOMEONE, PAYLOAD, tag(20)))
            self.assertEqual(far_wire.heard(2), [frame(BROADCAST, SOMEONE, PAYLOAD, tag(10, pcp=3)),
                                                 frame(BROADCAST, SOMEONE, PAYLOAD)])
            far_wire.send(frame(BROADCAST, SOMEONE, PAYLOAD, tag(30)))
            switch.wait_received("far", 1)
            switch.check_books()
            self.assertEqual(near_wire.rest(), [])
            self.assertEqual(switch.drops("far"), {"no-other-port": 1})

    def test_jumbo_floods_keep_their_payload(self):
        """B03, B28: a flooded frame of 8100 octets reaches access and trunk ports with its payload unchanged."""
        names = ("red", "also-red", "trunk", "native")
        hosts = [self.red, self.host("also-red"), self.trunk, self.host("native")]
        members = dict(zip(names, ({"vlan": 10}, {"vlan": 10}, {"vlans": [10, 20]},
                                   {"vlans": [10, 20], "native-vlan": 10})))
        config = {"ports": {host.name: host.port(mtu=8100) for host in hosts},
                  "bridges": {"lan": {"ports": members}}}
        with self.running(config):
            wires = {host.name: host.wire() for host in hosts}
            for size in (46, 1500, 2034, 2048, 4096, 8100):
                self._flood(wires, os.urandom(size))

    def _flood(self, wires, payload):
        for sender in wires:
            tags = tag(10) if sender == "trunk" else b""
            wires[sender].send(frame(BROADCAST, SOMEONE, payload, tags))
            for name in wires:
                if name == sender:
                    continue
                expected = frame(BROADCAST, SOMEONE, payload, tag(10) if name == "trunk" else b"")
                got = wires[name].heard(1)
                words = f"{len(payload)} octets from {sender} to {name}"
                self.assertEqual([len(data) for data in got], [len(expected)], words)
                self.assertTrue(got == [expected], f"{words}: the payload has changed")


class Apart(LabTest):
    """Hosts that must not hear each other."""

    def test_two_vlans(self):
        """B03: hosts of one subnet in two VLANs do not hear each other: no broadcast, no unicast, learned or not."""
        red, red_too, blue = hosts = self.hosts("red", "red-too", "blue")
        config = {"ports": {host.name: host.port() for host in hosts},
                  "bridges": {"lan": {"ports": {"red": {"vlan": 10}, "red-too": {"vlan": 10}, "blue": {"vlan": 20}}}}}
        self._apart(config, red, red_too, blue)

    def test_two_bridges(self):
        """Bridges share nothing: a host hears nobody of another bridge, in the same VLAN and subnet."""
        red, red_too, blue = hosts = self.hosts("red", "red-too", "blue")
        config = {"ports": {host.name: host.port() for host in hosts},
                  "bridges": {"one": {"ports": ["red", "red-too"]}, "two": {"ports": ["blue"]}}}
        self._apart(config, red, red_too, blue)

    def _apart(self, config, red, red_too, blue):
        with self.running(config, (red, red_too, blue)) as switch:
            ear = blue.tcpdump()
            self.assertEqual(red.ping(red_too), 3)  # now the address of red is learned, in its own VLAN
            self.assertEqual(red.ping(blue, "-W", "0.2", count=2), 0)
            red.wire().send(frame(blue.mac, red.mac, PAYLOAD), frame(BROADCAST, red.mac, PAYLOAD))
            switch.check_books()  # all that red sent has been dealt with
            self.assertEqual(switch.ports()["blue"]["transmitted"], 0)
            self.assertEqual(ear.count(), 0, ear.lines)

            ear = red.tcpdump()
            blue.wire().send(frame(red.mac, blue.mac, PAYLOAD), frame(BROADCAST, blue.mac, PAYLOAD))
            switch.wait_received("blue", 2)
            switch.check_books()
            self.assertEqual(ear.count(), 0, ear.lines)

    def test_one_address_in_two_vlans(self):
        """B14: one MAC address in two VLANs is learned on two ports, and each VLAN reaches its own."""
        red, blue, trunk = hosts = self.hosts("red", "blue", "trunk")
        config = {"ports": {host.name: host.port() for host in hosts},
                  "bridges": {"lan": {"ports": {"red": {"vlan": 10}, "blue": {"vlan": 20},
                                                "trunk": {"vlans": [10, 20]}}}}}
        with self.running(config) as switch:
            red_wire, blue_wire, trunk_wire = (host.wire() for host in hosts)
            for wire in (red_wire, blue_wire):
                wire.send(frame(BROADCAST, SOMEONE, PAYLOAD))
            self.assertEqual(len(trunk_wire.heard(2)), 2)
            self.assertEqual(switch.macs("--vlan", "10"), {SOMEONE: "red"})
            self.assertEqual(switch.macs("--vlan", "20"), {SOMEONE: "blue"})
            for vlan, wire in ((10, red_wire), (20, blue_wire)):
                trunk_wire.send(frame(SOMEONE, trunk.mac, PAYLOAD, tag(vlan)))
                self.assertEqual(wire.heard(1), [padded(frame(SOMEONE, trunk.mac, PAYLOAD))])

    def test_hub(self):
        """A bridge with learning: false sends every frame to every port and learns nobody."""
        one, two, three = hosts = self.hosts("one", "two", "three")
        config = flat(hosts)
        config["bridges"]["lan"]["learning"] = False
        with self.running(config, (one, two)) as switch:
            ear = three.wire()
            self.assertEqual(one.ping(two), 3)
            self.assertEqual(switch.macs(), {})
            one.wire().send(frame(two.mac, one.mac, PAYLOAD))
            self.assertEqual(ear.heard(1), [frame(two.mac, one.mac, PAYLOAD)])
