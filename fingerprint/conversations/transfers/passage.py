"""What got past a limiter and when, as either end of a path tells it.

Near the receiver, what arrives has passed and what is missing has not. Near the sender, what is acknowledged has
passed and what is sent again has not. Arrays here are of one value a data segment unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.segments import ACK, RST, SYN, Series
from fingerprint.conversations.transfers.goodput import Arrivals, Span, busy_spans, delivered

# RFC 894 and RFC 879: an Ethernet segment without options carries at most this much.
FULL_SEGMENT_BYTES = 1460


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One direction of a stream at the limiter: what was offered, what passed, and what the receiver got of it."""

    data: Series  # segments with payload
    acks: Series  # the other direction
    passed_bytes: NDArray[np.int64]
    dropped_bytes: NDArray[np.int64]  # lost of a segment, or right behind it
    new_bytes: NDArray[np.int64]  # newly delivered, one value an event
    when_s: NDArray[np.float64]  # of these events: arrivals near the receiver, ACKs near the sender
    spans: tuple[Span, ...]  # while the sender had something to send

    @property
    def busy_s(self) -> float:
        """How long the sender had something to send."""
        return sum(s.end_s - s.start_s for s in self.spans)


def near_sender(data: Series, acks: Series, seen: Arrivals, quiet_s: float) -> Passage:
    """The passage as sent and acknowledged; silence longer than ``quiet_s`` with nothing in flight is idle."""
    dropped, passed = sent_in_vain(data, seen.again)
    outstanding = np.maximum.accumulate(data.seq + data.payload_bytes)
    at = np.searchsorted(data.time_s, acks.time_s, side="right") - 1
    waiting = (at >= 0) & (outstanding[np.maximum(at, 0)] > np.maximum.accumulate(acks.ack))
    counted = min(int(np.median(data.payload_bytes)), FULL_SEGMENT_BYTES)
    # The number that acknowledges a FIN is one beyond the data (RFC 9293 section 3.4); nothing is delivered by it.
    acked = np.minimum(acks.ack, outstanding[-1])
    new = delivered(acked, acks.payload_bytes, waiting, segment_bytes=counted, sent_from=int(data.seq[0]))
    return Passage(
        data=data,
        acks=acks,
        passed_bytes=passed,
        dropped_bytes=dropped,
        new_bytes=new,
        when_s=acks.time_s,
        spans=busy_spans(acks.time_s[new > 0], idle=[*nothing_in_flight(data, acks, quiet_s), *shut(acks)]),
    )


def near_receiver(data: Series, acks: Series, seen: Arrivals, quiet_s: float) -> Passage:
    """The passage as it arrived; silence longer than ``quiet_s`` that a request ends is idle."""
    idle = [*between_requests(data, acks, seen.hole_bytes, quiet_s), *shut(acks)]
    return Passage(
        data=data,
        acks=acks,
        passed_bytes=data.payload_bytes,
        dropped_bytes=missed(data, seen.hole_bytes),
        new_bytes=seen.new_bytes,
        when_s=data.time_s,
        spans=busy_spans(data.time_s[seen.new_bytes > 0], idle=idle),
    )


def only(series: Series, keep: NDArray[np.bool_]) -> Series:
    """The segments of a direction that ``keep`` marks."""
    return Series(**{name: getattr(series, name)[keep] for name in Series.__dataclass_fields__})


def acknowledging(series: Series) -> Series:
    """The segments whose acknowledgement number counts from the other side's SYN."""
    return only(series, (series.flags & (ACK | RST | SYN)) == ACK)


def joined(
    time_s: NDArray[np.float64], new_bytes: NDArray[np.int64], spans: tuple[Span, ...]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times and bytes within the spans, the time between the spans cut out, so that the first span begins at 0."""
    times, sizes, before_s = [np.empty(0)], [np.empty(0, np.int64)], 0.0
    for start_s, end_s in spans:
        inside = (time_s >= start_s) & (time_s <= end_s)
        times.append(time_s[inside] - start_s + before_s)
        sizes.append(new_bytes[inside])
        before_s += end_s - start_s
    return np.concatenate(times), np.concatenate(sizes)


def missed(data: Series, hole_bytes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes that went missing right behind each data segment, in shape (segments,).

    A hole shows when the next new segment comes, maybe a round trip later. What was dropped had been sent behind the
    segment below the hole, and the limiter was out of tokens then.
    """
    if not hole_bytes.any():
        return np.zeros(len(hole_bytes), np.int64)
    end = data.seq + data.payload_bytes
    highest = np.maximum.accumulate(end)
    ahead = np.diff(highest, prepend=highest[0] - 1) > 0
    below = np.maximum.accumulate(np.where(ahead, np.arange(len(end)), 0))
    out = np.zeros(len(end), np.int64)
    opened = np.maximum(np.diff(hole_bytes, prepend=0), 0)
    rows = np.flatnonzero(opened)
    np.add.at(out, below[rows - 1], opened[rows])
    return out


def sent_in_vain(data: Series, again: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many bytes of each data segment were lost, known by being sent ``again``, and how many passed.

    Two arrays of shape (segments,). A repeat that is itself repeated was lost too. Segments joined by the sender's
    network card before the capture point lose only the part that was repeated.
    """
    highest = np.maximum.accumulate(data.seq + data.payload_bytes)
    dropped, passed = np.zeros(len(highest), np.int64), data.payload_bytes.copy()
    latest: dict[int, int] = {}
    for row in np.flatnonzero(again).tolist():
        first = int(data.seq[row])
        source = latest.get(first, int(np.searchsorted(highest, first, side="right")))
        if source < row:
            lost = min(int(data.payload_bytes[row]), int(passed[source]))
            dropped[source] += lost
            passed[source] -= lost
        latest[first] = row
    return dropped, passed


def nothing_in_flight(data: Series, acks: Series, quiet_s: float) -> tuple[Span, ...]:
    """Stretches longer than ``quiet_s`` in which everything sent was acknowledged: the application had no more."""
    end = np.maximum.accumulate(data.seq + data.payload_bytes)
    highest = np.maximum.accumulate(acks.ack)
    out = []
    for row in np.flatnonzero(np.diff(data.time_s) > quiet_s).tolist():
        done = int(np.searchsorted(highest, end[row]))
        if done < len(highest) and acks.time_s[done] < data.time_s[row + 1] - quiet_s:
            out.append(Span(float(acks.time_s[done]), float(data.time_s[row + 1])))
    return tuple(out)


def between_requests(data: Series, acks: Series, hole_bytes: NDArray[np.int64], quiet_s: float) -> tuple[Span, ...]:
    """Stretches of silence longer than ``quiet_s``, nothing missing, that end after the receiver asked for more."""
    asked_s = acks.time_s[acks.payload_bytes > 0]
    rows = np.flatnonzero((np.diff(data.time_s) > quiet_s) & (hole_bytes[:-1] == 0))
    if not len(rows) or not len(asked_s):
        return ()
    starts_s, ends_s = data.time_s[rows], data.time_s[rows + 1]
    asked = np.searchsorted(asked_s, starts_s) < np.searchsorted(asked_s, ends_s)
    return tuple(map(Span, starts_s[asked].tolist(), ends_s[asked].tolist()))


def shut(acks: Series) -> tuple[Span, ...]:
    """Stretches in which the receiver offered no window at all (RFC 9293 section 3.8.6.1)."""
    zero, time_s = acks.window == 0, acks.time_s
    return tuple(Span(float(time_s[i]), float(time_s[i + 1])) for i in np.flatnonzero(zero[:-1]).tolist())
