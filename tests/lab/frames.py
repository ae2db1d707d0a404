# SPDX-License-Identifier: BSD-3-Clause
"""Ethernet frames: made, sent and heard on a host's kernel device, written to and read from capture files."""

import select
import socket
import struct
import time

from world import inside

BROADCAST = "ff:ff:ff:ff:ff:ff"
EXPERIMENT = 0x88B5  # IEEE 802 local experimental ethertype: kernels leave it alone
VLAN = 0x8100

_SOL_PACKET = 263
_PACKET_AUXDATA = 8
_PACKET_IGNORE_OUTGOING = 23
_SO_RCVBUFFORCE = 33
_ETH_P_ALL = 3
_VLAN_VALID = 1 << 4


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def tag(vid, pcp=0, tpid=VLAN):
    return struct.pack("!HH", tpid, pcp << 13 | vid)


def frame(to, source, payload=b"", tags=b"", ethertype=EXPERIMENT):
    """`to`, `source`: MAC addresses as text. The payload is taken as it is, however short the frame becomes."""
    return mac(to) + mac(source) + tags + struct.pack("!H", ethertype) + payload


def padded(data):
    """As it must leave: 60 octets at least (IEEE 802.3 4A.2.3.2.4, without the FCS)."""
    return data + bytes(max(0, 60 - len(data)))


def ours(frames):
    """Those of the experimental ethertype, behind a tag or not: what a kernel said by itself is left out."""
    marker = struct.pack("!H", EXPERIMENT)
    return [data for data in frames if marker in (data[12:14], data[16:18])]


class Wire:
    """The host's end of a port: sends and hears whole frames, tags included.

    Without a device name it hears every device of the namespace, also one that is made later."""

    def __init__(self, netns, device=None):
        with inside(netns):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        for option in (_PACKET_AUXDATA, _PACKET_IGNORE_OUTGOING):
            self._socket.setsockopt(_SOL_PACKET, option, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 32 << 20)
        if device:
            self._socket.bind((device, _ETH_P_ALL))
            self.drain()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, *frames):
        for data in frames:
            self._socket.send(data)

    def drain(self):
        while self._next(0):
            pass

    def heard(self, count, timeout=5.0):
        """`count` of our frames, or as many as came within the time."""
        frames = []
        deadline = time.monotonic() + timeout
        while len(frames) < count:
            data = self._next(deadline - time.monotonic())
            if data is None:
                break
            frames += ours([data])
        return frames

    def rest(self):
        """What of ours is there already."""
        frames = []
        while (data := self._next(0)) is not None:
            frames += ours([data])
        return frames

    def _next(self, timeout):
        if not select.select([self._socket], [], [], max(0, timeout))[0]:
            return None
        data, extra, _, _ = self._socket.recvmsg(65536, 256)
        for level, kind, value in extra:
            if (level, kind) != (_SOL_PACKET, _PACKET_AUXDATA):
                continue
            # The kernel takes the tag out before it shows us the frame: struct tpacket_auxdata.
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", value[:20])
            if status & _VLAN_VALID:
                return data[:12] + struct.pack("!HH", tpid or VLAN, tci) + data[12:]
        return data


def write_capture(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, data in enumerate(frames):
            file.write(struct.pack("<IIII", 1000, number, len(data), len(data)) + data)


def read_capture(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    frames, at = [], 24
    while at < len(data):
        _, _, captured, length = struct.unpack_from(order + "IIII", data, at)
        assert captured == length, "a frame was cut short"
        frames.append(data[at + 16:at + 16 + captured])
        at += 16 + captured
    return frames
