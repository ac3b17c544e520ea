"""Filters of first payloads and ports, over TCP and UDP, in-path; and an on-path one that resets.

Wu et al. (USENIX Security 2023) for what looks fully encrypted: connections that nothing exempts are cut, and the two
addresses with the server's port for 180 s; in the field, one in four of them. What the others read are the first bytes
of the formats themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fingerprint.lab.boxes.forging import both
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Flow
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, RST, SYN, TCP, UDP, Packet

_COOKIE = bytes.fromhex("2112a442")


def looks_encrypted(data: bytes) -> bool:
    """Nothing exempts it: not printable in any of three ways, no TLS or HTTP, and about half of all bits set."""
    text = [0x20 <= b <= 0x7E for b in data]
    longest = run = 0
    for plain in text:
        run = run + 1 if plain else 0
        longest = max(longest, run)
    begins = data[:1] in (b"\x16", b"\x17") and data[1:2] == b"\x03"
    begins |= data.split(b" ")[0] in (b"GET", b"PUT", b"POST", b"HEAD")
    exempt = all(text[:6]) or 2 * sum(text) > len(text) or longest > 20 or begins
    bits = sum(b.bit_count() for b in data) / len(data)
    return not exempt and 3.4 < bits < 4.6


def is_ssh(data: bytes) -> bool:
    """An identification string."""
    return data.startswith(b"SSH-")


def is_openvpn_over_tcp(data: bytes) -> bool:
    """Length, then a client's hard reset."""
    return len(data) > 3 and int.from_bytes(data[:2], "big") == len(data) - 2 and data[2] == 0x38


def is_openvpn(data: bytes) -> bool:
    """A client's hard reset of 14 bytes."""
    return len(data) == 14 and data[0] == 0x38


def is_wireguard(data: bytes) -> bool:
    """A handshake initiation."""
    return len(data) == 148 and data[:4] == b"\x01\x00\x00\x00"


def is_stun(data: bytes) -> bool:
    """The cookie of RFC 8489 in its place."""
    return len(data) >= 20 and data[0] < 0x40 and data[4:8] == _COOKIE


@dataclass(slots=True, kw_only=True)
class FirstBytesDropper:
    """In-path: the first data of a client decides over its flow; ``residual`` over what else is blocked."""

    cuts: Callable[[bytes], bool]
    residual: Residual
    _seen: set[Flow] = field(default_factory=set)
    _dead: set[Flow] = field(default_factory=set)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Drops what goes to the server; what comes from it is never touched."""
        if packet.protocol != TCP or direction is Direction.TO_CLIENT:
            return Pass()
        if self.residual.holds(packet, direction) or (packet.flow in self._dead and not packet.flags & SYN):
            return Drop()
        if packet.flags & SYN:
            self._seen.discard(packet.flow)
            self._dead.discard(packet.flow)
        if not packet.payload or packet.flow in self._seen:
            return Pass()
        self._seen.add(packet.flow)
        if not self.cuts(packet.payload):
            return Pass()
        self._dead.add(packet.flow)
        self.residual.start(packet, direction)
        return Drop()


@dataclass(slots=True, kw_only=True)
class FirstBytesResetter:
    """On-path: the first data of a client brings a RST+ACK to both ends."""

    cuts: Callable[[bytes], bool]

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Everything goes on."""
        if packet.protocol != TCP or direction is Direction.TO_CLIENT or not packet.payload:
            return Pass()
        if not self.cuts(packet.payload):
            return Pass()
        forged = both(packet, direction, RST | ACK, ttl=101, ip_id=0x4C57, df=False, window=229)
        return Inject(tuple(forged), after_s=0.0005)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatagramDropper:
    """In-path: datagrams to these ports, or with such a payload, go no further."""

    cuts: Callable[[bytes], bool] = field(default=lambda _: True)
    ports: frozenset[int] = frozenset()

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only the way to the server is cut."""
        if packet.protocol != UDP or direction is Direction.TO_CLIENT:
            return Pass()
        if self.ports and packet.dport not in self.ports:
            return Pass()
        return Drop() if self.cuts(packet.payload) else Pass()
