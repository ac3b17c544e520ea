"""Forged DNS answers: raced against the resolver's own, or given where no resolver runs.

What it looks for
    Two answers to one query that cannot both come from the resolver, addresses or a denial; an answer sooner than the
    resolver's round trip; an answer from an address that runs no resolver; addresses though another type was asked for.

What it sends
    A and AAAA of the target's name to every resolver, over UDP and TCP, ``repeats`` times, a control before each, one
    of them a random name that was never registered. The same over UDP to the target's own web address, which runs no
    resolver, unless a control is answered there. Where an answer is odd, that query with a growing TTL.

When it is wrong
    A stub that retransmits gets two honest answers, and rotation makes them differ: answers of a race must outnumber
    the queries and differ in something that no resolver chooses. A cache is faster than its upstream, and anycast
    changes headers: being soon or odd alone is weak. A resolver that drops some names looks like an address without
    one, unless others answer those names meanwhile.

Papers
    Duan et al., "Hold-On: Protecting Against On-Path DNS Poisoning", SATIN 2012. Hoang et al., "How Great is the Great
    Firewall? Measuring China's DNS Censorship", USENIX Security 2021.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fingerprint.conversations.dns.answers import gives, is_bogon, is_owned, is_teredo, of_another_type
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.dns.races import LEAST_RTT_S, SOONER_RATIO, race
from fingerprint.conversations.dns.resolvers import Resolver, Resolvers, asked, look, look_text, resolvers
from fingerprint.conversations.dns.silence import answered_elsewhere, is_shown, refused, silent_to_others
from fingerprint.messages.dns import NXDOMAIN, REFUSED, SERVFAIL, A
from fingerprint.probing.names_asked import NamesAsked
from fingerprint.signatures import Signatures
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
    from fingerprint.steps import Probe, Target

# What a false answer says that gives no addresses.
_CODES = {NXDOMAIN: "nxdomain", REFUSED: "refused", SERVFAIL: "servfail"}

# Each P(seen | hypothesis) is set by hand from the mechanism: no labelled frequencies were measured yet (n = 0).
TWO_ANSWERS = Clue(
    id="two-answers-no-one-resolver-gives",
    says="{count} contradicting answers to one query, {first} first; {differs}",
    group="dns-answers",
    given={"dns.injection": 0.5, "local-network": 0.0005, "innocent": 0.00005, "*": 0.00005},
    source="Duan et al., SATIN 2012",
)
TWO_ANSWERS_ALIKE = Clue(
    id="two-contradicting-answers",
    says="{count} contradicting answers to one query, {first} first; {differs}",
    group="dns-answers",
    given={"dns.injection": 0.2, "local-network": 0.01, "innocent": 0.003, "*": 0.003},
    source="Duan et al., SATIN 2012",
)
DENIED_AND_ANSWERED = Clue(
    id="denied-and-answered-at-once",
    says="{count} contradicting answers to one query, {first} first, which says that no such name exists; {differs}",
    group="dns-answers",
    given={"dns.nxdomain": 0.5, "local-network": 0.0005, "innocent": 0.00005, "*": 0.00005},
    source="RFC 2308 section 2.1: a name that has addresses is not denied; Duan et al., SATIN 2012",
)
IMPOSSIBLE = Clue(
    id="addresses-of-another-type",
    says="asked for type {asked}, answered with {given}",
    group="dns-type",
    given={"dns.injection": 0.2, "local-network": 0.004, "innocent": 0.001, "*": 0.001},
    source="Hoang et al., USENIX Security 2021: A records and Teredo addresses for AAAA; RFC 4380 section 2.6",
)
SOONER = Clue(
    id="sooner-than-the-resolver-could",
    says="answered {took:.1f} ms after the query; handshakes with the resolver take {floor:.1f} ms",
    group="dns-time",
    given={
        "dns.injection": 0.6, "dns.nxdomain": 0.6, "local-network": 0.05, "chosen-filter": 0.05, "split-tcp": 0.05,
        "innocent": 0.02, "*": 0.02,
    },
    source="Duan et al., SATIN 2012",
)  # fmt: skip
SOONER_THAN_OTHERS = Clue(
    id="sooner-than-its-other-answers",
    says="answered {took:.1f} ms after the query; {samples} answers to other names took {floor:.1f} ms or more",
    group="dns-time",
    given={
        "dns.injection": 0.6,
        "dns.nxdomain": 0.6,
        "local-network": 0.2,
        "chosen-filter": 0.2,
        "innocent": 0.08,
        "*": 0.08,
    },
    source="Duan et al., SATIN 2012; weak, because a cache is faster than its upstream",
)
UNLIKE_THE_RESOLVER = Clue(
    id="header-unlike-the-resolvers-others",
    says="(IP TTL, DF, RA) {mine} where {support} answers to other names show {usual}",
    group="dns-header",
    given={"dns.injection": 0.5, "dns.nxdomain": 0.5, "local-network": 0.1, "innocent": 0.06, "*": 0.06},
    source="Duan et al., SATIN 2012; weak, because anycast and load balancing change TTLs too",
)
NO_RESOLVER_BUT_LIVE_NAMES = Clue(
    id="answer-from-no-resolver-beside-live-names",
    says="{address} answers this name and left {silent} queries for {names} unanswered before and after, names that"
    " other resolvers answer meanwhile",
    group="dns-no-resolver",
    given={"dns.injection": 0.6, "chosen-filter": 0.003, "loss": 0.002, "innocent": 0.001, "*": 0.001},
    source="Hoang et al., USENIX Security 2021: nobody but an injector answers there; nor does anything drop the names",
)
NO_RESOLVER_THERE = Clue(
    id="answer-from-no-resolver",
    says="{address} answers this name and left {silent} queries for {names} unanswered before and after",
    group="dns-no-resolver",
    given={"dns.injection": 0.6, "loss": 0.01, "innocent": 0.005, "*": 0.005},
    source="Hoang et al., USENIX Security 2021: nobody but an injector answers there",
)
NOBODY_LISTENS_THERE = Clue(
    id="answer-where-nobody-listens",
    says="{address} answers this name, and itself says of {silent} queries for {names} that nobody listens there",
    group="dns-no-resolver",
    given={"dns.injection": 0.6, "chosen-filter": 0.003, "loss": 0.0003, "innocent": 0.0005, "*": 0.0005},
    source="RFC 1122 section 3.2.2.1: only the host itself sends port unreachable; set by hand",
)
# The same three where what answers denies, refuses or fails instead of giving addresses.
DENIED_FROM_NO_RESOLVER = MappingProxyType(
    {
        (clue.id, code): replace(
            clue,
            id=f"{node}-{clue.id}",
            given={f"dns.{node}": 0.6} | {k: p for k, p in clue.given.items() if k != "dns.injection"},
        )
        for clue in (NO_RESOLVER_THERE, NO_RESOLVER_BUT_LIVE_NAMES, NOBODY_LISTENS_THERE)
        for code, node in _CODES.items()
    }
)
GIVES_BOGON = Clue(
    id="false-address-is-a-bogon",
    says="the false address {given} is private, reserved or local",
    group="dns-kind",
    given={"dns.injection.bogon": 0.9, "dns.injection": 0.001, "*": 0.9},
    source="RFC 6890",
)
GIVES_PAGE = Clue(
    id="false-address-of-a-known-page",
    says="the false address {given} is known to serve a notice page ({page})",
    group="dns-kind",
    given={"dns.injection.blockpage": 0.9, "dns.injection": 0.001, "*": 0.9},
    source="the addresses of the table of block pages that the report names",
)
GIVES_OTHER = Clue(
    id="false-answer-is-no-known-page",
    says="the false answer gives {given}, neither a bogon nor a known block page",
    group="dns-kind",
    given={"dns.injection.other": 0.9, "dns.injection": 0.001, "*": 0.9},
    source="RFC 6890",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsInjection(Technique):
    """Thresholds: how long a silence must be watched, what counts as sooner, and how many silences make no resolver."""

    clues = (
        TWO_ANSWERS, TWO_ANSWERS_ALIKE, DENIED_AND_ANSWERED, IMPOSSIBLE, SOONER, SOONER_THAN_OTHERS,
        UNLIKE_THE_RESOLVER, NO_RESOLVER_THERE, NO_RESOLVER_BUT_LIVE_NAMES, NOBODY_LISTENS_THERE, GIVES_BOGON,
        GIVES_PAGE, GIVES_OTHER, *DENIED_FROM_NO_RESOLVER.values(),
    )  # fmt: skip

    listen_s: float = 2.0
    sooner_ratio: float = SOONER_RATIO
    silent_queries: int = 3
    repeats: int = 3
    answer_s: float = 1.0  # that one query is waited for; the recorder goes on listening

    def probe(self, target: Target) -> Probe:
        """Queries beside controls, then the place of whatever was odd."""
        yield from NamesAsked(target, shows=self.clues, repeats=self.repeats, answer_s=self.answer_s).steps()

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Races, impossible answers and answers from no resolver; then what time and headers add."""
        found = tuple(lookup for lookup in capture.lookups if lookup.name and lookup.answers)
        of = resolvers(capture.lookups)
        seen: dict[str, list[Finding]] = {}
        for lookup in found:
            findings = [*_raced(lookup, asked(lookup, of)), *_impossible(lookup, asked(lookup, of))]
            if findings:
                seen[lookup.trial] = findings
        unheard = refused(capture.unreachables)
        for resolver in of.values():
            forged, silent = silent_to_others(
                resolver, listen_s=self.listen_s, queries=self.silent_queries, unheard=unheard
            )
            refusing = any((x.capture, x.flow) in unheard for x in silent)
            if forged and not refusing and is_shown(resolver, capture.lookups):
                continue  # a resolver runs there, and what it leaves unanswered is lost on the way to it
            live = answered_elsewhere(silent, found) if forged else ()
            for lookup in forged:
                said = _from_no_resolver(lookup, resolver, silent, live, unheard)
                seen.setdefault(lookup.trial, []).append(said)
        yield from self._joined(found, of, capture, seen)

    def _joined(
        self,
        found: Sequence[Lookup],
        of: Resolvers,
        capture: Capture,
        seen: Mapping[str, Sequence[Finding]],
    ) -> Iterator[Finding]:
        """Evidence of every lookup with what time and headers add to it.

        Being soon, or looking odd, is ordinary for caches and for anycast; both together, or beside more, are not.
        """
        suspects = {
            (f.subject.name, f.subject.address) for said in seen.values() for f in said if isinstance(f, Evidence)
        }
        names = {name for name, _ in suspects}
        for lookup in found:
            resolver, first = asked(lookup, of), lookup.answers[0]
            if look(first) == resolver.usual and lookup.name not in names and not (seen and lookup.trial in seen):
                continue  # its headers are ordinary, so that there is one sign at most
            said = seen.get(lookup.trial, [])
            evidence = [f for f in said if isinstance(f, Evidence)]
            support = tuple(self._support(lookup, resolver, capture))
            if not evidence and any(is_bogon(address) for address in lookup.addresses):
                support = ()  # a name of the local network, answered by it, unless somebody says otherwise
            if evidence or len(support) > 1 or (lookup.name, lookup.resolver.address) in suspects:
                yield from support
                yield from evidence
            denies = any(f.clue is DENIED_AND_ANSWERED for f in evidence) or _denial(lookup) is not None
            if (evidence or len(support) > 1) and not denies:
                yield _kind(lookup, (*evidence, *support), capture.signatures)
            elif lookup.name not in names:
                yield from said[:1]

    def _support(self, lookup: Lookup, resolver: Resolver, capture: Capture) -> Iterator[Evidence]:
        """What time and headers say of the first answer to one query."""
        if lookup.protocol != "udp" or lookup.rtt_s is None or is_owned(resolver.client, resolver.address):
            return
        first, floor = lookup.answers[0], resolver.floor(lookup.name)
        soon = floor if floor and lookup.rtt_s < self.sooner_ratio * floor.rtt_s > 0 else None
        habit = resolver.habit(lookup.name) if look(first) != resolver.usual else None
        if not soon and not habit:
            return
        subject, false = _subject(lookup), sorted(gives(first))
        facets = Facets(trigger=_trigger(lookup, resolver))
        words: dict[str, Any] = {"took": lookup.rtt_s * 1e3}
        if soon and soon.rtt_s > LEAST_RTT_S:
            shake_s, packets = min(capture.rtt_samples(resolver.address), default=0.0), (lookup.queries[0], first)
            if lookup.rtt_s < self.sooner_ratio * shake_s and soon.rtt_s > self.sooner_ratio * shake_s:
                words |= {"floor": shake_s * 1e3}
                yield cite(SOONER, subject, *packets, *soon.packets, facets=facets, disputes=false, **words)
            elif soon.samples > 1:
                words |= {"floor": soon.rtt_s * 1e3, "samples": soon.samples}
                yield cite(SOONER_THAN_OTHERS, subject, *packets, *soon.packets, facets=facets, disputes=false, **words)
        if habit and look(first) != habit.look:
            words |= {"mine": look_text(look(first)), "usual": look_text(habit.look), "support": habit.support}
            yield cite(UNLIKE_THE_RESOLVER, subject, first, *habit.packets, facets=facets, disputes=false, **words)


