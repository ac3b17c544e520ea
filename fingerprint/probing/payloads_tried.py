"""First bytes side by side on one port: some that mean nothing, and those in question, equally long and in turn.

What means nothing goes first. Nothing more is sent to a port where nobody listens, or where both were received alike.
Where what is in question failed, the pair is repeated until chance is out of the question, and swept with growing TTLs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from fingerprint.probing.names_greeted import one_a_family
from fingerprint.probing.sweep import Beam, control_sweep, trigger_sweep
from fingerprint.steps import Datagram, Hello, Message, Payload, Probe, Send, Target
from fingerprint.technique import Clue

Bytes = Callable[[str], bytes]  # seed → a payload
# What the far end, or the host behind a closed port, does to bytes that it has received.
RECEIVED = ("answered", "taken", "closed", "alert", "garbled", "refused")
# What becomes of bytes that somebody cuts.
CUT = ("silent", "unanswered", "reset")
COPIES, GAP_S, LISTEN_S = 3, 1.1, 4.0
HELLO = "ClientHello"
# Of a datagram that dies on the way two are sent: routers ration their reports.
LIMITED_COPIES, LIMITED_GAP_S = 2, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Several harmless payloads and one in question, for one port over TCP or UDP."""

    over: str
    port: int
    what: str  # is in question, for labels
    harmless: tuple[tuple[str, Bytes], ...]
    trigger: Bytes


