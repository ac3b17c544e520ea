"""Queries for the target beside controls, to every resolver and to an address that runs none.

Each round asks every resolver over UDP and TCP, control first, for A and for AAAA. The address that runs no resolver is
the target's own web address: a host that the user named. A control is asked there first; if it is answered, a proxy
answers for every address, and nothing more is asked there. False answers are not visited: their hosts were not named.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count
from random import Random

from fingerprint.probing.sweep import Beam, control_sweep, mirror_sweep, trigger_sweep
from fingerprint.steps import Probe, Query, Replies, Send, Target
from fingerprint.technique import Clue

# Where no resolver runs only a box on the way answers: three round trips to a resolver are ample, and a timer's ticks.
NEARER, LEAST_S = 3, 0.3
# Letters of a name that nobody registered: 26 ** 16 of them exist.
LETTERS = 16


def never_registered(target: Target) -> str:
    """A name that was never registered, drawn from the seed."""
    draw = Random(f"{target.seed}:{target.name}:never registered")  # noqa: S311  # recorded in the script
    return "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=LETTERS)) + ".com"


class NamesAsked:
    """The steps, and what the answers so far have in common."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], repeats: int, answer_s: float) -> None:
        """``repeats`` rounds; ``answer_s`` is how long one query is waited for (the recorder goes on listening)."""
        self.target, self.shows = target, shows
        self.repeats, self.answer_s = repeats, answer_s
        names = target.shuffled(tuple(c.name for c in target.controls), "queries")
        self.controls = (*names, never_registered(target))
        self.trials = count(1)
        self.proxied: set[str] = set()
        self.odd: dict[str, str] = {}  # resolver → outcome of the target's query that was unlike the others
        self.silence = False
        self.rtt_s: dict[str, float] = {}
        self.given: dict[tuple[str, str, str], frozenset[str]] = {}  # (resolver, over, type) → addresses

    def steps(self) -> Probe:
        """Rounds of queries, then the place of whatever was odd. An address has no name to ask for."""
        if ":" in self.target.name or self.target.name.replace(".", "").isdigit():
            return
        for number in range(self.repeats):
            for resolver in self.target.shuffled(self.target.resolvers, f"resolvers {number}"):
                for over in ("udp", "tcp"):
                    yield from self._pair(resolver, over, number)
            for address in self.target.addresses[:2]:
                yield from self._no_resolver(address, number)
        if self.silence:
            yield self._ask(*self._first(), "udp", "A", "control", next(self.trials))
        for resolver, outcome in list(self._suspects().items())[:2]:
            beam = self._beam(resolver, outcome)
            way = yield from control_sweep(beam)
            located = yield from trigger_sweep(beam, way)
            if located is None and way.bound_hops:
                yield from mirror_sweep(beam, way)

    def _first(self) -> tuple[str, str]:
        where = (self.target.resolvers or self.target.addresses)[0]
        return where, self.controls[0]

    def _pair(self, resolver: str, over: str, number: int) -> Generator[Send, Replies | None, None]:
        """A control, then the target for A and AAAA, over one transport."""
        trial = next(self.trials)
        control = self.controls[(number + (over == "tcp")) % len(self.controls)]
        replies = yield self._ask(resolver, control, over, "A", "control", trial)
        if replies is None or replies.outcome in ("skipped", "failed"):
            return
        works = replies.passed
        if over == "udp" and replies.took_s is not None:
            self.rtt_s[resolver] = replies.took_s
        for rtype in ("A", "AAAA"):
            heard = yield self._ask(resolver, self.target.name, over, rtype, "target", trial)
            if heard is None:
                continue
            self.given[resolver, over, rtype] = frozenset(heard.answers)
            if works and not heard.passed and heard.outcome != "skipped":
                self.odd[resolver] = heard.outcome
                self.silence = True
        if over == "udp" and number == 0:
            yield self._ask(resolver, self.controls[-1], over, "A", "control", trial)

    def _no_resolver(self, address: str, number: int) -> Generator[Send, Replies | None, None]:
        if address in self.target.resolvers or address in self.proxied:
            return
        trial = next(self.trials)
        control = self.controls[number % max(1, len(self.controls) - 1)]
        replies = yield self._ask(address, control, "udp", "A", "control", trial)
        if replies is None or replies.outcome in ("skipped", "failed"):
            return
        if replies.passed:
            self.proxied.add(address)
            return
        heard = yield self._ask(address, self.target.name, "udp", "A", "target", trial)
        if heard is not None and heard.passed:
            self.odd[address] = heard.outcome
            # Silences of living names before and after the answer, or an address without a resolver is not shown.
            registered = self.controls[:-1] or self.controls
            for other in (registered * 2)[:2]:
                yield self._ask(address, other, "udp", "A", "control", trial)

    def _suspects(self) -> dict[str, str]:
        """Where the target's answers were unlike those of others: addresses without a resolver first."""
        found = {a: o for a, o in self.odd.items() if a not in self.target.resolvers} | self.odd
        over_tcp = {(r, t): g for (r, over, t), g in self.given.items() if over == "tcp" and g}
        for (resolver, over, rtype), given in self.given.items():
            true = over_tcp.get((resolver, rtype))
            if over == "udp" and true and not given & true:
                found.setdefault(resolver, "answered")
        for rtype in ("A", "AAAA"):
            answers = {r: g for (r, over, t), g in self.given.items() if over == "udp" and t == rtype and g}
            asked = {r: g for (r, over, t), g in self.given.items() if over == "udp" and t == rtype}
            for resolver, given in asked.items():
                if any(not given & other for other in answers.values()):
                    found.setdefault(resolver, "answered")
        return found

    def _beam(self, resolver: str, outcome: str) -> Beam:
        return Beam(
            message=lambda name, hops: Query(resolver=resolver, name=name, ttl_hops=hops),
            address=resolver,
            control=self.controls[0],
            trigger=self.target.name,
            full=outcome,
            what=f"query to {resolver}",
            hops=self.target.hops,
            rtt_s=self.rtt_s.get(resolver) or max(self.rtt_s.values(), default=self.answer_s / 2),
            trials=self.trials,
        )

    def _ask(self, resolver: str, name: str, over: str, rtype: str, role: str, trial: int) -> Send:
        return Send(
            self._query(resolver, name, over, rtype),
            label=f"{rtype} of {name} from {resolver} over {over}",
            role=role,
            listen_s=self.answer_s if resolver in self.target.resolvers else self._soon_s(),
            # A silence is no clue before it was repeated, so that it is asked again in any case.
            shows=() if self.odd.get(resolver, "answered") != "answered" else self.shows,
            trial=trial,
        )

    def _soon_s(self) -> float:
        """How long nobody's answer is waited for: whoever injects one stands nearer than the resolvers or as far."""
        return min(self.answer_s, max(LEAST_S, NEARER * max(self.rtt_s.values(), default=self.answer_s)))

    @staticmethod
    def _query(resolver: str, name: str, over: str, rtype: str) -> Query:
        return Query(resolver=resolver, name=name, rtype=rtype, over=over)
