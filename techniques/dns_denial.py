"""Names that one resolver denies, refuses or leaves unanswered while others know them.

What it looks for
    NXDOMAIN or REFUSED for a name that another resolver answers with a public address, from a resolver that answers
    unrelated names; and queries for one name that are never answered, while the same resolver answers unrelated names
    before and after them and another resolver answers this one.

What it sends
    Nothing of its own: the queries of `dns-injection`, which ask every resolver for controls before and after.

When it is wrong
    Filtering resolvers deny names by their user's wish, and nothing in the packets tells them from a provider's: only a
    resolver in the address space that carriers use among themselves is certainly the provider's. Zones change and
    resolvers cache denials; a broken zone fails at some resolvers only, so SERVFAIL is never more than an observation.
    A lost query looks like a dropped one: it must have been repeated, and controls answered on both sides of it. Where
    no resolver runs, an injector answers some names and nobody the rest: another resolver, TCP or a CNAME must show it.

Papers
    Pearce et al., "Global Measurement of DNS Manipulation", USENIX Security 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fingerprint.conversations.dns_answers import gives, has_data, is_bogon, is_carriers, is_owned
from fingerprint.conversations.dns_races import LEAST_RTT_S, SOONER_RATIO
from fingerprint.conversations.dns_resolvers import Resolver, asked, look, resolvers
from fingerprint.conversations.dns_silence import is_shown
from fingerprint.conversations.lookups import Lookup
from fingerprint.messages.dns import NXDOMAIN, REFUSED, SERVFAIL
from fingerprint.technique import Cited, Clue, Facets, Finding, Inconclusive, Subject, Technique, Trigger, cite

if TYPE_CHECKING:
    from fingerprint.capture import Capture

# Each P(seen | hypothesis) is set by hand from the mechanism: no labelled frequencies were measured yet (n = 0).
DENIED = Clue(
    id="denied-here-known-elsewhere",
    says="{address} says that the name does not exist; {other} gives {theirs}",
    group="dns-denial",
    given={
        "dns.nxdomain": 0.9, "chosen-filter": 0.6, "corporate-proxy": 0.3, "captive-portal": 0.05,
        "local-network": 0.05, "ordinary": 0.003, "innocent": 0.001, "*": 0.003,
    },
    source="Pearce et al., USENIX Security 2017",
)  # fmt: skip
DENIED_BY_CARRIER = Clue(
    id="denied-by-the-carriers-resolver",
    says="{address}, in the carriers' shared address space, says that the name does not exist; {other} gives {theirs}",
    group="dns-denial",
    given={
        "dns.nxdomain": 0.9, "chosen-filter": 0.03, "captive-portal": 0.005, "ordinary": 0.003, "innocent": 0.001,
        "*": 0.003,
    },
    source="RFC 6598: 100.64.0.0/10 is for carriers' own use, so the user did not choose this resolver to filter",
)  # fmt: skip
DENIED_SOONER = Clue(
    id="denied-sooner-than-it-answers",
    says="denied {took:.1f} ms after the query; {samples} answers to other names took {floor:.1f} ms or more",
    group="dns-time",
    given={"dns.nxdomain": 0.6, "chosen-filter": 0.5, "innocent": 0.12, "*": 0.12},
    source="RFC 2308: denials are cached too, so this is weak",
)
REFUSED_HERE = Clue(
    id="refused-here-answered-elsewhere",
    says="{address} refuses this name and answers others; {other} gives {theirs}",
    group="dns-denial",
    given={"dns.refused": 0.9, "chosen-filter": 0.6, "corporate-proxy": 0.3, "innocent": 0.005, "*": 0.005},
    source="RFC 8914 section 4.16 to 4.19: resolvers refuse what they block, filter or censor",
)
FAILS_HERE = Clue(
    id="fails-here-answered-elsewhere",
    says="{address} fails for this name and answers others; {other} gives {theirs}",
    group="dns-denial",
    given={},
    source="RFC 2308 section 7.1: server failure",
)
UNANSWERED = Clue(
    id="only-this-name-is-unanswered",
    says="{silent} queries for the name stay unanswered, others before and after are answered; {other} gives {theirs}",
    group="dns-silence",
    given={
        "dns.timeout": 0.8, "chosen-filter": 0.01, "server-down": 0.005, "ordinary": 0.003, "congestion": 0.002,
        "loss": 0.002, "innocent": 0.001, "*": 0.003,
    },
    source="RFC 1035 section 7.2: a resolver answers or fails, it is not silent",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsDenial(Technique):
    """Thresholds: seconds of silence after a query, and queries that must have stayed unanswered."""

    clues = (DENIED, DENIED_BY_CARRIER, DENIED_SOONER, REFUSED_HERE, FAILS_HERE, UNANSWERED)
    reads_steps_of = ("dns-injection",)

    listen_s: float = 3.0
    silent_queries: int = 3

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every denied or unanswered lookup against one of the same name that was answered elsewhere."""
        of = resolvers(capture.lookups)
        known = _known(capture.lookups)
        for lookup in capture.lookups:
            rcodes = {answer.head.rcode for answer in lookup.answers}
            denied = len(rcodes) == 1 and rcodes <= {NXDOMAIN, REFUSED, SERVFAIL} and lookup.queries
            other = known.get(lookup.name) if denied or not lookup.answers else None
            resolver = asked(lookup, of)
            if other is None or other.resolver.address == resolver.address:
                continue
            if is_owned(resolver.client, resolver.address):
                why = f"{resolver.address} stands in the client's own network; its owner may filter by choice"
                yield Inconclusive(f"{lookup.name}: {why}", _packets(lookup), _subject(lookup))
            elif denied and resolver.answers_others(lookup.name):
                yield from _denied(lookup, other, resolver)
            elif not lookup.answers:
                yield from self._unanswered(lookup, other, resolver, capture.lookups)

    def _unanswered(
        self, lookup: Lookup, other: Lookup, resolver: Resolver, found: Sequence[Lookup]
    ) -> Iterator[Finding]:
        """A query that dies while others live, before and after it."""
        same = [x for x in resolver.of_name(lookup.name) if x.protocol == lookup.protocol]
        silent = sum(x.asked_times for x in same if x.listened_s >= self.listen_s)
        around = resolver.answered_around(lookup)
        if any(x.answers for x in same) or lookup.listened_s < self.listen_s or not around:
            return
        if silent < self.silent_queries:
            why = f"{lookup.name}: {silent} unanswered queries may be lost ones, want {self.silent_queries}"
            yield Inconclusive(why, _packets(lookup), _subject(lookup))
            return
        if not is_shown(resolver, found):
            why = f"{lookup.name}: nothing shows that {resolver.address} runs a resolver; injectors answer there too"
            yield Inconclusive(why, _packets(lookup), _subject(lookup))
            return
        controls = (p for x in around for p in x.packets)
        yield cite(
            UNANSWERED, _subject(lookup), *lookup.queries, *controls, *other.packets[:2],
            facets=_facets(lookup), silent=silent, other=other.resolver.address, theirs=_theirs(other),
        )  # fmt: skip


