"""One name as several resolvers show it, and what became of the addresses that they gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fingerprint.conversations.dns_answers import far_apart, gives, has_data, is_address_lookup, is_bogon, registrable
from fingerprint.conversations.dns_resolvers import Resolver
from fingerprint.conversations.lookups import Lookup
from fingerprint.conversations.segments import SYN, Segment
from fingerprint.conversations.streams import Stream

# RFC 9293 section 3.8.1 and RFC 6298: the third unanswered SYN comes 3 s after the first with the usual timers.
DEAD_SYNS = 3
# Answers compared per name and type, and repeats of one lookup that are looked at: rotation makes any number of the
# first, and of repeats the tenth adds nothing to a verdict.
VIEWS = 64
REPEATS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A lookup, and another of the same name and type through another resolver or protocol that excludes its answer."""

    lookup: Lookup
    other: Lookup

    @property
    def given(self) -> frozenset[str]:
        """The addresses of the lookup in question."""
        return gives(self.lookup.answers[0])

    @property
    def theirs(self) -> frozenset[str]:
        """The addresses of the other one."""
        return gives(self.other.answers[0])

    @property
    def udp_against_tcp(self) -> bool:
        """Whether one resolver is asked over UDP here and over TCP there."""
        return (
            self.lookup.resolver.address == self.other.resolver.address
            and (self.lookup.protocol, self.other.protocol) == ("udp", "tcp")
        )  # fmt: skip


def contradictions(found: Iterable[Lookup]) -> tuple[Contradiction, ...]:
    """For every lookup with one answer, the reference that excludes it: same resolver over TCP first, else another's.

    Only public addresses in another network are a reference. Those of one resolver over both protocols come first.
    """
    asked: dict[tuple[str, int], list[Lookup]] = {}
    for lookup in found:
        if len(lookup.distinct_answers) == 1 and is_address_lookup(lookup) and has_data(lookup.answers[0]):
            asked.setdefault((lookup.name, lookup.qtype), []).append(lookup)
    out = []
    for same in asked.values():
        views: dict[tuple[str, str, frozenset[str]], Lookup] = {}
        for lookup in same:
            if len(views) < VIEWS:
                views.setdefault((lookup.resolver.address, lookup.protocol, gives(lookup.answers[0])), lookup)
        if len({view[:2] for view in views}) < 2:
            continue
        repeats: Counter[tuple[str, str, str]] = Counter()
        for lookup in same:
            asker = (lookup.client.address, lookup.resolver.address, lookup.protocol)
            repeats[asker] += 1
            other = _reference(lookup, views) if repeats[asker] <= REPEATS else None
            if other is not None:
                out.append(Contradiction(lookup=lookup, other=other))
    return tuple(sorted(out, key=lambda c: (not c.udp_against_tcp, c.lookup.first_ns)))


def _reference(lookup: Lookup, views: dict[tuple[str, str, frozenset[str]], Lookup]) -> Lookup | None:
    mine = gives(lookup.answers[0])
    best: Lookup | None = None
    for (address, protocol, theirs), other in views.items():
        here = address == lookup.resolver.address
        if any(is_bogon(a) for a in theirs) or not far_apart(mine, theirs):
            continue
        if here and protocol == "tcp" and lookup.protocol == "udp":
            return other
        if not here and (best is None or (other.protocol == "udp" and best.protocol == "tcp")):
            best = other
    return best


class Disputed:
    """Addresses that evidence or another resolver disputes, and in which lookups they were given."""

    def __init__(self) -> None:
        self._lookups: dict[str, dict[str, Lookup]] = {}

    def add(self, lookup: Lookup, addresses: Iterable[str]) -> None:
        """Note that these addresses are no true answer to a lookup."""
        for address in addresses:
            self._lookups.setdefault(address, {}).setdefault(lookup.trial, lookup)

    def like(self, lookup: Lookup, addresses: Iterable[str]) -> tuple[Lookup, ...]:
        """Lookups of unrelated names, by the same client, in which all of these addresses are disputed."""
        gave = [self._lookups.get(address, {}) for address in addresses]
        label, client = registrable(lookup.name), lookup.client.address
        return tuple(
            x
            for trial, x in gave[0].items()
            if registrable(x.name) != label and x.client.address == client and all(trial in g for g in gave)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """Connections to the addresses of two answers: unanswered SYNs to the one, served streams of the other."""

    dead: tuple[Stream, ...]
    syns: int
    live: tuple[Stream, ...]

    @property
    def packets(self) -> tuple[Segment, ...]:
        """The first SYNs of every dead stream, and the first answer of a live one."""
        tried = (segment for stream in self.dead for segment in stream.from_client[:DEAD_SYNS])
        return (*tried, *self.live[0].from_server[:1])


def fates(contradiction: Contradiction, streams_of: Callable[[str], Iterable[Stream]]) -> Fates | None:
    """What became of both sides' addresses, or None unless one side is dead and the other serves that name."""
    lookup = contradiction.lookup
    client = lookup.client.address
    dead = [s for a in contradiction.given for s in streams_of(a) if s.client.address == client]
    if not dead or any(s.server_flags for s in dead):
        return None
    syns = sum(1 for s in dead for segment in s.from_client if segment.flags & SYN)
    live = [
        s
        for a in contradiction.theirs
        for s in streams_of(a)
        if s.client.address == client and s.server_bytes and s.name in (lookup.name, None)
    ]
    if syns < DEAD_SYNS or not live:
        return None
    return Fates(dead=tuple(dead), syns=syns, live=tuple(live))


def silent_to_others(
    resolver: Resolver, *, listen_s: float, queries: int
) -> tuple[tuple[Lookup, Sequence[Lookup]], ...]:
    """Answered lookups at an address that left queries for unrelated names unanswered before and after.

    Empty where any name was both answered and not, where fewer than ``queries`` were watched for ``listen_s`` seconds,
    and where one authoritative zone could explain it: every answer with AA set, and all under one registered name.
    """
    udp = [x for x in resolver.lookups if x.protocol == "udp" and x.queries]
    answered = [x for x in udp if x.answers]
    silent = [x for x in udp if not x.answers and x.listened_s >= listen_s]
    if not answered or sum(x.asked_times for x in silent) < queries:
        return ()
    yes, no = {registrable(x.name) for x in answered}, {registrable(x.name) for x in udp if not x.answers}
    if yes & no or silent[0].first_ns > answered[-1].first_ns or silent[-1].first_ns < answered[0].first_ns:
        return ()
    if len(yes) == 1 and all(a.head.flags & 0x0400 for x in answered for a in x.answers):
        return ()
    return tuple((x, tuple(silent)) for x in answered)
