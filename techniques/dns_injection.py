"""False DNS answers, however they were made: raced, substituted on the way, or given by the resolver itself.

What it looks for
    Two answers to one query that cannot both come from the resolver; an answer sooner than the resolver's round trip;
    an answer from an address that runs no resolver; addresses though another type was asked for; and one name for which
    resolvers, or UDP and TCP of one resolver, contradict each other, where one side's address is a bogon, is dead while
    the other's lives, or is known from forged answers.

What it sends
    Nothing yet: it reads the lookups of any capture.

When it is wrong
    A stub that retransmits gets two honest answers, and rotation makes them differ: answers of a race must outnumber
    the queries and differ in something that no resolver chooses. Content distribution makes honest resolvers differ, so
    difference alone is no evidence. A resolver in the client's own network may filter by its owner's wish, a captive
    portal answers every name alike: neither is claimed. A cache is faster than its upstream: being soon is weak alone.

Papers
    Duan et al., "Hold-On: Protecting Against On-Path DNS Poisoning", SATIN 2012. Hoang et al., "How Great is the Great
    Firewall? Measuring China's DNS Censorship", USENIX Security 2021. Pearce et al., "Global Measurement of DNS
    Manipulation", USENIX Security 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fingerprint.conversations.dns_answers import (
    gives,
    is_bogon,
    is_nowhere,
    is_owned,
    is_teredo,
    of_another_type,
)
from fingerprint.conversations.dns_races import LEAST_RTT_S, SOONER_RATIO, Race, race
from fingerprint.conversations.dns_resolvers import Resolver, look, resolvers
from fingerprint.conversations.dns_views import (
    DEAD_SYNS,
    Contradiction,
    Disputed,
    answers_all_alike,
    contradictions,
    fates,
    silent_to_others,
)
from fingerprint.conversations.lookups import Lookup
from fingerprint.technique import (
    Cited,
    Clue,
    Evidence,
    Facets,
    Finding,
    Inconclusive,
    Subject,
    Technique,
    Trigger,
    cite,
)

if TYPE_CHECKING:
    from fingerprint.capture import Capture

HAND_SET = "set by hand from the mechanism; no labelled frequencies yet"

TWO_ANSWERS = Clue(
    id="two-answers-no-one-resolver-gives",
    says="{count} contradicting answers to one query, {first} first; they differ in {differs}",
    group="dns-answers",
    given={"dns.injection": 0.5, "local-network": 0.001, "innocent": 0.0003, "*": 0.0003},
    source="Duan et al., SATIN 2012; " + HAND_SET,
)
TWO_ANSWERS_ALIKE = Clue(
    id="two-contradicting-answers",
    says="{count} contradicting answers to one query, {first} first, with equal headers",
    group="dns-answers",
    given={"dns.injection": 0.2, "local-network": 0.01, "innocent": 0.003, "*": 0.003},
    source="Duan et al., SATIN 2012; " + HAND_SET,
)
OF_ANOTHER_TYPE = Clue(
    id="addresses-of-another-type",
    says="asked for type {asked}, answered with {given}",
    group="dns-type",
    given={"dns.injection": 0.2, "local-network": 0.004, "innocent": 0.001, "*": 0.001},
    source="Hoang et al., USENIX Security 2021; " + HAND_SET,
)
TEREDO = Clue(
    id="teredo-address-answered",
    says="answered with the Teredo address {given}, behind which no service runs",
    group="dns-type",
    given={"dns.injection": 0.1, "innocent": 0.001, "*": 0.001},
    source="RFC 4380 section 2.6; Hoang et al., USENIX Security 2021; " + HAND_SET,
)
SOONER = Clue(
    id="sooner-than-the-resolver-could",
    says="answered {took:.1f} ms after the query; handshakes with the resolver take {floor:.1f} ms",
    group="dns-time",
    given={
        "dns.injection": 0.6,
        "local-network": 0.05,
        "chosen-filter": 0.05,
        "split-tcp": 0.05,
        "innocent": 0.02,
        "*": 0.02,
    },
    source="timing of forged and honest answers; " + HAND_SET,
)  # fmt: skip
SOONER_THAN_OTHERS = Clue(
    id="sooner-than-its-other-answers",
    says="answered {took:.1f} ms after the query; {samples} answers to other names took {floor:.1f} ms or more",
    group="dns-time",
    given={"dns.injection": 0.6, "local-network": 0.2, "chosen-filter": 0.2, "innocent": 0.08, "*": 0.08},
    source="a cache is faster than its upstream, so this is weak; " + HAND_SET,
)
UNLIKE_THE_RESOLVER = Clue(
    id="header-unlike-the-resolvers-others",
    says="(IP TTL, DF, RA) {mine} where {support} answers to other names show {usual}",
    group="dns-header",
    given={"dns.injection": 0.5, "local-network": 0.1, "innocent": 0.06, "*": 0.06},
    source="anycast and load balancing change TTLs too, so this is weak; " + HAND_SET,
)
NO_RESOLVER_THERE = Clue(
    id="answer-from-no-resolver",
    says="{address} answers this name and left {silent} queries for {names} unanswered before and after",
    group="dns-no-resolver",
    given={"dns.injection": 0.6, "loss": 0.01, "innocent": 0.005, "*": 0.005},
    source="FIELD: a query to an address without a resolver is answered by nobody but an injector; " + HAND_SET,
)
CONTRADICTED = Clue(
    id="contradicted-by-another-resolver",
    says="{address} gives {given}; {other} gives {theirs}, in another network",
    group="dns-content",
    given={
        "dns.injection": 0.9,
        "chosen-filter": 0.9,
        "captive-portal": 0.5,
        "corporate-proxy": 0.5,
        "innocent": 0.15,
        "*": 0.15,
    },
    source="Pearce et al., USENIX Security 2017; " + HAND_SET,
)  # fmt: skip
UDP_UNLIKE_TCP = Clue(
    id="udp-contradicted-by-tcp",
    says="{address} gives {given} over UDP and {theirs} over TCP",
    group="dns-content",
    given={
        "dns.injection": 0.8,
        "chosen-filter": 0.06,
        "local-network": 0.1,
        "corporate-proxy": 0.2,
        "innocent": 0.06,
        "*": 0.06,
    },
    source="injectors seldom follow TCP; " + HAND_SET,
)  # fmt: skip
BOGON = Clue(
    id="bogon-beside-public-address",
    says="{address} gives {given}, which no public service can have; {other} gives {theirs}",
    group="dns-content",
    given={
        "dns.injection.bogon": 0.6,
        "chosen-filter": 0.06,
        "captive-portal": 0.2,
        "corporate-proxy": 0.06,
        "local-network": 0.06,
        "innocent": 0.002,
        "*": 0.002,
    },
    source="RFC 6890; " + HAND_SET,
)  # fmt: skip
NOWHERE = Clue(
    id="null-address-beside-public-address",
    says="{address} gives {given}, as filters do to say nowhere; {other} gives {theirs}",
    group="dns-content",
    given={
        "dns.injection.bogon": 0.6,
        "chosen-filter": 0.5,
        "captive-portal": 0.01,
        "corporate-proxy": 0.2,
        "innocent": 0.002,
        "*": 0.002,
    },
    source="RFC 1122 section 3.2.1.3; " + HAND_SET,
)  # fmt: skip
DEAD_BESIDE_LIVE = Clue(
    id="answered-address-is-dead",
    says="{syns} SYNs to {given} stay unanswered; {theirs}, which {other} gives, serves",
    group="dns-liveness",
    given={
        "dns.injection": 0.5,
        "ordinary": 0.003,
        "server-down": 0.006,
        "path-failure": 0.008,
        "chosen-filter": 0.004,
        "captive-portal": 0.004,
        "innocent": 0.002,
        "*": 0.003,
    },
    source="filters point to pages that answer, forgers often to addresses that do not; " + HAND_SET,
)  # fmt: skip
ZERO_TTL = Clue(
    id="record-ttl-of-zero",
    says="{address} gives {given} with a record TTL of 0 s, as for made-up records; {other} caches the name for {theirs_s} s",
    group="dns-record",
    given={"dns.injection": 0.15, "chosen-filter": 0.3, "captive-portal": 0.3, "innocent": 0.01, "*": 0.01},
    source="RFC 1035 section 3.2.1: a record of TTL 0 is not cached; " + HAND_SET,
)
FORGED_ELSEWHERE = Clue(
    id="address-of-other-forged-answers",
    says="{given} is also what disputed answers to {names} gave",
    group="dns-reuse",
    given={"dns.injection": 0.5, "chosen-filter": 0.2, "corporate-proxy": 0.2, "innocent": 0.02, "*": 0.02},
    source="Hoang et al., USENIX Security 2021: injectors draw from small pools; " + HAND_SET,
)
GIVES_BOGON = Clue(
    id="false-address-is-a-bogon",
    says="the false address {given} is private, reserved or local",
    group="dns-kind",
    given={"dns.injection.bogon": 0.9, "dns.injection": 0.005, "*": 0.9},
    source="RFC 6890; definition of the node",
)
GIVES_OTHER = Clue(
    id="false-answer-is-no-known-page",
    says="the false answer gives {given}, neither a bogon nor a known block page",
    group="dns-kind",
    given={"dns.injection.other": 0.9, "dns.injection": 0.005, "*": 0.9},
    source="definition of the node",
)

Resolvers = Mapping[tuple[int, str, str], Resolver]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsInjection(Technique):
    """Thresholds: how long a silence must be watched, what counts as sooner, and how many silences make no resolver."""

    clues = (
        TWO_ANSWERS, TWO_ANSWERS_ALIKE, OF_ANOTHER_TYPE, TEREDO, SOONER, SOONER_THAN_OTHERS, UNLIKE_THE_RESOLVER,
        NO_RESOLVER_THERE, CONTRADICTED, UDP_UNLIKE_TCP, BOGON, NOWHERE, DEAD_BESIDE_LIVE, ZERO_TTL, FORGED_ELSEWHERE,
        GIVES_BOGON, GIVES_OTHER,
    )  # fmt: skip

    listen_s: float = 2.0
    sooner_ratio: float = SOONER_RATIO
    silent_queries: int = 3

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Races and impossible answers first; what they dispute then helps to read the contradictions."""
        found = tuple(lookup for lookup in capture.lookups if lookup.name and lookup.answers)
        of = resolvers(capture.lookups)
        disputed = Disputed()
        seen: dict[str, list[Finding]] = {}

        def note(lookup: Lookup, *findings: Finding) -> None:
            seen.setdefault(lookup.trial, []).extend(findings)
            for finding in findings:
                if isinstance(finding, Evidence):
                    disputed.add(lookup, finding.disputes)

        for lookup in found:
            note(lookup, *_raced(lookup, _asked(lookup, of)), *_impossible(lookup, _asked(lookup, of)))
        for resolver in of.values():
            for lookup, silent in silent_to_others(resolver, listen_s=self.listen_s, queries=self.silent_queries):
                note(lookup, _from_no_resolver(lookup, resolver, silent))
        for contradiction in contradictions(found):
            lookup = contradiction.lookup
            note(lookup, *_contradicted(contradiction, _asked(lookup, of), capture, disputed))
        yield from self._joined(found, of, capture, seen)

    def _joined(
        self, found: Sequence[Lookup], of: Resolvers, capture: Capture, seen: Mapping[str, Sequence[Finding]]
    ) -> Iterator[Finding]:
        """Evidence of every lookup with what time and headers add to it.

        Being soon, or looking odd, is ordinary for caches and for anycast; both together, or beside more, are not.
        """
        suspects = {(x.name, x.resolver.address) for x in found if any(isinstance(f, Evidence) for f in seen[x.trial])}
        names = {name for name, _ in suspects}
        for lookup in found:
            evidence = [f for f in seen[lookup.trial] if isinstance(f, Evidence)]
            support = tuple(self._support(lookup, _asked(lookup, of), capture))
            if evidence or len(support) > 1 or (lookup.name, lookup.resolver.address) in suspects:
                yield from support
                yield from evidence
            if evidence or len(support) > 1:
                yield _kind(lookup, (*evidence, *support))
            elif lookup.name not in names:
                yield from seen[lookup.trial][:1]

    def _support(self, lookup: Lookup, resolver: Resolver, capture: Capture) -> Iterator[Evidence]:
        """What time and headers say of the first answer to one query."""
        if lookup.protocol != "udp" or lookup.rtt_s is None or is_owned(resolver.client, resolver.address):
            return
        first = lookup.answers[0]
        facets = Facets(trigger=_trigger(lookup, resolver))
        false = sorted(gives(first))
        floor, shake_s = resolver.floor(lookup.name), min(capture.rtt_samples(resolver.address), default=0.0)
        if floor and floor.rtt_s > LEAST_RTT_S and lookup.rtt_s < self.sooner_ratio * floor.rtt_s:
            took, packets = lookup.rtt_s * 1e3, (lookup.queries[0], first, *floor.packets)
            by_handshake = lookup.rtt_s < self.sooner_ratio * shake_s and floor.rtt_s > self.sooner_ratio * shake_s
            if by_handshake:
                words = {"took": took, "floor": shake_s * 1e3}
                yield cite(SOONER, _subject(lookup), *packets, facets=facets, disputes=false, **words)
            elif floor.samples > 1:
                words = {"took": took, "floor": floor.rtt_s * 1e3, "samples": floor.samples}
                yield cite(SOONER_THAN_OTHERS, _subject(lookup), *packets, facets=facets, disputes=false, **words)
        habit = resolver.habit(lookup.name)
        if habit and look(first) != habit.look:
            yield cite(
                UNLIKE_THE_RESOLVER, _subject(lookup), first, *habit.packets, facets=facets, disputes=false,
                mine=_look(look(first)), usual=_look(habit.look), support=habit.support,
            )  # fmt: skip


