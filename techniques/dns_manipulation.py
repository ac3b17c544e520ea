"""False DNS answers without a race: given by the resolver itself, or changed on their way.

What it looks for
    One name for which resolvers, or UDP and TCP of one resolver, contradict each other, where more than the difference
    speaks against one side: its address is a bogon, is dead while the other's lives, is given for unrelated names, or
    stands alone against resolvers that agree on an address where the name is served.

What it sends
    Nothing of its own: the queries of `dns-injection` and the hellos of `sni-filtering`. Addresses that a false answer
    gives are not visited, for nobody named their hosts.

When it is wrong
    Content networks make honest resolvers differ, so difference alone is no evidence, and an address where a TLS visit
    under the name succeeds is never called false. A resolver in the client's own network may filter by its owner's
    wish, and so may a distant one that the user chose: what a filter does too counts at the provider's resolver only. A
    captive portal answers every name alike. None of these is claimed. A cache that a content network keeps at one
    provider, used for a name without CNAME and never visited, looks like a lying resolver.

Papers
    Pearce et al., "Global Measurement of DNS Manipulation", USENIX Security 2017. Hoang et al., "How Great is the Great
    Firewall? Measuring China's DNS Censorship", USENIX Security 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fingerprint.conversations.dns.answers import is_bogon, is_nowhere, is_owned, is_providers, network, registrable
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.dns.races import SOONER_RATIO, race
from fingerprint.conversations.dns.resolvers import Resolver, asked, look, resolvers
from fingerprint.conversations.dns.views import (
    Contradiction,
    Disputed,
    Fates,
    agreed_names,
    contradictions,
    fates,
    serves,
)
from fingerprint.signatures import Signature
from fingerprint.technique import (
    Citable,
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

# Each P(seen | hypothesis) is set by hand from the mechanism: no labelled frequencies were measured yet (n = 0).
CONTRADICTED = Clue(
    id="contradicted-by-another-resolver",
    says="{address} gives {given}; {other} gives {theirs}, in another network",
    group="dns-content",
    given={
        "dns.injection": 0.9, "chosen-filter": 0.9, "captive-portal": 0.5, "corporate-proxy": 0.5, "innocent": 0.15,
        "*": 0.15,
    },
    source="Pearce et al., USENIX Security 2017; weak, because content networks differ too",
)  # fmt: skip
CONTRADICTED_PROVIDER = Clue(
    id="provider-contradicted-by-another-resolver",
    says="{address}, of the client's provider, gives {given}; {other} gives {theirs}, in another network",
    group="dns-content",
    given={
        "dns.injection": 0.9, "chosen-filter": 0.05, "captive-portal": 0.5, "corporate-proxy": 0.1, "innocent": 0.15,
        "*": 0.15,
    },
    source="Pearce et al., USENIX Security 2017; nobody chose this resolver in order to filter, but content networks"
    " differ too",
)  # fmt: skip
ALONE = Clue(
    id="alone-against-resolvers-that-agree",
    says="{address}, of the client's provider, alone gives {given}; {agreeing} other resolvers agree on {theirs}, where"
    " the name is served",
    group="dns-content",
    given={
        "dns.injection": 0.6, "chosen-filter": 0.003, "captive-portal": 0.001, "corporate-proxy": 0.002,
        "ordinary": 0.0008, "local-network": 0.001, "innocent": 0.0002, "*": 0.0008,
    },
    source="Pearce et al., USENIX Security 2017: consistency with control resolvers; nobody enters a content network"
    " here, for no answer has a CNAME",
)  # fmt: skip
UDP_UNLIKE_TCP = Clue(
    id="udp-contradicted-by-tcp",
    says="{address} gives {given} over UDP and {theirs} over TCP",
    group="dns-content",
    given={
        "dns.injection": 0.8, "chosen-filter": 0.06, "local-network": 0.1, "corporate-proxy": 0.2, "innocent": 0.05,
        "*": 0.05,
    },
    source="RFC 7766: one resolver answers both alike, apart from rotation",
)  # fmt: skip
UDP_CHANGED_ALIKE = Clue(
    id="udp-of-several-resolvers-changed-alike",
    says="{changed} resolvers all give {given} over UDP, no sooner than their handshakes take, and {theirs} over TCP",
    group="dns-content",
    given={
        "dns.injection": 0.7, "chosen-filter": 0.003, "corporate-proxy": 0.003, "captive-portal": 0.001,
        "local-network": 0.003, "ordinary": 0.0005, "innocent": 0.0002, "*": 0.0005,
    },
    source="RFC 7766: one resolver answers both alike; a proxy that answers in their place is nearer than they are",
)  # fmt: skip
BOGON = Clue(
    id="bogon-beside-public-address",
    says="{address} gives {given}, which no public service can have; {other} gives {theirs}",
    group="dns-content",
    given={
        "dns.injection.bogon": 0.6, "chosen-filter": 0.06, "captive-portal": 0.2, "corporate-proxy": 0.06,
        "local-network": 0.06, "innocent": 0.002, "*": 0.002,
    },
    source="RFC 6890",
)  # fmt: skip
BOGON_FOR_A_LIVE_NAME = Clue(
    id="bogon-for-a-name-served-elsewhere",
    says="{address} gives {given}, which no public service can have; the name is served at {theirs}, as {other} says",
    group="dns-content",
    given={
        "dns.injection.bogon": 0.6, "chosen-filter": 0.003, "captive-portal": 0.003, "corporate-proxy": 0.003,
        "local-network": 0.002, "ordinary": 0.0005, "innocent": 0.0002, "*": 0.0005,
    },
    source="RFC 6890; RFC 6950 section 4: an inner view of a name is given by a resolver inside, and this one has a"
    " public address",
)  # fmt: skip
DEAD_BESIDE_LIVE = Clue(
    id="answered-address-is-dead",
    says="{syns} SYNs to {given} stay unanswered; {theirs}, which {other} gives, serves",
    group="dns-liveness",
    given={
        "dns.injection": 0.5, "ordinary": 0.003, "server-down": 0.006, "path-failure": 0.008, "chosen-filter": 0.001,
        "captive-portal": 0.001, "innocent": 0.002, "*": 0.003,
    },
    source="Pearce et al., USENIX Security 2017; filters point to pages that answer",
)  # fmt: skip
ZERO_TTL = Clue(
    id="record-ttl-of-zero",
    says="{address} gives {given} with a record TTL of 0 s, as for made-up records; {other} says {theirs_s} s",
    group="dns-record",
    given={"dns.injection": 0.15, "chosen-filter": 0.15, "captive-portal": 0.1, "innocent": 0.01, "*": 0.01},
    source="RFC 1035 section 3.2.1: a record of TTL 0 is not cached",
)
SHARED = Clue(
    id="address-of-unrelated-names",
    says="{given} is also what contradicted answers to {names} gave",
    group="dns-reuse",
    given={"dns.injection": 0.5, "chosen-filter": 0.5, "corporate-proxy": 0.3, "innocent": 0.03, "*": 0.03},
    source="Hoang et al., USENIX Security 2021: injectors draw from small pools",
)
SHARED_WIDELY = Clue(
    id="address-of-names-with-nothing-in-common",
    says="{given}, from a resolver of the client's provider, is also what contradicted answers to {names} gave; others'"
    " answers lie in {networks} networks",
    group="dns-reuse",
    given={
        "dns.injection": 0.6, "chosen-filter": 0.003, "corporate-proxy": 0.003, "captive-portal": 0.003,
        "ordinary": 0.002, "innocent": 0.001, "*": 0.002,
    },
    source="Pearce et al., USENIX Security 2017: a host that serves them all would be known to other resolvers too",
)  # fmt: skip
GIVES_BOGON = Clue(
    id="contradicted-address-is-a-bogon",
    says="the false address {given} is private, reserved or local",
    group="dns-kind",
    given={"dns.injection.bogon": 0.9, "dns.injection": 0.001, "*": 0.9},
    source="RFC 6890",
)
GIVES_PAGE = Clue(
    id="contradicted-address-of-a-known-page",
    says="the false address {given} is known to serve a notice page ({page})",
    group="dns-kind",
    given={"dns.injection.blockpage": 0.9, "dns.injection": 0.001, "*": 0.9},
    source="the addresses of the table of block pages that the report names",
)
GIVES_OTHER = Clue(
    id="contradicted-answer-is-no-known-page",
    says="the false answer gives {given}, neither a bogon nor a known block page",
    group="dns-kind",
    given={"dns.injection.other": 0.9, "dns.injection": 0.001, "*": 0.9},
    source="RFC 6890",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsManipulation(Technique):
    """Thresholds: names beside this one that share the address, and resolvers that agree against it."""

    clues = (
        CONTRADICTED, CONTRADICTED_PROVIDER, ALONE, UDP_UNLIKE_TCP, UDP_CHANGED_ALIKE, BOGON, BOGON_FOR_A_LIVE_NAME,
        DEAD_BESIDE_LIVE, ZERO_TTL, SHARED, SHARED_WIDELY, GIVES_BOGON, GIVES_PAGE, GIVES_OTHER,
    )  # fmt: skip

    reads_steps_of = ("dns-injection", "sni-filtering")

    other_names: int = 2
    agreeing_resolvers: int = 2

    def analyse(self, capture: Capture) -> Iterator[Finding]:
        """Every contradicted lookup, and whether more than the contradiction speaks against it."""
        found = tuple(lookup for lookup in capture.lookups if lookup.name and lookup.answers)
        contradicted = contradictions(found)
        if not contradicted:
            return
        of, agreed = resolvers(capture.lookups), agreed_names(found)
        disputed, theirs = Disputed(), {c.lookup.trial: c.theirs for c in contradicted}
        for lookup in found:
            run = race(lookup, asked(lookup, of)) if len(lookup.answers) > 1 else None
            if run is not None:
                disputed.add(lookup, run.false_addresses)
        for against in contradicted:
            disputed.add(against.lookup, against.given)
        for against in contradicted:
            lookup, resolver = against.lookup, asked(against.lookup, of)
            labels = agreed.get((resolver.client, resolver.address), frozenset()) - {registrable(lookup.name)}
            marks = self._marks(against, capture, disputed, theirs, truthful=bool(labels))
            doubt = _doubt(against, resolver, capture, marks)
            if doubt:
                yield _unsure(lookup, doubt)
            else:
                yield from _false(against, resolver, marks, capture.signatures.notice(against.given))

    def _marks(
        self,
        against: Contradiction,
        capture: Capture,
        disputed: Disputed,
        theirs: Mapping[str, frozenset[str]],
        *,
        truthful: bool,
    ) -> Marks:
        """What beside the contradiction speaks against the lookup's answer; ``truthful`` if others agree elsewhere."""
        lookup, given = against.lookup, sorted(against.given)
        client, shared = lookup.client.address, disputed.like(lookup, given)
        live = serves(lookup.name, client, against.theirs, capture.streams_of)
        others = {registrable(x.name): theirs.get(x.trial, frozenset()) for x in shared}
        elsewhere = {network(a) for addresses in (against.theirs, *others.values()) for a in addresses}
        strict = truthful and against.direct and is_providers(client, lookup.resolver.address)
        widely = strict and min(len(others), len(elsewhere) - 1) >= self.other_names
        changed = against.changed_alike if against.udp_against_tcp else ()
        return Marks(
            fate=fates(against, capture.streams_of),
            shared=shared,
            networks=len(elsewhere) if widely else 0,
            bogon=all(is_bogon(address) for address in given),
            live=live,
            alone=strict and live and against.alone and len(against.agreeing) >= self.agreeing_resolvers,
            changed=changed if len(changed) > 1 and all(_at_its_own_distance(u, capture) for u, _ in changed) else (),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What beside the contradiction speaks against an answer."""

    fate: Fates | None  # its address is dead, the other's lives
    shared: tuple[Lookup, ...]  # disputed answers to unrelated names that give the same
    networks: int  # in how many networks the others put those names; 0 unless they are many
    bogon: bool
    live: bool  # a visit under the name succeeded at the other address
    alone: bool  # against several resolvers that agree, where the name is served
    changed: tuple[tuple[Lookup, Lookup], ...]  # resolvers whose UDP answers differ from their TCP answers all alike


def _at_its_own_distance(lookup: Lookup, capture: Capture) -> bool:
    """Whether the answer took as long as handshakes with its resolver do, or longer."""
    shake_s = min(capture.rtt_samples(lookup.resolver.address), default=None)
    return shake_s is not None and lookup.rtt_s is not None and lookup.rtt_s >= SOONER_RATIO * shake_s


def _doubt(against: Contradiction, resolver: Resolver, capture: Capture, marks: Marks) -> str | None:
    """Why the answer may be an honest one after all."""
    name, given = against.lookup.name, sorted(against.given)
    if serves(name, resolver.client, given, capture.streams_of):
        return f"{_some(given)} serves the name, so that it is no false address"
    if not (marks.fate or marks.shared or marks.bogon or marks.alone or against.udp_against_tcp):
        return "resolvers differ, as they do for content networks; nothing says which is false"
    if is_owned(resolver.client, resolver.address):
        return f"{resolver.address} stands in the client's own network; its owner may filter by choice"
    if marks.bogon and not resolver.answers_others(name):
        return f"{resolver.address} gives no unrelated name a public address, as a captive portal or proxy does"
    if all(is_nowhere(address) for address in given):
        return f"{_some(given)} is how filters say nowhere; {resolver.address} may be one by choice"
    return None


def _false(against: Contradiction, resolver: Resolver, marks: Marks, page: Signature | None) -> Iterator[Evidence]:
    """Everything that speaks against a contradicted answer."""
    lookup, other, given = against.lookup, against.other, sorted(against.given)
    subject = _subject(lookup)
    trigger = Trigger(field="dns.qname", value=lookup.name) if resolver.answers_others(lookup.name) else None
    facets = Facets(position=_position(against, resolver), trigger=trigger)
    packets = (*lookup.queries[:1], lookup.answers[0], *other.queries[:1], other.answers[0])
    words: dict[str, Any] = {
        "address": resolver.address,
        "given": _some(given),
        "other": f"{other.resolver.address} over {other.protocol.upper()}",
        "theirs": _some(sorted(against.theirs)),
        "agreeing": len(against.agreeing),
        "changed": len(marks.changed),
        "names": _some(sorted({x.name for x in marks.shared})),
        "networks": marks.networks,
    }

    def say(clue: Clue, *more: Citable) -> Evidence:
        injected = () if facets.position == "resolver" else lookup.answers[:1]
        return cite(clue, subject, *packets, *more, facets=facets, disputes=given, forged=injected, **words)

    if marks.bogon:
        yield say(BOGON_FOR_A_LIVE_NAME if marks.live else BOGON)
    elif marks.changed:
        yield say(UDP_CHANGED_ALIKE, *(x.answers[0] for pair in marks.changed for x in pair))
    elif against.udp_against_tcp:
        yield say(UDP_UNLIKE_TCP)
    elif marks.alone:
        yield say(ALONE, *(v.answers[0] for v in against.agreeing))
    else:
        yield say(CONTRADICTED_PROVIDER if is_providers(resolver.client, resolver.address) else CONTRADICTED)
    if marks.fate:
        words |= {"syns": marks.fate.syns}
        yield say(DEAD_BESIDE_LIVE, *marks.fate.packets)
    words |= {"theirs_s": max(r.ttl_s for r in other.answers[0].addresses)}
    if not any(r.ttl_s for r in lookup.answers[0].addresses) and words["theirs_s"]:
        yield say(ZERO_TTL)
    if marks.shared:
        yield say(SHARED_WIDELY if marks.networks else SHARED, marks.shared[0].answers[0])
    words |= {"page": page.id if page else ""}
    yield say(GIVES_BOGON if marks.bogon else GIVES_PAGE if page else GIVES_OTHER)


def _position(against: Contradiction, resolver: Resolver) -> str | None:
    """In-path if only one protocol of the resolver is false; the resolver if the answer bears its usual headers."""
    if against.udp_against_tcp:
        return "in-path"
    habit = resolver.habit(against.lookup.name)
    own = habit is not None and look(against.lookup.answers[0]) == habit.look
    return "resolver" if own and against.other.protocol == against.lookup.protocol == "udp" else None


def _subject(lookup: Lookup) -> Subject:
    end = lookup.resolver
    return Subject(name=lookup.name, address=end.address, port=end.port, protocol="dns", trial=lookup.trial)


def _unsure(lookup: Lookup, why: str) -> Inconclusive:
    packets = tuple(sorted({Cited(p.capture, p.number) for p in lookup.packets}))
    return Inconclusive(f"{lookup.name}: {why}", packets, _subject(lookup))


def _some(words: Sequence[str]) -> str:
    """The first few of a list, as a sentence has them."""
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
