"""The laboratory's resolvers: the provider's and a public one, over UDP and TCP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import pack

from fingerprint.lab.boxes.reading import Question, question
from fingerprint.lab.packet import UDP, Packet
from fingerprint.lab.simulated.host import Host
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.tcp import Connection
from fingerprint.lab.world import WORLD, Servers

# RFC 1035 sections 3.2.2 and 4.1.1, RFC 3596: types, flags and codes.
_A, _AAAA, _OPT = 1, 28, 41
_QR, _RD, _RA = 0x8000, 0x0100, 0x0080
_NO_ERROR, _SERVFAIL, _NXDOMAIN = 0, 2, 3
# What an answer from the cache takes, and until a resolver gives up on servers that do not answer.
_CACHED_S, _GIVES_UP_S = 0.0005, 1.2
_RECORD_TTL_S = 300
# RFC 6891: an OPT record with a size of 1,232 bytes and nothing else.
_EDNS = b"\0" + pack("!HHIH", _OPT, 1232, 0, 0)


@dataclass(slots=True, kw_only=True)
class Resolver:
    """Knows the names of a world. ``lies`` and ``denies`` are what it says against better knowledge."""

    host: Host
    servers: Servers
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: WORLD.names)
    lies: dict[str, str] = field(default_factory=dict)
    denies: dict[str, int] = field(default_factory=dict)
    hijacks: str | None = None

    def __post_init__(self) -> None:
        """Listen on port 53."""
        self.host.datagrams[53] = self._datagram
        self.host.listening[53] = lambda: _OverTcp(self)

    def answer(self, message: bytes) -> tuple[bytes, float] | None:
        """The answer to a query, and after how long it is given; None for what is no query."""
        asked = question(message)
        if asked is None:
            return None
        name = asked.name.lower().rstrip(".")
        if name in self.servers.lame:
            return self._message(asked, message, _SERVFAIL), _GIVES_UP_S
        if name in self.lies:
            return self._message(asked, message, _NO_ERROR, self.lies[name]), _CACHED_S
        if name in self.denies:
            return self._message(asked, message, self.denies[name]), _CACHED_S
        addresses = self.names.get(name) if name not in self.servers.gone else None
        if addresses is None and self.hijacks:
            return self._message(asked, message, _NO_ERROR, self.hijacks), _CACHED_S
        if addresses is None:
            return self._message(asked, message, _NXDOMAIN), 4 * _CACHED_S
        return self._message(asked, message, _NO_ERROR, *addresses), _CACHED_S

    def _message(self, asked: Question, query: bytes, code: int, *addresses: str) -> bytes:
        wanted = [a for a in addresses if asked.rtype == (_AAAA if ":" in a else _A)]
        edns = query[10:12] != b"\0\0"
        bits = _QR | _RA | code | (_RD if asked.recursion else 0)
        head = pack("!HHHHHH", asked.transaction, bits, 1, len(wanted), 0, int(edns))
        # What lies in a cache grows older.
        left_s = _RECORD_TTL_S - int(self.host.network.clock.now_ns // 10**9) % _RECORD_TTL_S
        records = b"".join(_record(asked.rtype, a, left_s) for a in wanted)
        return head + asked.raw + records + (_EDNS if edns else b"")

    def _datagram(self, packet: Packet) -> None:
        answer = self.answer(packet.payload)
        if answer is None:
            return
        back = Packet(
            source=packet.destination, destination=packet.source, protocol=UDP, sport=packet.dport, dport=packet.sport,
            payload=answer[0],
        )  # fmt: skip
        self.host.network.clock.at(answer[1], lambda: self.host.datagram(back))


def _record(rtype: int, address: str, ttl_s: int) -> bytes:
    data = socket.inet_pton(socket.AF_INET6 if rtype == _AAAA else socket.AF_INET, address)
    # RFC 1035 section 4.1.4: a pointer to the name at byte 12.
    return pack("!HHHIH", 0xC00C, rtype, 1, ttl_s, len(data)) + data


class _OverTcp(App):
    """RFC 7766: each message behind its length."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._heard = b""

    def received(self, connection: Connection, data: bytes) -> None:
        """Answer each whole query."""
        self._heard += data
        while len(self._heard) >= 2 and len(self._heard) >= (end := 2 + int.from_bytes(self._heard[:2], "big")):
            answer = self._resolver.answer(self._heard[2:end])
            self._heard = self._heard[end:]
            if answer is None:
                connection.close()
                return
            connection.clock.at(answer[1], _sending(connection, pack("!H", len(answer[0])) + answer[0]))


def _sending(connection: Connection, data: bytes) -> Callable[[], None]:
    return lambda: connection.send(data, apart=True)
