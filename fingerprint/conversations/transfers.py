"""One direction of a stream as a transfer: how fast, limited by what, and with which marks of a limiter.

Facts only. A transfer is looked at from wherever the capture stands: near the receiver by what arrives, near the
sender by what is acknowledged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations import token_bucket, transfer_times
from fingerprint.conversations.bootstrap import seeded
from fingerprint.conversations.goodput import Span, arrivals, busy_spans, delivered, goodput, variation
from fingerprint.conversations.segments import ACK, RST, SYN, Series
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.token_bucket import Bucket

# FIELD: goodput is sampled in windows of 250 ms, the first 500 ms of a transfer left out.
WINDOW_S = 0.25
SKIP_S = 0.5
# A transfer that is too short for such windows, as a fast control is, is cut into this many equal ones.
FEW_WINDOWS = 8
# Below this a transfer ends within the first windows of congestion control (RFC 6928: ten segments to begin with).
LEAST_BYTES = 50_000
# Round trip assumed for telling repeats from reordering where the capture holds none: a common intercontinental one.
UNKNOWN_RTT_S = 0.1
# Silence that is worth a second look: no data for this long between one request and its answer.
IDLE_S = 0.05
# Timestamps cost 12 bytes a segment (RFC 7323), the headers 40; limiters count packets with headers.
HEADERS_BYTES, STAMPED_HEADERS_BYTES = 40, 52


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What one direction of a stream carried. Rates in bytes/s of new payload unless their name says otherwise."""

    stream: Stream
    from_client: bool
    end: str  # sender, receiver, middle; "" where the capture does not tell
    rtt_s: float | None  # smallest known round trip of the path, before data flowed
    in_flow_rtt_s: float | None  # median while data flowed
    early_rtt_s: float | None  # median of the first few in-flow round trips
    retransmitted_ratio: float
    windows_bytes_s: NDArray[np.float64]  # steady goodput, shape (windows,), 250 ms each
    coarse_bytes_s: NDArray[np.float64]  # the whole transfer in eight equal windows, start included
    new_bytes: int
    busy_s: float
    start_ns: int
    end_ns: int
    unevenness: float | None  # of short slopes between drops: interquartile range over median; None with too few
    dispersion: float | None  # of what passed between drops, 1 for chance; None with too few drops
    policer: Bucket | None
    shaper: Bucket | None
    window_limited: bool
    cited: tuple[int, ...]  # packet numbers: first and last data, first repeats

    @property
    def variation(self) -> float:
        """Coefficient of variation of the steady windows."""
        return variation(self.windows_bytes_s)

    @property
    def goodput_bytes_s(self) -> float:
        """New bytes per busy second, the start included."""
        return self.new_bytes / self.busy_s if self.busy_s > 0 else 0.0

    @property
    def samples_bytes_s(self) -> NDArray[np.float64]:
        """Steady windows where there are at least `FEW_WINDOWS` of them, else the coarse ones."""
        return self.windows_bytes_s if len(self.windows_bytes_s) >= FEW_WINDOWS else self.coarse_bytes_s


