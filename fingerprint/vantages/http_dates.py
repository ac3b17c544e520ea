"""Checks a vantage's clock against the ``Date`` of plain HTTP answers.

What it is worth
    A second or so: the header has no fractions (RFC 9110 section 5.6.7). Servers' own clocks may be wrong, so nothing
    is said unless servers at two addresses agree; an answer out of a cache has an old date, and is left out if it says
    so (``Age``, RFC 9111 section 5.1). Only servers whose every target is ``ok`` are asked: what is forged dates
    nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from statistics import median

from fingerprint.capture import Capture
from fingerprint.conversations.streams import Stream
from fingerprint.messages.http import read_response
from fingerprint.technique import Cited, Quality
from fingerprint.vantages.vantage import Clock
from fingerprint.verdict.model import CaptureSummary, Verdict

# RFC 9110 section 5.6.7: whole seconds, cut off; half a second later is the middle of what they may mean.
RESOLUTION_S = 1.0
# One server may have a wrong clock; that two have the same wrong one is not supposed.
LEAST_SERVERS = 2
# So many answers of one address are looked at.
MOST_ANSWERS = 20
HEAD_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """An answer with a date: what has to be added to the capture's clock to make it the server's."""

    server: str
    offset_s: float
    rtt_s: float
    packet: Cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the answers say of the clock; the packets are their first ones."""

    clock: Clock
    packets: tuple[Cited, ...]


def checked(summary: CaptureSummary, index: int, capture: Capture, verdicts: Sequence[Verdict]) -> CaptureSummary:
    """The summary with its vantage's clock: from the servers if nobody gave one, else with a doubt if they disagree."""
    found = check(capture, index, verdicts)
    if found is None:
        return summary
    if summary.vantage.clock == Clock():
        return replace(summary, vantage=replace(summary.vantage, clock=found.clock))
    doubt = contradiction(summary.vantage.clock, found)
    return replace(summary, quality=(*summary.quality, doubt)) if doubt else summary


def check(capture: Capture, index: int, verdicts: Iterable[Verdict]) -> Checked | None:
    """The clock of one file as its servers see it; None if they do not tell, or disagree.

    An offset within its error is no offset: then the clock is right as far as can be seen.
    """
    dated = [d for s in _trusted(capture, index, verdicts) if (d := _dated(capture, s)) is not None]
    by_server: dict[str, list[Dated]] = {}
    for one in dated:
        by_server.setdefault(one.server, []).append(one)
    if len(by_server) < LEAST_SERVERS:
        return None
    offset_s = median(d.offset_s for d in dated)
    error_s = RESOLUTION_S + median(d.rtt_s for d in dated)
    agreeing = [of for of in by_server.values() if abs(median(d.offset_s for d in of) - offset_s) <= error_s]
    if len(agreeing) < LEAST_SERVERS or 2 * len(agreeing) <= len(by_server):
        return None
    answers = [d for of in agreeing for d in of]
    source = f"http date, {len(answers)} answers of {len(agreeing)} servers"
    clock = Clock(
        offset_s=round(offset_s, 3) if abs(offset_s) > error_s else 0.0, error_s=round(error_s, 3), source=source
    )
    return Checked(clock=clock, packets=tuple(sorted(d.packet for d in answers)))


def _trusted(capture: Capture, index: int, verdicts: Iterable[Verdict]) -> Iterable[Stream]:
    """Answered plain requests to servers of which nothing but good is known."""
    good, doubtful = set[str](), set[str]()
    for verdict in verdicts:
        (good if verdict.state == "ok" else doubtful).update(verdict.endpoints)
    asked: dict[str, int] = {}
    for s in capture.streams:
        if s.capture != index or s.protocol != "http" or s.answer_row < 0 or s.endpoint not in good - doubtful:
            continue
        asked[s.endpoint] = asked.get(s.endpoint, 0) + 1
        if asked[s.endpoint] <= MOST_ANSWERS:
            yield s


def _dated(capture: Capture, stream: Stream) -> Dated | None:
    answer = read_response(stream.first_bytes(from_client=False, limit_bytes=HEAD_BYTES), checked=False)
    said = answer.header("date") if answer and not answer.header("age") else None
    try:
        server_s = parsedate_to_datetime(said).timestamp() if said else None
    except (ValueError, TypeError, OverflowError):
        server_s = None
    samples = capture.rtt_samples(stream.server.address)
    if server_s is None or not samples:
        return None
    rtt_s, here_s = samples[0], int(stream.recording.columns.time_ns[stream.answer_row]) / 1e9
    return Dated(
        server=stream.server.address,
        offset_s=server_s + RESOLUTION_S / 2 - (here_s - rtt_s / 2),
        rtt_s=rtt_s,
        packet=Cited(stream.capture, stream.answer_row + 1),
    )


def contradiction(given: Clock, checked: Checked) -> Quality | None:
    """What to say where a clock was given and the servers' dates say otherwise; None where they agree."""
    seen = checked.clock
    apart_s = abs(given.offset_s - seen.offset_s)
    if apart_s <= (given.error_s or 0.0) + (seen.error_s or 0.0):
        return None
    says = (
        f"the clock's offset was given as {given.offset_s:+.3f} s, but the servers' dates say {seen.offset_s:+.3f} s "
        f"(± {seen.error_s:.1f} s, {seen.source}); onsets beside other vantages are as uncertain as that"
    )
    return Quality(issue="vantage-clock", detail=says, packets=checked.packets)
