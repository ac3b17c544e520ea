"""Curves: the goodput of a slowed transfer over time, and of the control that ran free, for a picture.

Counted as in `fingerprint.conversations.transfers.goodput`: new bytes only,
near whichever end the capture was taken at.
"""

from __future__ import annotations

from collections.abc import Iterator

from fingerprint.conversations.streams import Stream
from fingerprint.conversations.transfers.goodput import Span, goodput
from fingerprint.conversations.transfers.transfers import FEW_WINDOWS, WINDOW_S, Transfer, transfer
from fingerprint.pictures.ladders import Drawer, deciding
from fingerprint.pictures.talks import Talk
from fingerprint.verdict.model import Curve, Mechanism, Verdict
from fingerprint.verdict.taxonomy import action

# A plot is a few hundred pixels wide; more windows than that would only be drawn over each other.
MOST_WINDOWS = 240
# goodput counts bytes; a line of a provider is sold in bits.
BITS = 8


def curves(drawer: Drawer, verdict: Verdict, mechanism: Mechanism) -> tuple[Curve, ...]:
    """The slowed transfer, then its control if one is cited; nothing for a mechanism that slows nothing."""
    if action(mechanism.node) != "throttle":
        return ()
    cited = {c for w in mechanism.evidence for c in w.evidence.packets}
    talks = drawer.weighed(mechanism, cited)
    mine = deciding(talks, verdict.target)
    slow = _transfer(drawer, mine) if mine is not None else None
    if mine is None or slow is None:
        return ()
    out = [_curve(slow, mine.name or verdict.target, control=False)]
    for talk in sorted((t for t, _ in talks), key=lambda t: (abs(t.first_ns - mine.first_ns), t.key)):
        free = _transfer(drawer, talk) if talk.name != mine.name else None
        if free is not None:
            return (*out, _curve(free, talk.name or str(talk.server), control=True))
    return tuple(out)


def _transfer(drawer: Drawer, talk: Talk) -> Transfer | None:
    """The talk's larger direction as a transfer; None where it is none."""
    for stream in _streams(drawer, talk):
        return transfer(stream, from_client=stream.client_bytes > stream.server_bytes)
    return None


def _streams(drawer: Drawer, talk: Talk) -> Iterator[Stream]:
    for stream in drawer.capture.by_server.get(talk.server.address, ()):
        if talk.kind == "stream" and (stream.capture, stream.flow, int(stream.rows[0]) + 1) == talk.key:
            yield stream


def _curve(t: Transfer, title: str, *, control: bool) -> Curve:
    """Goodput from the first data on, to the stream's last packet where it is the slow one: it may end in silence."""
    p = t.passage
    begins_s = float(p.data.time_s[0])
    last_packet_s = 0.0 if control else (t.stream.last_ns - t.stream.first_ns) / 1e9
    lasts_s = max(float(p.data.time_s[-1]), last_packet_s) - begins_s
    window_s = min(WINDOW_S, lasts_s / FEW_WINDOWS)
    while lasts_s / window_s > MOST_WINDOWS:
        window_s *= 2
    rates = goodput(p.when_s, p.new_bytes, spans=(Span(begins_s, begins_s + lasts_s),), window_s=window_s)
    return Curve(
        title=title, control=control, start_s=0.0, window_s=round(window_s, 6),
        rate_bps=tuple(round(float(r) * BITS) for r in rates),
    )  # fmt: skip
