"""Two answers to one DNS query: which of them can be the resolver's, judged by what the resolver does otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from fingerprint.conversations.dns.answers import (
    IP_LEVEL,
    contradict,
    far_apart,
    gives,
    has_edns,
    is_bogon,
    is_teredo,
    of_another_type,
    unlike,
)
from fingerprint.conversations.dns.lookups import COPY_HOPS, COPY_WITHIN_S, DnsPacket, Lookup
from fingerprint.conversations.dns.resolvers import Resolver, look
from fingerprint.messages.dns import NOERROR, NXDOMAIN, outline

# Where both were measured, forged answers came at 0.13 to 0.5 of the round trip and honest ones at 0.96 or more.
SOONER_RATIO = 0.7
# Round trips below this are the capture point's own noise (scheduling, link); nothing can be sooner than them.
LEAST_RTT_S = 0.002
# The points of `oddity` from which no answer is taken for the resolver's: sooner than it could, or impossible content.
IMPLAUSIBLE = 3
# Stub resolvers repeat a query after 5 s (glibc, resolv.conf(5)) or 1 s (Windows): well below that nobody asked twice.
SOONEST_REPEAT_S = 0.3
# Answers of one transaction that are compared. Hoang et al. (USENIX Security 2021) saw three injectors on one path; a
# flood beyond this shows nothing more.
MOST_ANSWERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Contradicting answers in one transaction; ``genuine`` is None where none of them fits the resolver."""

    lookup: Lookup
    genuine: DnsPacket | None
    forged: tuple[DnsPacket, ...]
    differs_in: tuple[str, ...]  # header values that no resolver chooses, between forged and genuine
    more_than_asked: bool  # more answers than queries, so that a repeated query cannot explain them
    far_apart: bool  # the contents do not even share a network

    @property
    def false_addresses(self) -> tuple[str, ...]:
        """The addresses that only the forged answers give."""
        true = gives(self.genuine) if self.genuine else frozenset()
        return tuple(sorted({address for answer in self.forged for address in gives(answer)} - true))

    @property
    def two_senders(self) -> bool:
        """Whether the headers show two machines: a relay of two upstreams differs in one flag of the message."""
        return bool(IP_LEVEL & set(self.differs_in)) or len(self.differs_in) > 1

    @property
    def with_failure(self) -> bool:
        """Whether one of the answers only says that the resolver failed or refuses."""
        answers = (*self.forged, *([self.genuine] if self.genuine else []))
        return any(not a.addresses and a.head.rcode not in (NOERROR, NXDOMAIN) for a in answers)

    @property
    def denies(self) -> bool:
        """Whether the forged answers say that the name does not exist, and the genuine one gives it addresses."""
        named = self.genuine is not None and bool(self.genuine.addresses)
        return named and all(a.head.rcode == NXDOMAIN and not a.addresses for a in self.forged)

    @property
    def late(self) -> bool:
        """Whether the genuine answer came first, so that the forged one had no effect."""
        return self.genuine is not None and self.genuine.time_ns < min(a.time_ns for a in self.forged)


def race(lookup: Lookup, resolver: Resolver) -> Race | None:
    """The race in a transaction, or None where its answers can all come from one resolver."""
    answers = _one_a_datagram(lookup.distinct_answers[:MOST_ANSWERS])
    if lookup.protocol != "udp" or not any(contradict(a, b) for a, b in combinations(answers, 2)):
        return None
    oddities = [oddity(lookup, answer, resolver) for answer in answers]
    best = min(oddities)
    # The resolver cannot be forestalled by itself: of equally plausible answers the last is its own.
    at = len(oddities) - 1 - oddities[::-1].index(best)
    genuine = answers[at] if best < IMPLAUSIBLE else None
    forged = tuple(a for a in answers if contradict(a, genuine)) if genuine else answers
    if not forged:
        return None
    pairs = [(a, genuine) for a in forged] if genuine else list(combinations(forged, 2))
    differs_in = dict.fromkeys(word for a, b in _with_repeats(lookup, pairs) for word in unlike(a, b))
    if genuine and resolver.in_sequence(genuine) and not all(resolver.in_sequence(a) for a in forged):
        differs_in["IP ID sequence"] = None
    return Race(
        lookup=lookup,
        genuine=genuine,
        forged=forged,
        differs_in=tuple(differs_in),
        more_than_asked=_more_than_asked(lookup, answers),
        far_apart=all(far_apart(gives(a), gives(b)) for a, b in pairs),
    )


def _with_repeats(lookup: Lookup, pairs: list[tuple[DnsPacket, DnsPacket]]) -> list[tuple[DnsPacket, DnsPacket]]:
    """The pairs, and for every repeat of a first its own pair: equal messages may come under other IP headers."""
    repeats = [a for a in lookup.answers[:MOST_ANSWERS] if a.copy_of is None]
    return [(same, b) for a, b in pairs for same in repeats if same.raw == a.raw] + pairs


def oddity(lookup: Lookup, answer: DnsPacket, resolver: Resolver) -> int:
    """How badly an answer fits the resolver and the question; 0 where nothing speaks against it."""
    points = 4 * of_another_type(lookup, answer)
    originals = [a for a in lookup.answers[:MOST_ANSWERS] if a.copy_of is None]
    given = gives(answer)
    points += 4 * any(is_bogon(address) or is_teredo(address) for address in given)
    floor = resolver.floor(lookup.name)
    if lookup.queries and floor and floor.rtt_s > LEAST_RTT_S:
        took_s = (answer.time_ns - lookup.queries[0].time_ns) / 1e9
        points += 3 * (took_s < SOONER_RATIO * floor.rtt_s)
    habit = resolver.habit(lookup.name)
    if habit:
        points += sum(mine != usual for mine, usual in zip(look(answer), habit.look, strict=True))
        points += bool(answer.head.flags & 0x0400) and not resolver.claims_authority
    points += lookup.asked_times > 0 and sum(a.raw == answer.raw for a in originals) > lookup.asked_times
    if any(resolver.in_sequence(a) for a in originals):
        points += not any(resolver.in_sequence(a) for a in originals if a.raw == answer.raw)
    points += not outline(answer.raw).whole
    if lookup.queries:
        asked = lookup.queries[0]
        points += asked.head.asked != answer.head.asked
        points += has_edns(asked) and not has_edns(answer)
    return points


def _more_than_asked(lookup: Lookup, answers: tuple[DnsPacket, ...]) -> bool:
    """More answers than queries; where no query was captured, answers closer together than a query is repeated."""
    if lookup.asked_times:
        return sum(a.copy_of is None for a in lookup.answers) > lookup.asked_times
    return answers[-1].time_ns - answers[0].time_ns < SOONEST_REPEAT_S * 1e9


def _one_a_datagram(answers: tuple[DnsPacket, ...]) -> tuple[DnsPacket, ...]:
    """One of two versions of one datagram, rewritten by the host that captured both: same IP ID, nearly same TTL."""
    kept: list[DnsPacket] = []
    for answer in answers:
        if not any(
            answer.ip_id
            and (answer.ip_id, answer.ip_flags) == (k.ip_id, k.ip_flags)
            and 0 < abs(answer.ttl_hops - k.ttl_hops) <= COPY_HOPS
            and answer.time_ns - k.time_ns < COPY_WITHIN_S * 1e9
            for k in kept
        ):
            kept.append(answer)
    return tuple(kept)