def _raced(lookup: Lookup, resolver: Resolver) -> Iterator[Finding]:
    """Two answers where one resolver gives one."""
    run = race(lookup, resolver) if len(lookup.answers) > 1 else None
    if run is None:
        return
    if not run.more_than_asked:
        yield _unsure(lookup, "contradicting answers, but no more than queries: a repeated query explains them")
        return
    if not run.far_apart and not run.two_senders:
        yield _unsure(lookup, "two answers from one sender that differ within one network: rotation explains them")
        return
    if run.with_failure and not run.two_senders:
        yield _unsure(lookup, "a failure and an answer from one sender: a relay that asks two resolvers explains them")
        return
    sure = run.two_senders and run.far_apart and lookup.queries
    clue = TWO_ANSWERS if sure else TWO_ANSWERS_ALIKE
    yield cite(
        DENIED_AND_ANSWERED if sure and run.denies else clue,
        _subject(lookup),
        *lookup.queries[:1],
        *run.forged,
        *([run.genuine] if run.genuine else []),
        facets=Facets(position="on-path" if run.genuine else None, trigger=_trigger(lookup, resolver)),
        disputes=run.false_addresses,
        forged=run.forged,
        count=len(run.forged) + bool(run.genuine),
        first="the genuine one" if run.late else "a forged one",
        differs=f"they differ in {', '.join(run.differs_in) or 'nothing else'}",
    )


