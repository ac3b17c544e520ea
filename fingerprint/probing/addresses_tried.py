"""Handshakes with the target's addresses beside a control's, and how far SYNs come where one fails.

Control before target, on one port. Only once the target's handshake failed are tried: the same port again, another
port of both, and SYNs of growing TTL: first to whoever answers, which shows the way, then to whoever does not. Nothing
is said on these connections, so that no name can have set anything off; they need not wait for residual windows.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count

from fingerprint.conversations.reachability import are_neighbours
from fingerprint.probing.names_greeted import one_a_family
from fingerprint.steps import Handshake, Probe, Replies, Send, Target
from fingerprint.technique import Clue

# RFC 9110 section 4.2: the two ports that a web server listens to.
WEB_PORTS = (443, 80)
# A report is due after a round trip to the router; what is not reported is sent so often more.
LEAST_S, MOST_S, UNKNOWN_RTT_S = 0.3, 2.0, 0.2
AGAIN = 2
# What ends a handshake in the server's name.
CUT = ("refused", "reset", "closed")
# In a row, beyond the last router that answered: behind so many silent hops nothing answers any more.
SILENT_HOPS = 6


@dataclass(slots=True)
class _Way:
    """An end of a way that was tried: how it went, and how far away it is."""

    address: str
    port: int
    rtt_s: float = UNKNOWN_RTT_S
    heard: set[int] = field(default_factory=set)  # distances whose router reported a SYN
    reach_hops: int = 0


def addresses_tried(target: Target, *, shows: tuple[Clue, ...], listen_s: float) -> Probe:
    """One pair for each family of addresses, and more where the target's half of it failed."""
    trials = count(1)
    controls = tuple(a for c in target.controls for a in c.addresses if a not in target.addresses)
    for address in one_a_family(target.addresses):
        beside = sorted(
            (a for a in controls if (":" in a) == (":" in address)), key=lambda a: not are_neighbours(address, a)
        )
        if beside:
            yield from _Tried(target, address, beside[0], shows, listen_s, trials).steps()


class _Tried:
    """The steps for one address."""

    def __init__(
        self,
        target: Target,
        address: str,
        control: str,
        shows: tuple[Clue, ...],
        listen_s: float,
        trials: count[int],
    ) -> None:
        self.target, self.address, self.control = target, address, control
        self.shows, self.listen_s, self.trials = shows, listen_s, trials

    def steps(self) -> Probe:
        port = self.target.port
        free, mine = yield from self._pair(port)
        if mine is None or mine.outcome in ("answered", "skipped", "failed"):
            return
        other = next(p for p in WEB_PORTS if p != port)
        _, on_other = yield from self._pair(other, at_once=True)
        for again in (port, other):
            yield self._send(self.address, again, "target", next(self.trials), at_once=True)
        if on_other is not None and on_other.outcome == "answered":
            way = _Way(self.address, other, on_other.took_s or UNKNOWN_RTT_S)
        elif free is not None and free.outcome == "answered" and mine.outcome not in CUT:
            way = _Way(self.control, port, free.took_s or UNKNOWN_RTT_S)
        else:
            return
        yield from self._along(way)
        if way.reach_hops:
            yield from self._as_far(way)

    def _pair(
        self, port: int, *, at_once: bool = False
    ) -> Generator[Send, Replies | None, tuple[Replies | None, Replies | None]]:
        trial = next(self.trials)
        free = yield self._send(self.control, port, "control", trial, at_once=at_once)
        if free is None or free.outcome in ("skipped", "failed"):
            return free, None
        mine = yield self._send(self.address, port, "target", trial, at_once=at_once)
        return free, mine

    def _send(self, address: str, port: int, role: str, trial: int, *, at_once: bool) -> Send:
        return Send(
            Handshake(address=address, port=port), label=f"handshake with port {port} of {address}", role=role,
            listen_s=self.listen_s, shows=self.shows, trial=trial, at_once=at_once,
        )  # fmt: skip

    def _along(self, way: _Way) -> Generator[Send, Replies | None, None]:
        """SYNs to whoever answers, until one is answered."""
        for hops in range(1, self.target.hops + 1):
            replies = yield self._shot(way.address, way.port, hops, "control", way.rtt_s)
            if replies is None or replies.outcome in ("skipped", "failed"):
                return
            if replies.outcome in ("answered", *CUT):
                way.reach_hops = hops
                return
            if replies.answers:
                way.heard.add(hops)
            if hops - max(way.heard, default=0) > SILENT_HOPS:
                return

    def _as_far(self, way: _Way) -> Generator[Send, Replies | None, None]:
        """SYNs to whoever does not: until they are cut off, or past the last router that reports them."""
        silent = 0
        for hops in sorted({*way.heard, way.reach_hops}):
            for _ in range(AGAIN):
                replies = yield self._shot(self.address, self.target.port, hops, "target", way.rtt_s)
                if replies is None or replies.outcome in ("skipped", "failed", *CUT):
                    return
                if replies.answers or replies.outcome != "unanswered":
                    break
            else:
                silent += 1
            if silent >= AGAIN:
                return

    def _shot(self, address: str, port: int, hops: int, role: str, rtt_s: float) -> Send:
        return Send(
            Handshake(address=address, port=port, ttl_hops=hops), label=f"SYN to {address}, {hops} hops", role=role,
            listen_s=min(MOST_S, max(LEAST_S, 2 * rtt_s + 0.1)), seeks="location", trial=next(self.trials),
            at_once=True,
        )  # fmt: skip
