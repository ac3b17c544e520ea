"""Initials that differ in the name alone, and what only matters once one of them was not answered.

Control, target, control at once: three datagrams where nothing is wrong. The last shows what a name leaves behind, for
some boxes let it pass and silence the address afterwards. Where the control was answered and something after was not:
the same again, a version that nobody knows, the target in version 2, and both with growing TTLs. Where not even the
control was: one at a control's own address, and the unknown version, to which a server names those that it takes; only
if it does is more sent.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import count

from fingerprint.messages.quic import read_initials
from fingerprint.probing import quic_bytes
from fingerprint.probing.names_greeted import one_a_family
from fingerprint.probing.sweep import Beam, control_sweep, trigger_sweep
from fingerprint.steps import Control, Datagram, Hello, Message, Probe, Query, Replies, Request, Send, Target, Wait
from fingerprint.technique import Clue

# Three Initials over two seconds, and a second more for the last: RFC 9002 section 6.2.1 waits as long.
COPIES, GAP_S, LISTEN_S = 3, 1.1, 3.4
# Of a datagram that dies on the way two are sent: routers ration their reports.
LIMITED_COPIES, LIMITED_GAP_S = 2, 0.25
UNKNOWN_RTT_S = 0.2


@dataclass(slots=True, kw_only=True)
class QuicTried:
    """The steps for one target; ``shows`` are the clues that they could bring."""

    target: Target
    shows: tuple[Clue, ...]
    pairs: int
    port: int = 443
    alpn: str = "h3"
    trials: Iterator[int] = field(default_factory=lambda: count(1))
    drawn: Iterator[int] = field(default_factory=lambda: count(1))
    rtt_s: float = UNKNOWN_RTT_S

    def steps(self) -> Probe:
        """The first address of each family."""
        controls = self.target.shuffled(self.target.controls, "quic")
        if controls:
            for address in one_a_family(self.target.addresses):
                yield from self._at(address, controls)

    def _at(self, address: str, controls: tuple[Control, ...]) -> Probe:
        control = controls[0].name
        before = yield self._send(address, control, "control", next(self.trials))
        if before is None or before.outcome in ("skipped", "failed"):
            return
        if not before.passed:
            yield from self._silent(address, controls)
            return
        self.rtt_s = before.took_s or UNKNOWN_RTT_S
        outcomes = yield from self._pair(address, control)
        if not outcomes:
            return
        for number in range(1, self.pairs):
            if outcomes[-2] != "silent" and outcomes[-1] == "silent":
                # Nobody waits after a target that was answered; what it left behind has to run out all the same.
                yield Wait(self.target.residual_s, label="until the silence is over")
            yield self._send(address, controls[number % len(controls)].name, "control", next(self.trials))
            outcomes += yield from self._pair(address, controls[number % len(controls)].name)
        if outcomes[-2:-1] != ["silent"] and outcomes[-1] == "silent":
            yield Wait(self.target.residual_s, label="until the silence is over")
        yield self._send(address, control, "control", next(self.trials))
        yield self._unknown(address)
        if outcomes[0] == "silent":
            yield self._send(address, self.target.name, "target", next(self.trials), version=quic_bytes.VERSION_2)
        if outcomes[0] == "silent" or outcomes[1] != "silent":
            yield from self._place(address, control, self.target.name, full=outcomes[0])

    def _pair(self, address: str, control: str) -> Generator[Send, Replies | None, list[str]]:
        """The target, and the control at once; their outcomes if one of them was not an answer of the server's."""
        trial = next(self.trials)
        met = yield self._send(address, self.target.name, "target", trial)
        if met is None or met.outcome in ("skipped", "failed"):
            return []
        after = yield self._send(address, control, "control", trial, at_once=True)
        fine = met.passed and not _ends(met) and (after is None or after.passed or after.outcome == "skipped")
        return [] if fine else [met.outcome, after.outcome if after else ""]

    def _silent(self, address: str, controls: tuple[Control, ...]) -> Probe:
        """Nothing was said to a control: it is this address, this version, or the same everywhere."""
        met = yield self._send(address, self.target.name, "target", next(self.trials))
        if met is None or met.outcome != "silent":
            return
        elsewhere = [a for c in controls for a in c.addresses if a not in self.target.addresses]
        other = next((a for a in elsewhere if (":" in a) == (":" in address)), None)
        spoken = yield self._unknown(address)
        lives = spoken is not None and spoken.passed
        heard = None
        if other is not None:
            heard = yield self._send(other, self.target.name, "target", next(self.trials))
        lives_there = heard is not None and heard.passed
        if not lives and not lives_there:
            return
        if not lives:
            yield from self._advertised(address)
        for number in range(1, self.pairs):
            control = controls[number % len(controls)].name
            yield self._send(address, control, "control", next(self.trials))
            yield self._send(address, self.target.name, "target", next(self.trials))
        if lives:
            yield self._send(address, self.target.name, "control", next(self.trials), version=quic_bytes.VERSION_2)
        yield from self._place(address, "", self.target.name, unknown=lives)

    def _advertised(self, address: str) -> Probe:
        """What the owner says of HTTP/3: an HTTPS record, and a header in the clear."""
        name, trial = self.target.name, next(self.trials)
        for resolver in self.target.resolvers[:1]:
            query = Query(resolver=resolver, name=name, rtype="HTTPS")
            yield Send(query, label=f"HTTPS record of {name}", listen_s=1.0, shows=self.shows, trial=trial)
        page = Request(address=address, host=name)
        yield Send(page, label=f"a header of {name} at {address}", shows=self.shows, trial=trial)

    def _place(self, address: str, control: str, trigger: str, *, unknown: bool = False, full: str = "silent") -> Probe:
        """Where the Initial is lost; beside it what passes: a control, the unknown version, or a hello over TCP."""
        names = {trigger: trigger, "an unknown version": None} if unknown else {trigger: trigger, control: control}
        other = "an unknown version" if unknown else control or self.target.controls[0].name

        def message(name: str, hops: int) -> Message:
            if name not in names:
                return Hello(address=address, port=self.target.port, name=name, ttl_hops=hops)
            return self._datagram(address, names[name], ttl_hops=hops)

        beam = Beam(
            message=message, address=address, control=other, trigger=trigger, full=full,
            what=f"Initial to {address}", hops=self.target.hops, rtt_s=self.rtt_s, trials=self.trials,
        )  # fmt: skip
        way = yield from control_sweep(beam)
        yield from trigger_sweep(beam, way)

    def _send(
        self,
        address: str,
        name: str,
        role: str,
        trial: int,
        *,
        version: int = quic_bytes.VERSION_1,
        at_once: bool = False,
    ) -> Send:
        what = "Initial" if version == quic_bytes.VERSION_1 else "Initial of version 2"
        return Send(
            self._datagram(address, name, version=version),
            label=f"{what} for {name} at {address}", role=role, listen_s=LISTEN_S, shows=self.shows, trial=trial,
            at_once=at_once,
        )  # fmt: skip

    def _unknown(self, address: str) -> Send:
        return Send(
            self._datagram(address, None), label=f"an unknown version at {address}", role="control", listen_s=LISTEN_S,
            shows=self.shows, trial=next(self.trials),
        )  # fmt: skip

    def _datagram(
        self, address: str, name: str | None, *, version: int = quic_bytes.VERSION_1, ttl_hops: int | None = None
    ) -> Datagram:
        """Fresh ids and keys for every connection: servers tell connections apart by them."""
        seed = hash_of(self.target, next(self.drawn))
        if name is None:
            payload = quic_bytes.unknown(seed=seed)
        else:
            payload = quic_bytes.initial(name, seed=seed, version=version, alpn=self.alpn)
        copies, gap_s = (COPIES, GAP_S) if ttl_hops is None else (LIMITED_COPIES, LIMITED_GAP_S)
        return Datagram(
            address=address, port=self.port, payload=payload, name=name, copies=copies, gap_s=gap_s, ttl_hops=ttl_hops
        )


def hash_of(target: Target, number: int) -> int:
    """A number that depends on the seed and the target's name, and on nothing else."""
    return int.from_bytes(f"{target.seed}:{target.name}:{number}".encode(), "big")


def _ends(replies: Replies) -> bool:
    """What came is no server's hello: a close, or a list of versions that the server may not have sent."""
    heard = read_initials((), (replies.heard,)) if replies.heard else None
    return heard is not None and (heard.version_negotiation is not None or len(replies.heard) < 1000)
