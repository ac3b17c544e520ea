"""TLS as bytes: a browser-like ClientHello, a server's first flight, records, alerts; programs that speak them."""

# Boxes and programs share one signature each, whether they need all of it or not.
# ruff: noqa: ARG002

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from captures.samples.recipe_tcp import App, Connection

# Offered by current browsers, in Chrome's order; 0x?A?A is a GREASE value (RFC 8701).
SUITES = (
    0x1301,
    0x1302,
    0x1303,
    0xC02B,
    0xC02F,
    0xC02C,
    0xC030,
    0xCCA9,
    0xCCA8,
    0xC013,
    0xC014,
    0x9C,
    0x9D,
    0x2F,
    0x35,
)
SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
GREASE = (0x0A0A, 0x1A1A, 0x2A2A, 0x3A3A, 0x4A4A, 0x5A5A, 0x6A6A, 0x7A7A, 0x8A8A, 0x9A9A)
# RFC 8446 section B.1 and B.2.
HANDSHAKE, CIPHER_CHANGE, APPLICATION, ALERT = 22, 20, 23, 21
UNRECOGNIZED_NAME, ACCESS_DENIED = 112, 49


def _record(kind: int, body: bytes, *, version: int = 0x0303) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body)) + body


def _list16(values: tuple[int, ...]) -> bytes:
    return struct.pack(f">H{len(values)}H", 2 * len(values), *values)


# Another client's: no TLS 1.3, suites without forward secrecy first.
OLD_SUITES = (0x9C, 0x9D, 0x2F, 0x35, 0xC02F, 0xC030, 0xC013, 0xC014, 0x0A)
# RFC 9849 and draft-ietf-tls-esni-02: the extensions that hide the name.
ECH, ESNI = 0xFE0D, 0xFFCE


def _veil(veil: str, rng: random.Random) -> list[bytes]:
    """The extension that hides a name: nobody here could open it."""
    if veil == "esni":
        body = struct.pack(">HHH", 0x1301, 0x001D, 32) + rng.randbytes(32)
        return [_extension(ESNI, body + struct.pack(">H", 292) + rng.randbytes(292))]
    if veil == "ech":
        body = b"\x00" + struct.pack(">HHBH", 1, 1, rng.randrange(256), 32) + rng.randbytes(32)
        return [_extension(ECH, body + struct.pack(">H", 144) + rng.randbytes(144))]
    return []


def client_hello(
    name: str,
    rng: random.Random,
    *,
    size_bytes: int = 517,
    quic: bool = False,
    veil: str = "",
    old: bool = False,
) -> bytes:
    """A ClientHello record naming ``name``, padded to a size; above 1,600 it carries a post-quantum key share too.

    ``veil`` is ``ech`` (the name stays on the outside) or ``esni`` (it does not); ``old`` is another client.
    """
    g1, g2, g3 = (rng.choice(GREASE) for _ in range(3))
    host = name.encode("ascii")
    share = struct.pack(">HHB", g2, 1, 0)
    groups: tuple[int, ...] = (g2, 0x001D, 0x0017, 0x0018)
    if size_bytes > 1600:
        # X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem): 1184 + 32 bytes.
        share += struct.pack(">HH", 0x11EC, 1216) + rng.randbytes(1216)
        groups = (g2, 0x11EC, *groups[1:])
    share += struct.pack(">HH", 0x001D, 32) + rng.randbytes(32)
    extensions = [
        _extension(g1, b""),
        _extension(0, struct.pack(">HBH", len(host) + 3, 0, len(host)) + host),
        _extension(23, b""),
        _extension(0xFF01, b"\x00"),
        _extension(10, _list16(groups)),
        _extension(11, b"\x01\x00"),
        _extension(35, b""),
        _extension(16, b"\x00\x03\x02h3" if quic else b"\x00\x0c\x02h2\x08http/1.1"),
        _extension(5, b"\x01\x00\x00\x00\x00"),
        _extension(13, _list16(SIGNATURES)),
        _extension(18, b""),
        _extension(51, struct.pack(">H", len(share)) + share),
        _extension(45, b"\x01\x01"),
        _extension(43, struct.pack(">BHHH", 6, g3, 0x0304, 0x0303)),
        _extension(27, b"\x02\x00\x02"),
        _extension(g3 ^ 0x1010, b"\x00"),
    ]
    if quic:
        # RFC 9000 section 18.2: idle time, largest datagram, and how much may be sent at first.
        limits = b"\x01\x04\x80\x00\x75\x30\x03\x02\x45\xc0\x04\x04\x80\xf0\x00\x00\x05\x04\x80\x60\x00\x00"
        extensions.append(_extension(0x39, limits))
    extensions += _veil(veil, rng)
    if veil == "esni":
        del extensions[1]
    if old:
        extensions = [e for e in extensions if int.from_bytes(e[:2], "big") not in (27, 43, 45, 51)]
    suites = _list16((g1, *(OLD_SUITES if old else SUITES)))
    head = b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + suites + b"\x01\x00"
    used = 5 + 4 + len(head) + 2 + sum(map(len, extensions))
    if size_bytes >= used + 4:
        extensions.append(_extension(21, bytes(size_bytes - used - 4)))
    body = b"".join(extensions)
    message = head + struct.pack(">H", len(body)) + body
    return _record(HANDSHAKE, b"\x01" + len(message).to_bytes(3, "big") + message, version=0x0301)


