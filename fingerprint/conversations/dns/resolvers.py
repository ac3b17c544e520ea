"""How a resolver answers when nobody interferes: its round trip, and the header values that never change.

One `Resolver` a (file, client, resolver address), over UDP. Only plain transactions count: one query, one answer.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from fingerprint.conversations.dns.answers import is_bogon, registrable
from fingerprint.conversations.dns.lookups import DnsPacket, Lookup

# RFC 6864 section 3: the IP ID need not count. Where it does, resolvers of the samples step by less than this between
# two answers to one client; a random one does so once in 32 times.
COUNTER_STEP = 2048

Look = tuple[int, int, int]  # IP TTL in hops, DF bit, RA bit
ResolverKey = tuple[int, str, str]  # file, client address, resolver address


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The smallest round trip in seconds that others of this resolver's answers took, and over how many."""

    rtt_s: float
    samples: int
    packets: tuple[DnsPacket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What the answers to other names look like: the value they share, and how many answers show it."""

    look: Look
    support: int
    packets: tuple[DnsPacket, ...]


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """The transactions of one client with one resolver."""

    capture: int
    client: str
    address: str
    lookups: list[Lookup] = field(default_factory=list)

    @cached_property
    def plain(self) -> tuple[Lookup, ...]:
        """One query, one answer, over UDP."""
        return tuple(
            lookup
            for lookup in self.lookups
            if lookup.protocol == "udp" and lookup.rtt_s is not None and len(lookup.distinct_answers) == 1
        )

    @cached_property
    def _looks(self) -> dict[str, Counter[Look]]:
        """Per registered label, how often its answers look how."""
        out: dict[str, Counter[Look]] = {}
        for lookup in self.plain:
            out.setdefault(registrable(lookup.name), Counter())[look(lookup.answers[0])] += 1
        return out

    @cached_property
    def _all_looks(self) -> Counter[Look]:
        return Counter(look(p.answers[0]) for p in self.plain)

    @cached_property
    def usual(self) -> Look | None:
        """The look of most answers to all names; None without a plain transaction."""
        return self._all_looks.most_common(1)[0][0] if self._all_looks else None

    @cached_property
    def _by_rtt(self) -> tuple[Lookup, ...]:
        """Plain transactions by round trip, without denials and without looks that are not the usual one."""
        usual = self.usual
        ordinary = (
            p
            for p in self.plain
            if not p.answers[0].head.rcode and (usual is None or look(p.answers[0])[:2] == usual[:2])
        )
        return tuple(sorted(ordinary, key=lambda lookup: lookup.rtt_s or 0.0))

    @cached_property
    def _fastest(self) -> tuple[Lookup, ...]:
        """The fastest plain transaction, and the fastest of all names unrelated to its name."""
        first = self._by_rtt[:1]
        label = registrable(first[0].name) if first else ""
        second = next((lookup for lookup in self._by_rtt if registrable(lookup.name) != label), None)
        return (*first, second) if second else first

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(registrable(lookup.name) for lookup in self._by_rtt)

    def floor(self, name: str) -> Floor | None:
        """The smallest round trip over the names that have nothing to do with ``name``."""
        label = registrable(name)
        other = next((lookup for lookup in self._fastest if registrable(lookup.name) != label), None)
        if other is None:
            return None
        samples = len(self._by_rtt) - self._counts[label]
        return Floor(rtt_s=other.rtt_s or 0.0, samples=samples, packets=other.queries + other.answers)

    def habit(self, name: str) -> Habit | None:
        """The look that most answers to unrelated names share; None where they are few or no two agree."""
        label = registrable(name)
        others = self._all_looks - self._looks.get(label, Counter())
        if not others:
            return None
        usual, support = others.most_common(1)[0]
        if support < 2 or support < 2 * (others.total() - support):
            return None
        shown = (p.answers[0] for p in self.plain if registrable(p.name) != label and look(p.answers[0]) == usual)
        return Habit(look=usual, support=support, packets=tuple(islice(shown, 2)))

    @cached_property
    def claims_authority(self) -> bool:
        """Whether any of its plain answers has AA set, as only the zone's own servers do (RFC 1035 section 4.1.1)."""
        return any(p.answers[0].head.flags & 0x0400 for p in self.plain)

    @cached_property
    def _ids(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(times, IP IDs) of plain answers, in order."""
        answers = sorted((p.answers[0].time_ns, p.answers[0].ip_id) for p in self.plain)
        return tuple(t for t, _ in answers), tuple(i for _, i in answers)

    def in_sequence(self, answer: DnsPacket) -> bool:
        """Whether an answer's IP ID lies where a counter stands between the plain answers before and after it."""
        times, ids = self._ids
        after = bisect(times, answer.time_ns)
        if not 0 < after < len(ids):
            return False
        step, mine = (ids[after] - ids[after - 1]) & 0xFFFF, (answer.ip_id - ids[after - 1]) & 0xFFFF
        return 0 < step <= COUNTER_STEP and mine <= step

    @cached_property
    def _names(self) -> dict[str, list[Lookup]]:
        out: dict[str, list[Lookup]] = {}
        for lookup in self.lookups:
            out.setdefault(lookup.name, []).append(lookup)
        return out

    def of_name(self, name: str) -> Sequence[Lookup]:
        """All transactions about one name."""
        return self._names.get(name, ())

    def answered_around(self, lookup: Lookup) -> tuple[Lookup, ...]:
        """The last answered lookup of an unrelated name before, and the first after; empty unless there are both."""
        label = registrable(lookup.name)
        before = after = None
        for p in self.plain:
            if registrable(p.name) == label or not p.answers[0].addresses:
                continue
            if p.first_ns < lookup.first_ns:
                before = p
            elif after is None:
                after = p
        return (before, after) if before and after else ()

    def answers_others(self, name: str) -> DnsPacket | None:
        """An answer that gives an unrelated name a public address, in a transaction that nothing disturbed."""
        label = registrable(name)
        return next((lookup.answers[0] for lookup in self._public if registrable(lookup.name) != label), None)

    @cached_property
    def _public(self) -> tuple[Lookup, ...]:
        """The first plain transaction of each registered label that gave nothing but public addresses."""
        first: dict[str, Lookup] = {}
        for lookup in self.plain:
            given = lookup.answers[0].addresses
            if given and registrable(lookup.name) not in first and not any(is_bogon(r.address) for r in given):
                first[registrable(lookup.name)] = lookup
        return tuple(first.values())


def look(answer: DnsPacket) -> Look:
    """The header values that a resolver does not vary from answer to answer."""
    return answer.ttl_hops, answer.ip_flags & 2, answer.head.flags & 0x0080


def look_text(shown: Look) -> str:
    """A look as a sentence has it: ``(60, 1, 1)``."""
    ttl_hops, dont_fragment, recursion = shown
    return f"({ttl_hops}, {int(dont_fragment > 0)}, {int(recursion > 0)})"


Resolvers = Mapping[ResolverKey, Resolver]


def asked(lookup: Lookup, of: Resolvers) -> Resolver:
    """The resolver that a lookup asked."""
    return of[lookup.capture, lookup.client.address, lookup.resolver.address]


def resolvers(found: Iterable[Lookup]) -> dict[ResolverKey, Resolver]:
    """All resolvers, by file, client address and resolver address."""
    out: dict[ResolverKey, Resolver] = {}
    for lookup in found:
        key = (lookup.capture, lookup.client.address, lookup.resolver.address)
        if key not in out:
            out[key] = Resolver(capture=key[0], client=key[1], address=key[2])
        out[key].lookups.append(lookup)
    return out
