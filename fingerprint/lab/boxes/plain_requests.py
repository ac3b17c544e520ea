"""Boxes that read requests in the clear: they reset, answer, rewrite or keep them, by Host, by path or by a word.

The innocents among them speak for servers as well: a provider's cache, a filter that a family chose, a firewall.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from zlib import crc32

from fingerprint.lab.boxes import reading
from fingerprint.lab.boxes.forging import Injector, back, both, opposite
from fingerprint.lab.boxes.residual import Ends, ends
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Action, Direction, Drop, Inject, Pass, Rewrite
from fingerprint.lab.packet import ACK, FIN, PSH, RST, SYN, TCP, Packet

_REFUSED = (
    b"<html><head><title>Access denied</title></head><body><h1>Access to this site is denied</h1>"
    b"<p>It is blocked by decision of the authority.</p></body></html>"
)
# The frame that public captures from Iran show (Aryan et al., FOCI 2013), written anew.
_KNOWN = (
    b'<html><head><title>M1</title></head><body><iframe src="http://10.10.34.34?type=Invalid Site&policy=MainPolicy"'
    b' width="100%" height="100%"></iframe></body></html>'
)
_FAMILY = (
    b"<html><head><title>Family settings</title></head><body><h1>This site is blocked</h1>"
    b"<p>Your family settings block it. Ask the account holder.</p></body></html>"
)
_REJECTED = b"<html><head><title>Request Rejected</title></head><body>The requested URL was rejected.</body></html>"
_CACHED = b"<!doctype html><title>Herbs and gardens</title>" + b"<p>herbs and gardens</p>\n" * 40
_VIA = b"Via: 1.1 cache.provider.test\r\n"
# RFC 9293 section 3.2: MSS 1460, kind 2.
_MSS = bytes((2, 4, 0x05, 0xB4))


def _page(status: bytes, body: bytes, more: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return (
        b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\n" + more + length + b"Connection: close\r\n\r\n" + body
    )


@dataclass(slots=True, kw_only=True)
class Words(Watch):
    """Reads the request line: ``words`` in it are minded, under the minded Hosts alone or under all."""

    words: tuple[bytes, ...] = ()
    under_all: bool = False

    def _minds(self, heard: bytes) -> bool:
        if not heard.startswith(reading.METHODS) or not any(w in heard.split(b"\r\n")[0] for w in self.words):
            return False
        return self.under_all or self.names.mind(reading.host(heard))


def resets(watch: Watch) -> Injector:
    """On-path: a RST+ACK to both ends, headers of its own."""
    return Injector(watch=watch, salvo=lambda p, d: both(p, d, RST | ACK, ip_id=0x2A2A, df=False, ttl=97, window=0))


def pages(names: Names | None = None) -> Injector:
    """On-path: a page of refusal with FIN, and a RST behind it, to the client."""

    def salvo(packet: Packet, direction: Direction) -> Iterable[tuple[Packet, Direction]]:
        fields = {"ip_id": 0x1313, "df": False, "ttl": 116, "window": 123}
        page = back(packet, FIN | PSH | ACK, payload=_page(b"403 Forbidden", _REFUSED), **fields)
        gone = back(packet, RST, **fields).with_(seq=page.end)
        return ((page, opposite(direction)), (gone, opposite(direction)))

    return Injector(watch=Watch(names=names or Names(), reads=("host",)), salvo=salvo)


@dataclass(slots=True, kw_only=True)
class Answering:
    """In-path: keeps a minded request and everything after it, and answers itself, once and for its end."""

    watch: Watch = field(default_factory=lambda: Watch(reads=("host",)))
    page: bytes = _page(b"403 Forbidden", _REFUSED)
    ttl: int = 116
    window: int = 8192
    _taken: set[Ends] = field(default_factory=set)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """The server hears nothing more of the connection, and the client nothing more of the server."""
        if packet.protocol != TCP:
            return Pass()
        key = ends(packet, direction)
        if packet.flags & SYN:
            self._taken.discard(key)
        if key in self._taken:
            return self._close(packet, direction)
        if direction is Direction.TO_CLIENT or not self.watch.fires(packet):
            return Pass()
        self._taken.add(key)
        page = back(packet, FIN | PSH | ACK, payload=self.page, ip_id=0, df=True, ttl=self.ttl, window=self.window)
        return Inject(((page, opposite(direction)),), drop=True, after_s=0.0005)

    def _close(self, packet: Packet, direction: Direction) -> Action:
        if direction is Direction.TO_CLIENT or not packet.flags & FIN:
            return Drop()
        return Inject(((back(packet, ACK, ip_id=0, ttl=self.ttl, window=self.window), opposite(direction)),), drop=True)


@dataclass(slots=True, kw_only=True)
class Rewriting:
    """In-path: the server's own first segment carries another page and a FIN; what it says after that is dropped."""

    watch: Watch = field(default_factory=lambda: Watch(reads=("host",)))
    page: bytes = _page(b"403 Forbidden", _KNOWN)
    _marked: dict[Ends, Packet | None] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Headers and time stay the server's."""
        if packet.protocol != TCP:
            return Pass()
        key = ends(packet, direction)
        if packet.flags & SYN:
            self._marked.pop(key, None)
        if direction is Direction.TO_SERVER:
            if self.watch.fires(packet):
                self._marked.setdefault(key, None)
            shown = self._marked.get(key)
            if shown is None or not packet.flags & FIN:
                return Pass()
            last = shown.with_(payload=b"", flags=ACK, seq=shown.end, ack=packet.end, ip_id=shown.ip_id + 1 & 0xFFFF)
            return Inject(((last, Direction.TO_CLIENT),), drop=True)
        if key not in self._marked or not (packet.payload or packet.flags & FIN):
            return Pass()
        if self._marked[key] is not None:
            return Drop()
        self._marked[key] = shown = packet.with_(payload=self.page, flags=FIN | PSH | ACK)
        return Rewrite(shown)


def family() -> Answering:
    """An innocent: the filter in a family's own router, whose page has crossed none."""
    return Answering(page=_page(b"403 Forbidden", _FAMILY), ttl=64, window=28_960)


def firewall() -> Answering:
    """An innocent: a firewall of the server's own, beside it, which refuses in its own headers."""
    return Answering(page=_page(b"403 Forbidden", _REJECTED), ttl=255, window=4380)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """An innocent: a provider's transparent cache, which opens every connection to port 80 itself."""

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """It remembers nothing: its numbers follow from the client's."""
        if packet.protocol != TCP or packet.dport != 80 or direction is Direction.TO_CLIENT:
            return Pass()
        own: dict[str, object] = {"ttl": 255, "ip_id": 0, "window": 64_240}
        reply = None
        if packet.flags & SYN:
            reply = back(packet, SYN | ACK, seq=crc32(repr(packet.flow).encode()), options=_MSS, **own)
        elif packet.payload and reading.is_http(packet.payload):
            page = _page(b"200 OK", _CACHED, _VIA)
            reply = back(packet, FIN | PSH | ACK, payload=page, **own)
        elif packet.flags & FIN:
            reply = back(packet, ACK, **own)
        return Drop() if reply is None else Inject(((reply, Direction.TO_CLIENT),), drop=True, after_s=0.0005)
