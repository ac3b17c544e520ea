"""Addresses that answer for some names and are silent for others, and what shows that a resolver runs there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from fingerprint.conversations.dns.answers import gives, has_data, registrable
from fingerprint.conversations.dns.lookups import Lookup
from fingerprint.conversations.dns.resolvers import Resolver
from fingerprint.conversations.path.unreachable import OF_THE_HOST, Unreachable
from fingerprint.messages.dns import REFUSED


def refused(reports: Iterable[Unreachable]) -> frozenset[tuple[int, int]]:
    """(file, flow) of packets of which the addressed host itself said that nobody listens on that port."""
    return frozenset(
        (u.capture, u.flow) for u in reports if u.says in OF_THE_HOST and u.sender == u.address and u.protocol == "udp"
    )


def silent_to_others(
    resolver: Resolver, *, listen_s: float, queries: int, unheard: Collection[tuple[int, int]] = ()
) -> tuple[Sequence[Lookup], Sequence[Lookup]]:
    """(answered, silent) lookups at an address that left queries for unrelated names unanswered before and after.

    Both empty where any name was both answered and not, where fewer than ``queries`` were watched for ``listen_s``
    seconds or stand among the ``unheard`` (see `refused`), and where one authoritative zone could explain it: every
    answer with AA set or a refusal, all under one registered name, from a port on which somebody listens.
    """
    udp = [x for x in resolver.lookups if x.protocol == "udp" and x.queries]
    answered = [x for x in udp if x.answers]
    silent = [x for x in udp if not x.answers and (x.listened_s >= listen_s or (x.capture, x.flow) in unheard)]
    if not answered or sum(x.asked_times for x in silent) < queries:
        return (), ()
    yes, no = {registrable(x.name) for x in answered}, {registrable(x.name) for x in udp if not x.answers}
    if yes & no or silent[0].first_ns > answered[-1].first_ns or silent[-1].first_ns < answered[0].first_ns:
        return (), ()
    nobody_listens = any((x.capture, x.flow) in unheard for x in silent)
    if (
        not nobody_listens
        and len(yes) == 1
        and all(a.head.flags & 0x0400 or a.head.rcode == REFUSED for x in answered for a in x.answers)
    ):
        return (), ()
    return answered, silent


def answered_elsewhere(silent: Sequence[Lookup], found: Iterable[Lookup]) -> tuple[Lookup, ...]:
    """For every name that one address left unanswered, a lookup of the same client that another resolver answered.

    Empty if a name has none, or if none was answered after the first of those queries or before the last.
    """
    first_ns, last_ns = silent[0].first_ns, silent[-1].last_ns
    here, client = silent[0].resolver.address, silent[0].client.address
    known: dict[str, Lookup] = {}
    before = after = False
    wanted = {x.name for x in silent}
    for lookup in found:
        if lookup.name not in wanted or lookup.resolver.address == here or lookup.client.address != client:
            continue
        if lookup.protocol == "udp" and lookup.answers and has_data(lookup.answers[0]):
            known.setdefault(lookup.name, lookup)
            before |= lookup.first_ns < last_ns
            after |= lookup.first_ns > first_ns
    return tuple(known.values()) if before and after and len(known) == len(wanted) else ()


def is_shown(resolver: Resolver, found: Iterable[Lookup]) -> bool:
    """Whether something that injectors do not do shows that a resolver runs at this address.

    A lookup over TCP that was answered, an answer with other records than addresses, or one that another agrees with
    and nobody contradicts: one injector forges the same for both.
    """
    own: dict[str, set[str]] = {}
    for lookup in resolver.lookups:
        for answer in lookup.answers[:1]:
            if lookup.protocol == "tcp" or answer.head.answers > len(answer.addresses) > 0:
                return True
            own.setdefault(lookup.name, set()).update(gives(answer))
    agreed: set[str] = set()
    contradicted: set[str] = set()
    for lookup in found:
        mine = own.get(lookup.name)
        if not mine or lookup.resolver.address == resolver.address:
            continue
        for answer in lookup.answers:
            theirs = set(gives(answer))
            (agreed if theirs & mine else contradicted).update({lookup.name} if theirs else ())
    return bool(agreed - contradicted)
