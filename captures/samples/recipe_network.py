"""A network in virtual time: one client, servers behind lines of routers, boxes on the routers, taps at the ends.

Node 0 of a path is the client, nodes 1 to ``hops`` are routers, the last node is the server. A packet takes one event
per node; a router takes one from its TTL; a box on the router may pass it, hold it, change it, or add its own.
All randomness comes from one seed, so a recipe gives the same packets for ever.
"""

# Boxes and programs share one signature each, whether they need all of it or not.
# ruff: noqa: ARG002

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from captures.samples.recipe_packets import Packet, write_pcapng

# 17 May 2020, 17:30:00 UTC.
START_NS = 1_589_736_600 * 10**9
ACCESS_BPS = 50e6
# RFC 792: time exceeded in transit quotes the IP header and eight bytes.
TIME_EXCEEDED = (11, 0)
QUOTED_BYTES = 28


@dataclass(slots=True, eq=False)
class Line:
    """The way to one server: round-trip time, number of routers, and how much each packet's delay varies."""

    server: str
    rtt_s: float
    hops: int
    jitter_s: float
    free_ns: dict[tuple[int, bool], int] = field(default_factory=dict)


class Box:
    """Something on a router. The default passes everything; an on-path box passes everything and injects."""

    net: Network
    hop: int

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """What goes on in the packet's direction, at once."""
        return (packet,)

    def inject(self, packet: Packet, line: Line, *, outbound: bool, after_s: float = 0.0) -> None:
        """Send a packet of our own from here, or a held one on its way."""
        self.net.at(after_s, lambda: self.net.forward(line, packet, self.hop, outbound=outbound))


class Network:
    """The simulation: a clock, a client, lines to servers, boxes, and what the taps saw."""

    def __init__(self, seed: int, *, client: str = "39.45.170.21", start_ns: int = START_NS) -> None:
        self.rng = random.Random(seed)
        self.client = client
        self.now_ns = start_ns
        self.start_ns = start_ns
        self.lines: dict[str, Line] = {}
        self.boxes: dict[int, list[Box]] = {}
        self.receivers: dict[str, Callable[[Packet], None]] = {}
        self.taps: dict[str, list[tuple[int, Packet, bool]]] = {"client": [], "server": []}
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.host_free_ns: dict[str, int] = {}

    def line(self, server: str, *, rtt_s: float = 0.080, hops: int = 9, jitter_s: float = 0.0004) -> Line:
        """Lay a line to a server's address."""
        self.lines[server] = Line(server, rtt_s, hops, jitter_s)
        return self.lines[server]

    def box(self, hop: int, box: Box) -> None:
        """Put a box on router ``hop`` of every line."""
        box.net, box.hop = self, hop
        self.boxes.setdefault(hop, []).append(box)

    def at(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do something after a delay."""
        self._count += 1
        heapq.heappush(self._events, (self.now_ns + int(delay_s * 1e9), self._count, action))

    def when(self, time_s: float, action: Callable[[], None]) -> None:
        """Do something at a time counted from the start."""
        self.at(time_s - (self.now_ns - self.start_ns) / 1e9, action)

    def run(self, until_s: float) -> Network:
        """Let time pass."""
        end_ns = self.start_ns + int(until_s * 1e9)
        while self._events and self._events[0][0] <= end_ns:
            self.now_ns, _, action = heapq.heappop(self._events)
            action()
        self.now_ns = end_ns
        return self

    def send(self, packet: Packet) -> None:
        """A host puts a packet on its line; a packet for nobody's line vanishes."""
        outbound = packet.source == self.client
        line = self.lines.get(packet.destination if outbound else packet.source)
        if line is None:
            return
        self.taps["client" if outbound else "server"].append((self.now_ns, packet, not outbound))
        self.forward(line, packet, 0 if outbound else line.hops + 1, outbound=outbound)

    def forward(self, line: Line, packet: Packet, node: int, *, outbound: bool) -> None:
        """From a node to the next one, in order, with the link's delay."""
        delay_s = line.rtt_s / 2 / (line.hops + 1) + abs(self.rng.gauss(0, line.jitter_s / (line.hops + 1)))
        due_ns = self.now_ns + int(delay_s * 1e9)
        link = (min(node, line.hops), outbound)
        # Packets of one link leave one after the other.
        due_ns = max(due_ns, line.free_ns.get(link, 0) + int(packet.wire_bytes * 8e9 / ACCESS_BPS))
        line.free_ns[link] = due_ns
        self._count += 1
        step = node + (1 if outbound else -1)
        heapq.heappush(self._events, (due_ns, self._count, lambda: self._arrive(line, packet, step, outbound=outbound)))

    def _arrive(self, line: Line, packet: Packet, node: int, *, outbound: bool) -> None:
        if node in (0, line.hops + 1):
            self.taps["server" if outbound else "client"].append((self.now_ns, packet, not outbound))
            self._hand_over(packet)
            return
        self.taps.setdefault(f"hop {node}", []).append((self.now_ns, packet, not outbound))
        if packet.ttl_hops <= 1:
            self._time_exceeded(line, packet, node, outbound=outbound)
            return
        onward: list[Packet] = [replace(packet, ttl_hops=packet.ttl_hops - 1)]
        for box in self.boxes.get(node, ()):
            onward = [out for p in onward for out in box.see(p, line, outbound=outbound)]
        for p in onward:
            self.forward(line, p, node, outbound=outbound)

    def _hand_over(self, packet: Packet) -> None:
        """A host needs some tens of microseconds to see a packet, and sees them in order."""
        due_ns = self.now_ns + self.rng.randrange(25_000, 60_000)
        due_ns = self.host_free_ns[packet.destination] = max(
            due_ns, self.host_free_ns.get(packet.destination, 0) + 1000
        )
        receive = self.receivers.get(packet.destination, lambda _: None)
        self.at((due_ns - self.now_ns) / 1e9, lambda: receive(packet))

    def _time_exceeded(self, line: Line, packet: Packet, node: int, *, outbound: bool) -> None:
        kind, code = TIME_EXCEEDED
        answer = Packet(
            source=f"62.115.{node}.1",
            destination=packet.source,
            protocol="icmp",
            ttl_hops=255,
            ip_id=self.rng.randrange(1, 65536),
            df=False,
            source_port=kind,
            destination_port=code,
            payload=packet.ip_bytes()[:QUOTED_BYTES],
        )
        self.forward(line, answer, node, outbound=not outbound)

    def write(
        self,
        file: Path,
        *,
        tap: str = "client",
        keep: Callable[[Packet], bool] = lambda _: True,
        since_s: float = 0.0,
        copy_after_s: float = 0.0,
        snaplen_bytes: int = 0,
        dropped_pkts: int | None = None,
    ) -> None:
        """What a tap saw, as a capture file; ``keep`` chooses packets as a broken recorder would."""
        begin_ns = self.start_ns + int(since_s * 1e9)
        seen = [(t, p, to_client) for t, p, to_client in self.taps[tap] if t >= begin_ns and keep(p)]
        frames = [(t, p.frame(towards_client=to_client)) for t, p, to_client in seen]
        if copy_after_s:
            frames += [(t + int(copy_after_s * 1e9), frame) for t, frame in frames]
        write_pcapng(file, frames, snaplen_bytes=snaplen_bytes, dropped_pkts=dropped_pkts)
