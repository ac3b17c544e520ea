"""Which mechanisms a technique can find, read off the likelihoods of its clues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fingerprint.technique import Clue, Technique
from fingerprint.verdict import taxonomy
from fingerprint.verdict.symptoms import actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How a technique speaks for a node.

    ``opens``: a clue of it can open the case, for its hypotheses name one action; others add to cases that are open.
    ``by_name``: some clue names the node itself; else only ``*.reset`` and its like do, which stand for the layer on
    which the step failed, whichever that was.
    """

    opens: bool
    by_name: bool


def carried(technique: Technique | type[Technique]) -> dict[str, Carried]:
    """The nodes that a technique's clues speak for, in the taxonomy's order."""
    found: dict[str, list[tuple[bool, bool]]] = {}
    for clue in technique.clues:
        alone = len(actions(clue)) == 1
        for hypothesis in spoken_for(clue):
            for node in named(hypothesis):
                found.setdefault(node, []).append((alone, not hypothesis.startswith("*")))
    return {
        node: Carried(opens=any(opens for opens, _ in found[node]), by_name=any(named for _, named in found[node]))
        for node in taxonomy.NODES
        if node in found
    }


def spoken_for(clue: Clue) -> Iterator[str]:
    """The mechanisms among the hypotheses that are likelier than the least likely: the others it speaks against."""
    least = min(clue.given.values(), default=0.0)
    yield from (hypothesis for hypothesis, p in clue.given.items() if "." in hypothesis and p > least)


def named(hypothesis: str) -> tuple[str, ...]:
    """The nodes that a key of ``given`` names; it stands for those below them as well, and does not find them."""
    if hypothesis.startswith("*."):
        return tuple(node for node in taxonomy.NODES if node.split(".", 1)[1] == hypothesis[2:])
    return tuple(node for node in taxonomy.NODES if node == hypothesis)
