"""Boxes that deny, refuse or swallow queries by name, and a proxy that answers every query truthfully."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from struct import pack

from fingerprint.lab.boxes.dns_forging import QR, RA, RD
from fingerprint.lab.boxes.reading import Question, is_dns, question
from fingerprint.lab.boxes.watching import Names
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.packet import TCP, UDP, Packet
from fingerprint.lab.world import NAMES

# RFC 1035 section 4.1.1.
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
_DNS_PORT = 53
_A, _AAAA = 1, 28


@dataclass(slots=True, kw_only=True)
class Denier:
    """Answers queries over UDP for minded names with a bare code; ``drops`` makes it in-path."""

    rcode: int = NXDOMAIN
    names: Names = field(default_factory=Names)
    drops: bool = False
    ttl: int = 80
    after_s: float = 0.0005

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """The query goes on unless this box drops."""
        asked = _asked(packet, direction)
        if asked is None or not self.names.mind(asked.name):
            return Pass()
        told = _back(packet, _message(asked, self.rcode), ttl=self.ttl)
        return Inject(((told, Direction.TO_CLIENT),), drop=self.drops, after_s=self.after_s)


@dataclass(slots=True, kw_only=True)
class QueryDropper:
    """Drops queries for minded names, over UDP and TCP, and says nothing."""

    names: Names = field(default_factory=Names)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Each packet that carries such a question is dropped, and all its copies."""
        asked = _asked(packet, direction)
        if packet.protocol == TCP and packet.dport == _DNS_PORT and is_dns(packet.payload):
            asked = question(packet.payload[2:])
        return Drop() if asked is not None and self.names.mind(asked.name) else Pass()


@dataclass(slots=True, kw_only=True)
class TruthfulProxy:
    """Takes every query over UDP, whoever it is for, and answers it as a resolver would."""

    after_s: float = 0.002

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Names that nobody registered do not exist."""
        asked = _asked(packet, direction)
        if asked is None:
            return Pass()
        known = NAMES.get(asked.name.lower().rstrip("."))
        answer = _message(asked, 0 if known else NXDOMAIN, *(known or ()))
        return Inject(((_back(packet, answer, ttl=64), Direction.TO_CLIENT),), drop=True, after_s=self.after_s)


def _asked(packet: Packet, direction: Direction) -> Question | None:
    there = direction is Direction.TO_SERVER and packet.protocol == UDP and packet.dport == _DNS_PORT
    return question(packet.payload) if there else None


def _message(asked: Question, rcode: int, *addresses: str) -> bytes:
    wanted = [a for a in addresses if asked.rtype == (_AAAA if ":" in a else _A)]
    bits = QR | RA | rcode | (RD if asked.recursion else 0)
    records = b"".join(
        # RFC 1035 section 4.1.4: a pointer to the name at byte 12.
        pack("!HHHIH", 0xC00C, asked.rtype, 1, 300, 16 if ":" in a else 4)
        + socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a)
        for a in wanted
    )
    return pack("!HHHHHH", asked.transaction, bits, 1, len(wanted), 0, 0) + asked.raw + records


def _back(query: Packet, message: bytes, *, ttl: int) -> Packet:
    return Packet(
        source=query.destination, destination=query.source, protocol=UDP, sport=query.dport, dport=query.sport,
        payload=message, ttl=ttl, df=False, ip_id=query.ip_id ^ 0x5A5A, time_s=query.time_s,
    )  # fmt: skip
