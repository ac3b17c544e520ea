"""How a ClientHello shows its name: whole and plain, or in a form that a box which merely looks for it would miss.

Told from the bytes alone. What of these passes where the plain hello does not says what the box reassembles and how it
compares names; the server reads the same name in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from fingerprint.conversations.openings import Opening
from fingerprint.conversations.segments import Segment
from fingerprint.messages.tls import records
from fingerprint.messages.tls_hello import SERVER_NAME, ClientHello
from fingerprint.messages.tls_records import HANDSHAKE, Record

PLAIN, LARGE, SPLIT, RECORDS = (
    "whole in one segment",
    "whole in several segments",
    "cut in its name",
    "cut into records",
)
CASE, DOT, NAMELESS, ECH = "name in mixed case", "name with a final dot", "without a name", "with encrypted hello"
# The server parses these as the very same name, wherever the cuts are.
SAME_TO_THE_SERVER = frozenset({LARGE, SPLIT, RECORDS})
_READ_BYTES = 16384


def form(o: Opening) -> str:
    """The form of a stream's hello; the most unusual one if several meet."""
    hello, stream = o.stream.hello, o.stream
    if hello is None:
        return PLAIN
    begun = stream.first_bytes(from_client=True, limit_bytes=_READ_BYTES)
    name = spelled(hello)
    at = begun.find(name) if name else -1
    if at < 0 or _in_records(begun) > 1:
        return NAMELESS if not name else RECORDS
    if _cut(o.request, at, len(name)):
        return SPLIT
    if name.endswith(b"."):
        return DOT
    if name != name.lower():
        return CASE
    if hello.ech_present:
        return ECH
    return LARGE if len(o.request) > 1 and o.request[0].end - 1 < 5 + hello.size_bytes else PLAIN


def spelled(hello: ClientHello) -> bytes:
    """The host name as it was written."""
    body = hello.extension(SERVER_NAME) or b""
    size = int.from_bytes(body[3:5], "big")
    return body[5 : 5 + size]


def _in_records(begun: bytes) -> int:
    """How many handshake records the first message takes."""
    seen, wanted = 0, -1
    for count, record in enumerate(records(begun), start=1):
        if not isinstance(record, Record) or record.kind != HANDSHAKE:
            return count - 1
        if wanted < 0 and len(record.body) >= 4:
            wanted = 4 + int.from_bytes(record.body[1:4], "big")
        seen += len(record.body)
        if 0 <= wanted <= seen:
            return count
    return 2 if wanted < 0 else 1


def _cut(request: tuple[Segment, ...], at: int, size_bytes: int) -> bool:
    """Whether a segment ends within the name, which starts ``at`` bytes into the stream."""
    return any(at < s.end - 1 < at + size_bytes for s in request)


def forms(several: Iterable[Opening]) -> list[tuple[str, Opening]]:
    """The form of each hello of one name. Where none goes without encrypted hello, that is how this client greets."""
    told = [(form(o), o) for o in several]
    plain = any(f in (PLAIN, LARGE) for f, _ in told)
    return told if plain else [(PLAIN if f == ECH else f, o) for f, o in told]
