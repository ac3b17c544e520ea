"""One clock for the whole run, whatever happens to the wall clock.

The kernel stamps packets by the wall clock, which somebody may set while the run goes on. The monotonic clock cannot
be set, and both run at one speed: their difference changes only when the wall clock steps. What the difference has
changed by since the run began is taken out of every stamp, so that the recording goes on by the clock it began with.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Reading two clocks one after the other takes a microsecond; a process that is put aside in between reads again.
APART_NS = 50_000
# Clocks are disciplined by slewing, which both follow; what is more than this was a step.
STEP_NS = 1_000_000


def difference_ns(
    wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns, tries: int = 5
) -> int:
    """Wall clock minus monotonic clock, from the closest of some readings."""
    best: tuple[int, int] | None = None
    for _ in range(tries):
        before, now, after = monotonic(), wall(), monotonic()
        found = (after - before, now - (before + after) // 2)
        best = min(best, found) if best else found
        if best[0] <= APART_NS:
            break
    assert best is not None
    return best[1]


class Clock:
    """Nanoseconds since the epoch by the wall clock as it stood at ``began_at_ns``."""

    def __init__(
        self,
        base_ns: int | None = None,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """``base_ns`` is what another process of this run measured as `difference_ns`."""
        self._wall, self._monotonic = wall, monotonic
        self.base_ns = difference_ns(wall, monotonic) if base_ns is None else base_ns
        self._offset_ns = 0  # how far the wall clock is ahead of where it should be
        self._earlier_ns = 0  # and was before the last step

    def now_ns(self) -> int:
        """The time."""
        return self._monotonic() + self.base_ns

    def look(self) -> int:
        """Notice a step of the wall clock since the last look; returns it in nanoseconds, 0 for none."""
        offset = difference_ns(self._wall, self._monotonic) - self.base_ns
        step = offset - self._offset_ns
        if abs(step) < STEP_NS:
            return 0
        self._earlier_ns, self._offset_ns = self._offset_ns, offset
        return step

    def right(self, stamp_ns: int, since_ns: int) -> int:
        """A stamp of the wall clock by this clock; the packet came after ``since_ns`` and before now."""
        by_now = stamp_ns - self._offset_ns
        if self._earlier_ns == self._offset_ns or since_ns - STEP_NS <= by_now <= self.now_ns() + STEP_NS:
            return by_now
        before_step = stamp_ns - self._earlier_ns
        return before_step if since_ns - STEP_NS <= before_step <= self.now_ns() + STEP_NS else by_now
