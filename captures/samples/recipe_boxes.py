"""Middleboxes: those that only listen and inject (on-path), and those that the packets must pass (in-path)."""

# Boxes and programs share one signature each, whether they need all of it or not.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from captures.samples.recipe_network import Box, Line
from captures.samples.recipe_packets import Packet

Match = Callable[[Packet], bool]
Key = tuple[str, int, str, int]


def names(*wanted: str) -> Match:
    """A segment from the client whose payload names one of these hosts (ClientHello, Host header)."""
    return lambda p: p.protocol == "tcp" and any(w.encode() in p.payload for w in wanted)


def key_of(p: Packet, *, outbound: bool) -> Key:
    """The connection, client first."""
    ends = ((p.source, p.source_port), (p.destination, p.destination_port))
    (a, b), (c, d) = ends if outbound else ends[::-1]
    return a, b, c, d


class Forge(Box):
    """On-path: answers a trigger with segments in the server's name, in the client's name, or both.

    ``segments`` are pairs of flags and changes to the header; sequence numbers follow from the trigger. ``mimic``
    copies TTL and IP ID from the last packet seen from the other end, as some injectors do.
    """

    def __init__(
        self,
        match: Match,
        *segments: tuple[str, dict[str, object]],
        to_client: bool = True,
        to_server: bool = False,
        after_s: float = 0.0004,
        ttl_hops: int = 128,
        mimic: bool = False,
        every: int = 1,
        swallow: bool = False,
        outbound: bool = True,
    ) -> None:
        self.match, self.segments = match, segments or (("R", {}),)
        self.to_client, self.to_server, self.after_s = to_client, to_server, after_s
        self.ttl_hops, self.mimic, self.every, self.swallow, self.outbound = ttl_hops, mimic, every, swallow, outbound
        self.last: dict[tuple[Key, bool], Packet] = {}
        self.triggers = 0

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Everything passes, unless the device swallows triggers (then it is in-path)."""
        self.last[key_of(packet, outbound=outbound), outbound] = packet
        if outbound != self.outbound or not self.match(packet):
            return (packet,)
        self.triggers += 1
        if self.triggers % self.every:
            return (packet,)
        self.fire(packet, line)
        return () if self.swallow else (packet,)

    def fire(self, trigger: Packet, line: Line) -> None:
        """Send what we have to say about a trigger. ``ack_offset`` puts a number into the field of a bare RST."""
        for towards_server, wanted in ((False, self.to_client), (True, self.to_server)):
            for i, (flags, changes) in enumerate(self.segments if wanted else ()):
                forged = self._forged(trigger, towards_server=towards_server, flags=flags)
                given = dict(changes)
                if "ack_offset" in given:
                    right = self._forged(trigger, towards_server=towards_server, flags="A").ack
                    given["ack"] = right + int(str(given.pop("ack_offset")))
                after_s = self.after_s + i * 0.0001
                self.inject(replace(forged, **given), line, outbound=towards_server, after_s=after_s)  # type: ignore[arg-type]

    def _forged(self, trigger: Packet, *, towards_server: bool, flags: str) -> Packet:
        size = len(trigger.payload) + ("S" in trigger.flags) + ("F" in trigger.flags)
        seen = self.last.get((key_of(trigger, outbound=self.outbound), towards_server))
        as_sender = towards_server == self.outbound
        same = replace(trigger, payload=b"", options=(), window=0, dscp=0, df=False, ip_id=0, flags=flags)
        if not as_sender:
            same = replace(
                same,
                source=trigger.destination,
                destination=trigger.source,
                source_port=trigger.destination_port,
                destination_port=trigger.source_port,
                seq=trigger.ack,
                ack=trigger.seq + size if "A" in flags else 0,
            )
        else:
            same = replace(same, seq=trigger.seq + size, ack=trigger.ack if "A" in flags else 0)
        if self.mimic and seen is not None:
            return replace(same, ttl_hops=seen.ttl_hops, ip_id=(seen.ip_id + 1) & 0xFFFF, df=seen.df)
        return replace(same, ttl_hops=self.ttl_hops)


class Drop(Box):
    """In-path: what matches vanishes, or what follows it does.

    ``takes`` says what dies: "trigger" (only what matches), "rest" (the trigger and all that follows on the connection,
    both ways), "next" (the trigger passes, later data of the client does not), "answers" (data towards the client).
    ``residual_s`` takes every packet between the two addresses for that long after a trigger.
    """

    def __init__(
        self, match: Match, *, takes: str = "trigger", outbound: bool = True, residual_s: float = 0.0, every: int = 1
    ) -> None:
        self.match, self.takes, self.outbound, self.residual_s, self.every = match, takes, outbound, residual_s, every
        self.condemned: dict[Key, int] = {}
        self.until_ns: dict[tuple[str, str], int] = {}
        self.triggers = 0

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Pass or lose."""
        key = key_of(packet, outbound=outbound)
        if self.net.now_ns < self.until_ns.get((key[0], key[2]), 0):
            return ()
        if outbound == self.outbound and key not in self.condemned and self.match(packet):
            self.triggers += 1
            if self.triggers % self.every:
                return (packet,)
            self.until_ns[key[0], key[2]] = self.net.now_ns + int(self.residual_s * 1e9)
            if self.takes != "trigger":
                self.condemned[key] = packet.seq
            return (packet,) if self.takes in ("next", "answers") else ()
        if key not in self.condemned:
            return (packet,)
        match self.takes:
            case "next":
                later = outbound and packet.payload and packet.seq != self.condemned[key]
            case "answers":
                later = not outbound and packet.payload
            case _:
                later = True
        return () if later else (packet,)