@dataclass(slots=True, kw_only=True)
class PayloadsTried:
    """The steps for one target; ``shows`` are the clues that a pair could bring."""

    target: Target
    shows: tuple[Clue, ...]
    pairs: int
    listen_s: float
    trials: Iterator[int] = field(default_factory=lambda: count(1))
    drawn: Iterator[int] = field(default_factory=lambda: count(1))
    placed: set[bool] = field(default_factory=set)  # of IPv6, of IPv4: one place is enough for each
    cut: set[tuple[str, str, bool]] = field(default_factory=set)  # what was: one port is enough for each

    def steps(self, pair: Pair) -> Probe:
        """The pair on the first address of each family."""
        for address in one_a_family(self.target.addresses):
            yield from self._at(address, pair)

    def _at(self, address: str, pair: Pair) -> Probe:
        met, rtt_s = "", 0.2
        if self._was_cut(address, pair):
            return
        for number in range(self.pairs):
            trial = next(self.trials)
            for what, make in pair.harmless:
                before = yield self._send(address, pair, what, make, "control", trial)
                if before is None or before.outcome not in RECEIVED:
                    if number == 0:
                        return
                    break
                rtt_s = before.took_s or rtt_s
            after = yield self._send(address, pair, pair.what, pair.trigger, "target", trial)
            if after is None or after.outcome in ("skipped", "failed"):
                return
            if after.outcome not in CUT:
                return
            met = after.outcome
            self.cut.add((pair.over, pair.what, ":" in address))
        what, make = pair.harmless[0]
        yield self._send(address, pair, what, make, "control", next(self.trials))
        if met:
            yield from self._place(address, pair, met, rtt_s, what, pair.what)

    def among_known(self, pair: Pair) -> Probe:
        """A ClientHello, then the harmless bytes, then those in question: a filter of protocols cuts both.

        Goes on where any of the unknown was cut.
        """
        for address in one_a_family(self.target.addresses):
            yield from self._among(address, pair)

    def _was_cut(self, address: str, pair: Pair) -> bool:
        return (pair.over, pair.what, ":" in address) in self.cut

    def _among(self, address: str, pair: Pair) -> Probe:
        if self._was_cut(address, pair):
            return
        sorts = (*pair.harmless, (pair.what, pair.trigger))
        met, rtt_s = dict[str, str](), 0.2
        for number in range(self.pairs):
            trial = next(self.trials)
            known = yield self._hello(address, pair, trial)
            if known is None or known.outcome not in RECEIVED:
                if number == 0:
                    return
                continue
            rtt_s = known.took_s or rtt_s
            for what, make in sorts:
                replies = yield self._send(address, pair, what, make, "target", trial)
                if replies is not None and replies.outcome in CUT:
                    met[what] = replies.outcome
                    self.cut.add((pair.over, pair.what, ":" in address))
            if not met:
                return
        yield self._hello(address, pair, next(self.trials))
        last = pair.harmless[0][0]
        if last in met:
            yield from self._place(address, pair, met[last], rtt_s, control=HELLO, trigger=last)
        else:
            yield from self._place(address, pair, met[pair.what], rtt_s, control=last, trigger=pair.what)

    def _hello(self, address: str, pair: Pair, trial: int) -> Send:
        return Send(
            self._greeting(address, pair), label=f"{HELLO} to {address}", role="control", listen_s=self.listen_s,
            shows=self.shows, trial=trial,
        )  # fmt: skip

    def _greeting(self, address: str, pair: Pair, ttl_hops: int | None = None) -> Hello:
        name = self.target.controls[0].name if self.target.controls else None
        return Hello(address=address, port=pair.port, name=name, ttl_hops=ttl_hops)

    def ports(self, ports: Sequence[int], beside: Sequence[int], make: Bytes) -> Probe:
        """One kind of datagram to ports in question and to others beside them, here and at a control's address."""
        for address in one_a_family(self.target.addresses):
            yield from self._ports(address, ports, beside, make)

    def _ports(self, address: str, ports: Sequence[int], beside: Sequence[int], make: Bytes) -> Probe:
        controls = (a for c in self.target.controls for a in c.addresses if a not in self.target.addresses)
        elsewhere = next((a for a in controls if (":" in a) == (":" in address)), None)
        rtt_s = 0.2
        for number, port in enumerate(ports):
            trial = next(self.trials)
            free = Pair(over="udp", port=beside[number % len(beside)], what="STUN", harmless=(), trigger=make)
            mine = Pair(over="udp", port=port, what="STUN", harmless=(), trigger=make)
            for where in filter(None, (address, elsewhere)):
                heard = yield self._send(where, free, free.what, make, "control", trial)
                if heard is None or heard.outcome not in RECEIVED:
                    return
                rtt_s = heard.took_s or rtt_s
                replies = yield self._send(where, mine, mine.what, make, "target", trial)
                if replies is None or replies.outcome != "silent":
                    return
            if elsewhere is None:
                return
        named = {"a port beside it": beside[0], f"port {ports[0]}": ports[0]}
        control, trigger = named
        beam = Beam(
            message=lambda name, hops: self.message(
                address, Pair(over="udp", port=named[name], what="STUN", harmless=(), trigger=make), make, ttl_hops=hops
            ),
            address=address, control=control, trigger=trigger, full="silent", what="STUN",
            hops=self.target.hops, rtt_s=rtt_s, trials=self.trials,
        )  # fmt: skip
        way = yield from control_sweep(beam)
        yield from trigger_sweep(beam, way)

    def _place(self, address: str, pair: Pair, met: str, rtt_s: float, control: str, trigger: str) -> Probe:
        made = dict(pair.harmless) | {pair.what: pair.trigger}
        if (":" in address) in self.placed:
            return

        def message(name: str, hops: int) -> Message:
            if name == HELLO:
                return self._greeting(address, pair, hops)
            return self.message(address, pair, made[name], ttl_hops=hops)

        beam = Beam(
            message=message, address=address, control=control, trigger=trigger, full=met,
            what=f"first bytes to port {pair.port}/{pair.over}", hops=self.target.hops, rtt_s=rtt_s, trials=self.trials,
        )  # fmt: skip
        way = yield from control_sweep(beam)
        if (yield from trigger_sweep(beam, way)) is not None:
            self.placed.add(":" in address)

    def _send(self, address: str, pair: Pair, what: str, make: Bytes, role: str, trial: int) -> Send:
        return Send(
            self.message(address, pair, make),
            label=f"{what} to port {pair.port}/{pair.over} of {address}", role=role,
            listen_s=LISTEN_S if pair.over == "udp" else self.listen_s, shows=self.shows, trial=trial,
        )  # fmt: skip

    def message(self, address: str, pair: Pair, make: Bytes, ttl_hops: int | None = None) -> Message:
        """Fresh bytes of that kind."""
        payload = make(f"{self.target.seed}:{self.target.name}:{next(self.drawn)}")
        if pair.over == "tcp":
            return Payload(address=address, port=pair.port, payload=payload, ttl_hops=ttl_hops)
        copies, gap_s = (COPIES, GAP_S) if ttl_hops is None else (LIMITED_COPIES, LIMITED_GAP_S)
        return Datagram(address=address, port=pair.port, payload=payload, copies=copies, gap_s=gap_s, ttl_hops=ttl_hops)
