"""A scale of time for drawings: which hours or days get a mark, and how a mark is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from fingerprint.incident.times import DAY, HOUR, MINUTE, S

# Steps that a clock or a calendar has; the first that leaves few enough marks is taken.
STEPS_NS = (
    S, 2 * S, 5 * S, 10 * S, 30 * S, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,
    2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 10 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Time from left to right: from ``first_ns`` at ``left`` to ``last_ns`` at ``right``."""

    first_ns: int
    last_ns: int
    left: float
    right: float

    def at(self, time_ns: int) -> float:
        """Where a time lies; what is outside lies on the border."""
        inside = min(max(time_ns, self.first_ns), self.last_ns)
        return self.left + (self.right - self.left) * (inside - self.first_ns) / (self.last_ns - self.first_ns)

    def marks(self, most: int) -> list[tuple[float, str, bool]]:
        """Place, words, and whether a day begins there, of so many round times at most."""
        length = self.last_ns - self.first_ns
        step = next((s for s in STEPS_NS if length // s <= most), STEPS_NS[-1])
        times = range(-(-self.first_ns // step) * step, self.last_ns + 1, step)
        return [(self.at(t), _mark(t, step), t % DAY == 0) for t in times]


def scale(first_ns: int, last_ns: int, *, left: float, right: float) -> Scale:
    """A scale with a little air on either side; a single instant gets a minute."""
    air = max((last_ns - first_ns) // 60, 30 * S if last_ns == first_ns else 1)
    return Scale(first_ns=first_ns - air, last_ns=last_ns + air, left=left, right=right)


def _mark(time_ns: int, step_ns: int) -> str:
    at = datetime.fromtimestamp(time_ns // S, UTC)
    if step_ns >= DAY or time_ns % DAY == 0:
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M:%S}" if step_ns < MINUTE else f"{at:%H:%M}"