def _impossible(lookup: Lookup, resolver: Resolver) -> Iterator[Evidence]:
    """Addresses that do not answer the question, or that nobody serves from."""
    for answer in lookup.distinct_answers:
        if all(r.type == lookup.qtype == A for r in answer.addresses):
            continue
        facets = Facets(trigger=_trigger(lookup, resolver))
        given = sorted(gives(answer))
        if of_another_type(lookup, answer) or any(is_teredo(address) for address in given):
            words: dict[str, Any] = {"asked": lookup.qtype, "given": ", ".join(given)}
            yield cite(
                IMPOSSIBLE,
                _subject(lookup),
                *lookup.queries[:1],
                answer,
                facets=facets,
                disputes=given,
                forged=(answer,),
                **words,
            )


def _denial(lookup: Lookup) -> int | None:
    """The code with which every answer denies, refuses or fails."""
    codes = {a.head.rcode for a in lookup.answers}
    return codes.pop() if len(codes) == 1 and codes <= set(_CODES) and not lookup.addresses else None


def _from_no_resolver(
    lookup: Lookup,
    resolver: Resolver,
    silent: Sequence[Lookup],
    live: Sequence[Lookup],
    unheard: Collection[tuple[int, int]],
) -> Evidence:
    """An answer where nobody answers anything else; ``live`` are the silent names as others answer them."""
    refusing = any((x.capture, x.flow) in unheard for x in silent)
    clue = NOBODY_LISTENS_THERE if refusing else NO_RESOLVER_BUT_LIVE_NAMES if live else NO_RESOLVER_THERE
    code = _denial(lookup)
    return cite(
        clue if code is None else DENIED_FROM_NO_RESOLVER[clue.id, code],
        _subject(lookup), *lookup.queries[:1], lookup.answers[0],
        *(q for x in silent[:8] for q in x.queries[:1]), *(x.answers[0] for x in live[:8]),
        facets=Facets(trigger=Trigger(field="dns.qname", value=lookup.name)), disputes=lookup.addresses,
        forged=lookup.answers, address=resolver.address, silent=sum(x.asked_times for x in silent),
        names=_some(sorted({x.name for x in silent})),
    )  # fmt: skip


