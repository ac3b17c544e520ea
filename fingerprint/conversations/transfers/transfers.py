"""One direction of a stream as a transfer: how fast, limited by what, and with which marks of a limiter.

Facts only. A transfer is looked at from wherever the capture stands: near the receiver by what arrives, near the
sender by what is acknowledged. What a comparison needs is made at once, the marks of a limiter when they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.segments import RST, SYN
from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfers import times as transfer_times
from fingerprint.conversations.transfers.goodput import Span, arrivals, goodput, variation
from fingerprint.conversations.transfers.limiter import Limiter
from fingerprint.conversations.transfers.passage import (
    Passage,
    acknowledging,
    joined,
    near_receiver,
    near_sender,
    only,
)
from fingerprint.conversations.transfers.windows import window_limited

Floats = NDArray[np.float64]

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


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What one direction of a stream carried. Rates in bytes/s of new payload unless their name says otherwise."""

    stream: Stream
    from_client: bool
    end: str  # sender, receiver, middle; "" where the capture does not tell
    rtt_s: float | None  # smallest known round trip of the path, before data flowed
    flow_rtts_s: Floats  # round trips while data flowed, in order of time
    passage: Passage
    retransmitted_ratio: float
    cited: tuple[int, ...]  # packet numbers: first and last data, first repeats

    @cached_property
    def in_flow_rtt_s(self) -> float | None:
        """Median round trip while data flowed."""
        return transfer_times.median(self.flow_rtts_s)

    @cached_property
    def early_rtt_s(self) -> float | None:
        """Median of the first few in-flow round trips."""
        return transfer_times.median(self.flow_rtts_s[: transfer_times.LEAST_SAMPLES])

    @cached_property
    def new_bytes(self) -> int:
        """Bytes delivered, each counted once."""
        return int(self.passage.new_bytes.sum())

    @cached_property
    def busy_s(self) -> float:
        """How long the sender had something to send."""
        return self.passage.busy_s

    @cached_property
    def start_ns(self) -> int:
        """When the first data were seen."""
        return self.stream.first_ns + int(self.passage.data.time_s[0] * 1e9)

    @cached_property
    def end_ns(self) -> int:
        """When the last data were seen."""
        return self.stream.first_ns + int(self.passage.data.time_s[-1] * 1e9)

    @cached_property
    def windows_bytes_s(self) -> Floats:
        """Steady goodput in windows of 250 ms, shape (windows,)."""
        p = self.passage
        return goodput(p.when_s, p.new_bytes, spans=p.spans, window_s=WINDOW_S, skip_s=SKIP_S)

    @cached_property
    def coarse_bytes_s(self) -> Floats:
        """Goodput of the whole transfer in eight equal windows, start included."""
        p, whole = self.passage, Span(0.0, self.busy_s)
        apart = len(p.spans) > 1 or p.spans[0].start_s
        time_s, new = joined(p.when_s, p.new_bytes, p.spans) if apart else (p.when_s, p.new_bytes)
        return goodput(time_s, new, spans=(whole,), window_s=self.busy_s / FEW_WINDOWS)

    @property
    def samples_bytes_s(self) -> Floats:
        """Steady windows where there are at least `FEW_WINDOWS` of them, else the coarse ones."""
        return self.windows_bytes_s if len(self.windows_bytes_s) >= FEW_WINDOWS else self.coarse_bytes_s

    @property
    def variation(self) -> float:
        """Coefficient of variation of the steady windows."""
        return variation(self.windows_bytes_s)

    @property
    def goodput_bytes_s(self) -> float:
        """New bytes per busy second, the start included."""
        return self.new_bytes / self.busy_s

    @cached_property
    def window_limited(self) -> bool:
        """Whether the receiver's window alone explains the rate."""
        return window_limited(
            self.stream, self.passage.acks, from_client=not self.from_client,
            rate_bytes_s=self.goodput_bytes_s, in_flow_rtt_s=self.in_flow_rtt_s,
        )  # fmt: skip

    @cached_property
    def limiter(self) -> Limiter:
        """The marks of a limiter."""
        s = self.stream
        return Limiter(
            passage=self.passage,
            rtt_s=self.rtt_s or UNKNOWN_RTT_S,
            windows_bytes_s=self.windows_bytes_s,
            seed=(s.recording.sha256, s.flow, int(s.rows[0]), self.from_client),
        )


def transfer(stream: Stream, *, from_client: bool, rtt_s: float | None = None) -> Transfer | None:
    """The client's upload or the server's download; None below `LEAST_BYTES` of payload or without new bytes.

    ``rtt_s``, the smallest handshake round trip known of this path, takes the place of the stream's own if smaller.
    """
    if (stream.client_bytes if from_client else stream.server_bytes) < LEAST_BYTES:
        return None
    every, others = stream.series(from_client=from_client), stream.series(from_client=not from_client)
    data = only(every, (every.payload_bytes > 0) & ((every.flags & (SYN | RST)) == 0))
    acks = acknowledging(others)
    shake = transfer_times.handshake(*((every, others) if from_client else (others, every)))
    to_sender, to_receiver = (
        (shake.to_client_s, shake.to_server_s) if from_client else (shake.to_server_s, shake.to_client_s)
    )
    whole_s = (to_sender or 0.0) + (to_receiver or 0.0) or None
    smallest_s = min((r for r in (whole_s, rtt_s) if r is not None), default=None)
    seen = arrivals(data.time_s, data.seq, data.payload_bytes, rtt_s=smallest_s or UNKNOWN_RTT_S)
    if int(seen.new_bytes.sum()) < LEAST_BYTES:
        return None
    end, flow_rtts_s = transfer_times.seen_from(data, acks, seen.again, (to_sender, to_receiver))
    if smallest_s is None and len(flow_rtts_s) >= transfer_times.LEAST_SAMPLES:
        smallest_s = float(np.percentile(flow_rtts_s, 5))
    passage = (near_sender if end == "sender" else near_receiver)(
        data, acks, seen, max(smallest_s or UNKNOWN_RTT_S, IDLE_S)
    )
    if passage.busy_s <= 0:
        return None
    return Transfer(
        stream=stream,
        from_client=from_client,
        end=end,
        rtt_s=smallest_s,
        flow_rtts_s=flow_rtts_s,
        passage=passage,
        retransmitted_ratio=float(data.payload_bytes[seen.again].sum() / data.payload_bytes.sum()),
        cited=tuple(dict.fromkeys([int(data.number[0]), *data.number[seen.again][:3].tolist(), int(data.number[-1])])),
    )