def _raced(lookup: Lookup, resolver: Resolver) -> Iterator[Finding]:
    """Two answers where one resolver gives one."""
    run = race(lookup, resolver) if len(lookup.answers) > 1 else None
    if run is None:
        return
    if not run.more_than_asked:
        why = f"{lookup.name}: contradicting answers, but no more of them than queries: a repeated query explains them"
        yield Inconclusive(why, _cited(lookup), _subject(lookup))
        return
    if not run.differs_in and not run.far_apart:
        why = (
            f"{lookup.name}: two answers that differ within one network and have equal headers: rotation explains them"
        )
        yield Inconclusive(why, _cited(lookup), _subject(lookup))
        return
    first = f"{1e3 * (lookup.rtt_s or 0.0):.1f} ms after the query the {'genuine' if run.late else 'forged'} one"
    yield cite(
        TWO_ANSWERS if run.differs_in else TWO_ANSWERS_ALIKE,
        _subject(lookup),
        lookup.queries[0],
        *run.forged,
        *([run.genuine] if run.genuine else []),
        facets=Facets(position="on-path" if run.genuine else None, trigger=_trigger(lookup, resolver)),
        disputes=_false(run),
        count=len(run.forged) + bool(run.genuine),
        first=first,
        differs=", ".join(run.differs_in),
    )


