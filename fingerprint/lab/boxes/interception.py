"""TLS interception: the box answers a minded hello with a certificate of its own root, and speaks for the server.

Kazakhstan, 2019 to 2024: by SNI, with roots that the state asked everybody to install. Products of gateways and virus
scanners do the same for every name, or for some.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field

from fingerprint.lab.boxes import hello_shapes, reading
from fingerprint.lab.boxes.forging import ahead, back
from fingerprint.lab.boxes.residual import Ends, ends
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass
from fingerprint.lab.certificates import Issuer, context
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, TCP, Packet

# Fits into every MTU that IPv6 allows (RFC 8200 section 5), with all headers.
_SEGMENT_BYTES = 1200
# As much as the box has on the way to the client at once.
_WINDOW_BYTES = 48_000
_PAGE_BYTES, _LARGE_BYTES, _PIECE_BYTES = 6_000, 64_000_000, 32_000
_SEQUENCES = 1 << 32
STATE = Issuer(common="State Trust Network")


@dataclass(slots=True)
class _Posing:
    """One connection that was taken over. Numbers are those on the wire."""

    expected: int  # the client's next byte
    una: int  # what the client has confirmed of ours
    nxt: int
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    waiting: bytearray = field(default_factory=bytearray)  # from una on
    shaken: bool = False
    asked: bytes = b""
    body_left_bytes: int = -1
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class Interceptor:
    """In-path. The server hears of a hello nothing but a reset of the connection that it was for.

    ``everybody``: whatever name a hello has; ``newest_only``: only hellos that offer TLS 1.3, which is then spoken.
    """

    watch: Watch = field(default_factory=lambda: Watch(reads=("sni",)))
    issuer: Issuer = STATE
    everybody: bool = False
    newest_only: bool = False
    _posing: dict[Ends, _Posing] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Nothing of a connection that was taken over passes, either way."""
        if packet.protocol != TCP:
            return Pass()
        key = ends(packet, direction)
        if packet.flags & SYN:
            self._posing.pop(key, None)
        posing = self._posing.get(key)
        if direction is Direction.TO_CLIENT:
            return Pass() if posing is None else Drop()
        if posing is None:
            if not self._wants(packet):
                return Pass()
            posing = self._posing[key] = self._take_over(packet)
            gone = (ahead(packet, RST | ACK).with_(seq=packet.seq), direction)
            return Inject((*self._speak(posing, packet), gone), drop=True, after_s=0.0005)
        return Inject(tuple(self._speak(posing, packet)), drop=True, after_s=0.0005)

    def _wants(self, packet: Packet) -> bool:
        if self.newest_only and not hello_shapes.offers_tls_1_3(packet.payload):
            return False
        return reading.sni(packet.payload) is not None if self.everybody else self.watch.fires(packet)

    def _take_over(self, hello: Packet) -> _Posing:
        name = reading.sni(hello.payload) or min(self.watch.names.names)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        made = context(name.lower().rstrip("."), self.issuer)
        tls = made.wrap_bio(incoming, outgoing, server_side=True)
        return _Posing(hello.seq, hello.ack, hello.ack, tls, incoming, outgoing)

    def _speak(self, posing: _Posing, packet: Packet) -> list[tuple[Packet, Direction]]:
        """Take in what the client says and say what may be on the way."""
        if packet.flags & RST:
            posing.closed = True
            return []
        confirmed = (packet.ack - posing.una) % _SEQUENCES
        if confirmed <= len(posing.waiting) + 1:
            del posing.waiting[:confirmed]
            posing.una = packet.ack
        if packet.payload and packet.seq == posing.expected:
            posing.expected = packet.end
            posing.incoming.write(packet.payload)
        elif packet.flags & FIN:
            posing.expected = packet.end
        if not posing.closed:
            with suppress(ssl.SSLError):
                self._converse(posing)
            posing.waiting += posing.outgoing.read()
        return self._segments(posing, packet)

    def _converse(self, posing: _Posing) -> None:
        if not posing.shaken:
            posing.tls.do_handshake()
            posing.shaken = True
        if posing.body_left_bytes < 0:
            posing.asked += posing.tls.read(16_384)
            if b"\r\n\r\n" not in posing.asked:
                return
            large = b" /large" in posing.asked.split(b"\r\n")[0]
            posing.body_left_bytes = _LARGE_BYTES if large else _PAGE_BYTES
            length = f"Content-Length: {posing.body_left_bytes}\r\nConnection: close\r\n\r\n"
            posing.tls.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + length.encode())
        while posing.body_left_bytes and len(posing.waiting) + posing.outgoing.pending < _WINDOW_BYTES:
            piece = min(_PIECE_BYTES, posing.body_left_bytes)
            posing.tls.write(b"x" * piece)
            posing.body_left_bytes -= piece

    def _segments(self, posing: _Posing, packet: Packet) -> list[tuple[Packet, Direction]]:
        out, header = [], {"ack": posing.expected, "ttl": 60, "ip_id": 0, "window": 32_768}
        while (at := (posing.nxt - posing.una) % _SEQUENCES) < min(len(posing.waiting), _WINDOW_BYTES):
            piece = bytes(posing.waiting[at : at + _SEGMENT_BYTES])
            made = back(packet, PSH | ACK, seq=posing.nxt, payload=piece, **header)
            posing.nxt = made.end
            out.append((made, Direction.TO_CLIENT))
        if not out and (packet.payload or packet.flags & FIN):
            flags = FIN | ACK if packet.flags & FIN and not posing.closed else ACK
            out.append((back(packet, flags, seq=posing.nxt, **header), Direction.TO_CLIENT))
            posing.closed = posing.closed or bool(flags & FIN)
        return out
