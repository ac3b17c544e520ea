"""The three reset injectors of the Great Firewall, the regional one of Henan, and the hour of 20 August 2025.

Header fields: gfw-report, "A Wall Behind A Wall" (IEEE S&P 2025), data of sp25-regional: type I n = 77,892, type II
n = 309,333, type III n = 4,366, Henan 36,475 of 36,478; gfw.report of August 2025.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

from fingerprint.lab.boxes.forging import Injector, Salvo, back, both, opposite
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Action, Direction, Inject, Pass
from fingerprint.lab.packet import ACK, PSH, RST, SYN, TCP, Packet

Forged = Iterable[tuple[Packet, Direction]]

# "01 02 03 04 05 06 07 08 09 00", the payload of every reset from Henan.
HENAN_PAYLOAD = bytes((1, 2, 3, 4, 5, 6, 7, 8, 9, 0))
# Window less TTL, constant over six flows of one public capture while the TTL rose.
_TYPE_II_WINDOW_LESS_TTL = 1375


def type_i(random: Random) -> Salvo:
    """One bare reset, DF 0, IP ID 0, TTL 55–118, to both ends."""
    return lambda p, d: both(p, d, RST, ip_id=0, df=False, ttl=random.randint(55, 118), window=0)


def type_ii(random: Random) -> Salvo:
    """Three identical RST+ACK, DF 1, IP ID 0x00A3–0xFE5F, TTL 39–238 and rising, window 1375 above it, to both ends."""
    ttls = cycle(range(39, 239))

    def salvo(packet: Packet, direction: Direction) -> Forged:
        ttl, ip_id = next(ttls), random.randint(0x00A3, 0xFE5F)
        window = ttl + _TYPE_II_WINDOW_LESS_TTL
        return both(packet, direction, RST | ACK, ip_id=ip_id, df=True, ttl=ttl, window=window) * 3

    return salvo


def type_iii(random: Random) -> Salvo:
    """One RST+ACK, DF 0, IP ID 0x9916–0x9933, TTL 248, to both ends."""
    return lambda p, d: both(p, d, RST | ACK, ip_id=random.randint(0x9916, 0x9933), df=False, ttl=248, window=p.window)


def one_then_three(random: Random) -> Salvo:
    """Type I and type II on one flow: a bare reset, then three RST+ACK with one IP ID."""
    first, second = type_i(random), type_ii(random)
    return lambda p, d: (*first(p, d), *second(p, d))


def gfw(salvo: Salvo, residual_s: float, names: Names | None = None) -> Injector:
    """A reset injector of the Great Firewall: joins segments, reads SNI and Host, remembers the 3-tuple."""
    watch = Watch(names=names or Names())
    return Injector(watch=watch, salvo=salvo, residual=Residual(seconds=residual_s, scope="3-tuple"))


def henan(names: Names | None = None) -> Injector:
    """One RST+ACK with ten bytes of payload to the client alone; only if the TCP header has exactly twenty bytes."""

    def salvo(packet: Packet, direction: Direction) -> Forged:
        fields = {"ip_id": 1, "df": False, "ttl": 58, "window": packet.window, "payload": HENAN_PAYLOAD}
        return ((back(packet, RST | ACK, **fields), opposite(direction)),)

    watch = Watch(names=names or Names(), joins_segments=False)
    return Injector(watch=watch, salvo=salvo, only_if=lambda p: not p.options)


@dataclass(slots=True, kw_only=True)
class EverySyn:
    """20 August 2025: each SYN and each SYN-ACK of port 443, whoever it is for, brings three RST+ACK to the client."""

    port: int = 443
    random: Random = field(default_factory=lambda: Random(443))  # noqa: S311  # header fields, no secret

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Resets in the server's name, windows rising by one."""
        server_port = packet.dport if direction is Direction.TO_SERVER else packet.sport
        if packet.protocol != TCP or not packet.flags & SYN or server_port != self.port:
            return Pass()
        first = self.random.randint(900, 2000)
        ip_id, ttl = self.random.randint(1, 0xFFFF), self.random.randint(60, 110)
        fields = {"ip_id": ip_id, "df": True, "ttl": ttl}
        if direction is Direction.TO_SERVER:
            one = back(packet, RST | ACK, **fields)
        else:
            one = packet.with_(flags=RST | ACK, seq=packet.end, options=b"", payload=b"", **fields)
        forged = tuple((one.with_(window=first + i), Direction.TO_CLIENT) for i in range(3))
        return Inject(forged, after_s=0.0005)


# Form of a forged redirect: IP ID, window, flags, status (net4people/bbs#285 and #295, 2023; TTL 251 in both).
REDIRECTS = ((0x99B3, 502, PSH | ACK, b"301 Moved Permanently"), (0x4C57, 65535, 1 | PSH | ACK, b"302 Found"))


def redirects(names: Names | None = None) -> Injector:
    """HTTP 301 and 302 in turn, forged for a minded Host: PSH+ACK, or FIN+PSH+ACK."""
    forms = cycle(REDIRECTS)

    def salvo(packet: Packet, direction: Direction) -> Forged:
        ip_id, window, flags, status = next(forms)
        page = b"HTTP/1.1 " + status + b"\r\nLocation: http://notice.garden.test/\r\nContent-Length: 0\r\n\r\n"
        one = back(packet, flags, ip_id=ip_id, window=window, ttl=251, df=True, payload=page)
        return ((one, opposite(direction)),)

    return Injector(watch=Watch(names=names or Names(), reads=("host",)), salvo=salvo)
