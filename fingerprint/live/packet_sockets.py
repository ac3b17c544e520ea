"""AF_PACKET sockets: what an interface sends and receives, with the kernel's own time of each packet.

Opening one needs CAP_NET_RAW; reading from one that is open needs nothing.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from struct import unpack, unpack_from

from captures.errors import PrivilegeError
from fingerprint.live import bpf

# linux/if_ether.h: everything; only this protocol sees what the machine sends itself.
ETH_P_ALL = 3
# asm-generic/socket.h; the old form stamps with a struct of two longs, which is what Python's ABI has as well.
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
# linux/if_packet.h
SOL_PACKET, PACKET_STATISTICS, PACKET_OUTGOING = 263, 6, 4
# linux/if_arp.h: interfaces whose frames begin with an Ethernet header.
ETHERNET_KINDS = frozenset({1, 772})
LOOPBACK_KIND = 772
# https://www.tcpdump.org/linktypes.html
LINKTYPE_ETHERNET, LINKTYPE_RAW = 1, 101
ETHERNET_HEADER_BYTES = 14
# Half a second of 500 Mbit/s: a Python process may be put aside for that long on a busy machine.
BUFFER_BYTES = 32 << 20
LONGEST_FRAME_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame of an interface. ``header_bytes`` stand before the IP header."""

    content: bytes
    stamp_ns: int
    wire_bytes: int
    outgoing: bool


class PacketSocket:
    """One interface, heard. ``header_bytes`` of each frame stand before the IP header."""

    def __init__(self, sock: socket.socket, interface: str, kind: int) -> None:
        """Use `open_on`, or give the socket that another process opened so."""
        self.sock, self.interface, self.kind = sock, interface, kind
        ethernet = kind in ETHERNET_KINDS
        self.link_type = LINKTYPE_ETHERNET if ethernet else LINKTYPE_RAW
        self.header_bytes = ETHERNET_HEADER_BYTES if ethernet else 0
        self._buffer = bytearray(LONGEST_FRAME_BYTES)
        self.dropped_pkts = 0

    def read(self) -> Heard | None:
        """The next frame, None if there is none now. Raises OSError if the interface went away."""
        while True:
            try:
                size, control, _, address = self.sock.recvmsg_into([self._buffer], 64, socket.MSG_TRUNC)
            except (BlockingIOError, InterruptedError):
                return None
            outgoing = address[2] == PACKET_OUTGOING
            if outgoing and self.kind == LOOPBACK_KIND:
                continue  # it comes again as an incoming one
            kept = bytes(memoryview(self._buffer)[: min(size, len(self._buffer))])
            return Heard(kept, stamp_of(control), size, outgoing)

    def count_drops(self) -> int:
        """How many packets the kernel could not keep for us, since the beginning."""
        told = self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self.dropped_pkts += unpack("=II", told)[1]
        return self.dropped_pkts


def stamp_of(control: list[tuple[int, int, bytes]]) -> int:
    """The kernel's time of a packet, in nanoseconds since the epoch."""
    for level, kind, told in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = unpack_from("@ll", told)
            return int(seconds * 1_000_000_000 + nanoseconds)
    raise OSError("the kernel gave a packet no time")


def open_on(interface: str, program: bytes | None) -> PacketSocket:
    """A socket on an interface, its filter set before the first packet can arrive.

    Raises PrivilegeError without CAP_NET_RAW, OSError if the interface does not exist.
    """
    try:
        kind = kind_of(interface)
        form = socket.SOCK_RAW if kind in ETHERNET_KINDS else socket.SOCK_DGRAM
        # Protocol 0: nothing is heard until it is bound, and by then the filter stands.
        sock = socket.socket(socket.AF_PACKET, form | socket.SOCK_NONBLOCK, 0)
    except PermissionError:
        raise PrivilegeError("hearing packets needs CAP_NET_RAW; run it with sudo") from None
    try:
        enlarge(sock)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if program is not None:
            bpf.attach(sock, program)
        sock.bind((interface, ETH_P_ALL))
    except OSError:
        sock.close()
        raise
    return PacketSocket(sock, interface, kind)


def enlarge(sock: socket.socket) -> None:
    """As large a queue as this process may have."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)


def kind_of(interface: str) -> int:
    """The hardware type of an interface, asked of a socket: /sys may show another namespace's.

    Raises OSError if there is no such interface.
    """
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
        sock.bind((interface, 0))
        return int(sock.getsockname()[3])
