"""Findings that speak about one failed or degraded step, put together.

A symptom is name (or address) x layer x action: `pbs.example` x tls x reset. Its hypotheses are the nodes of that
action and all innocent explanations; its trials are the connections or transactions in which it was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fingerprint.technique import Clue, Evidence
from fingerprint.verdict import taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A piece of evidence with the technique that found it and the vantage it was seen from."""

    technique: str
    evidence: Evidence
    vantage: str | None
    issues: frozenset[str] = frozenset()  # what is wrong with the capture that it comes from


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One failed or degraded step and everything that was found about it."""

    target: str
    vantage: str | None
    layer: str
    action: str
    nodes: tuple[str, ...]  # the mechanisms in the race
    found: tuple[Found, ...]

    @property
    def trials(self) -> tuple[str, ...]:
        """Connections or transactions in which it was seen, in order of appearance."""
        return tuple(dict.fromkeys(f.evidence.subject.trial for f in self.found if f.evidence.subject.trial))


ACTIONS = frozenset(taxonomy.action(n) for n in taxonomy.NODES)


def actions(clue: Clue) -> frozenset[str]:
    """The actions that a clue's hypotheses name."""
    return frozenset(key.split(".")[1] for key in clue.given if "." in key)


def likelihood(clue: Clue, hypothesis: str, layer: str) -> float:
    """P(seen | hypothesis) as the clue states it: the longest matching node, the innocent, or the default."""
    given = clue.given
    if hypothesis in taxonomy.INNOCENTS:
        for key in (hypothesis, "innocent", "*"):
            if key in given:
                return given[key]
    for node in taxonomy.ancestors(hypothesis):
        for key in (node, "*." + node.split(".", 1)[1] if node.split(".")[0] == layer else node):
            if key in given:
                return given[key]
    return given["*"]


def symptoms(found: Iterable[Found]) -> tuple[Symptom, ...]:
    """All symptoms in order of appearance. Evidence whose clue names several actions joins each that is there."""
    weighty = [f for f in found if f.evidence.clue.given]
    keyed: dict[tuple[str, str | None, str, str], list[Found]] = {}
    floating: list[Found] = []
    for f in weighty:
        named = actions(f.evidence.clue)
        if len(named) == 1:
            keyed.setdefault((*_where(f), next(iter(named))), []).append(f)
        else:
            floating.append(f)
    for f in floating:
        named = actions(f.evidence.clue) or ACTIONS
        homes = [k for k in ((*_where(f), did) for did in sorted(named)) if k in keyed and _same_trial(f, keyed[k])]
        for home in homes:
            keyed[home].append(f)
    return tuple(
        Symptom(target=target, vantage=vantage, layer=layer, action=did, nodes=_nodes(layer, did), found=tuple(items))
        for (target, vantage, layer, did), items in keyed.items()
        if _nodes(layer, did)
    )


def _where(f: Found) -> tuple[str, str | None, str]:
    subject = f.evidence.subject
    return (subject.name or subject.address or "", f.vantage, subject.protocol or "tcp")


def _same_trial(f: Found, others: Sequence[Found]) -> bool:
    trial = f.evidence.subject.trial
    return trial is None or any(o.evidence.subject.trial in (trial, None) for o in others)


def _nodes(layer: str, did: str) -> tuple[str, ...]:
    nodes = taxonomy.below(f"{layer}.{did}")
    # A slowed stream may be slowed by address whatever it carries.
    return (*nodes, "ip.throttle") if did == "throttle" and layer != "ip" else nodes
