"""Goodput: how much that was new got through, and when.

At the receiver's end of a path, arriving segments are counted the first time that their bytes are seen; at the
sender's end, ACKs are counted by what they newly deliver. Both leave out what was sent twice, which is what separates
goodput from throughput (RFC 2647 section 3.17). Everything here is a pure function of arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# A hole that is filled sooner than this part of a round trip was reordering: a repeat needs a round trip at the sender
# (RFC 8985 section 6.2 waits a quarter of one before it calls a segment lost; measured in the lab's loss-free runs).
REPEAT_RTT_RATIO = 0.7


class Span(NamedTuple):
    """A stretch of time in which data flowed, in seconds since the stream's first packet."""

    start_s: float
    end_s: float


class Arrivals(NamedTuple):
    """What each data segment of one direction brought; arrays of one value a segment, in time order."""

    new_bytes: Ints  # bytes that no earlier segment carried
    again: Bools  # sent again: fills a hole, or repeats bytes, too late to be reordering or a packet captured twice
    hole_bytes: Ints  # bytes missing below the highest seen, after this segment


def arrivals(time_s: Floats, seq: Ints, payload_bytes: Ints, *, rtt_s: float) -> Arrivals:
    """Tell new bytes from repeated ones, segment by segment.

    All arrays have shape (segments,), in time order, payloads not empty. ``rtt_s`` is the smallest round trip of the
    path: what fills a hole or repeats bytes sooner than 0.7 of it is not called a retransmission. Bytes below the first
    segment seen are not missed, and not counted when they come.
    """
    end = seq + payload_bytes
    highest = np.maximum.accumulate(end) if len(end) else end
    before = np.concatenate((seq[:1], highest[:-1]))
    new = np.where(seq >= before, payload_bytes, 0)
    again = np.zeros(len(seq), bool)
    hole = np.zeros(len(seq), np.int64)
    patience_s = REPEAT_RTT_RATIO * rtt_s
    missing: list[tuple[int, int, float]] = []  # (from, to, since), in order of sequence number
    size = 0
    for i in np.flatnonzero(seq != before).tolist():
        low, high, at = int(seq[i]), int(end[i]), float(time_s[i])
        if low > before[i]:
            missing.append((int(before[i]), low, at))
            size += low - int(before[i])
        else:
            kept, got, since = [], 0, at
            for a, b, opened in missing:
                if b <= low or a >= high:
                    kept.append((a, b, opened))
                    continue
                got += min(b, high) - max(a, low)
                since = min(since, opened)
                if a < low:
                    kept.append((a, low, opened))
                if b > high:
                    kept.append((high, b, opened))
            missing, size = kept, size - got
            above = max(0, high - int(before[i]))
            new[i] = got + above
            if got:
                again[i] = at - since >= patience_s
            elif above < payload_bytes[i]:
                first = int(np.searchsorted(highest, low, side="right"))
                again[i] = at - float(time_s[first]) >= patience_s
        hole[i] = size
    # Segments that come in order leave the holes as they were.
    marked = np.zeros(len(seq), np.int64)
    touched = np.flatnonzero(seq != before)
    marked[touched] = touched
    hole = hole[np.maximum.accumulate(marked)] if len(seq) else hole
    return Arrivals(new, again, hole)


def delivered(
    ack: Ints, payload_bytes: Ints, outstanding: Bools, *, segment_bytes: int, sent_from: int | None = None
) -> Ints:
    """Bytes that each segment of the receiver newly reports as delivered, in shape (segments,).

    ``sent_from`` is the first sequence number sent; without it the first segment reports nothing.

    A cumulative ACK counts what it advances; a duplicate ACK counts one segment while data are ``outstanding``, and
    the advance that follows is lessened by what the duplicates had counted (RFC 6937 section 3, without SACK).
    """
    if not len(ack):
        return np.empty(0, np.int64)
    highest = np.maximum.accumulate(ack if sent_from is None else np.maximum(ack, sent_from))
    advance = np.diff(highest, prepend=highest[0] if sent_from is None else sent_from)
    duplicate = (advance == 0) & (payload_bytes == 0) & outstanding & (ack == highest)
    duplicate[0] = False
    out = np.where(duplicate, segment_bytes, 0)
    credit = 0
    for i in np.flatnonzero(duplicate | (advance > 0)).tolist():
        if duplicate[i]:
            credit += segment_bytes
            continue
        used = min(credit, int(advance[i]))
        out[i] = int(advance[i]) - used
        credit -= used
    return out


def busy_spans(time_s: Floats, *, idle: Sequence[Span]) -> tuple[Span, ...]:
    """The stretches between the first and the last event that no idle stretch covers."""
    if not len(time_s):
        return ()
    out, start = [], float(time_s[0])
    for gap in sorted(idle):
        if gap.start_s > start:
            out.append(Span(start, gap.start_s))
        start = max(start, gap.end_s)
    last = float(time_s[-1])
    return (*out, Span(start, last)) if last > start else tuple(out)


def goodput(time_s: Floats, new_bytes: Ints, *, spans: Sequence[Span], window_s: float, skip_s: float = 0.0) -> Floats:
    """Bytes newly delivered per second, one value per full window of each span.

    Shape (windows,), bytes/s. The first ``skip_s`` of each span, where a sender still probes for its rate, and the
    last, partial window are left out, so a span shorter than both gives nothing. A window without a byte is 0, and
    counts. Raises ValueError if ``window_s`` is not positive.
    """
    if window_s <= 0:
        raise ValueError(f"window_s is {window_s}; give a positive number of seconds")
    total = np.concatenate(([0], np.cumsum(new_bytes)))
    out = []
    for start_s, end_s in spans:
        count = int((end_s - start_s - skip_s) / window_s + 1e-9)
        if count < 1:
            continue
        edges = start_s + skip_s + window_s * np.arange(count + 1)
        out.append(np.diff(total[np.searchsorted(time_s, edges, side="left")]) / window_s)
    return np.concatenate(out).astype(np.float64) if out else np.empty(0, np.float64)


def variation(windows: Floats) -> float:
    """Coefficient of variation: standard deviation over mean; 0 for fewer than two windows or no goodput."""
    mean = float(windows.mean()) if len(windows) > 1 else 0.0
    return float(windows.std(ddof=1)) / mean if mean > 0 else 0.0