class Lose(Box):
    """In-path: each packet is lost with the same probability."""

    def __init__(self, ratio: float, *, match: Match = lambda _: True) -> None:
        self.ratio, self.match = ratio, match

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Pass or lose, by lot."""
        return () if self.match(packet) and self.net.rng.random() < self.ratio else (packet,)


class _Bucket(Box):
    """Applies to connections that showed a trigger (or to all, without one), one bucket a direction."""

    def __init__(
        self, rate_bps: float, *, match: Match | None = None, both_ways: bool = False, up: bool = False
    ) -> None:
        self.rate_bps, self.match, self.both_ways, self.up = rate_bps, match, both_ways, up
        self.marked: dict[Key, None] = {}

    def applies(self, packet: Packet, *, outbound: bool) -> bool:
        key = key_of(packet, outbound=outbound)
        if self.match is None:
            marked = True
        else:
            if outbound and self.match(packet):
                self.marked[key] = None
            marked = key in self.marked
        return marked and (self.both_ways or outbound == self.up)


class Police(_Bucket):
    """In-path token bucket without a queue: what exceeds rate and burst is dropped."""

    def __init__(self, rate_bps: float, burst_bytes: int, **options: object) -> None:
        super().__init__(rate_bps, **options)  # type: ignore[arg-type]
        self.burst_bytes = burst_bytes
        self.level: dict[tuple[Key, bool], tuple[float, int]] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Pass while there are tokens."""
        if not self.applies(packet, outbound=outbound):
            return (packet,)
        bucket = key_of(packet, outbound=outbound), outbound
        tokens, then_ns = self.level.get(bucket, (float(self.burst_bytes), self.net.now_ns))
        tokens = min(self.burst_bytes, tokens + (self.net.now_ns - then_ns) / 1e9 * self.rate_bps / 8)
        size = packet.wire_bytes - 14
        self.level[bucket] = (tokens - size if tokens >= size else tokens, self.net.now_ns)
        return (packet,) if tokens >= size else ()


class Shape(_Bucket):
    """In-path queue that drains at a rate; without a trigger it is an access line, shared by all."""

    def __init__(self, rate_bps: float, queue_bytes: int, **options: object) -> None:
        super().__init__(rate_bps, **options)  # type: ignore[arg-type]
        self.queue_bytes = queue_bytes
        self.busy_until_ns: dict[object, int] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Wait for our turn, or find the queue full."""
        if not self.applies(packet, outbound=outbound):
            return (packet,)
        queue = (key_of(packet, outbound=outbound) if self.match else None), outbound
        start_ns = max(self.net.now_ns, self.busy_until_ns.get(queue, 0))
        if (start_ns - self.net.now_ns) / 1e9 * self.rate_bps / 8 > self.queue_bytes:
            return ()
        done_ns = start_ns + int((packet.wire_bytes - 14) * 8e9 / self.rate_bps)
        self.busy_until_ns[queue] = done_ns
        self.inject(packet, line, outbound=outbound, after_s=(done_ns - self.net.now_ns) / 1e9)
        return ()


class Freeze(_Bucket):
    """In-path: after so many bytes towards the client, a marked connection hears nothing more."""

    def __init__(self, cap_bytes: int, *, match: Match | None = None) -> None:
        super().__init__(0.0, match=match, both_ways=True)
        self.cap_bytes = cap_bytes
        self.passed: dict[Key, int] = {}

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Count what goes to the client; past the cap nothing passes, either way."""
        if not self.applies(packet, outbound=outbound):
            return (packet,)
        key = key_of(packet, outbound=outbound)
        if self.passed.get(key, 0) >= self.cap_bytes:
            return ()
        if not outbound:
            self.passed[key] = self.passed.get(key, 0) + len(packet.payload)
        return (packet,)


class Alter(Box):
    """In-path: packets of one direction go on as a function of themselves, or as several."""

    def __init__(self, change: Callable[[Packet], Iterable[Packet]], *, outbound: bool = False) -> None:
        self.change, self.outbound = change, outbound

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Change what goes our way."""
        return self.change(packet) if outbound == self.outbound else (packet,)
