"""Forged DNS answers that race the resolver's own, or take their place."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from struct import pack

from fingerprint.lab.boxes.reading import Question, question
from fingerprint.lab.boxes.watching import Names
from fingerprint.lab.censor import Action, Direction, Inject, Pass
from fingerprint.lab.packet import UDP, Packet

# RFC 1035 section 3.2.2 and RFC 3596.
_A, _AAAA = 1, 28
# RFC 1035 section 4.1.1: response, authoritative, recursion desired and available.
QR, AA, RD, RA = 0x8000, 0x0400, 0x0100, 0x0080


def answer(asked: Question, address: str, *, bits: int, ttl_s: int) -> bytes:
    """A response with one address; the question as it was asked, no EDNS."""
    six = ":" in address
    data = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, address)
    head = pack("!HHHHHH", asked.transaction, QR | bits | (RD if asked.recursion else 0), 1, 1, 0, 0)
    # RFC 1035 section 4.1.4: a pointer to the name at byte 12.
    return head + asked.raw + pack("!HHHIH", 0xC00C, _AAAA if six else _A, 1, ttl_s, len(data)) + data


@dataclass(slots=True, kw_only=True)
class DnsInjector:
    """On-path: a query for a minded name is answered with the next address of a pool, in fixed order.

    ``header`` gives the IP fields of the forged packet, from the query as it was seen. ``drops`` makes it in-path.
    """

    header: Callable[[Packet], dict[str, object]]
    v4: tuple[str, ...]
    v6: tuple[str, ...]
    bits: int = RA
    record_ttl_s: int = 60
    names: Names = field(default_factory=Names)
    any_port: bool = False
    copies: int = 1
    after_s: float = 0.0005
    drops: bool = False
    _next: dict[int, cycle[str]] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """The query goes on, unless this box drops; a forged answer goes back."""
        if packet.protocol != UDP or (direction is Direction.TO_CLIENT and not self.any_port):
            return Pass()
        if packet.dport != 53 and not self.any_port:
            return Pass()
        asked = question(packet.payload)
        if asked is None or asked.rtype not in (_A, _AAAA) or not self.names.mind(asked.name):
            return Pass()
        pool = self._next.setdefault(asked.rtype, cycle(self.v4 if asked.rtype == _A else self.v6))
        forged = Packet(
            source=packet.destination,
            destination=packet.source,
            protocol=UDP,
            sport=packet.dport,
            dport=packet.sport,
            payload=answer(asked, next(pool), bits=self.bits, ttl_s=self.record_ttl_s),
            time_s=packet.time_s,
        ).with_(**self.header(packet))
        towards = Direction.TO_CLIENT if direction is Direction.TO_SERVER else Direction.TO_SERVER
        return Inject(((forged, towards),) * self.copies, drop=self.drops, after_s=self.after_s)