def _kind(lookup: Lookup, evidence: Sequence[Evidence], known: Signatures) -> Evidence:
    """Which leaf the false addresses speak for; of a notice page in private space, that it is private."""
    false = sorted({address for e in evidence for address in e.disputes})
    packets = tuple(a for a in lookup.answers if gives(a) & set(false)) or lookup.answers[:1]
    page = known.notice(false)
    clue = GIVES_BOGON if any(is_bogon(address) for address in false) else GIVES_PAGE if page else GIVES_OTHER
    given = _some(false) or "no address"
    return cite(clue, _subject(lookup), *packets, disputes=false, given=given, page=page.id if page else "")


def _subject(lookup: Lookup) -> Subject:
    end = lookup.resolver
    return Subject(name=lookup.name, address=end.address, port=end.port, protocol="dns", trial=lookup.trial)


def _trigger(lookup: Lookup, resolver: Resolver) -> Trigger | None:
    """The name, if the same resolver answers an unrelated one undisturbed."""
    return Trigger(field="dns.qname", value=lookup.name) if resolver.answers_others(lookup.name) else None


def _unsure(lookup: Lookup, why: str) -> Inconclusive:
    packets = tuple(sorted({Cited(p.capture, p.number) for p in lookup.packets}))
    return Inconclusive(f"{lookup.name}: {why}", packets, _subject(lookup))


def _some(words: Sequence[str]) -> str:
    """The first few of a list, as a sentence has them."""
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
