"""One name as several resolvers show it, and what became of the addresses that they gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fingerprint.conversations.dns.answers import (
    far_apart,
    gives,
    has_data,
    is_address_lookup,
    is_bogon,
    network,
    registrable,
)
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.segments import RST, SYN, Segment
from fingerprint.conversations.streams import Stream

# RFC 9293 section 3.8.1 and RFC 6298: the third unanswered SYN comes 3 s after the first with the usual timers.
DEAD_SYNS = 3
# Answers compared per name and type, and repeats of one lookup that are looked at: rotation makes any number of the
# first, and of repeats the tenth adds nothing to a verdict.
VIEWS = 64
REPEATS = 20
# RFC 8446: ServerHello, EncryptedExtensions, Certificate and Finished; an alert, or a resumed handshake that then dies,
# is shorter.
SERVED_BYTES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A lookup, and another of the same name and type through another resolver or protocol that excludes its answer."""

    lookup: Lookup
    other: Lookup
    views: tuple[Lookup, ...]  # the first lookup of every resolver, protocol and content; this client's only

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

    @property
    def agreeing(self) -> tuple[Lookup, ...]:
        """Views of other resolvers that give exactly the reference's addresses, one a network of resolvers."""
        here = self.lookup.resolver.address
        same = (v for v in self.views if v.resolver.address != here and gives(v.answers[0]) == self.theirs)
        return tuple({network(v.resolver.address): v for v in same}.values())

    @property
    def alone(self) -> bool:
        """Whether this resolver always gives the disputed addresses, and every other one just the reference's."""
        here = self.lookup.resolver.address
        return all(
            gives(v.answers[0]) == (self.given if v.resolver.address == here else self.theirs) for v in self.views
        )

    @property
    def changed_alike(self) -> tuple[tuple[Lookup, Lookup], ...]:
        """(over UDP, over TCP) of each resolver, one a network, that gives the disputed over UDP, the other over TCP.

        Empty where any answer breaks the rule.
        """
        over = {(v.resolver.address, v.protocol): v for v in self.views}
        told = (gives(v.answers[0]) == (self.given if v.protocol == "udp" else self.theirs) for v in self.views)
        if not all(told):
            return ()
        pairs = {
            network(address): (udp, over[address, "tcp"])
            for (address, protocol), udp in over.items()
            if protocol == "udp" and (address, "tcp") in over
        }
        return tuple(pairs.values())

    @property
    def direct(self) -> bool:
        """Whether both sides answer with address records alone: content networks are entered through a CNAME."""
        answers = (self.lookup.answers[0], self.other.answers[0])
        return all(a.head.answers == len(a.addresses) for a in answers)


def contradictions(found: Iterable[Lookup]) -> tuple[Contradiction, ...]:
    """For every lookup with one answer, the reference that excludes it: same resolver over TCP first, else another's.

    Only public addresses in another network are a reference. Those of one resolver over both protocols come first.
    """
    asked: dict[tuple[str, int, str], list[Lookup]] = {}
    for lookup in found:
        if len(lookup.distinct_answers) == 1 and is_address_lookup(lookup) and has_data(lookup.answers[0]):
            asked.setdefault((lookup.name, lookup.qtype, lookup.client.address), []).append(lookup)
    out = []
    for same in asked.values():
        views: dict[tuple[str, str, frozenset[str]], Lookup] = {}
        for lookup in same:
            if len(views) < VIEWS:
                views.setdefault((lookup.resolver.address, lookup.protocol, gives(lookup.answers[0])), lookup)
        if len({view[:2] for view in views}) < 2:
            continue
        repeats: Counter[tuple[str, str]] = Counter()
        for lookup in same:
            asker = (lookup.resolver.address, lookup.protocol)
            repeats[asker] += 1
            other = _reference(lookup, views) if repeats[asker] <= REPEATS else None
            if other is not None:
                out.append(Contradiction(lookup=lookup, other=other, views=tuple(views.values())))
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


def serves(name: str, client: str, addresses: Iterable[str], streams_of: Callable[[str], Iterable[Stream]]) -> bool:
    """Whether a TLS handshake under that name was carried through at one of the addresses, and data followed."""
    return any(
        s.name == name and s.protocol == "tls" and s.client.address == client
        and s.server_bytes >= SERVED_BYTES and not s.server_flags & RST
        for a in addresses
        for s in streams_of(a)
    )  # fmt: skip


def agreed_names(found: Iterable[Lookup]) -> dict[tuple[str, str], frozenset[str]]:
    """(client, resolver) → registered labels for which another resolver gave one of the same addresses."""
    gave: dict[tuple[str, str, str], set[str]] = {}
    for lookup in found:
        for address in lookup.addresses:
            key = (lookup.client.address, lookup.name, address)
            gave.setdefault(key, set()).add(lookup.resolver.address)
    out: dict[tuple[str, str], set[str]] = {}
    for (client, name, _), who in gave.items():
        if len(who) > 1:
            for resolver in who:
                out.setdefault((client, resolver), set()).add(registrable(name))
    return {key: frozenset(labels) for key, labels in out.items()}
