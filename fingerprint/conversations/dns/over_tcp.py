"""DNS over TCP: both directions put back in order and cut at their length prefixes (RFC 7766 section 8)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from captures.recording import Recording

# RFC 7766 section 4: the port of DNS over plain TCP.
DNS_PORT = 53
_SYN, _ACK = 0x002, 0x010
# The most bytes of one direction that are put back together: zone transfers need no reading.
LIMIT_BYTES = 256 * 1024
# A sequence number further than this from the direction's first is another connection or forged.
FAR_BYTES = 1 << 24

TcpMessage = tuple[int, int, int, int, bytes]  # flow, direction, row that completed it, its time_ns, message


def messages_over_tcp(recording: Recording) -> Iterator[TcpMessage]:
    """Every length-prefixed message of every TCP connection on port 53, direction by direction."""
    c, flows = recording.columns, recording.flows
    if not len(flows) or not len(c):
        return
    named = (flows.protocol == 6) & ((flows.port_a == DNS_PORT) | (flows.port_b == DNS_PORT))
    rows = np.flatnonzero((c.protocol == 6) & (c.flow >= 0))
    rows = rows[named[c.flow[rows]]]
    sides = c.flow[rows].astype(np.int64) * 2 + c.direction[rows]
    order = np.argsort(sides, kind="stable")
    for one_side in np.split(rows[order], np.flatnonzero(np.diff(sides[order])) + 1):
        if not len(one_side):
            continue
        flow, direction = int(c.flow[one_side[0]]), int(c.direction[one_side[0]])
        for connection in _connections(recording, one_side):
            for row, raw in _messages(recording, connection):
                yield flow, direction, row, int(c.time_ns[row]), raw


def _connections(recording: Recording, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The rows of one direction, cut where a SYN with another sequence number opens a new connection."""
    c = recording.columns
    syn = rows[(c.tcp_flags[rows] & _SYN) != 0]
    cuts = [int(b) for a, b in pairwise(syn) if c.seq[a] != c.seq[b]]
    for part in np.split(rows, np.searchsorted(rows, cuts)):
        if len(part):
            yield part


def _messages(recording: Recording, rows: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
    """(row that completed it, message) up to the first hole; the first copy of every byte counts."""
    c = recording.columns
    carrying = rows[c.payload_bytes[rows] > 0]
    if not len(carrying):
        return
    syn = rows[(c.tcp_flags[rows] & _SYN) != 0]
    base = int(c.seq[syn[0]]) + 1 if len(syn) else int(c.seq[carrying[0]])
    relative = ((c.seq[carrying].astype(np.int64) - base + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
    if not len(syn):  # joined in the middle: the lowest sequence number near the first one seen
        near = relative[np.abs(relative) < FAR_BYTES]
        relative = relative - int(near.min())
    stream = bytearray()
    completed: list[tuple[int, int]] = []  # (bytes of the stream known, row that brought the last of them)
    latest = -1
    for at, row in sorted(zip(relative.tolist(), carrying.tolist(), strict=True)):
        if not 0 <= at <= len(stream) or len(stream) > LIMIT_BYTES:
            if at > len(stream):
                break
            continue
        fresh = recording.payload(row)[len(stream) - at :]
        if fresh:
            stream += fresh
            latest = max(latest, row)
            completed.append((len(stream), latest))
    at = 0
    while at + 2 <= len(stream):
        size_bytes = int.from_bytes(stream[at : at + 2], "big")
        if not size_bytes or at + 2 + size_bytes > len(stream):
            return
        raw = bytes(stream[at + 2 : at + 2 + size_bytes])
        at += 2 + size_bytes
        yield next(row for known, row in completed if known >= at), raw
