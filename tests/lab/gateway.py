# SPDX-License-Identifier: BSD-3-Clause
"""A home behind a sluice that switches, routes and translates, and the internet before it:

    laptop, phone (VLAN 10), guest (VLAN 20) -- sluice -- provider -- server

The provider is a router of the kernel. Addresses are those of config/examples/home-gateway.yaml."""

import contextlib
import os
import re
import socket

from lab import Host, LabTest
from world import inside, must, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
HOME, HOME6 = "192.168.10", "2001:db8:10:"
GUESTS, GUESTS6 = "192.168.20", "2001:db8:20:"
UPLINK, UPLINK6 = "203.0.113.2", "2001:db8::2"
SOCKET_SECONDS = 20
READY_SECONDS = 30


class Station(Host):
    """A host with an address of each family, and sluice as its default router."""

    ipv6 = True

    def __init__(self, world, name, number, network, network6):
        super().__init__(world, name, number)
        self.router, self.router6 = f"{network}.1", f"{network6}:1"
        self.address, self.address6 = f"{network}.{number}", f"{network6}:{number}"

    def take_address(self):
        """Also after its link was down, which takes addresses and routes along."""
        self._ip("link", "set", self.name, "up")
        self._ip("address", "replace", self.address + "/24", "dev", self.name)
        self._ip("address", "replace", self.address6 + "/64", "dev", self.name, "nodad")
        self._ip("route", "replace", "default", "via", self.router)
        self._ip("route", "replace", "default", "via", self.router6)

    def change_mac(self, mac):
        """Another network card, without a word to anybody."""
        self._ip("link", "set", self.name, "down")
        self._ip("link", "set", self.name, "address", mac)
        self.mac = mac
        self.take_address()

    def _ip(self, *words):
        must("ip", "-n", self.netns, *words)

    def ttl(self, address):
        """The ttl or hop limit with which an echo reply arrives."""
        done = self.run("ping", "-n", "-c", "1", "-W", "5", address)
        found = re.search(r"ttl=(\d+)", done.stdout)
        assert found, f"{self.name} pings {address}: {done.stdout}{done.stderr}"
        return int(found.group(1))

    def hops(self, address, *options):
        """The addresses that traceroute prints, one a hop; '*' for one that does not answer."""
        done = self.run("traceroute", "-n", "-q", "1", "-w", "5", "-m", "8", *options, address, timeout=90)
        assert done.returncode == 0, done.stderr
        return re.findall(r"(?m)^ *\d+ +(\S+)", done.stdout)

    def curl(self, url, *options):
        """What the web server says."""
        return must("ip", "netns", "exec", self.netns, "curl", "-sS", "-g", "--max-time", "30", *options, url,
                    timeout=60)

    def socket(self, kind, port=0, address="0.0.0.0"):
        with inside(self.netns):
            opened = self.world.enter(socket.socket(socket.AF_INET, kind))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.settimeout(SOCKET_SECONDS)
        opened.bind((address, port))
        return opened

    def udp(self, port=0, address="0.0.0.0"):
        return self.socket(socket.SOCK_DGRAM, port, address)

    def web(self, port=80):
        return Web(self, port)

    def counters(self):
        """{"TcpInErrs": 0, …} of both families, as the kernel counts."""
        text = must("ip", "netns", "exec", self.netns, "cat", "/proc/net/snmp")
        lines = [line.split() for line in text.splitlines()]
        found = {}
        for names, values in zip(lines[::2], lines[1::2]):
            found.update({names[0][:-1] + name: int(value) for name, value in zip(names[1:], values[1:])})
        text = must("ip", "netns", "exec", self.netns, "cat", "/proc/net/snmp6")
        found.update({name: int(value) for name, value in (line.split() for line in text.splitlines())})
        return found

    def damaged(self):
        """How many packets came that must not come: with a wrong checksum or a bad header."""
        return {name: count for name, count in self.counters().items()
                if "Csum" in name or "InHdrErrors" in name}


