"""The laboratory's web server: HTTP/1.1 in the clear and over TLS, a page, a large file, uploads."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from types import MappingProxyType

from fingerprint.lab import certificates
from fingerprint.lab.boxes import reading
from fingerprint.lab.services import LARGE_BYTES, page
from fingerprint.lab.simulated import certificate
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.tcp import Connection
from fingerprint.lab.world import WORLD, Servers

_CHUNK_BYTES = 64_000
# RFC 9110 section 14.1.2: the first bytes of a file, the one kind of range that is served here.
_RANGE = re.compile(rb"\r\nrange: *bytes=0-(\d{1,12})\r\n", re.IGNORECASE)
_NONE: Mapping[str, int] = MappingProxyType({})
# How often a server that limits itself writes.
_PACE_S = 0.02


class Answering:
    """HTTP/1.1 for one connection, without IO: requests in, the head and the length of what follows out."""

    def __init__(
        self, statuses: Mapping[str, int] = _NONE, *, quic: bool = False, names: Collection[str] = WORLD.names
    ) -> None:
        self._statuses, self._names = statuses, names
        # RFC 7838: what has HTTP/3 says so.
        self._advertised = 'Alt-Svc: h3=":443"; ma=86400\r\n' if quic else ""
        self._heard = b""
        self._upload_left = -1
        self.host = ""
        self.page = b""  # the body, where it says anything

    def hear(self, data: bytes) -> tuple[bytes, int] | None:
        """The head of the answer and how many bytes of body it announces, None while the request is not whole."""
        if self._upload_left > 0:
            self._upload_left -= len(data)
            return self._head(b"200 OK", 2) if self._upload_left <= 0 else None
        self._heard += data
        head, found, rest = self._heard.partition(b"\r\n\r\n")
        if not found:
            return None if len(self._heard) < 65_536 and reading.is_http(self._heard) else self._head(b"400 Bad", 0)
        self._heard = b""
        self.host = (reading.host(head + b"\r\n\r\n") or "").lower().rstrip(".")
        if self.host in self._statuses:
            return self._head(b"%d Refused" % self._statuses[self.host], 25, sends_on=self._statuses[self.host] < 400)
        method, _, path = head.split(b"\r\n")[0].partition(b" ")
        if method == b"POST":
            return self._upload(head, len(rest))
        path = path.split(b" ")[0]
        if path.startswith(b"/large"):
            wanted = _RANGE.search(head + b"\r\n")
            part_bytes = min(LARGE_BYTES, int(wanted[1]) + 1) if wanted else LARGE_BYTES
            return self._head(b"206 Partial Content" if wanted else b"200 OK", part_bytes)
        if path not in (b"/", b"*"):
            return self._head(b"404 Not Found", 9)
        self.page = page(self.host if self.host in self._names else "")
        return self._head(b"200 OK", len(self.page))

    def _upload(self, head: bytes, here_bytes: int) -> tuple[bytes, int] | None:
        said = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        wanted = int(said[0]) if said and said[0].strip().isdigit() else 0
        self._upload_left = wanted - here_bytes
        return self._head(b"200 OK", 2) if self._upload_left <= 0 else None

    def _head(self, status: bytes, body_bytes: int, *, sends_on: bool = False) -> tuple[bytes, int]:
        self._upload_left = -1
        location = f"Location: https://{self.host}/\r\n" if sends_on else ""
        fields = (
            f"{location}Server: lab\r\nContent-Type: text/html\r\nContent-Length: {body_bytes}\r\nConnection: close\r\n"
        )
        return b"HTTP/1.1 " + status + b"\r\n" + f"{fields}{self._advertised}\r\n".encode(), body_bytes


class WebApp(App):
    """A connection to port 80; `TlsApp` puts TLS around it."""

    def __init__(self, servers: Servers, names: Collection[str] = WORLD.names) -> None:
        self.servers, self.names = servers, names
        self._answering = Answering(servers.statuses, quic=servers.quic, names=names)
        self._left_bytes = 0
        self._pacing = False
        self._answered = False

    def received(self, connection: Connection, data: bytes) -> None:
        """A request, or part of one."""
        self._request(connection, data)

    def drained(self, connection: Connection) -> None:
        """Write on."""
        if self._left_bytes and not self._pacing:
            self._write_on(connection)

    def _write(self, connection: Connection, data: bytes) -> None:
        connection.send(data)

    def _request(self, connection: Connection, data: bytes) -> None:
        if self._answered:
            return
        answer = self._answering.hear(data)
        if answer is None:
            return
        head, self._left_bytes = answer
        self._answered = True
        self._write(connection, head)
        self._write_on(connection)

    def _write_on(self, connection: Connection) -> None:
        limit_bps = self.servers.limits_bps.get(self._answering.host)
        if limit_bps:
            self._pacing = True
            self._one_piece(connection, int(limit_bps / 8 * _PACE_S), again=lambda: self._write_on(connection))
            return
        while self._left_bytes and connection.state == "open" and connection.unsent_bytes < 4 * _CHUNK_BYTES:
            self._one_piece(connection, _CHUNK_BYTES)

    def _one_piece(self, connection: Connection, size_bytes: int, again: Callable[[], None] | None = None) -> None:
        if connection.state != "open":
            return
        size_bytes = min(size_bytes, self._left_bytes)
        text = self._answering.page[-self._left_bytes :]
        self._left_bytes -= size_bytes
        # HTML that says nothing.
        self._write(connection, (text or b"<p>herbs and gardens</p>\n" * (size_bytes // 25 + 1))[:size_bytes])
        if not self._left_bytes:
            self._finish(connection)
        elif again is not None:
            connection.clock.at(_PACE_S, again)

    def _finish(self, connection: Connection) -> None:
        connection.close()


class TlsApp(WebApp):
    """A connection to port 443."""

    def __init__(self, servers: Servers, names: Collection[str] = WORLD.names) -> None:
        super().__init__(servers, names)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None  # once the hello has said whom it is for
        self._opening: bytes | None = b""
        self._shaken = False

    def received(self, connection: Connection, data: bytes) -> None:
        """The handshake, then requests."""
        if self._opening is not None:
            self._opening += data
            if not reading.hello_is_whole(self._opening):
                return
            name = reading.sni(self._opening)
            if self._refuses(name):
                connection.abort()
                return
            self._tls = self._context(name).wrap_bio(self._incoming, self._outgoing, server_side=True)
            data, self._opening = self._opening, None
        self._incoming.write(data)
        try:
            self._go_on(connection)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._say(connection)
            connection.close()
            return
        self._say(connection)

    def _context(self, name: str | None) -> ssl.SSLContext:
        name = (name or "").lower().rstrip(".")
        oldest = ssl.TLSVersion.TLSv1_3 if self.servers.newest_tls_only else ssl.TLSVersion.TLSv1_2
        if name in self.servers.certificates:
            return certificates.context(
                name, certificates.Issuer(common=self.servers.certificates[name]), oldest=oldest
            )
        return certificate.context(oldest, tuple(self.names))

    def _go_on(self, connection: Connection) -> None:
        assert self._tls is not None
        if not self._shaken:
            self._tls.do_handshake()
            self._shaken = True
            self._say(connection)
        while plain := self._tls.read(65_536):
            self._request(connection, plain)
        connection.close()

    def _refuses(self, name: str | None) -> bool:
        resets = self.servers.resets
        return "*" in resets or (name or "").lower().rstrip(".") in resets

    def _say(self, connection: Connection) -> None:
        if self._outgoing.pending:
            connection.send(self._outgoing.read())

    def _write(self, connection: Connection, data: bytes) -> None:
        assert self._tls is not None
        self._tls.write(data)
        self._say(connection)

    def _finish(self, connection: Connection) -> None:
        assert self._tls is not None
        with suppress(ssl.SSLError):  # the client's own goodbye is not waited for
            self._tls.unwrap()
        self._say(connection)
        connection.close()
