"""What lookups and plain pages of one measurement are evidence of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from fingerprint.conversations.dns.answers import far_apart, is_bogon
from fingerprint.ooni import clues_of_lookups as clues
from fingerprint.ooni.beside import Beside, related, trusted
from fingerprint.ooni.facts import (
    ANOTHERS,
    ANSWERED_NO,
    ENDINGS,
    PLAIN_ENGINES,
    SYSTEM_ENGINES,
    Exchange,
    Lookup,
    Measurement,
)
from fingerprint.ooni.fields import beyond_nat64
from fingerprint.signatures import CHOSEN, Signature, Signatures
from fingerprint.technique import Cited, Clue, Evidence, Facets, Subject, Trigger, cite

# Likewise words that stand elsewhere too: what a page of these scopes says does not tell whose it is.
NOBODYS = CHOSEN | {"vbw"}


def of_lookups(m: Measurement, beside: Beside, signatures: Signatures) -> Iterator[Evidence]:
    """Denials, silence and false answers for the target's name."""
    found = [e for e in (_of_lookup(m, q, signatures) for q in _asked(m) if not beside.by_proxy(m, q)) if e]
    others = beside.others_answered(m)
    if not found or not others:
        yield from found
        return
    # That others are answered is what makes the name the trigger.
    facets = Facets(trigger=Trigger(field="dns.qname", value=m.target))
    yield from (replace(e, facets=facets) for e in found)
    yield cite(clues.OTHERS_ANSWERED, subject(m, "dns"), cited(m), facets=facets, others=others, line=m.line)


def _asked(m: Measurement) -> Iterator[Lookup]:
    """The target's lookups in the clear, without those for one type of address where the other type was given.

    RFC 8020 section 2, and RFC 4074 section 4.2 for servers that deny a name because it has no AAAA.
    """
    asked = [q for q in m.lookups if q.name == m.target and q.engine in PLAIN_ENGINES]
    given = {(q.engine, q.resolver) for q in asked if q.addresses}
    return (q for q in asked if q.addresses or (q.engine, q.resolver) not in given)


def _of_lookup(m: Measurement, lookup: Lookup, signatures: Signatures) -> Evidence | None:
    control = m.control
    whose = clues.ANYBODYS
    if m.own_resolver and lookup.engine in SYSTEM_ENGINES:
        whose = clues.PROVIDERS if m.mobile else clues.HOUSES
    words: dict[str, Any] = {"name": m.target, "line": m.line, "given": listed(lookup.addresses)}
    theirs = listed(control.addresses) if control else ""
    if page := _notice(m, lookup, signatures):
        helper = f"the test helper was given {theirs}" if theirs else "no test helper was asked"
        return _about(m, clues.NOTICE, lookup.addresses, page=page.id, theirs=helper, **words)
    if control is None:
        return None
    if lookup.failure is not None and not control.addresses and (why := control.unresolved):
        return _about(m, clues.NOBODY_KNOWS, (), failure=lookup.failure, theirs=why, **words)
    if not theirs or any(is_bogon(a) for a in control.addresses):
        return None
    words |= {"theirs": theirs}
    if said := ANSWERED_NO.get(lookup.failure or ""):
        return _about(m, (clues.NXDOMAIN if said == "nxdomain" else clues.REFUSED)[whose], (), **words)
    if ENDINGS.get(lookup.failure or "") == "timeout":
        return _about(m, clues.SILENT[whose], (), **words)
    if any(is_bogon(a) for a in lookup.addresses):
        return _about(m, clues.BOGON[whose], lookup.addresses, **words)
    if lookup.addresses and _elsewhere(m, lookup):
        strange = m.target != lookup.addresses[0] and _uncertified(m, lookup)
        return _about(
            m, (clues.WITHOUT_ITS_CERTIFICATE if strange else clues.CONTRADICTED)[whose], lookup.addresses, **words
        )
    return None


