"""Boxes that mind what a ClientHello is, not whom it names: its extensions, its ciphers.

Written for the laboratory alone. A hello is looked at once it is whole; its repetitions are minded as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from struct import unpack_from

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Action, Direction, Drop, Pass
from fingerprint.lab.packet import TCP, Packet

# RFC 9849; draft-ietf-tls-esni-02 section 8.1; RFC 8446 section 4.2.1.
ECH, ESNI, SUPPORTED_VERSIONS = 0xFE0D, 0xFFCE, 43
# RFC 5288: a cipher with ephemeral Diffie-Hellman over a prime field, which Python offers and no browser does.
DHE_RSA_AES_GCM = 0x009F

Shape = Callable[[bytes], bool]  # of the bytes that a flow begins with


@dataclass(slots=True, kw_only=True)
class ShapeWatch(Watch):
    """Fires where the hello has the shape, whatever its name."""

    shape: Shape
    reads: tuple[str, ...] = ("shape",)

    def _minds(self, heard: bytes) -> bool:
        return reading.is_tls(heard) and reading.hello_is_whole(heard) and self.shape(heard)


@dataclass(slots=True, kw_only=True)
class ShapeDropper:
    """In-path: drops hellos of a shape, and what the residual block covers afterwards."""

    watch: ShapeWatch
    residual: Residual | None = field(default=None)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only the client's packets are lost, as of the Great Firewall is told."""
        if packet.protocol != TCP or direction is not Direction.TO_SERVER:
            return Pass()
        if self.watch.fires(packet):
            if self.residual is not None:
                self.residual.start(packet, direction)
            return Drop()
        return Drop() if self.residual is not None and self.residual.holds(packet, direction) else Pass()


def carries(kind: int) -> Shape:
    """Whether the hello has an extension of that kind."""
    return lambda heard: kind in extensions(heard)


def offers_cipher(suite: int) -> Shape:
    """Whether the hello offers a cipher suite."""
    return lambda heard: suite in ciphers(heard)


def offers_tls_1_3(heard: bytes) -> bool:
    """Whether the hello offers TLS 1.3."""
    return b"\x03\x04" in extensions(heard).get(SUPPORTED_VERSIONS, b"")


def ciphers(heard: bytes) -> tuple[int, ...]:
    """The cipher suites of the hello that these bytes hold; none where they hold no whole one."""
    hello = _hello(heard)
    if len(hello) < 41:
        return ()
    at = 39 + hello[38]
    size = int.from_bytes(hello[at : at + 2], "big")
    return tuple(unpack_from(f"!{size // 2}H", hello, at + 2)) if at + 2 + size <= len(hello) else ()


def extensions(heard: bytes) -> dict[int, bytes]:
    """The extensions of the hello that these bytes hold, as far as they are whole."""
    hello = _hello(heard)
    found: dict[int, bytes] = {}
    if len(hello) < 41:
        return found
    at = 39 + hello[38]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + int.from_bytes(hello[at : at + 1], "big") + 2
    while at + 4 <= len(hello):
        kind, size = unpack_from("!HH", hello, at)
        found[kind] = hello[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def _hello(heard: bytes) -> bytes:
    """The ClientHello message, its records joined."""
    parts, at = [], 0
    while at + 5 <= len(heard) and heard[at] == 22:
        size = int.from_bytes(heard[at + 3 : at + 5], "big")
        parts.append(heard[at + 5 : at + 5 + size])
        at += 5 + size
    joined = b"".join(parts)
    return joined if joined[:1] == b"\x01" else b""
