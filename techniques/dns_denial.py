"""Names that one resolver denies, refuses or leaves unanswered while others know them.

What it looks for
    NXDOMAIN, REFUSED or SERVFAIL for a name that another resolver answers with a public address, from a resolver that
    answers unrelated names; the same over UDP from a resolver that knows the name over TCP; a resolver that says itself
    that it blocks; and queries for one name that are never answered, while the same resolver answers unrelated names
    before and after them and another resolver, or it itself over TCP, answers this one.

What it sends
    Nothing of its own: the queries of `dns-injection`, which ask every resolver for controls before and after.

When it is wrong
    Filtering resolvers deny names by their user's wish, and nothing in the packets tells them from a provider's: only a
    resolver among the provider's own addresses is hardly chosen for its filter. Zones change and resolvers cache
    denials; a broken zone fails at some resolvers only, so SERVFAIL alone is never more than an observation. A server
    of some zones refuses all others: whoever does not offer recursion is no resolver.
    A lost query looks like a dropped one: it must have been repeated, and controls answered on both sides of it. Where
    no resolver runs, an injector answers some names and nobody the rest: another resolver, TCP or a CNAME must show it.

Papers
    Pearce et al., "Global Measurement of DNS Manipulation", USENIX Security 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fingerprint.conversations.dns.answers import gives, has_data, is_bogon, is_carriers, is_owned, is_providers
from fingerprint.conversations.dns.lookups import DnsPacket, Lookup
from fingerprint.conversations.dns.races import LEAST_RTT_S, SOONER_RATIO
from fingerprint.conversations.dns.resolvers import Resolver, asked, look, resolvers
from fingerprint.conversations.dns.silence import is_shown
from fingerprint.messages.dns import NXDOMAIN, REFUSED, SERVFAIL
from fingerprint.technique import Cited, Clue, Facets, Finding, Inconclusive, Subject, Technique, Trigger, cite

if TYPE_CHECKING:
    from fingerprint.capture import Capture

# RFC 1035 section 4.1.1: the RA bit of the flags.
RECURSION_AVAILABLE = 0x0080
# RFC 8914 sections 4.16 to 4.18.
CENSORED, FILTERS = 16, {15: "blocked by the operator's list", 17: "filtered as its client asked"}
# Zones change and caches run out: answers so far apart are about two moments.
TOGETHER_S = 60.0

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
DENIED_BY_PROVIDER = Clue(
    id="denied-by-the-providers-resolver",
    says="{address}, in the provider's own block, says that the name does not exist; {other} gives {theirs}",
    group="dns-denial",
    given={**DENIED_BY_CARRIER.given, "chosen-filter": 0.04, "corporate-proxy": 0.01},
    source="RFC 7020: providers hold large blocks; some sell a filter, which their customers ask for; set by hand",
)
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
REFUSED_BY_PROVIDER = Clue(
    id="refused-by-the-providers-resolver",
    says="{address}, the provider's own, refuses this name and answers others; {other} gives {theirs}",
    group="dns-denial",
    given={
        "dns.refused": 0.9, "chosen-filter": 0.04, "corporate-proxy": 0.01, "ordinary": 0.002, "server-refuses": 0.005,
        "innocent": 0.001, "*": 0.002,
    },
    source="RFC 8914 section 4.16 to 4.19; a resolver has no other reason to refuse one name of many; set by hand",
)  # fmt: skip
FAILS_HERE = Clue(
    id="fails-here-answered-elsewhere",
    says="{address} fails for this name and answers others; {other} gives {theirs}",
    group="dns-denial",
    given={},
    source="RFC 2308 section 7.1: server failure",
)
_CODES = {NXDOMAIN: "nxdomain", REFUSED: "refused", SERVFAIL: "servfail"}
_SAID = {NXDOMAIN: "denies", REFUSED: "refuses", SERVFAIL: "fails for"}
# A router at home may keep UDP port 53 to itself; a resolver of several machines may know less on one of them.
ONLY_OVER_UDP = MappingProxyType(
    {
        code: Clue(
            id=f"{node}-only-over-udp",
            says=f"{{address}} {_SAID[code]} the name over UDP, {{times}} times, and over TCP gives {{theirs}}",
            group="dns-transport",
            given={
                f"dns.{node}": 0.7, "chosen-filter": 0.2, "corporate-proxy": 0.2, "captive-portal": 0.05,
                "local-network": 0.05, "ordinary": 0.003, "server-down": 0.003, "innocent": 0.0005, "*": 0.0005,
            },
            source="RFC 7766: a resolver answers alike over UDP and TCP; set by hand",
        )
        for code, node in _CODES.items()
    }
)  # fmt: skip
SAYS_CENSORED = MappingProxyType(
    {
        code: Clue(
            id=f"{node}-says-censored",
            says="{address} adds: censored, on somebody else's demand (extended error 16)",
            group="dns-says",
            given={f"dns.{node}": 0.3, "chosen-filter": 0.002, "innocent": 0.0001, "*": 0.0001},
            source="RFC 8914 section 4.17; set by hand",
        )
        for code, node in _CODES.items()
    }
)  # fmt: skip
SAYS_FILTERED = MappingProxyType(
    {
        code: Clue(
            id=f"{node}-says-filtered",
            says="{address} adds: {word} (extended error {number})",
            group="dns-says",
            given={f"dns.{node}": 0.1, "chosen-filter": 0.5, "corporate-proxy": 0.2, "innocent": 0.001, "*": 0.001},
            source="RFC 8914 sections 4.16 and 4.18: by the operator's own list, or as its client asked; set by hand",
        )
        for code, node in _CODES.items()
    }
)  # fmt: skip
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

    clues = (
        DENIED, DENIED_BY_CARRIER, DENIED_BY_PROVIDER, DENIED_SOONER, REFUSED_HERE, REFUSED_BY_PROVIDER, FAILS_HERE,
        *ONLY_OVER_UDP.values(), *SAYS_CENSORED.values(), *SAYS_FILTERED.values(), UNANSWERED,
    )  # fmt: skip
    reads_steps_of = ("dns-injection",)

    listen_s: float = 3.0
    silent_queries: int = 3

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every denied or unanswered lookup against one of the same name that was answered elsewhere."""
        of = resolvers(capture.lookups)
        known = _known(capture.lookups)
        told: set[tuple[str, str]] = set()
        for lookup in capture.lookups:
            code = _denial(lookup)
            if code is None and lookup.answers:
                continue
            resolver = asked(lookup, of)
            here, other = _apart(known.get(lookup.name, ()), resolver)
            pair = (lookup.name, resolver.address)
            if code is not None and here is not None and lookup.protocol == "udp" and pair not in told:
                said = tuple(_only_over_udp(lookup, here, resolver, code))
                told |= {pair} if said else set()
                yield from said
            if other is None and (here is None or lookup.protocol == "tcp" or code is not None):
                continue
            other = other or here
            assert other is not None
            if is_owned(resolver.client, resolver.address):
                why = f"{resolver.address} stands in the client's own network; its owner may filter by choice"
                yield Inconclusive(f"{lookup.name}: {why}", _packets(lookup), _subject(lookup))
            elif code is not None and _resolves_others(resolver, lookup.name):
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
        # What the resolver answers over TCP it would answer over UDP, had it heard the query.
        on_the_way = other.resolver.address == resolver.address
        yield cite(
            UNANSWERED, _subject(lookup), *lookup.queries, *controls, *other.packets[:2],
            facets=_facets(lookup, position="in-path" if on_the_way else None), silent=silent,
            other=f"{other.resolver.address} over TCP" if on_the_way else other.resolver.address, theirs=_theirs(other),
        )  # fmt: skip


