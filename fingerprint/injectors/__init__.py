"""Which known device forged packets resemble, and which unknown ones resemble each other.

Forged packets → `specimens` (one flow each) → `traits` (what they have in common) → `matches` (rows of the table, field
by field) and `clusters` (traits that one device can have). Nothing here moves a verdict: it reads what was convicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from fingerprint.capture import Capture
from fingerprint.injectors.clusters import clusters
from fingerprint.injectors.matching import matches
from fingerprint.injectors.specimens import RST, specimens
from fingerprint.injectors.traits import Traits, traits
from fingerprint.technique import Known
from fingerprint.verdict.model import InjectorMatch, Mechanism, Verdict

# So many rows are worth a reader's time.
SHOWN = 3


def named(capture: Capture, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, each mechanism with the devices that its forged packets resemble."""
    found = {id(m): made for v in verdicts for m in v.mechanisms if (made := of_mechanism(capture, m))}
    if not found:
        return tuple(verdicts)
    numbers = dict(zip(found, clusters(list(found.values())), strict=True))

    def with_injector(m: Mechanism) -> Mechanism:
        mine = found.get(id(m))
        if mine is None:
            return m
        return replace(m, injector=resembles(mine, capture.known) or (unknown(mine, numbers[id(m)]),))

    return tuple(replace(v, mechanisms=tuple(map(with_injector, v.mechanisms))) for v in verdicts)


def resembles(makers: Sequence[Traits], known: Known) -> tuple[InjectorMatch, ...]:
    """Rows of the table, best first; of two makers on one flow the best of each before the second best of any."""
    lists = [matches(maker, known)[:SHOWN] for maker in makers]
    ranked = [match for rank in zip_longest(*lists) for match in rank if match is not None]
    return tuple({match.name: match for match in ranked}.values())[:SHOWN]


def unknown(makers: Sequence[Traits], number: int) -> InjectorMatch:
    """What stands in a report where no row fits."""
    says = "; ".join(maker.says for maker in makers)
    return InjectorMatch(name=f"unknown, cluster {number}", score=0.0, fits=(), contradicts=(), source=says)


def of_mechanism(capture: Capture, mechanism: Mechanism) -> tuple[Traits, ...]:
    """What the packets that an injector sent for this mechanism have in common, by maker; empty without such packets.

    A reset that was convicted by what passed beside it, and may be a rewritten answer, is looked at too.
    """
    forged = {c for w in mechanism.evidence for c in w.evidence.forged}
    if not forged and mechanism.node.split(".")[1] == "reset":
        cited = {c for w in mechanism.evidence for c in w.evidence.packets}
        flags = {r.index: r.columns.tcp_flags for r in capture.recordings}
        forged = {c for c in cited if flags[c.capture][c.number - 1] & RST}
    return traits(specimens(capture, forged))


__all__ = [
    "SHOWN",
    "Traits",
    "clusters",
    "matches",
    "named",
    "of_mechanism",
    "resembles",
    "specimens",
    "traits",
    "unknown",
]