def server_flight(hello: bytes, rng: random.Random, *, size_bytes: int = 3300) -> bytes:
    """ServerHello for TLS 1.3 and an encrypted flight of about a certificate chain's size."""
    session = hello[44:76]
    share = _extension(51, struct.pack(">HH", 0x001D, 32) + rng.randbytes(32))
    extensions = _extension(43, b"\x03\x04") + share
    message = b"\x03\x03" + rng.randbytes(32) + b"\x20" + session + b"\x13\x01\x00"
    message += struct.pack(">H", len(extensions)) + extensions
    first = _record(HANDSHAKE, b"\x02" + len(message).to_bytes(3, "big") + message)
    return first + _record(CIPHER_CHANGE, b"\x01") + _record(APPLICATION, rng.randbytes(size_bytes))


def application(size_bytes: int, rng: random.Random) -> bytes:
    """Encrypted application data in records of up to 16 KiB; one random line repeats, so that files stay small."""
    line = rng.randbytes(61)
    out = []
    while size_bytes > 0:
        body = min(size_bytes, 16_384)
        out.append(_record(APPLICATION, (line * (body // 61 + 1))[:body]))
        size_bytes -= body
    return b"".join(out)


def alert(description: int) -> bytes:
    """A fatal alert in the clear."""
    return _record(ALERT, bytes((2, description)))


class TlsClient(App):
    """Sends a hello, finishes the handshake when the server's flight is whole, asks for a page, closes when it came."""

    def __init__(
        self,
        name: str,
        *,
        hello_bytes: int = 517,
        page_bytes: int = 8_000,
        upload_bytes: int = 0,
        split_at: int = 0,
        abort_after_s: float = 0.0,
        hello_after_s: float = 0.0,
        linger_s: float = 0.0,
        flight_bytes: int = 3300,
        veil: str = "",
        old: bool = False,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self.hello_bytes, self.page_bytes = name, hello_bytes, page_bytes
        self.upload_bytes, self.split_at, self.linger_s = upload_bytes, split_at, linger_s
        self.flight_bytes, self.veil, self.old = flight_bytes, veil, old
        self.abort_after_s, self.hello_after_s, self.done = abort_after_s, hello_after_s, done
        self.seen, self.asked = 0, False

    def opened(self, connection: Connection) -> None:
        """The hello, whole or in two writes, ``split_at`` bytes into its name."""
        connection.net.at(self.hello_after_s, lambda: self._hello(connection))

    def _hello(self, connection: Connection) -> None:
        if connection.state != "open":
            return
        hello = client_hello(self.name, connection.net.rng, size_bytes=self.hello_bytes, veil=self.veil, old=self.old)
        if self.split_at:
            at = hello.find(self.name.encode()) + self.split_at
            connection.send(hello[:at])
            connection.net.at(0.005, lambda: connection.send(hello[at:]))
        else:
            connection.send(hello)
        if self.abort_after_s:
            connection.net.at(self.abort_after_s, lambda: connection.state == "open" and connection.abort())

    def received(self, connection: Connection, data: bytes) -> None:
        """Count until the flight, then until the page."""
        if data[:1] == bytes((ALERT,)) and not self.seen:
            connection.close()
            return
        self.seen += len(data)
        if not self.asked and self.seen > self.flight_bytes:
            self.asked, self.seen = True, 0
            rng = connection.net.rng
            request = _record(CIPHER_CHANGE, b"\x01") + _record(APPLICATION, rng.randbytes(53))
            connection.send(request + application(380 + self.upload_bytes, rng))
        elif self.asked and self.seen >= self.page_bytes > 0:
            self.done()
            connection.net.at(self.linger_s, connection.close)

    def broken(self, connection: Connection) -> None:
        """A failed visit is over too."""
        self.done()


class Preconnect(App):
    """Opens and says nothing; leaves after a while, politely or with a reset."""

    def __init__(self, *, leave_after_s: float = 10.0, flags: str = "") -> None:
        self.leave_after_s, self.flags = leave_after_s, flags

    def opened(self, connection: Connection) -> None:
        """Wait, then leave."""
        leave = (lambda: connection.abort(self.flags)) if self.flags else connection.close
        connection.net.at(self.leave_after_s, lambda: connection.state == "open" and leave())


class TlsServer(App):
    """Answers a whole hello with its flight and a request with a page; `manner` tells how it treats some names.

    Manners: reset, hang, alert, close, and idle (resets a minute after the page). ``think_s`` passes before the flight.
    """

    def __init__(
        self,
        pages: dict[str, int] | None = None,
        manners: dict[str, str] | None = None,
        think_s: float = 0.0,
        flight: Callable[[str, bytes, random.Random], bytes] = lambda _, hello, rng: server_flight(hello, rng),
    ) -> None:
        self.flight = flight
        self.pages, self.manners, self.think_s = pages or {}, manners or {}, think_s
        self.heard, self.name, self.stage = b"", "", 0

    def received(self, connection: Connection, data: bytes) -> None:
        """A hello, then a request."""
        self.heard += data
        if self.stage == 0 and len(self.heard) >= 5 and len(self.heard) >= 5 + int.from_bytes(self.heard[3:5], "big"):
            self.stage = 1
            hello, self.heard = self.heard, b""
            self.name = _name_in(hello)
            self._answer(connection, hello)
        elif self.stage == 1 and len(self.heard) > 400:
            self.stage, self.heard = 2, b""
            size = self.pages.get(self.name, 8_000)
            connection.net.at(0.012, lambda: connection.send(application(size, connection.net.rng)))
            if self.manners.get(self.name) == "idle":
                connection.net.at(60, lambda: connection.state == "open" and connection.abort())

    def _answer(self, connection: Connection, hello: bytes) -> None:
        match self.manners.get(self.name, self.manners.get("*")):
            case "reset":
                connection.net.at(self.think_s, connection.abort)
            case "hang":
                pass
            case "alert":
                connection.send(alert(UNRECOGNIZED_NAME))
                connection.close()
            case "close":
                connection.close()
            case _:
                flight = self.flight(self.name, hello, connection.net.rng)
                connection.net.at(self.think_s, lambda: connection.send(flight))


def _name_in(hello: bytes) -> str:
    """The host name of a hello that this module built: it ends in ``.test`` and follows its length."""
    end = hello.find(b".test") + 5
    start = next((i for i in range(end - 6, 0, -1) if int.from_bytes(hello[i - 2 : i], "big") == end - i), end)
    return hello[start:end].decode("ascii", "replace")
