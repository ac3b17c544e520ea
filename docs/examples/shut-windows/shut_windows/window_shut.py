"""Servers that shut their receive window for good.

What it looks for
    A connection whose last segments in the server's name, several of them, all announce a window of zero bytes.

What it sends
    Nothing.

When it is wrong
    A server that is merely busy opens its window again: give it time. That nothing opens it is a fact, and no proof of
    anything; so this is an observation, which moves no verdict.

Papers
    RFC 9293 section 3.8.6.1 (zero-window probing).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fingerprint.capture import Capture
from fingerprint.conversations.segments import FIN, RST
from fingerprint.technique import Cited, Clue, Finding, Inconclusive, Subject, Technique, cite

STAYS_SHUT = Clue(
    id="window-stays-shut",
    says="the last {count} segments in the server's name, over {seconds:.1f} s, announce a window of zero",
    group="window",
    given={},  # an observation
    source="RFC 9293 section 3.8.6.1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowShut(Technique):
    """How many segments, over how long, make a window shut."""

    clues = (STAYS_SHUT,)

    segments: int = 3
    seconds: float = 5.0

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """One look at the end of each connection."""
        for stream in capture.streams:
            said = [s for s in stream.from_server if not s.flags & (FIN | RST)]
            shut = []
            while said and said[-1].window == 0:
                shut.append(said.pop())
            if not shut:
                continue
            shut.reverse()
            address, port = stream.server
            subject = Subject(name=stream.name, address=address, port=port, protocol="tcp", trial=stream.trial)
            seconds = (shut[-1].time_ns - shut[0].time_ns) / 1e9
            if len(shut) < self.segments or seconds < self.seconds:
                why = f"its window is shut, but for {seconds:.1f} s and {len(shut)} segments only"
                yield Inconclusive(why, tuple(Cited(s.capture, s.number) for s in shut), subject)
                continue
            yield cite(STAYS_SHUT, subject, *shut, count=len(shut), seconds=seconds)