def transfer(stream: Stream, *, from_client: bool, rtt_s: float | None = None) -> Transfer | None:
    """The client's upload or the server's download; None below `LEAST_BYTES` of payload or without new bytes.

    ``rtt_s``, the smallest handshake round trip known of this path, takes the place of the stream's own if smaller.
    """
    if (stream.client_bytes if from_client else stream.server_bytes) < LEAST_BYTES:
        return None
    every, acks = stream.series(from_client=from_client), acknowledging(stream.series(from_client=not from_client))
    data = only(every, (every.payload_bytes > 0) & ((every.flags & (SYN | RST)) == 0))
    shake = transfer_times.handshake(stream)
    to_sender, to_receiver = (
        (shake.to_client_s, shake.to_server_s) if from_client else (shake.to_server_s, shake.to_client_s)
    )
    whole_s = (to_sender or 0.0) + (to_receiver or 0.0) or None
    smallest_s = min((r for r in (whole_s, rtt_s) if r is not None), default=None)
    seen = arrivals(data.time_s, data.seq, data.payload_bytes, rtt_s=smallest_s or UNKNOWN_RTT_S)
    if int(seen.new_bytes.sum()) < LEAST_BYTES:
        return None
    _, echoed = transfer_times.echo_times(data, acks)
    _, acked = transfer_times.acknowledged_times(data, acks, seen.again)
    end = transfer_times.end_of(to_sender, to_receiver) or transfer_times.end_of(
        transfer_times.median(echoed), transfer_times.median(acked)
    )
    flow_rtts = {"receiver": echoed, "sender": acked}.get(end, np.empty(0))
    if smallest_s is None and len(flow_rtts) >= transfer_times.LEAST_SAMPLES:
        smallest_s = float(np.percentile(flow_rtts, 5))
    quiet_s = max(smallest_s or UNKNOWN_RTT_S, IDLE_S)
    if end == "sender":
        dropped, passed = sent_in_vain(data, seen.again)
        outstanding = np.maximum.accumulate(data.seq + data.payload_bytes)
        at = np.searchsorted(data.time_s, acks.time_s, side="right") - 1
        waiting = (at >= 0) & (outstanding[np.maximum(at, 0)] > np.maximum.accumulate(acks.ack))
        counted = min(int(np.median(data.payload_bytes)), 1460)
        new = delivered(acks.ack, acks.payload_bytes, waiting, segment_bytes=counted)
        when_s = acks.time_s
        idle = nothing_in_flight(data, acks, quiet_s)
    else:
        dropped = missed(data, seen.hole_bytes)
        passed = data.payload_bytes
        new, when_s = seen.new_bytes, data.time_s
        idle = between_requests(data, acks, seen.hole_bytes, quiet_s)
    carrying = new > 0
    spans = busy_spans(when_s[carrying], idle=[*idle, *shut(acks)])
    busy_s = sum(s.end_s - s.start_s for s in spans)
    if busy_s <= 0:
        return None
    headers = STAMPED_HEADERS_BYTES if data.tsval.any() else HEADERS_BYTES
    wire = np.where(passed > 0, passed + headers, 0)
    windows = goodput(when_s, new, spans=spans, window_s=WINDOW_S, skip_s=SKIP_S)
    share = token_bucket.lost_share(passed, dropped)
    pace_bytes_s = float(wire.sum()) / busy_s
    segment_bytes = float(np.median(data.payload_bytes)) + headers
    least_s = 0.5 * (smallest_s or UNKNOWN_RTT_S)
    drops = dropped > 0
    telling_s = max(least_s, token_bucket.packets_to_tell(share) * (1 - share) * segment_bytes / pace_bytes_s)
    long = token_bucket.slopes_between_drops(data.time_s, wire, drops, spans=spans, least_s=telling_s)
    slopes = token_bucket.slopes_between_drops(data.time_s, wire, drops, spans=spans, least_s=least_s)
    dispersion = token_bucket.dispersion(long, share=share, segment_bytes=segment_bytes)
    seed = seeded(stream.recording.sha256, stream.flow, int(stream.rows[0]), from_client)
    growth = 1 + headers / max(1.0, float(np.median(data.payload_bytes)))
    flow_rtt_s = transfer_times.median(flow_rtts)
    return Transfer(
        stream=stream,
        from_client=from_client,
        end=end,
        rtt_s=smallest_s,
        in_flow_rtt_s=flow_rtt_s,
        early_rtt_s=transfer_times.median(flow_rtts[: transfer_times.LEAST_SAMPLES]),
        retransmitted_ratio=float(data.payload_bytes[seen.again].sum() / data.payload_bytes.sum()),
        windows_bytes_s=windows,
        coarse_bytes_s=goodput(when_s, new, spans=(Span(0.0, busy_s),), window_s=busy_s / FEW_WINDOWS)
        if len(spans) == 1 and not spans[0].start_s
        else goodput(*joined(when_s, new, spans), spans=(Span(0.0, busy_s),), window_s=busy_s / FEW_WINDOWS),
        new_bytes=int(new.sum()),
        busy_s=busy_s,
        start_ns=stream.first_ns + int(data.time_s[0] * 1e9),
        end_ns=stream.first_ns + int(data.time_s[-1] * 1e9),
        unevenness=token_bucket.unevenness(slopes),
        dispersion=dispersion,
        policer=token_bucket.policer(data.time_s, wire, slopes=slopes, until_s=spans[0].end_s, seed=seed),
        shaper=token_bucket.shaper(
            *joined(when_s, (new * growth).astype(np.int64), spans[:1]),
            windows_bytes_s=windows * growth,
            seed=seed,
        ),
        window_limited=window_limited(
            stream, acks, from_client=not from_client, rate_bytes_s=float(new.sum()) / busy_s, in_flow_rtt_s=flow_rtt_s
        ),
        cited=tuple(dict.fromkeys([int(data.number[0]), *data.number[seen.again][:3].tolist(), int(data.number[-1])])),
    )


