"""How a request shows its Host: as browsers write it, or in a form that a box which merely looks for it would miss.

Told from the bytes alone. A server reads the same Host in all of them: names of fields fold case (RFC 9110 section
5.1), blanks before a value are no part of it (RFC 9112 section 5), and a whole address in the first line counts
(section 3.2.2).
"""

from __future__ import annotations

import re

from fingerprint.conversations.openings import Opening, opening
from fingerprint.conversations.streams import Stream

PLAIN, SPLIT, BLANKS, FIELD, CASE, DOT, ADDRESS = (
    "as browsers write it",
    "cut in its Host",
    "with other blanks before its Host",
    "with the field's name in mixed case",
    "with its Host in mixed case",
    "with a final dot",
    "with a whole address in the first line",
)
# A server may take a final dot, and an odd spelling, for another host; of the others it reads the very same one.
SAME_TO_THE_SERVER = frozenset({SPLIT, BLANKS, FIELD, CASE, ADDRESS})
_READ_BYTES = 4096
_HOST = re.compile(rb"\n([Hh][Oo][Ss][Tt])([ \t]*:[ \t]*)([^\r\n]*)")


def form(stream: Stream, first: Opening | None = None) -> str:
    """The form of a stream's request; the most unusual one if several meet."""
    begun = stream.first_bytes(from_client=True, limit_bytes=_READ_BYTES)
    found = _HOST.search(begun)
    if found is None:
        return PLAIN
    segments = (first or opening(stream)).request
    # Sequence number 1 is the first byte.
    if any(found.start() + 1 < s.end - 1 < found.end() for s in segments):
        return SPLIT
    field, between, host = found.groups()
    if b"://" in begun.split(b"\n")[0][:24]:
        return ADDRESS
    if between not in (b": ", b":"):
        return BLANKS
    if field not in (b"Host", b"host", b"HOST"):
        return FIELD
    if host.rstrip().endswith(b"."):
        return DOT
    return CASE if host != host.lower() else PLAIN
