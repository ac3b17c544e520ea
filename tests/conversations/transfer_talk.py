"""A small TCP of its own: a sender, a path that polices, queues, loses, delays or stops, and a capture at either end.

It shares no code with the analysis. The sender knows one round trip later what was lost (an ideal SACK); "cubic" falls
to 0.7 of its window once a round trip with loss, "paced" sends at a fixed rate whatever is lost, as BBR nearly does.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from captures.columns import COLUMNS, Columns, Flows, Mark, State
from captures.packet import Packet, Tcp
from captures.recording import Recording
from fingerprint.capture import Capture

MSS = 1448
CLIENT = "10.0.0.2"
# When a packet sent at a time with a size reaches the other end; None if it never does.
Path = Callable[[float, int], float | None]


def link(rate_bps: float, one_way_s: float, *, loss: float = 0.0, seed: int = 1) -> Path:
    """A link with a queue of half a second, and random loss."""
    free, dice = [0.0], random.Random(seed)

    def carry(at_s: float, size: int) -> float | None:
        start = max(at_s, free[0])
        if start - at_s > 0.5 or dice.random() < loss:
            return None
        free[0] = start + size * 8 / rate_bps
        return free[0] + one_way_s

    return carry


def policed(inner: Path, rate_bps: float, burst_bytes: float) -> Path:
    """A token bucket that drops what it has no tokens for."""
    level, last = [burst_bytes], [0.0]

    def carry(at_s: float, size: int) -> float | None:
        level[0] = min(burst_bytes, level[0] + (at_s - last[0]) * rate_bps / 8)
        last[0] = at_s
        if level[0] < size:
            return None
        level[0] -= size
        return inner(at_s, size)

    return carry


def shaped(inner: Path, rate_bps: float, burst_bytes: float, *, queue_s: float = 3.0) -> Path:
    """A token bucket that keeps what it has no tokens for until it has."""
    level, last = [burst_bytes], [0.0]

    def carry(at_s: float, size: int) -> float | None:
        now = max(at_s, last[0])
        level[0] = min(burst_bytes, level[0] + (now - last[0]) * rate_bps / 8)
        leaves = now + max(0.0, (size - level[0]) * 8 / rate_bps)
        if leaves - at_s > queue_s:
            last[0] = now
            return None
        level[0] = max(0.0, level[0] + (leaves - now) * rate_bps / 8 - size)
        last[0] = leaves
        return inner(leaves, size)

    return carry


def capped(inner: Path, after_bytes: int) -> Path:
    """Everything after so many bytes disappears."""
    passed = [0]

    def carry(at_s: float, size: int) -> float | None:
        passed[0] += size
        return inner(at_s, size) if passed[0] <= after_bytes else None

    return carry


class Line(NamedTuple):
    """One packet as the capture sees it."""

    time_s: float
    from_client: bool
    seq: int
    payload_bytes: int
    ack: int
    flags: int
    tsval: int
    tsecr: int
    mark: int = 0


@dataclass(kw_only=True)
class Talk:
    """One connection: who asks whom when, for how much, over which path."""

    path: Path
    name: str | None = None
    server: str = "198.51.100.10"
    port: int = 40000
    server_port: int = 443
    start_s: float = 0.0
    size_bytes: int = 1_000_000
    rtt_s: float = 0.06
    sender: str = "cubic"
    pace_bps: float = 5e6
    view: str = "receiver"
    upload: bool = False  # the client sends, behind its hello
    server_delay_s: Callable[[int], float] = field(default=lambda packet: 0.0)  # application time before a packet
    give_up_s: float = 40.0
    linger_s: float = 0.0  # between the last data and the FIN

    def lines(self) -> list[Line]:  # noqa: PLR0912, PLR0915  one event loop, read from top to bottom
        """The packets in order of time, at the side that ``view`` names."""
        half, t0 = self.rtt_s / 2, self.start_s
        near = self.view == "receiver"  # the capture stands where the data arrive
        beside = near != self.upload  # ... and this at the client
        ms = lambda at: int(at * 1000) + 1000  # noqa: E731  timestamps tick in milliseconds
        out = [Line(t0 + (0 if beside else half), True, 0, 0, 0, 0x02, ms(t0), 0)]
        out.append(Line(t0 + (self.rtt_s if beside else half + 1e-5), False, 0, 0, 1, 0x12, ms(t0), ms(t0)))
        asked = t0 + self.rtt_s + 1e-4
        hello = 517 if self.name else 100
        mark = int(Mark.TLS_HELLO) if self.name else 0
        out.append(Line(asked + (0 if beside else half), True, 1, 0, 1, 0x10, ms(asked), ms(t0)))
        out.append(Line(asked + (1e-5 if beside else half + 1e-5), True, 1, hello, 1, 0x18, ms(asked), ms(t0), mark))
        first, other = (1 + hello, 1) if self.upload else (1, 1 + hello)  # of the data, of the ACKs
        count = self.size_bytes // MSS
        todo, queue, got = list(range(count))[::-1], [], set()
        inflight, window, threshold, below, tie, recovered = 0, 10.0, 1e9, 0, 0, 0.0
        echo, now, ready = ms(asked), asked + (2e-5 if self.upload else half), 0.0
        delivered, end_s = 0, t0 + self.give_up_s
        heapq.heappush(queue, (now, 0, "try", 0, 0))
        waiting = True
        while queue and now < end_s and delivered < count:
            now, _, what, packet, stamp = heapq.heappop(queue)
            if what == "try":
                waiting = False
            elif what == "ack":
                inflight -= 1
                echo = max(echo, stamp)
                window += 1 if window < threshold else 1 / window
            elif what == "lost":
                inflight -= 1
                todo.append(packet)
                todo.sort(reverse=True)  # the lowest missing goes first
                if now > recovered:
                    threshold = window = max(2.0, window * 0.7)
                    recovered = now + self.rtt_s
            while todo and not waiting and (inflight < window or self.sender == "paced"):
                if self.sender == "paced" and now < ready:
                    tie, waiting = tie + 1, True
                    heapq.heappush(queue, (ready, tie, "try", 0, 0))
                    break
                packet = todo[-1]
                pause = self.server_delay_s(packet)
                if pause and ready <= now - pause:
                    pause = 0.0
                if pause and ready < now:
                    ready, tie, waiting = now + pause, tie + 1, True
                    heapq.heappush(queue, (ready, tie, "try", 0, 0))
                    break
                todo.pop()
                inflight += 1
                ready = max(ready, now) + (MSS + 52) * 8 / self.pace_bps if self.sender == "paced" else now
                arrives = self.path(now - t0, MSS + 52)
                if not near:
                    out.append(Line(now, self.upload, first + packet * MSS, MSS, other, 0x10, ms(now), echo))
                tie += 1
                if arrives is None:
                    heapq.heappush(queue, (now + 1.1 * self.rtt_s + 0.01, tie, "lost", packet, 0))
                    continue
                at = t0 + arrives
                if near:
                    out.append(Line(at, self.upload, first + packet * MSS, MSS, other, 0x10, ms(now), echo))
                heapq.heappush(queue, (at, tie, "arrived", packet, ms(at)))
                continue
            if what == "arrived":
                delivered += packet not in got
                got.add(packet)
                while below in got:
                    below += 1
                seen = now if near else now + half
                out.append(Line(seen + 1e-5, not self.upload, other, 0, first + below * MSS, 0x10, ms(now), stamp))
                tie += 1
                heapq.heappush(queue, (now + half, tie, "ack", packet, ms(now)))
        if delivered >= count:
            end, late = first + count * MSS, now + self.rtt_s + self.linger_s
            out.append(Line(late, self.upload, end, 0, other, 0x11, ms(late), echo))
            out.append(Line(late + self.rtt_s, not self.upload, other, 0, end + 1, 0x10, ms(late), ms(late)))
        elif near:
            for wait in (0.0, 0.3, 0.9, 2.1):  # the client closes, and is not answered
                out.append(Line(now + 5 + wait, True, 1 + hello, 24, 1 + below * MSS, 0x19, ms(now), 0))
        return sorted(out, key=lambda line: line.time_s)


class Written(Recording):
    """A recording whose packets all offer a window scale of 10."""

    def packet(self, row: int) -> Packet:
        """A packet with the options of a SYN."""
        tcp = Tcp(source_port=0, destination_port=0, seq=0, ack=0, flags=2, window=0, urgent=0, options=((3, b"\x0a"),))
        return Packet(capture=0, number=row + 1, time_ns=0, wire_bytes=0, captured_bytes=0, tcp=tcp)

    def payload(self, row: int) -> bytes:
        """Nothing was kept."""
        return b""


def capture(*talks: Talk, sha256: str = "00") -> Capture:
    """The talks as one capture."""
    rows = sorted(((line, i) for i, t in enumerate(talks) for line in t.lines()), key=lambda r: r[0].time_s)
    columns = {key: np.zeros(len(rows), kind) for key, kind in COLUMNS.items()}
    names = sorted({t.name for t in talks if t.name})
    base = 1_600_000_000_000_000_000
    for i, (line, flow) in enumerate(rows):
        values = {
            "time_ns": base + int(line.time_s * 1e9), "family": 4, "protocol": 6, "flow": flow,
            "direction": int(not line.from_client), "seq": line.seq + 1000, "ack": (line.ack + 1000) if line.ack else 0,
            "payload_bytes": line.payload_bytes, "tcp_flags": line.flags, "window": 4000, "tsval": line.tsval,
            "tsecr": line.tsecr, "state": int(State.TIMESTAMPS), "mark": line.mark, "name": -1,
        }  # fmt: skip
        if line.mark:
            values["name"] = names.index(talks[flow].name or "")
        for key, value in values.items():
            columns[key][i] = value
    flows = Flows(
        family=np.full(len(talks), 4, np.uint8),
        protocol=np.full(len(talks), 6, np.uint8),
        address_a=addresses([CLIENT] * len(talks)),
        address_b=addresses([t.server for t in talks]),
        port_a=np.array([t.port + i for i, t in enumerate(talks)], np.uint16),
        port_b=np.array([t.server_port for t in talks], np.uint16),
    )
    recording = Written(
        index=0, file="made", sha256=sha256, interfaces=(), columns=Columns(**columns), flows=flows, names=tuple(names),
        errors=(), source=Nothing(), fragments={},
    )  # fmt: skip
    return Capture(recordings=(recording,))


class Nothing:
    """A source without bytes."""

    def read(self, offset: int, size_bytes: int) -> bytes:
        """No bytes."""
        return b""


def addresses(texts: Sequence[str]) -> np.ndarray:
    """IPv4 addresses as `Flows` keeps them."""
    return np.array([[*map(int, t.split(".")), *[0] * 12] for t in texts], np.uint8)