def _false(run: Race) -> list[str]:
    true = gives(run.genuine) if run.genuine else frozenset()
    return sorted({address for answer in run.forged for address in gives(answer)} - true)


def _impossible(lookup: Lookup, resolver: Resolver) -> Iterator[Evidence]:
    """Addresses that do not answer the question, or that nobody serves from."""
    facets = Facets(trigger=_trigger(lookup, resolver))
    for answer in lookup.distinct_answers:
        given = sorted(gives(answer))
        teredo = [address for address in given if is_teredo(address)]
        clue = OF_ANOTHER_TYPE if of_another_type(lookup, answer) else TEREDO if teredo else None
        if clue:
            words: dict[str, object] = {"asked": lookup.qtype, "given": ", ".join(given)}
            yield cite(clue, _subject(lookup), *lookup.queries[:1], answer, facets=facets, disputes=given, **words)


def _from_no_resolver(lookup: Lookup, resolver: Resolver, silent: Sequence[Lookup]) -> Evidence:
    """An answer where nobody answers anything else."""
    return cite(
        NO_RESOLVER_THERE, _subject(lookup), *lookup.queries[:1], lookup.answers[0],
        *(q for x in silent[:8] for q in x.queries[:1]),
        facets=Facets(trigger=Trigger(field="dns.qname", value=lookup.name)), disputes=lookup.addresses,
        address=resolver.address, silent=sum(x.asked_times for x in silent),
        names=_some(sorted({x.name for x in silent})),
    )  # fmt: skip