def _denial(lookup: Lookup) -> int | None:
    """The code of a transaction whose every answer is the same denial."""
    codes = {answer.head.rcode for answer in lookup.answers}
    return codes.pop() if lookup.queries and len(codes) == 1 and codes <= set(_CODES) else None


def _apart(known: Sequence[Lookup], resolver: Resolver) -> tuple[Lookup | None, Lookup | None]:
    """What this resolver itself answered over TCP, and what another one did."""
    mine = (x for x in known if x.resolver.address == resolver.address and x.protocol == "tcp")
    others = (x for x in known if x.resolver.address != resolver.address)
    return next(mine, None), next(others, None)


def _resolves_others(resolver: Resolver, name: str) -> bool:
    """Whether it gives unrelated names addresses and offers recursion: a server of some zones refuses all others."""
    answer = resolver.answers_others(name)
    return answer is not None and bool(answer.head.flags & RECURSION_AVAILABLE)


def _known(found: Sequence[Lookup]) -> Mapping[str, Sequence[Lookup]]:
    """For every name the lookups that were answered with public addresses, the first of each resolver and protocol."""
    known: dict[str, dict[tuple[str, str], Lookup]] = {}
    for lookup in found:
        public = len(lookup.distinct_answers) == 1 and has_data(lookup.answers[0])
        if public and not any(is_bogon(address) for address in gives(lookup.answers[0])):
            known.setdefault(lookup.name, {}).setdefault((lookup.resolver.address, lookup.protocol), lookup)
    return {name: tuple(by.values()) for name, by in known.items()}


