"""What the controls of a vantage did: where they fail too, the line is out, and nothing is said about blocking.

A control is a name that no account calls blocked for its own sake: it is there to show that the line works. A blocked
verdict is a verdict about one name in one capture, weighed against the controls of that capture; controls of other
captures of the same vantage and time have a say here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fingerprint.incident.model import BLOCKED, DOWN, OK
from fingerprint.incident.sightings import CONTROL, Seen

# A line on which fewer than half of the controls work is not one to judge others by. Set by hand.
WORKING = 0.5
LINE = "the controls at this vantage failed at the same time, so the line may be at fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """How many settled sightings of controls there were at a time, and how many of them were ok."""

    ok: int
    settled: int

    @property
    def failing(self) -> bool:
        """Whether there were controls, and most of them failed."""
        return self.settled > 0 and self.ok < WORKING * self.settled


class Controls:
    """The controls of every vantage, by time."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        rows: dict[str, list[Seen]] = {}
        for s in seen:
            if s.sighting.role == CONTROL and s.settles:
                rows.setdefault(s.sighting.vantage, []).append(s)
        self._rows = {v: sorted(row, key=lambda s: s.held_ns[0]) for v, row in rows.items()}
        self._starts = {v: [s.held_ns[0] for s in row] for v, row in self._rows.items()}
        self._longest = {v: max(s.held_ns[1] - s.held_ns[0] for s in row) for v, row in self._rows.items()}

    def at(self, vantage: str, first_ns: int, last_ns: int) -> Control:
        """The controls that were seen at a vantage within a time."""
        row, starts = self._rows.get(vantage, []), self._starts.get(vantage, [])
        low = bisect_left(starts, first_ns - self._longest.get(vantage, 0))
        here = [s for s in row[low : bisect_right(starts, last_ns)] if s.held_ns[1] >= first_ns]
        return Control(ok=sum(s.settles == OK for s in here), settled=len(here))


def judged(seen: Sequence[Seen], controls: Controls, interval_ns: int | None) -> tuple[Seen, ...]:
    """The sightings, each blocked one of a time at which the controls failed too counted as ``down``.

    Looked at are controls within half a usual interval of the sighting.
    """
    half_ns = (interval_ns or 0) // 2
    out = []
    for s in seen:
        if s.settles != BLOCKED or s.sighting.role == CONTROL:
            out.append(s)
            continue
        first_ns, last_ns = s.held_ns
        failing = controls.at(s.sighting.vantage, first_ns - half_ns, last_ns + half_ns).failing
        out.append(replace(s, settles=DOWN, why_not=LINE) if failing else s)
    return tuple(out)