def _known(found: Sequence[Lookup]) -> Mapping[str, Lookup]:
    """For every name the first lookup that was answered with public addresses, once."""
    known: dict[str, Lookup] = {}
    for lookup in found:
        public = len(lookup.distinct_answers) == 1 and has_data(lookup.answers[0])
        if public and not any(is_bogon(address) for address in gives(lookup.answers[0])):
            known.setdefault(lookup.name, lookup)
    return known


def _denied(lookup: Lookup, other: Lookup, resolver: Resolver) -> Iterator[Finding]:
    """A negative answer that another resolver's positive one contradicts."""
    said = lookup.answers[0]
    clue = {REFUSED: REFUSED_HERE, SERVFAIL: FAILS_HERE}.get(said.head.rcode, DENIED)
    if clue is DENIED and is_carriers(resolver.address):
        clue = DENIED_BY_CARRIER
    habit = resolver.habit(lookup.name)
    own = habit is not None and look(said) == habit.look
    facets = _facets(lookup, position="resolver" if own else None)
    packets = (*lookup.queries[:1], said, *other.packets[:2])
    words: dict[str, Any] = {"address": resolver.address, "other": other.resolver.address, "theirs": _theirs(other)}
    yield cite(clue, _subject(lookup), *packets, facets=facets, disputes=(), **words)
    floor = resolver.floor(lookup.name)
    if said.head.rcode != NXDOMAIN or not floor or not lookup.rtt_s or floor.rtt_s < LEAST_RTT_S or floor.samples < 2:
        return
    if lookup.rtt_s < SOONER_RATIO * floor.rtt_s:
        yield cite(
            DENIED_SOONER, _subject(lookup), *packets[:2], *floor.packets, facets=facets, took=lookup.rtt_s * 1e3,
            floor=floor.rtt_s * 1e3, samples=floor.samples,
        )  # fmt: skip


def _facets(lookup: Lookup, *, position: str | None = None) -> Facets:
    return Facets(position=position, trigger=Trigger(field="dns.qname", value=lookup.name))


def _theirs(other: Lookup) -> str:
    return ", ".join(sorted(gives(other.answers[0]))[:3])


def _subject(lookup: Lookup) -> Subject:
    end = lookup.resolver
    return Subject(name=lookup.name, address=end.address, port=end.port, protocol="dns", trial=lookup.trial)


def _packets(lookup: Lookup) -> tuple[Cited, ...]:
    return tuple(sorted({Cited(p.capture, p.number) for p in lookup.packets}))
