"""How each mechanism looked over all cells that show it: what an incident is compared by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fingerprint.incident.cells import Made
from fingerprint.incident.model import BLOCKED, Signature
from fingerprint.incident.sightings import Way


def signatures(made: Sequence[Made]) -> tuple[Signature, ...]:
    """One for each mechanism that a cell names, in order of the cells."""
    nodes = dict.fromkeys(node for m in made for node in m.cell.mechanisms)
    return tuple(_signature(node, [m for m in made if node in m.cell.mechanisms]) for node in nodes)


def _signature(node: str, made: Sequence[Made]) -> Signature:
    ways = [
        way
        for m in made
        for s in m.seen
        if s.settles == BLOCKED
        for way in s.ways
        if way.node == node or way.node.startswith(node + ".")
    ]
    rates = [w.rate_interval_bps for w in ways if w.rate_interval_bps]
    return Signature(
        mechanism=node,
        services=tuple(dict.fromkeys(m.cell.service for m in made)),
        vantages=tuple(dict.fromkeys(m.cell.vantage for m in made)),
        positions=_words(w.position for w in ways if w.position != "unknown"),
        links=tuple(sorted({w.link for w in ways if w.link})),
        triggers=_words(w.trigger for w in ways),
        injectors=_words(w.injector for w in ways),
        contradicted=_words(w.injector for w in _contradicted(ways)),
        shapes=_words(w.shape for w in ways),
        rate_bps=(min(low for low, _ in rates), max(high for _, high in rates)) if rates else None,
    )


def _contradicted(ways: Iterable[Way]) -> Iterable[Way]:
    return (w for w in ways if w.contradicted)


def _words(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({w for w in words if w}))
