"""A recording made small: of every connection the opening whole, of what follows in bulk the headers alone.

What was encrypted cannot be packed, and its bytes say nothing to anybody. Lengths, times and headers stay, so that the
file must be judged as the whole one was.
"""

from __future__ import annotations

import io
import lzma
from collections.abc import Iterator
from pathlib import Path

import captures
from captures import Recording
from captures.write import Frame, Link, Writer

# The largest hello and the laboratory's certificates take less.
OPENING_BYTES = 4_000
# RFC 9293 section 3.1 and RFC 791: protocol numbers.
_TCP = 6


def packed(recording: Path, out: Path) -> Path:
    """``out`` with the recording, cut and compressed with xz; the same bytes for the same recording."""
    read = captures.read(recording)
    plain = io.BytesIO()
    links = [Link(link_type=i.link_type, name=i.name) for i in read.interfaces]
    writer = Writer(plain, links=links, application="simulated path, bulk data cut")
    for frame in frames(read):
        writer.frame(frame)
    times, (interface, *_) = read.columns.time_ns, read.interfaces
    writer.statistics(
        interface=0, received_pkts=len(times), dropped_pkts=0, began_ns=int(times.min()),
        ended_ns=interface.ended_ns or int(times.max()),
    )  # fmt: skip
    out.write_bytes(lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME))
    return out


def frames(read: Recording) -> Iterator[Frame]:
    """Every packet; payload beyond the opening of a TCP connection, counted for each direction, is left out."""
    c = read.columns
    said: dict[tuple[int, int], int] = {}
    for row in range(len(c)):
        keep_bytes = int(c.captured_bytes[row])
        if c.protocol[row] == _TCP:
            way = (int(c.flow[row]), int(c.direction[row]))
            before = said.get(way, 0)
            said[way] = before + int(c.payload_bytes[row])
            left_bytes = max(0, OPENING_BYTES - before)
            keep_bytes = min(keep_bytes, int(c.payload_offset[row]) + left_bytes)
        yield Frame(
            content=read.frame(row)[:keep_bytes], time_ns=int(c.time_ns[row]), wire_bytes=int(c.wire_bytes[row])
        )
