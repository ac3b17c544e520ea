"""Transfers that stop in the middle without a word: no FIN, no RST, nothing but one side that keeps trying.

A byte or packet cap lets the first of a stream through and drops the rest. One such stream is also what a dying server
or a lost path looks like; what tells them apart is that the cap is the same again, and that others go past it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fingerprint.conversations.segments import FIN, RST
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfer_passage import acknowledging, only

# RFC 2923: a path-MTU black hole passes no full-size segment at all. Two of at least the size that every IPv6 link
# carries (RFC 8200 section 5: 1280 bytes, less headers) must have got through before a silence can be a cap.
FULL_BYTES = 1200
FULL_PKTS = 2
# Net4people/bbs#490 reports 15-20 kB; below 4 kB a stream holds little more than a TLS handshake.
LEAST_BYTES = 4_000
# RFC 6298 section 2: the first retransmission time-out is a second, doubled each time: three are over after seven.
# Three seconds of silence against two repeats is beyond the first and the second.
LEAST_SILENCE_S = 3.0
LEAST_TRIES = 2


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """A stream that fell silent: what had passed by then, and who kept trying how often for how long."""

    stream: Stream
    from_client: bool  # the direction that stopped
    passed_bytes: int
    passed_pkts: int  # of both directions, by then
    frozen_ns: int  # when the last of it passed
    silent_s: float
    tries: int
    cited: tuple[int, ...]  # packet numbers: the last that passed, then what went unanswered


def may_have_frozen(stream: Stream) -> bool:
    """Whether the totals of a stream allow a freeze, without a look at its packets."""
    if max(stream.client_bytes, stream.server_bytes) < LEAST_BYTES:
        return False
    return not stream.server_flags & (RST | FIN)


def freeze(stream: Stream, *, from_client: bool) -> Freeze | None:
    """The silence that ended a direction, seen at either end; None if it ended in order or was not watched for long."""
    if not may_have_frozen(stream) or (stream.client_bytes if from_client else stream.server_bytes) < LEAST_BYTES:
        return None
    every, others = stream.series(from_client=from_client), stream.series(from_client=not from_client)
    data, acks = only(every, every.payload_bytes > 0), acknowledging(others)
    if not len(data.time_s) or not len(acks.time_s):
        return None
    acked = int(acks.ack.max())
    end = data.seq + data.payload_bytes
    lost = (data.seq >= acked) & (data.time_s >= acks.time_s[np.argmax(acks.ack)])
    if int(lost.sum()) >= 1 + LEAST_TRIES and len(np.unique(data.seq[lost])) < int(lost.sum()):
        # Seen beside the sender: it sends the same bytes again and again, and the acknowledgement does not move.
        passed = only(data, end <= acked)
        tries, last_s = data.number[lost], float(acks.time_s[np.argmax(acks.ack)])
        until_s = float(data.time_s[lost][-1])
    else:
        # Seen beside the receiver: nothing more arrives, and what the receiver sends is not answered.
        passed, last_s = data, float(every.time_s[-1])
        asking = (others.time_s > last_s) & ((others.payload_bytes > 0) | ((others.flags & FIN) != 0))
        tries = others.number[asking]
        until_s = float(others.time_s[-1])
    distinct = only(passed, np.isin(np.arange(len(passed.seq)), np.unique(passed.seq, return_index=True)[1]))
    full = int((distinct.payload_bytes >= FULL_BYTES).sum())
    silent_s = until_s - last_s
    got = int(distinct.payload_bytes.sum())
    if full < FULL_PKTS or got < LEAST_BYTES or len(tries) < LEAST_TRIES or silent_s < LEAST_SILENCE_S:
        return None
    return Freeze(
        stream=stream,
        from_client=from_client,
        passed_bytes=got,
        passed_pkts=int((every.time_s <= last_s).sum() + (others.time_s <= last_s).sum()),
        frozen_ns=stream.first_ns + int(last_s * 1e9),
        silent_s=silent_s,
        tries=len(tries),
        cited=(int(passed.number[-1]), *tries[:4].tolist()),
    )


def same_cap(freezes: Sequence[Freeze]) -> bool:
    """Whether at least two streams, and two of three, stopped at the same bytes, within two segments or a tenth."""
    sizes = sorted(f.passed_bytes for f in freezes)
    if len(sizes) < 2:
        return False
    middle = sizes[(len(sizes) - 1) // 2]
    alike = [s for s in sizes if abs(s - middle) <= max(2 * 1460, 0.1 * middle)]
    return len(alike) >= 2 and 3 * len(alike) >= 2 * len(sizes)