def only(series: Series, keep: NDArray[np.bool_]) -> Series:
    """The segments of a direction that ``keep`` marks."""
    return Series(**{name: getattr(series, name)[keep] for name in Series.__dataclass_fields__})


def acknowledging(series: Series) -> Series:
    """The segments whose acknowledgement number means something, counted from the other side's SYN."""
    plain = only(series, (series.flags & (ACK | RST | SYN)) == ACK)
    if not len(plain.ack):
        return plain
    # A SYN's empty acknowledgement field may have put the unwrapped numbers into another cycle of 2**32.
    cycles = (int(plain.ack[0]) + (1 << 31)) // (1 << 32)
    return replace(plain, ack=plain.ack - cycles * (1 << 32))


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
    out = []
    for row in np.flatnonzero((np.diff(data.time_s) > quiet_s) & (hole_bytes[:-1] == 0)).tolist():
        start_s, end_s = float(data.time_s[row]), float(data.time_s[row + 1])
        if np.searchsorted(asked_s, start_s) < np.searchsorted(asked_s, end_s):
            out.append(Span(start_s, end_s))
    return tuple(out)


def shut(acks: Series) -> tuple[Span, ...]:
    """Stretches in which the receiver offered no window at all (RFC 9293 section 3.8.6.1)."""
    zero, time_s = acks.window == 0, acks.time_s
    return tuple(Span(float(time_s[i]), float(time_s[i + 1])) for i in np.flatnonzero(zero[:-1]).tolist())


def window_limited(
    stream: Stream, acks: Series, *, from_client: bool, rate_bytes_s: float, in_flow_rtt_s: float | None
) -> bool:
    """Whether the receiver's window alone explains the rate: a round trip's worth of data fills most of it."""
    open_ = acks.window[acks.window > 0]
    shift = window_shift(stream, from_client=from_client)
    if shift is None or in_flow_rtt_s is None or not len(open_):
        return False
    # RFC 9293 section 3.8.6.2: senders avoid small segments, so a full window is used to about four fifths.
    return bool(rate_bytes_s * in_flow_rtt_s >= 0.8 * float(np.median(open_)) * 2**shift)


def window_shift(stream: Stream, *, from_client: bool) -> int | None:
    """The window scale that one side uses (RFC 7323 section 2): 0 if either SYN lacks it, None if one was not seen."""
    shifts: list[int | None] = []
    for side in (from_client, not from_client):
        series = stream.series(from_client=side)
        rows = series.number[(series.flags & SYN) != 0] - 1
        tcp = stream.recording.packet(int(rows[0])).tcp if len(rows) else None
        if tcp is None:
            return None
        shifts.append(next((body[0] for kind, body in tcp.options if kind == 3 and body), None))
    mine, theirs = shifts
    return min(mine, 14) if mine is not None and theirs is not None else 0
