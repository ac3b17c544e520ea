"""Boxes that slow: a policer (a bucket without a queue), a shaper (a queue), a freeze (a cap, then silence)."""

from __future__ import annotations

from dataclasses import dataclass, field

from fingerprint.lab.boxes.residual import Ends, ends
from fingerprint.lab.boxes.watching import Watch
from fingerprint.lab.censor import Action, Delay, Direction, Drop, Pass
from fingerprint.lab.packet import SYN, TCP, Packet


def wire_bytes(packet: Packet) -> int:
    """The packet's length from the IP header on."""
    head = 40 if packet.version == 6 else 20
    if packet.protocol == TCP:
        return head + 20 + (len(packet.options) + 3) // 4 * 4 + len(packet.payload)
    return head + 8 + len(packet.payload)


@dataclass(slots=True, kw_only=True)
class Marks:
    """Flows that named what is minded. Only TCP is looked at."""

    watch: Watch = field(default_factory=Watch)
    _marked: set[Ends] = field(default_factory=set)

    def holds(self, packet: Packet, direction: Direction) -> bool:
        """Whether the packet belongs to a marked flow, its trigger included."""
        if packet.protocol != TCP:
            return False
        key = ends(packet, direction)
        if packet.flags & SYN:
            self._marked.discard(key)
        if key in self._marked:
            return True
        if direction is Direction.TO_SERVER and self.watch.fires(packet):
            self._marked.add(key)
            return True
        return False


@dataclass(slots=True, kw_only=True)
class Policer:
    """In-path token bucket for each marked flow and direction: what exceeds rate and burst is dropped."""

    rate_bps: float
    burst_bytes: int
    both_ways: bool = True
    marks: Marks = field(default_factory=Marks)
    _buckets: dict[tuple[Ends, Direction], tuple[float, float]] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Passes while there are tokens."""
        if not self.marks.holds(packet, direction) or (direction is Direction.TO_SERVER and not self.both_ways):
            return Pass()
        bucket = (ends(packet, direction), direction)
        tokens, since_s = self._buckets.get(bucket, (float(self.burst_bytes), packet.time_s))
        tokens = min(self.burst_bytes, tokens + (packet.time_s - since_s) * self.rate_bps / 8)
        size = wire_bytes(packet)
        passes = tokens >= size
        self._buckets[bucket] = (tokens - size if passes else tokens, packet.time_s)
        return Pass() if passes else Drop()


@dataclass(slots=True)
class Queue:
    """A line that drains at a rate; what finds it full is dropped."""

    rate_bps: float
    queue_bytes: int
    busy_until_s: float = 0.0

    def take(self, size_bytes: int, now_s: float) -> float | None:
        """Seconds until these bytes are through, None if there is no room."""
        start_s = max(now_s, self.busy_until_s)
        if (start_s - now_s) * self.rate_bps / 8 > self.queue_bytes:
            return None
        self.busy_until_s = start_s + size_bytes * 8 / self.rate_bps
        return self.busy_until_s - now_s


@dataclass(slots=True, kw_only=True)
class Shaper:
    """In-path queue for each marked flow and direction."""

    rate_bps: float
    queue_bytes: int
    marks: Marks = field(default_factory=Marks)
    _queues: dict[tuple[Ends, Direction], Queue] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Waits for its turn."""
        if not self.marks.holds(packet, direction):
            return Pass()
        key = (ends(packet, direction), direction)
        queue = self._queues.setdefault(key, Queue(self.rate_bps, self.queue_bytes))
        wait_s = queue.take(wire_bytes(packet), packet.time_s)
        return Drop() if wait_s is None else Delay(wait_s)


@dataclass(slots=True, kw_only=True)
class Freeze:
    """In-path: after so many bytes toward the client a marked flow hears nothing more, and nothing it says passes."""

    cap_bytes: int
    marks: Marks = field(default_factory=Marks)
    _passed: dict[Ends, int] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Counts payload toward the client."""
        if not self.marks.holds(packet, direction):
            return Pass()
        key = ends(packet, direction)
        passed = self._passed.get(key, 0)
        if passed >= self.cap_bytes:
            return Drop()
        if direction is Direction.TO_CLIENT:
            self._passed[key] = passed + len(packet.payload)
        return Pass()


@dataclass(slots=True, kw_only=True)
class CrossTraffic:
    """An innocent: one queue for everybody, filled by other people's packets that come in bursts.

    ``load_ratio`` of the rate is taken by others while a burst lasts; bursts last half of every ``period_s``.
    Others never slow down, so that what is left is all that anybody gets.
    """

    rate_bps: float = 6_000_000.0
    queue_bytes: int = 60_000
    load_ratio: float = 0.9
    period_s: float = 0.4
    _queues: dict[Direction, Queue] = field(default_factory=dict)
    _others_s: dict[Direction, float] = field(default_factory=dict)

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        """Waits behind what others sent since the packet before."""
        queue = self._queues.setdefault(direction, Queue(self.rate_bps, self.queue_bytes))
        now_s = packet.time_s
        since_s = max(self._others_s.get(direction, now_s), now_s - 1.0)
        self._others_s[direction] = now_s
        # Others put 1,500-byte packets on the line, in bursts, as long as there is room.
        step_s = 1500 * 8 / (self.rate_bps * self.load_ratio)
        at_s = (since_s // step_s + 1) * step_s
        while at_s <= now_s:
            if at_s % self.period_s < self.period_s / 2:
                queue.take(1500, at_s)
            at_s += step_s
        wait_s = queue.take(wire_bytes(packet), now_s)
        return Drop() if wait_s is None else Delay(wait_s)