def _contradicted(
    against: Contradiction, resolver: Resolver, capture: Capture, disputed: Disputed
) -> Iterator[Finding]:
    """Evidence if more than the difference speaks against the lookup's answer."""
    lookup, given = against.lookup, sorted(against.given)
    fate, reuse = fates(against, capture), disputed.like(lookup, given)
    bogon = all(is_bogon(address) for address in given)
    by_protocol = against.udp_against_tcp
    packets = (*lookup.queries[:1], lookup.answers[0], *against.other.queries[:1], against.other.answers[0])
    if not (fate or reuse or bogon or by_protocol):
        why = f"{lookup.name}: resolvers differ, as they do for content networks; nothing says which is false"
        yield Inconclusive(why, _cited(lookup), _subject(lookup))
        return
    if is_owned(resolver.client, resolver.address):
        why = f"{lookup.name}: {resolver.address} stands in the client's own network; its owner may filter by choice"
        yield Inconclusive(why, _cited(lookup), _subject(lookup))
        return
    if bogon and answers_all_alike(resolver):
        why = f"{resolver.address} gives every name {_some(given)}: a captive portal or a closed network"
        yield Inconclusive(why, _cited(lookup), _subject(lookup))
        return
    words: dict[str, object] = {
        "address": resolver.address,
        "given": _some(given),
        "other": f"{against.other.resolver.address} over {against.other.protocol.upper()}",
        "theirs": _some(sorted(against.theirs)),
    }
    facets = Facets(position=_position(against, resolver), trigger=_trigger(lookup, resolver))
    nowhere = all(is_nowhere(address) for address in given)
    clue = NOWHERE if nowhere else BOGON if bogon else UDP_UNLIKE_TCP if by_protocol else CONTRADICTED
    yield cite(clue, _subject(lookup), *packets, facets=facets, disputes=given, **words)
    if fate:
        tried = tuple(s for stream in fate.dead for s in stream.from_client[:DEAD_SYNS])
        served = fate.live[0].from_server[:1]
        words |= {"syns": fate.syns}
        yield cite(
            DEAD_BESIDE_LIVE, _subject(lookup), *packets, *tried, *served, facets=facets, disputes=given, **words
        )
    if not any(r.ttl_s for r in lookup.answers[0].addresses):
        theirs_s = max(r.ttl_s for r in against.other.answers[0].addresses)
        if theirs_s:
            words |= {"theirs_s": theirs_s}
            yield cite(ZERO_TTL, _subject(lookup), *packets, facets=facets, disputes=given, **words)
    if reuse:
        words |= {"names": _some(sorted({x.name for x in reuse}))}
        yield cite(
            FORGED_ELSEWHERE, _subject(lookup), *packets, reuse[0].answers[0], facets=facets, disputes=given, **words
        )


