# SPDX-License-Identifier: BSD-3-Clause
"""What a test borrows from the machine: network namespaces, processes, files. Everything is given back, by a
test that fails and by a run that is interrupted too; nothing that others made is touched."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNET = 0x40000000

PREFIX = f"slab{os.getpid()}-"


def wait_until(condition, what, timeout=5.0):
    """Comes back with what `condition` returned as soon as that is true; a failure after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.02)


def run(*command, timeout=30, **options):
    """Runs a command to its end; it is no error here if the command reports one."""
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)


def must(*command, **options):
    """Runs a command that has to succeed, and returns what it printed."""
    done = run(*command, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


@contextlib.contextmanager
def inside(netns):
    """This thread, in the network namespace `netns`: sockets that it opens belong there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    target = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    try:
        if _libc.setns(target, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {netns}")
        yield
    finally:
        _libc.setns(home, _CLONE_NEWNET)
        os.close(home)
        os.close(target)


class World:
    """What one test has borrowed, in the order in which it must go back."""

    _all = []

    def __init__(self):
        self._stack = contextlib.ExitStack()
        World._all.append(self)
        self.directory = tempfile.mkdtemp(prefix=PREFIX)
        self.on_close(shutil.rmtree, self.directory, ignore_errors=True)

    def on_close(self, work, *args, **kwargs):
        self._stack.callback(work, *args, **kwargs)

    def enter(self, manager):
        return self._stack.enter_context(manager)

    def path(self, name):
        return os.path.join(self.directory, name)

    def namespace(self, name, ipv6=False):
        """A network namespace. Without IPv6 a host in it says nothing that it was not asked to say."""
        netns = PREFIX + name
        must("ip", "netns", "add", netns)
        self.on_close(run, "ip", "netns", "delete", netns)
        off = 0 if ipv6 else 1
        run("ip", "netns", "exec", netns, "sysctl", "-qw", f"net.ipv6.conf.all.disable_ipv6={off}",
            f"net.ipv6.conf.default.disable_ipv6={off}", "net.ipv6.conf.all.accept_ra=0",
            "net.ipv6.conf.default.accept_ra=0")
        must("ip", "-n", netns, "link", "set", "lo", "up")
        return netns

    def start(self, *command, **options):
        """A process that ends with the test, and with us however we end."""
        process = subprocess.Popen(command, preexec_fn=_die_with_parent, start_new_session=True, **options)
        self.on_close(_end, process)
        return process

    def close(self):
        if self in World._all:
            World._all.remove(self)
        self._stack.close()

    @staticmethod
    def close_all():
        for world in list(World._all):
            world.close()