class Provider(Station):
    """The router at the other end of the uplink: port `provider` of sluice."""

    def __init__(self, world, number=1):
        super().__init__(world, "provider", number, "203.0.113", "2001:db8:")

    def take_address(self):
        for address in (self.address + "/24", self.address6 + "/64"):
            self._ip("address", "add", address, "dev", self.name, *(["nodad"] if ":" in address else []))
        for network in (HOME6, GUESTS6):
            self._ip("route", "add", network + ":/64", "via", UPLINK6)
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                 "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")

    def route(self, *words):
        self._ip("route", "replace", *words)

    def damaged(self):
        """A router also counts packets whose ttl ended as bad."""
        return {name: count for name, count in super().damaged().items() if "Hdr" not in name}


class Server(Station):
    """A host in the internet, one hop behind the provider. It is no port of sluice."""

    def __init__(self, world, provider, number=80):
        super().__init__(world, "server", number, "198.51.100", "2001:db8:80:")
        must("ip", "-n", provider.netns, "link", "add", "net", "type", "veth", "peer", "name", self.name,
             "netns", self.netns)
        for address in (self.router + "/24", self.router6 + "/64"):
            must("ip", "-n", provider.netns, "address", "add", address, "dev", "net",
                 *(["nodad"] if ":" in address else []))
        must("ip", "-n", provider.netns, "link", "set", "net", "up")
        self.take_address()
        self.run("sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")

    def has_device(self):
        return False


class Web:
    """A web server on a host; whom it has seen."""

    def __init__(self, host, port):
        self._log = host.world.path(f"{host.name}-{port}.web")
        host.start("python3", os.path.join(HERE, "web_server.py"), host.name, self._log, str(port))
        wait_until(lambda: os.path.exists(self._log) and self._lines(), "the web server listens", READY_SECONDS)

    def _lines(self):
        with open(self._log, encoding="ascii") as file:
            return file.read().splitlines()

    def clients(self):
        return [line.split()[0] for line in self._lines()[1:]]


class GatewayTest(LabTest):
    """Tests of the home and the internet."""

    def setUp(self):
        super().setUp()
        self.laptop = Station(self.world, "laptop", 7, HOME, HOME6)
        self.phone = Station(self.world, "phone", 20, HOME, HOME6)
        self.guest = Station(self.world, "guest", 30, GUESTS, GUESTS6)
        self.provider = Provider(self.world)
        self.server = Server(self.world, self.provider)
        self.home = [self.laptop, self.phone, self.guest]
        self.ports = [*self.home, self.provider]

    def config(self, **nat):
        """As config/examples/home-gateway.yaml, with more keys for its NAT rule."""
        return {
            "ports": {host.name: host.port() for host in self.ports},
            "bridges": {"home": {"ports": {"laptop": {"vlan": 10}, "phone": {"vlan": 10}, "guest": {"vlan": 20}}}},
            "interfaces": {
                "home": {"bridge": "home", "vlan": 10, "addresses": [f"{HOME}.1/24", f"{HOME6}:1/64"]},
                "guests": {"bridge": "home", "vlan": 20, "addresses": [f"{GUESTS}.1/24", f"{GUESTS6}:1/64"]},
                "uplink": {"port": "provider", "addresses": [f"{UPLINK}/24", f"{UPLINK6}/64"]}},
            "routes": [{"to": "default", "via": via} for via in (self.provider.address, self.provider.address6)],
            "nat": [{"name": "internet", "interface": "uplink", "source": [f"{HOME}.0/24", f"{GUESTS}.0/24"],
                     "address": "interface", **nat}]}

    @contextlib.contextmanager
    def gateway(self, config=None, **options):
        """A running gateway that answers. At the end no host may have seen a damaged packet."""
        with self.running(config or self.config(), self.ports, **options) as switch:
            for address in (self.laptop.router, self.laptop.router6):
                self.wait_answered(self.laptop, address)
            before = {host.name: host.damaged() for host in (*self.ports, self.server)}
            yield switch
            for host in (*self.ports, self.server):
                self.assertEqual(host.damaged(), before[host.name], f"{host.name} has received damaged packets")


def forward(protocol, port, to):
    return {"protocol": protocol, "port": port, "to": to}