def _position(against: Contradiction, resolver: Resolver) -> str | None:
    """In-path if only one protocol of the resolver is false; the resolver if the answer bears its usual headers."""
    if against.udp_against_tcp:
        return "in-path"
    habit = resolver.habit(against.lookup.name)
    own = habit is not None and look(against.lookup.answers[0]) == habit.look
    return "resolver" if own and against.other.protocol == against.lookup.protocol == "udp" else None


def _kind(lookup: Lookup, evidence: Sequence[Evidence]) -> Evidence:
    """Which leaf the false addresses speak for."""
    false = sorted({address for e in evidence for address in e.disputes})
    packets = tuple(a for a in lookup.answers if gives(a) & set(false)) or lookup.answers[:1]
    clue = GIVES_BOGON if any(is_bogon(address) for address in false) else GIVES_OTHER
    return cite(clue, _subject(lookup), *packets, disputes=false, given=_some(false) or "no address")


def _subject(lookup: Lookup) -> Subject:
    end = lookup.resolver
    return Subject(name=lookup.name, address=end.address, port=end.port, protocol="dns", trial=lookup.trial)


def _trigger(lookup: Lookup, resolver: Resolver) -> Trigger | None:
    """The name, if the same resolver answers an unrelated one undisturbed."""
    return Trigger(field="dns.qname", value=lookup.name) if resolver.answers_others(lookup.name) else None


def _cited(lookup: Lookup) -> tuple[Cited, ...]:
    return tuple(sorted({Cited(p.capture, p.number) for p in lookup.packets}))


def _asked(lookup: Lookup, of: Resolvers) -> Resolver:
    return of[lookup.capture, lookup.client.address, lookup.resolver.address]


def _look(shown: tuple[int, int, int]) -> str:
    ttl_hops, dont_fragment, recursion = shown
    return f"({ttl_hops}, {int(dont_fragment > 0)}, {int(recursion > 0)})"


def _some(words: Sequence[str]) -> str:
    """The first few of a list, as a sentence has them."""
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
