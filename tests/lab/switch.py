# SPDX-License-Identifier: BSD-3-Clause
"""A running sluice, and its end: what it leaves behind and whether its books balance."""

import contextlib
import json
import os
import signal
import socket
import subprocess

from world import run, wait_until

START_SECONDS = 15
STOP_SECONDS = 10
HOLD_SECONDS = 20  # the longest that the router keeps a packet, and time to spare
_LITTER = ("/tmp", "/dev/shm", "/dev/hugepages")


def _listing(directory):
    try:
        return set(os.listdir(directory))
    except FileNotFoundError:
        return set()


def runtime_directory(pid):
    """Where DPDK keeps the files of the sluice with this process number."""
    return f"/run/dpdk/sluice-{pid}"


def remove_runtime_directory(pid):
    with contextlib.suppress(OSError):
        os.rmdir(runtime_directory(pid))


class Switch:
    """One `sluice run`; the configuration is a dict in the words of the YAML file (JSON is YAML), or a file's path.
    `through` is a command that runs another, such as `ip netns exec`."""

    def __init__(self, world, binary, config, name="sluice", hugepages=False, through=()):
        self.world, self.binary, self.name, self.through = world, binary, name, through
        self.socket = world.path(name + ".sock")
        self.file = config if isinstance(config, str) else world.path(name + ".yaml")
        self.log = world.path(name + ".log")
        self._around = {"dpdk": {"hugepages": hugepages}, "control": {"socket": self.socket}}
        self.config = config
        if self.file != config:
            self.write(config)

    def write(self, config, name=None):
        """The configuration as a file, with the socket of this sluice. Returns the path."""
        path = self.file if name is None else self.world.path(name)
        with open(path, "w", encoding="ascii") as file:
            json.dump({**self._around, **config}, file, indent=1)
        return path

    def start(self):
        self._before = {directory: _listing(directory) for directory in _LITTER}
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = self.world.start(*self.through, self.binary, "run", self.file, "--socket", self.socket,
                                            stdout=log, stderr=log)
        wait_until(self._answers, f"{self.name} answers on its socket\n{self.logged()}", START_SECONDS)
        self.mbufs_at_start = self.mbufs()
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sluice ended with {self.process.returncode}: {self.logged()}")
        return os.path.exists(self.socket) and self.command("show", "ports").returncode == 0

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def command(self, *args):
        """Another sluice, which talks to this one."""
        return run(self.binary, *args, "--socket", self.socket)

    def api(self, method, path, body):
        """What the API answers to a request made by hand."""
        text = json.dumps(body).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self.socket)
            head = f"{method} {path} HTTP/1.0\r\nContent-Length: {len(text)}\r\n\r\n"
            connection.sendall(head.encode() + text)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    def show(self, what, *filters):
        done = self.command("show", what, "--json", *filters)
        assert done.returncode == 0, f"show {what}: exit {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)

    def ports(self):
        return self.show("ports")["ports"]

    def mbufs(self):
        return self.show("workers")["mbufs"]["in-use"]

    def macs(self, *filters):
        """{MAC: port} of the learned and static addresses."""
        return {entry["mac"]: entry["port"] for entry in self.show("macs", *filters)["macs"]}

    def drops(self, port):
        return self.show("drops")["ports"][port]

    def reload(self, config, name="next.yaml"):
        return self.command("reload", self.write(config, name))

    def wait_received(self, port, count):
        wait_until(lambda: self.ports()[port]["received"] >= count, f"{port} has received {count} frames")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check_books(self):
        """Every frame that came has gone somewhere, and every buffer has come back."""
        wait_until(lambda: self.show("ports")["held"] == 0, "no frame is held", HOLD_SECONDS)
        ports = self.show("ports")
        assert ports["unaccounted"] == 0, f"frames are unaccounted for: {ports}"
        wait_until(lambda: self.mbufs() == self.mbufs_at_start,
                   f"all buffers are back: {self.mbufs()} in use, {self.mbufs_at_start} at the start", HOLD_SECONDS)

    def stop(self, sign=signal.SIGTERM):
        """Ends it as systemd would, and looks at what is left."""
        self.process.send_signal(sign)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"sluice runs on after {signal.Signals(sign).name}") from None
        assert code == 0, f"sluice ended with {code}: {self.logged()}"
        assert not os.path.exists(self.socket), "the socket is still there"
        litter = self.litter()
        assert not litter, f"left behind: {litter}"

    def litter(self):
        """Files of this sluice that have come since it started."""
        pid = str(self.process.pid)
        found = [os.path.join(self.runtime_directory(), name) for name in _listing(self.runtime_directory())]
        for directory, before in self._before.items():
            for name in _listing(directory) - before:
                if pid in name or name.startswith(("sluice", "rte", "dpdk")):
                    found.append(os.path.join(directory, name))
        return found

    def runtime_directory(self):
        return runtime_directory(self.process.pid)
