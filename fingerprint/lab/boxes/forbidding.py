"""Boxes that mind addresses and ports alone, whatever is said there: they drop, refuse with ICMP, or reset."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from struct import pack, pack_into

from fingerprint.lab.boxes.forging import back
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import ACK, ICMP, ICMP6, RST, SYN, TCP, Packet, checksum

# RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3.1: codes of destination unreachable in IPv4 and IPv6.
PROHIBITED, HOST = (13, 1), (1, 3)
_UNREACHABLE = (3, 1)
# RFC 1812 section 4.3.2.3: at most 576 bytes of message; RFC 4443 section 2.4: at most 1280.
_QUOTED_BYTES = (576 - 28, 1280 - 48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Minded:
    """What goes to these addresses; only over TCP to this port, if one is named."""

    addresses: frozenset[str]
    port: int | None = None

    def hit(self, packet: Packet, direction: Direction) -> bool:
        """Whether this packet is on its way there."""
        if direction is not Direction.TO_SERVER or packet.destination not in self.addresses:
            return False
        return self.port is None or (packet.protocol == TCP and packet.dport == self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swallow:
    """Drops what goes there, without a word."""

    minded: Minded

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Only the way there is cut."""
        return Drop() if self.minded.hit(packet, direction) else Pass()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbid:
    """Drops what goes there, and says so by ICMP in the name of a router (IPv4 and IPv6 address)."""

    minded: Minded
    senders: tuple[str, str]
    codes: tuple[int, int] = PROHIBITED
    ttl: int = 64
    after_s: float = 0.0005

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Each packet is answered; nobody limits the rate here."""
        if not self.minded.hit(packet, direction):
            return Pass()
        six = packet.version == 6
        told = unreachable(packet, sender=self.senders[six], code=self.codes[six], ttl=self.ttl)
        return Inject(((told, Direction.TO_CLIENT),), drop=True, after_s=self.after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSyn:
    """On-path: a RST+ACK in the server's name for each connection request there."""

    minded: Minded
    ttl: int = 90

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """The request goes on."""
        if packet.flags & (SYN | ACK | RST) != SYN or not self.minded.hit(packet, direction):
            return Pass()
        forged = back(packet, RST | ACK, ttl=self.ttl, ip_id=4660, df=False, window=0)
        return Inject(((forged, Direction.TO_CLIENT),), after_s=0.0005)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseWayBack:
    """Drops what these addresses send to the client; the way there is left alone."""

    addresses: frozenset[str]

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """SYNs arrive, SYN-ACKs do not."""
        return Drop() if direction is Direction.TO_CLIENT and packet.source in self.addresses else Pass()


def unreachable(about: Packet, *, sender: str, code: int, ttl: int) -> Packet:
    """ICMP destination unreachable to whoever sent ``about``, which it quotes."""
    six = about.version == 6
    body = bytearray(pack("!BBHI", _UNREACHABLE[six], code, 0, 0) + about.to_bytes()[: _QUOTED_BYTES[six]])
    covered = bytes(body)
    if six:
        ends = socket.inet_pton(socket.AF_INET6, sender) + socket.inet_pton(socket.AF_INET6, about.source)
        covered = ends + pack("!II", len(body), ICMP6) + covered
    pack_into("!H", body, 2, checksum(covered))
    return Packet(
        source=sender, destination=about.source, protocol=ICMP6 if six else ICMP, ttl=ttl, df=False, dscp=0xC0,
        payload=bytes(body), time_s=about.time_s,
    )  # fmt: skip