def _only_over_udp(lookup: Lookup, here: Lookup, resolver: Resolver, code: int) -> Iterator[Finding]:
    """One resolver, two minds: at least two denials over UDP, and addresses over TCP between or beside them."""
    same = [x for x in resolver.of_name(lookup.name) if x.protocol == "udp" and x.qtype == here.qtype]
    denied = [x for x in same if _denial(x) == code]
    apart_s = abs(lookup.first_ns - here.first_ns) / 1e9
    if lookup.qtype != here.qtype or len(denied) < 2 or len(denied) < len(same) or apart_s > TOGETHER_S:
        return
    # Whoever keeps UDP port 53 to himself does so every time: repeats add nothing.
    subject = replace(_subject(lookup), trial=None)
    yield cite(
        ONLY_OVER_UDP[code], subject, *lookup.queries[:1], lookup.answers[0], *here.packets[:2],
        facets=_facets(lookup), address=resolver.address, times=len(denied), theirs=_theirs(here),
    )  # fmt: skip


def _denied(lookup: Lookup, other: Lookup, resolver: Resolver) -> Iterator[Finding]:
    """A negative answer that another resolver's positive one contradicts."""
    said = lookup.answers[0]
    code = said.head.rcode
    clue = {REFUSED: REFUSED_HERE, SERVFAIL: FAILS_HERE}.get(code, DENIED)
    if is_providers(resolver.client, resolver.address):
        by_carrier = DENIED_BY_CARRIER if is_carriers(resolver.address) else DENIED_BY_PROVIDER
        clue = {REFUSED: REFUSED_BY_PROVIDER, NXDOMAIN: by_carrier}.get(code, clue)
    habit = resolver.habit(lookup.name)
    own = habit is not None and look(said) == habit.look
    facets = _facets(lookup, position="resolver" if own else None)
    packets = (*lookup.queries[:1], said, *other.packets[:2])
    words: dict[str, Any] = {"address": resolver.address, "other": other.resolver.address, "theirs": _theirs(other)}
    yield cite(clue, _subject(lookup), *packets, facets=facets, disputes=(), **words)
    yield from _says_so(lookup, said, resolver, code)
    floor = resolver.floor(lookup.name)
    if said.head.rcode != NXDOMAIN or not floor or not lookup.rtt_s or floor.rtt_s < LEAST_RTT_S or floor.samples < 2:
        return
    if lookup.rtt_s < SOONER_RATIO * floor.rtt_s:
        yield cite(
            DENIED_SOONER, _subject(lookup), *packets[:2], *floor.packets, facets=facets, took=lookup.rtt_s * 1e3,
            floor=floor.rtt_s * 1e3, samples=floor.samples,
        )  # fmt: skip


def _says_so(lookup: Lookup, said: DnsPacket, resolver: Resolver, code: int) -> Iterator[Finding]:
    """The extended error that came with a denial."""
    edns = said.message.edns if said.message else None
    for number in edns.errors if edns else ():
        if number == CENSORED:
            clue = SAYS_CENSORED[code]
        elif number in FILTERS:
            clue = SAYS_FILTERED[code]
        else:
            continue
        facets = _facets(lookup, position="resolver")
        words: dict[str, Any] = {"address": resolver.address, "word": FILTERS.get(number, ""), "number": number}
        yield cite(clue, _subject(lookup), *lookup.queries[:1], said, facets=facets, disputes=(), **words)
        return


def _facets(lookup: Lookup, *, position: str | None = None) -> Facets:
    return Facets(position=position, trigger=Trigger(field="dns.qname", value=lookup.name))


def _theirs(other: Lookup) -> str:
    return ", ".join(sorted(gives(other.answers[0]))[:3])


def _subject(lookup: Lookup) -> Subject:
    end = lookup.resolver
    return Subject(name=lookup.name, address=end.address, port=end.port, protocol="dns", trial=lookup.trial)


def _packets(lookup: Lookup) -> tuple[Cited, ...]:
    return tuple(sorted({Cited(p.capture, p.number) for p in lookup.packets}))
