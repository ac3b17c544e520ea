"""Whether the receiver's own window, and nothing on the path, sets the pace of a transfer."""

from __future__ import annotations

import numpy as np

from fingerprint.conversations.segments import SYN, Series
from fingerprint.conversations.streams import Stream

# RFC 9293 section 3.8.6.2: senders avoid small segments, so a full window is used to about four fifths.
FULL_WINDOW_RATIO = 0.8
# RFC 7323 section 2.3: a larger shift is read as this one.
MOST_SHIFT = 14


def window_limited(
    stream: Stream, acks: Series, *, from_client: bool, rate_bytes_s: float, in_flow_rtt_s: float | None
) -> bool:
    """Whether the receiver's window alone explains the rate: a round trip's worth of data fills most of it.

    ``from_client`` tells the side that offers the window.
    """
    open_ = acks.window[acks.window > 0]
    if in_flow_rtt_s is None or not len(open_):
        return False
    used_bytes = rate_bytes_s * in_flow_rtt_s
    unscaled_bytes = FULL_WINDOW_RATIO * float(np.median(open_))
    # No shift makes the window smaller: most transfers are told without a look at the SYNs' options.
    if used_bytes < unscaled_bytes:
        return False
    shift = window_shift(stream, from_client=from_client)
    return shift is not None and used_bytes >= unscaled_bytes * 2**shift


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
    return min(mine, MOST_SHIFT) if mine is not None and theirs is not None else 0
