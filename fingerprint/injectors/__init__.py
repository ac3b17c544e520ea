"""Which known device forged packets resemble, and which unknown ones resemble each other.

Forged packets → `specimens` (one flow each) → `traits` (what they have in common) → `matches` (rows of the table, field
by field) and `clusters` (traits that one device can have). Nothing here moves a verdict: it reads what was convicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from fingerprint.capture import Capture
from fingerprint.injectors.clusters import cluster_name, clusters
from fingerprint.injectors.matching import Compared, complaints, matches
from fingerprint.injectors.specimens import RST, FlowRows, specimens
from fingerprint.injectors.traits import Traits, traits
from fingerprint.technique import Known
from fingerprint.verdict.model import InjectorMatch, Mechanism, Verdict

# So many rows are worth a reader's time.
SHOWN = 3


def named(capture: Capture, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, each mechanism with the devices that its forged packets resemble."""
    of_flows = FlowRows()
    return tuple(_with_injectors(capture, v, of_flows) if v.mechanisms else v for v in verdicts)


def _with_injectors(capture: Capture, verdict: Verdict, of_flows: FlowRows) -> Verdict:
    def known(m: Mechanism) -> Mechanism:
        makers = of_mechanism(capture, m, verdict, of_flows)
        return replace(m, injector=resembles(makers, capture.known) or (unknown(makers),)) if makers else m

    return replace(verdict, mechanisms=tuple(map(known, verdict.mechanisms)))


def resembles(makers: Sequence[Traits], known: Known) -> tuple[InjectorMatch, ...]:
    """Rows of the table, best first; of two makers on one flow the best of each before the second best of any."""
    return tuple(c.match for c in explained(makers, known))


def explained(makers: Sequence[Traits], known: Known) -> tuple[Compared, ...]:
    """The same, field by field."""
    lists = [matches(maker, known)[:SHOWN] for maker in makers]
    ranks = ([found for found in rank if found is not None] for rank in zip_longest(*lists))
    ranked = [found for rank in ranks for found in sorted(rank, key=lambda c: -c.match.score)]
    return tuple({found.match.name: found for found in reversed(ranked)}.values())[::-1][:SHOWN]


def unknown(makers: Sequence[Traits]) -> InjectorMatch:
    """What stands in a report where no row fits."""
    says = "; ".join(maker.says for maker in makers)
    name = f"unknown, cluster {cluster_name(makers)}"
    return InjectorMatch(name=name, score=0.0, fits=(), contradicts=(), source=says)


def of_mechanism(
    capture: Capture, mechanism: Mechanism, verdict: Verdict, of_flows: FlowRows | None = None
) -> tuple[Traits, ...]:
    """What the packets that an injector sent for this mechanism have in common, by maker; empty without such packets.

    Looked at are those that its evidence or, of the same layer, the verdict's observations call forged; and a reset
    that was convicted by what passed beside it, and may be a rewritten answer.
    """
    layer = mechanism.node.partition(".")[0]
    forged = {c for w in mechanism.evidence for c in w.evidence.forged}
    forged |= {c for _, e in verdict.observations if e.subject.protocol == layer for c in e.forged}
    if not forged and mechanism.node.split(".")[1] == "reset":
        cited = {c for w in mechanism.evidence for c in w.evidence.packets}
        flags = {r.index: r.columns.tcp_flags for r in capture.recordings}
        forged = {c for c in cited if flags[c.capture][c.number - 1] & RST}
    return traits(specimens(capture, forged, of_flows))


__all__ = [
    "SHOWN",
    "Traits",
    "cluster_name",
    "clusters",
    "complaints",
    "explained",
    "matches",
    "named",
    "of_mechanism",
    "resembles",
    "specimens",
    "traits",
    "unknown",
]
