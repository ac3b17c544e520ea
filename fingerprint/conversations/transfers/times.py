"""Where a capture stands between the two ends of a transfer, and how long a round trip takes while data flow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.segments import ACK, RST, SYN, Series

Floats = NDArray[np.float64]

# An end is "here" if its part of the round trip is below a tenth of the whole: hosts answer a SYN-ACK within a
# millisecond, paths worth measuring take ten or more.
NEAR_RATIO = 0.1
# Below this many samples a median says little.
LEAST_SAMPLES = 5


class Handshake(NamedTuple):
    """Round trips in seconds from the capture point to either end; None where the handshake does not tell."""

    to_server_s: float | None
    to_client_s: float | None


def handshake(client: Series, server: Series) -> Handshake:
    """SYN to SYN-ACK and SYN-ACK to the client's next segment; None for what was repeated or not captured."""
    syns = client.time_s[(client.flags & (SYN | ACK)) == SYN]
    answers = server.time_s[(server.flags & (SYN | ACK)) == (SYN | ACK)]
    if len(answers) != 1 or not len(client.time_s):
        return Handshake(None, None)
    after = client.time_s[(client.time_s >= answers[0]) & ((client.flags & (SYN | RST)) == 0)]
    to_client_s = float(after[0] - answers[0]) if len(after) else None
    return Handshake(float(answers[0] - syns[0]) if len(syns) == 1 else None, to_client_s)


def echo_times(data: Series, acks: Series) -> tuple[Floats, Floats]:
    """Capture point to sender and back, by timestamps (RFC 7323): when the echo came, and the round trip in seconds.

    From the first segment of the receiver that carried a TSval to the first data segment that echoes it, less the
    silence before that segment: a sender that had nothing to send would otherwise look far away. Two arrays of
    shape (samples,), empty without timestamps.
    """
    have = (acks.tsval > 0) & ((acks.flags & RST) == 0)
    sent = (data.payload_bytes > 0) & (data.tsecr > 0)
    if not have.any() or not sent.any():
        return np.empty(0), np.empty(0)
    values, first = np.unique(acks.tsval[have], return_index=True)
    told_s = acks.time_s[have][first]
    echoes, back = np.unique(data.tsecr[sent], return_index=True)
    all_s = data.time_s[sent]
    heard_s = all_s[back]
    silence_s = np.where(back > 0, heard_s - all_s[np.maximum(back - 1, 0)], 0.0)
    at = np.searchsorted(values, echoes)
    known = (at < len(values)) & (values[np.minimum(at, len(values) - 1)] == echoes)
    rtt_s = (heard_s - silence_s)[known] - told_s[at[known]]
    keep = (rtt_s > 0) & (back[known] > 0)
    order = np.argsort(heard_s[known][keep], kind="stable")
    return heard_s[known][keep][order], rtt_s[keep][order]


def acknowledged_times(data: Series, acks: Series, again: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Capture point to receiver and back: when the ACK came, and the round trip in seconds.

    From a data segment sent once to the first ACK that covers its last byte; ranges that were sent ``again`` (one
    value a data segment with payload) are left out (Karn's algorithm, RFC 6298 section 3). Shape (samples,) twice.
    """
    full = data.payload_bytes > 0
    end, time_s = (data.seq + data.payload_bytes)[full], data.time_s[full]
    plain = (acks.flags & (ACK | RST)) == ACK
    if not plain.any() or not len(end):
        return np.empty(0), np.empty(0)
    highest = np.maximum.accumulate(acks.ack[plain])
    ack_s = acks.time_s[plain]
    # The ACK of a segment above a hole waits for the hole: only what was acknowledged while nothing was amiss counts.
    at = np.searchsorted(highest, end)
    known = at < len(highest)
    at = np.minimum(at, len(highest) - 1)
    exact = highest[at] == end
    repeats = np.cumsum(again)
    until = np.searchsorted(time_s, ack_s[at], side="right") - 1
    calm = repeats[np.maximum(until, 0)] == repeats[np.arange(len(end))]
    keep = known & exact & calm & ~again
    rtt_s = ack_s[at] - time_s
    keep &= rtt_s >= 0
    return ack_s[at][keep], rtt_s[keep]


def median(samples_s: Floats) -> float | None:
    """The median of the samples in seconds; None below `LEAST_SAMPLES`."""
    return float(np.median(samples_s)) if len(samples_s) >= LEAST_SAMPLES else None


def end_of(to_sender_s: float | None, to_receiver_s: float | None) -> str:
    """Which end of a path the capture stands at by its two round trips: sender, receiver, or middle ("" if untold)."""
    if to_sender_s is None or to_receiver_s is None:
        return ""
    whole_s = to_sender_s + to_receiver_s
    if to_receiver_s <= NEAR_RATIO * whole_s:
        return "receiver"
    return "sender" if to_sender_s <= NEAR_RATIO * whole_s else "middle"


def seen_from(
    data: Series, acks: Series, again: NDArray[np.bool_], handshake_s: tuple[float | None, float | None]
) -> tuple[str, Floats]:
    """Where the capture stands, and the round trips in seconds that it saw while data flowed, in order of time.

    ``handshake_s``: to the sender and to the receiver by the handshake; where that does not tell, the flow itself does.
    """
    end = end_of(*handshake_s)
    echoed = acked = np.empty(0)
    if end in ("", "receiver"):
        echoed = echo_times(data, acks)[1]
    if end in ("", "sender"):
        acked = acknowledged_times(data, acks, again)[1]
    end = end or end_of(median(echoed), median(acked))
    return end, {"receiver": echoed, "sender": acked}.get(end, np.empty(0))
