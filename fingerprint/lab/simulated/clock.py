"""Virtual time: what happens when, in order, as fast as it can be computed."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from fingerprint.lab.world import EPOCH_NS


class Clock:
    """Events by time; those of one moment in the order in which they were asked for."""

    def __init__(self, begins_ns: int = EPOCH_NS) -> None:
        self.begins_ns = begins_ns
        self.now_ns = 0
        self._serial = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []

    @property
    def now_s(self) -> float:
        """Seconds since the epoch, as packets carry them past a box."""
        return self.time_ns / 1e9

    @property
    def time_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self.begins_ns + self.now_ns

    def at(self, delay_s: float, event: Callable[[], None]) -> None:
        """Have this happen after so many seconds."""
        self._serial += 1
        heappush(self._events, (self.now_ns + max(0, round(delay_s * 1e9)), self._serial, event))

    def run(self, seconds: float, *, until: Callable[[], bool] | None = None) -> None:
        """Let time pass, at most so much; it stands still at the event after which ``until`` is true."""
        end_ns = self.now_ns + round(seconds * 1e9)
        while self._events and self._events[0][0] <= end_ns:
            if until is not None and until():
                return
            self.now_ns, _, event = heappop(self._events)
            event()
        if until is None or not until():
            self.now_ns = end_ns
