"""Transfers that stop in the middle without a word: no FIN, no RST, nothing but one side that keeps trying.

A byte or packet cap lets the first of a stream through and drops the rest. One such stream is also what a dying server
or a lost path looks like; what tells them apart is that the cap is the same again, and that others go past it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.segments import FIN, RST, Series
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfers.passage import acknowledging, only
from fingerprint.messages.tls import Record, records

# RFC 2923: a path-MTU black hole passes no full-size segment at all. Two of at least the size that every IPv6 link
# carries (RFC 8200 section 5: 1280 bytes, less headers) must have got through before a silence can be a cap.
FULL_BYTES = 1200
FULL_PKTS = 2
# Net4people/bbs#490 reports 15-20 kB; what ends sooner had hardly begun: see `openings.BEGUN_BYTES`.
LEAST_BYTES = 8_000
# RFC 6298 section 2: the first retransmission time-out is a second, doubled each time: three are over after seven.
# Three seconds of silence against two repeats is beyond the first and the second.
LEAST_SILENCE_S = 3.0
LEAST_TRIES = 2
# Haetoenen et al., "An Experimental Study of Home Gateway Characteristics", IMC 2010: the shortest time after which a
# home gateway forgets an idle TCP connection is some four minutes; mobile carriers are about twice as fast.
FORGOTTEN_S = 120.0
# What is read of a stream for a record that was not finished; caps are far below (net4people/bbs#490).
READ_BYTES = 65536


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
    within_record: bool  # there were too few tries, but the sender had announced more
    cited: tuple[int, ...]  # packet numbers: the last that passed, then what went unanswered


def may_have_frozen(stream: Stream) -> bool:
    """Whether the totals of a stream allow a freeze, without a look at its packets."""
    if max(stream.client_bytes, stream.server_bytes) < LEAST_BYTES:
        return False
    return not stream.server_flags & (RST | FIN)


def freeze(stream: Stream, *, from_client: bool) -> Freeze | None:
    """The silence that ended a direction, seen at either end; None if it ended in order or was not watched for long.

    Silence alone is what a stream shows that is kept open: its other side must have asked in vain, or its sender have
    stopped within a TLS record, whose length it had announced.
    """
    if not may_have_frozen(stream) or (stream.client_bytes if from_client else stream.server_bytes) < LEAST_BYTES:
        return None
    every, others = stream.series(from_client=from_client), stream.series(from_client=not from_client)
    data, acks = only(every, every.payload_bytes > 0), acknowledging(others)
    # A receiver that has closed its window asks for silence (RFC 9293 section 3.8.6.1).
    if not len(data.time_s) or not len(acks.time_s) or not acks.window[-1]:
        return None
    seen = _unacknowledged(data, acks) or _nothing_arrives(data, every, others)
    first_rows = np.unique(seen.passed.seq, return_index=True)[1]
    sizes = seen.passed.payload_bytes[first_rows]
    got = int(sizes.sum())
    silent_s = seen.until_s - seen.last_s
    if int((sizes >= FULL_BYTES).sum()) < FULL_PKTS or got < LEAST_BYTES or silent_s < LEAST_SILENCE_S:
        return None
    within = len(seen.tries) < LEAST_TRIES and stops_within_a_record(stream, got, from_client=from_client)
    if len(seen.tries) < LEAST_TRIES and not within:
        return None
    after = seen.tries[:4] if len(seen.tries) else others.number[-1:]
    return Freeze(
        stream=stream,
        from_client=from_client,
        passed_bytes=got,
        passed_pkts=int((every.time_s <= seen.last_s).sum() + (others.time_s <= seen.last_s).sum()),
        frozen_ns=stream.first_ns + int(seen.last_s * 1e9),
        silent_s=silent_s,
        tries=len(seen.tries),
        within_record=within,
        cited=(int(seen.passed.number[-1]), *after.tolist()),
    )


class _Silence(NamedTuple):
    """What passed before it, from when to when it was watched, and the packets that went unanswered."""

    passed: Series
    last_s: float
    until_s: float
    tries: NDArray[np.int64]


def _unacknowledged(data: Series, acks: Series) -> _Silence | None:
    """Beside the sender: it sends the same bytes again and again, and the acknowledgement does not move."""
    at = int(np.argmax(acks.ack))
    acked, last_s = int(acks.ack[at]), float(acks.time_s[at])
    lost = (data.seq >= acked) & (data.time_s >= last_s)
    count = int(lost.sum())
    if count < 1 + LEAST_TRIES or len(np.unique(data.seq[lost])) == count:
        return None
    passed = only(data, data.seq + data.payload_bytes <= acked)
    return _Silence(passed, last_s, float(data.time_s[lost][-1]), data.number[lost]) if len(passed.seq) else None


def _nothing_arrives(data: Series, every: Series, others: Series) -> _Silence:
    """Beside the receiver: nothing more arrives, and what the receiver sends is not answered."""
    last_s = float(every.time_s[-1])
    asking = (others.time_s > last_s) & ((others.payload_bytes > 0) | ((others.flags & FIN) != 0))
    first = int(np.argmax(asking)) if asking.any() else -1
    if first >= 0 and others.payload_bytes[first] and others.time_s[first] - last_s > FORGOTTEN_S:
        asking &= False  # a new request after minutes of rest: the transfer was over, and a NAT may have forgotten it
    return _Silence(data, last_s, float(others.time_s[-1]), others.number[asking])


def stops_within_a_record(stream: Stream, passed_bytes: int, *, from_client: bool) -> bool:
    """Whether all that passed was captured and ends before the TLS record it had begun (RFC 8446 section 5.1)."""
    if stream.protocol != "tls" or passed_bytes > READ_BYTES:
        return False
    first = stream.first_bytes(from_client=from_client, limit_bytes=READ_BYTES)
    last = next(iter(deque(records(first), maxlen=1)), None)
    return len(first) == passed_bytes and isinstance(last, Record) and not last.complete


def same_cap(freezes: Sequence[Freeze]) -> bool:
    """Whether at least two streams, and two of three, stopped at the same bytes, within two segments or a tenth."""
    sizes = sorted(f.passed_bytes for f in freezes)
    if len(sizes) < 2:
        return False
    middle = sizes[(len(sizes) - 1) // 2]
    alike = [s for s in sizes if abs(s - middle) <= max(2 * 1460, 0.1 * middle)]
    return len(alike) >= 2 and 3 * len(alike) >= 2 * len(sizes)