def _notice(m: Measurement, lookup: Lookup, signatures: Signatures) -> Signature | None:
    """The notice page that an address is known for: a private one means something in the page's own country alone."""
    page = signatures.notice(lookup.addresses)
    if page is None or m.country is None or not page.countries or m.country in page.countries:
        return page
    return None if any(is_bogon(a) for a in lookup.addresses) else page


def _about(m: Measurement, clue: Clue, disputed: tuple[str, ...], **words: Any) -> Evidence:
    return cite(clue, subject(m, "dns"), cited(m), disputes=disputed, **words)


def _elsewhere(m: Measurement, lookup: Lookup) -> bool:
    """Whether it gave addresses in other networks than the helper's, none of which can be vouched for."""
    assert m.control is not None
    return (
        m.alike is not True
        and far_apart(tuple(map(beyond_nat64, lookup.addresses)), tuple(map(beyond_nat64, m.control.addresses)))
        and not lookup.asns & m.control.asns
        and not any(trusted(m, a) for a in lookup.addresses)
    )


def _uncertified(m: Measurement, lookup: Lookup) -> bool:
    """Whether somebody answered TLS at one of its addresses, with a certificate that is not the name's.

    One that is too old, or of an unknown authority, may well be: a probe's list of authorities grows old.
    """
    return any(
        g.address in lookup.addresses and related(g.sni, m.target) and g.failure == ANOTHERS for g in m.greetings
    )


def of_pages(m: Measurement, lies: Sequence[Evidence]) -> Iterator[Evidence]:
    """Known block pages in the clear: on the way to the name, or at the address that a false answer gave for it."""
    for page, scope, node, x in _known_pages(m):
        about = subject(m, "http", x.address, 80)
        if lies and not (x.address and trusted(m, x.address)):
            # Behind a false address a page says nothing of the way to the true one.
            if scope not in NOBODYS:
                given = listed(lies[0].disputes)
                yield cite(
                    clues.PAGE_THERE, subject(m, "dns"), cited(m), name=m.target, page=page, given=given, line=m.line
                )
            continue
        family = clues.PRODUCT_PAGE if scope in NOBODYS else clues.KNOWN_PAGE
        yield cite(family[node], about, cited(m), name=m.target, page=page, line=m.line)
        if m.control and m.control.served and (m.control.status or 0) < 400 and not m.alike:
            words: dict[str, Any] = {"name": m.target, "status": m.control.status, "line": m.line}
            yield cite(clues.SERVED_ELSEWHERE[node], about, cited(m), **words)


def _known_pages(m: Measurement) -> Iterator[tuple[str, str, str, Exchange]]:
    """Signature, its scope, node and request of answers in the clear that are known, or lead to one that is."""
    for x, then in zip(m.exchanges, (*m.exchanges[1:], None), strict=False):
        if x.secure or not related(x.host, m.target):
            continue
        node, known = "redirect" if x.to_host and not related(x.to_host, m.target) else "blockpage", x.known
        if not known and then and x.to_host == then.host and not related(then.host, m.target):
            node, known = "redirect", then.known
        if known:
            page, scope = next((k for k in known if k[1] not in NOBODYS), known[0])
            yield page, scope, node, x


def subject(m: Measurement, protocol: str, address: str | None = None, port: int | None = None) -> Subject:
    """The target, in the trial that this measurement is."""
    return Subject(name=m.target, address=address, port=port, protocol=protocol, trial=str(m.line))


def cited(m: Measurement) -> Cited:
    """The measurement's line, where evidence from packets cites a packet. Reports name it in words."""
    return Cited(0, m.line)


def listed(addresses: tuple[str, ...] | frozenset[str]) -> str:
    """The first two addresses, and how many more there are."""
    some = sorted(addresses)
    return ", ".join(some[:2]) + (f" and {len(some) - 2} more" if len(some) > 2 else "")
