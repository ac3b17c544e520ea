"""HTTP/1 heads: requests and responses as sent, honest or not.

h11 reads what keeps to the rules; what it refuses is read again line by line, for censors and evasion tools send odd
heads, and the refusal itself is a fact (`malformed`). Names and values are printable; the bytes are kept in `raw_head`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import h11

from captures.packet import Malformed
from fingerprint.messages.tls_hello import tidy_name

# A head longer than this is read up to here: eight times what servers commonly accept.
LONGEST_HEAD_BYTES: Final = 1 << 16

# RFC 9112 section 2.2: a line ends with CRLF, and LF alone is to be understood too.
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
# Method, target, version; more blanks than one, small letters and strange versions are for the reader to judge.
_REQUEST_LINE: Final = re.compile(
    rb"([A-Za-z][A-Za-z_-]{1,19})[ \t]+(\S[^\r\n]*?)[ \t]+(HTTP/[^\s]*)[ \t]*\Z", re.IGNORECASE
)
# The start of a request whose first line is not all there.
_REQUEST_BEGUN: Final = re.compile(rb"([A-Z]{3,19}) (/\S*|\*|[a-zA-Z][a-zA-Z0-9+.-]*:\S*|[\w.-]+:\d+)\Z")
_STATUS_LINE: Final = re.compile(rb"(HTTP/[^\s]*)[ \t]*(\d{3})?[ \t]*([^\r\n]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What requests and responses share. Headers in order, names as spelled, values printable."""

    version: str  # HTTP/1.1, as sent
    headers: tuple[tuple[str, str], ...]
    raw_head: bytes  # with the empty line that ends it
    body_start: bytes  # what followed the head, transfer coding not undone
    complete: bool  # whether the empty line was there
    malformed: tuple[Malformed, ...] = ()  # why h11 refused the head

    def header(self, name: str) -> str | None:
        """The first value of that header, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest(_Head):
    """The head of a request. ``host`` is the Host's, else the target's: lower case, without port, printable."""

    method: str
    target: str
    host: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse(_Head):
    """The head of a response. ``status`` is None where the line has no number of three digits."""

    status: int | None
    reason: str

    @property
    def location(self) -> str | None:
        """Where a redirect points to."""
        return self.header("location")


def read_request(stream: bytes, *, checked: bool = True) -> HttpRequest | None:
    """The request that a stream begins with, half ones too; None if it begins with anything else.

    Without ``checked`` nobody asks h11 what it thinks of the head, which takes most of the time.
    """
    skipped, raw, body, complete = _split(stream)
    first, rest = _lines(raw)
    found = _REQUEST_LINE.match(first)
    if found is None:
        begun = _REQUEST_BEGUN.match(first) if not rest and not complete else None
        if begun is None:
            return None
        method, target, version = begun[1], begun[2], b""
    else:
        method, target, version = found[1], found[2], found[3]
    headers, stopped = _header_lines(rest, ended=complete)
    if checked and complete and (why := _refused_request(raw[skipped:])):
        stopped = (Malformed(layer="http", at_byte=0, why=why), *stopped)
    return HttpRequest(
        method=text(method),
        target=text(target),
        version=text(version),
        host=_host(target, headers),
        headers=tuple((text(name), text(value)) for name, value in headers),
        raw_head=raw,
        body_start=body,
        complete=complete,
        malformed=stopped,
    )


def read_response(stream: bytes, *, checked: bool = True) -> HttpResponse | None:
    """The response that a stream begins with, half ones too; None if it begins with anything else.

    ``checked`` as for `read_request`.
    """
    skipped, raw, body, complete = _split(stream)
    first, rest = _lines(raw)
    found = _STATUS_LINE.match(first)
    if found is None:
        return None
    headers, stopped = _header_lines(rest, ended=complete)
    if checked and complete and (why := _refused_response(raw[skipped:])):
        stopped = (Malformed(layer="http", at_byte=0, why=why), *stopped)
    return HttpResponse(
        version=text(found[1]),
        status=int(found[2]) if found[2] else None,
        reason=text(found[3].strip()),
        headers=tuple((text(name), text(value)) for name, value in headers),
        raw_head=raw,
        body_start=body,
        complete=complete,
        malformed=stopped,
    )


def text(raw: bytes) -> str:
    """Bytes as text that no terminal trips over: anything but printable ASCII as a backslash, x and two digits."""
    if raw.isascii() and (plain := raw.decode("ascii")).isprintable():
        return plain
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in raw)


def _split(stream: bytes) -> tuple[int, bytes, bytes, bool]:
    """Empty lines before the head in bytes, the head with them, the bytes after it, and whether its end was there."""
    skipped = len(stream) - len(stream.lstrip(b"\r\n"))
    end = _HEAD_END.search(stream, skipped, LONGEST_HEAD_BYTES)
    if end is None:
        return skipped, stream[:LONGEST_HEAD_BYTES], b"", False
    return skipped, stream[: end.end()], stream[end.end() :], True


def _lines(raw: bytes) -> tuple[bytes, list[bytes]]:
    """The first line and the rest, ends of line removed."""
    lines = [line.removesuffix(b"\r") for line in raw.lstrip(b"\r\n").split(b"\n")]
    return lines[0], lines[1:]


def _header_lines(lines: list[bytes], *, ended: bool) -> tuple[list[tuple[bytes, bytes]], tuple[Malformed, ...]]:
    """Names and values, folded lines joined (RFC 9112 section 5.2); a last line that is cut off is left out."""
    found: list[tuple[bytes, bytes]] = []
    stopped: list[Malformed] = []
    for line in lines if ended else lines[:-1]:
        if not line:
            continue
        if line[:1] in (b" ", b"\t") and found:
            found[-1] = (found[-1][0], found[-1][1] + b" " + line.strip(b" \t"))
            continue
        name, colon, value = line.partition(b":")
        if not colon:
            stopped.append(Malformed(layer="http", at_byte=0, why="a header line has no colon"))
            continue
        found.append((name, value.strip(b" \t")))
    return found, tuple(stopped[:1])


def _host(target: bytes, headers: list[tuple[bytes, bytes]]) -> str | None:
    """The first Host, else the authority of the target (RFC 9112 section 3.2)."""
    named = next((value for name, value in headers if name.strip().lower() == b"host"), None)
    if named is None:
        absolute = re.match(rb"[a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/@]*@)?([^/?#]*)", target)
        authority = re.fullmatch(rb"[^/?#@]+:\d+", target)
        named = absolute[1] if absolute else authority[0] if authority else b""
    return tidy_name(re.sub(rb":\d*\Z", b"", named))


def _refused_request(head: bytes) -> str | None:
    """Why h11, as a server, would not take this head; None if it would."""
    return _refused(h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD_BYTES), head)


def _refused_response(head: bytes) -> str | None:
    """Why h11, as a client, would not take this head; None if it would."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD_BYTES)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "example.org")]))
    return _refused(client, head)


def _refused(connection: h11.Connection, head: bytes) -> str | None:
    try:
        connection.receive_data(head)
        connection.next_event()
    except h11.RemoteProtocolError as refusal:
        return text(str(refusal).encode("ascii", "backslashreplace"))[:200]
    return None
