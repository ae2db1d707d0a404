# SPDX-License-Identifier: BSD-3-Clause
"""Changes to a gateway that is routing and translating."""

import copy
import itertools
import threading
import time

from gateway import GUESTS, HOME, UPLINK, GatewayTest
from lab import answered

RELOADS = 100
PINGS = 10_000
MORE_PINGS = 1_000
POOL = {"home": "203.0.113.10", "guests": "203.0.113.11", "later": "203.0.113.12"}


def pings_until(done, client, address, batches):
    """10,000 pings, 1,000 a second, and if the reloads take longer, more. Sent and answered, of each batch."""
    for count in itertools.chain([PINGS], itertools.repeat(MORE_PINGS)):
        batches.append((count, client.ping(address, "-i", "0.001", count=count, timeout=180)))
        if done.is_set():
            return


class GatewayReload(GatewayTest):
    def test_a_hundred_reloads_under_traffic(self):
        """B55, B83: 100 reloads during routed and translated pings, 1,000 a second each, and a TCP transfer through
        NAT: no ping is lost, the sessions and neighbors stay."""
        with self.gateway() as switch:
            files = [switch.write(plan, f"plan{number}.yaml") for number, plan in enumerate(self._plans())]
            session = self._udp_session(switch)
            self.iperf_server(self.server)
            tcp = self.laptop.start("iperf3", "-c", self.server.address, "-t", "12", "-b", "20M", "-J")
            done, routed, translated = threading.Event(), [], []
            threads = [threading.Thread(target=pings_until, args=(done, self.laptop, self.guest.address, routed)),
                       threading.Thread(target=pings_until, args=(done, self.phone, self.server.address, translated))]
            for thread in threads:
                thread.start()
            self.world.on_close(done.set)  # should a reload fail, too
            known = self._neighbors(switch)
            self._reload(switch, files)
            self.assertLessEqual(known, self._neighbors(switch))
            self.assertEqual(self._sessions(switch, "--source", self.guest.address), [session])
            done.set()
            for thread in threads:
                thread.join()
            for batches in (routed, translated):
                lost = [(sent, came) for sent, came in batches if sent != came]
                self.assertEqual(lost, [], switch.show("drops")["drops"])
                self.assertGreaterEqual(sum(count for count, _ in batches), PINGS)
            self.assertGreater(self.iperf_report(tcp.communicate(timeout=90)[0])["sum_received"]["bytes"], 1 << 20)
            self.assertEqual(switch.command("reload", files[0]).returncode, 0)

    def _plans(self):
        """What takes turns: as at the start; more routes; a neighbor and an address more; another rule and forward."""
        start = self.config()
        routes, addresses, rules = (copy.deepcopy(start) for _ in range(3))
        routes["routes"] += [{"to": "10.0.0.0/8", "via": f"{HOME}.20"}, {"to": "10.1.0.0/16", "type": "blackhole"},
                             {"to": "2001:db8:99::/48", "type": "unreachable"}]
        addresses["interfaces"]["guests"]["addresses"].append("192.168.21.1/24")
        addresses["neighbors"] = [{"address": f"{GUESTS}.77", "mac": "02:00:00:00:79:77", "interface": "guests"}]
        rules["nat"][0]["port-forward"] = [{"protocol": "tcp", "port": 8080, "to": f"{HOME}.20:80"}]
        rules["nat"].append({"name": "more", "interface": "uplink", "source": ["192.168.99.0/24"],
                             "address": [POOL["later"]]})
        return start, routes, addresses, rules

    def _reload(self, switch, files):
        """100 times, spread over nine of the ten seconds that the pings take."""
        began = time.monotonic()
        for number in range(RELOADS):
            done = switch.command("reload", files[(number + 1) % len(files)])
            self.assertEqual(done.returncode, 0, f"reload {number}: {done.stderr}")
            time.sleep(max(0.0, began + (number + 1) * 9 / RELOADS - time.monotonic()))

    def _udp_session(self, switch):
        ear, mouth = self.server.udp(7001), self.guest.udp(40007)
        mouth.sendto(b"?", (self.server.address, 7001))
        ear.recvfrom(100)
        session, = self._sessions(switch, "--source", self.guest.address)
        return session

    @staticmethod
    def _neighbors(switch):
        return {(entry["address"], entry["mac"]) for entry in switch.show("neighbors")["neighbors"] if entry["mac"]}

    @staticmethod
    def _sessions(switch, *filters):
        """Without what changes with the time."""
        return [{key: value for key, value in session.items() if key != "expires"}
                for session in switch.show("sessions", *filters)["sessions"]]

    def test_removed_address(self):
        """B83: when a rule loses its address, the sessions there end; those of the other rule live on."""
        with self.gateway(self._two_pools(POOL["home"])) as switch:
            ear = self.server.udp(7001)
            mouths = {host.name: host.udp(40007) for host in (self.laptop, self.guest)}
            seen = self._ask(mouths, ear)
            self.assertEqual(seen, {"laptop": POOL["home"], "guest": POOL["guests"]})
            self.assertEqual(switch.reload(self._two_pools(POOL["later"])).returncode, 0)
            left = self._sessions(switch)
            self.assertEqual({session["source"] for session in left}, {f"{self.guest.address}:40007"}, left)
            self.assertEqual(self._ask(mouths, ear), {"laptop": POOL["later"], "guest": POOL["guests"]})

    def _two_pools(self, address):
        config = self.config()
        config["nat"] = [
            {"name": "home", "interface": "uplink", "source": [f"{HOME}.0/24"], "address": [address]},
            {"name": "guests", "interface": "uplink", "source": [f"{GUESTS}.0/24"], "address": [POOL["guests"]]}]
        return config

    def _ask(self, mouths, ear):
        """At which address the server sees each host; its answer comes back."""
        seen = {}
        for name, mouth in mouths.items():
            mouth.sendto(b"?", (self.server.address, 7001))
            _, source = ear.recvfrom(100)
            ear.sendto(b"!", source)
            self.assertEqual(mouth.recvfrom(100)[0], b"!")
            seen[name] = source[0]
        return seen

    def test_removed_interface(self):
        """An interface that is taken out answers no more and its routes are gone; put back, it works again."""
        with self.gateway() as switch:
            self.assertEqual(self.laptop.ping(self.guest), 3)
            without = self.config()
            del without["interfaces"]["guests"]
            self.assertEqual(switch.reload(without).returncode, 0)
            self.assertEqual(self.laptop.ping(f"{GUESTS}.1", "-W", "0.3"), 0)
            self.assertNotIn(f"{GUESTS}.0/24", [route["to"] for route in switch.show("routes")["routes"]])
            self.assertEqual(self.laptop.ping(self.server), 3)
            self.assertEqual(switch.reload(self.config()).returncode, 0)
            self.wait_answered(self.laptop, self.guest.address)
            self.wait_answered(self.laptop, self.guest.address6)

    def test_route_that_turns(self):
        """B33, B55: routes that a reload adds or removes hold at once: blackhole, prohibit, unreachable, none."""
        server = self.server.address + "/32"
        with self.gateway() as switch:
            for kind, words in (("blackhole", None), ("prohibit", "Packet filtered"),
                                ("unreachable", "Host Unreachable")):
                config = self.config()
                config["routes"].append({"to": server, "type": kind})
                self.assertEqual(switch.reload(config).returncode, 0)
                done = self.laptop.run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", self.server.address)
                self.assertEqual(answered(done.stdout), 0)
                if words:
                    self.assertRegex(done.stdout, rf"(?i)from {self.laptop.router} icmp_seq=\d+ .*{words}")
                self.assertEqual(switch.reload(self.config()).returncode, 0)
                self.assertEqual(self.laptop.ping(self.server), 3)

    def test_refused(self):
        """A reload that is refused changes nothing: the sessions and the traffic go on."""
        with self.gateway() as switch:
            session = self._udp_session(switch)
            wrong = self.config()
            wrong["nat"][0]["interface"] = "nowhere"
            done = switch.reload(wrong)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("nowhere", done.stderr)
            self.assertEqual(self._sessions(switch, "--source", self.guest.address), [session])
            self.assertEqual(self.laptop.curl(f"http://{self._web()}/")[:18], f"Hello {UPLINK},")

    def _web(self):
        self.server.web()
        return self.server.address
