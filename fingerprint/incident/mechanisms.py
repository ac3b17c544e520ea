"""What many verdicts about one role say together: the deepest node that they share, and how sure they are.

Repeats are not independent. The packets of each trial are new, but the line, the server, the tool and its table of
clues are the same; so k repeats count as k / (1 + (k - 1) / 2), never as more than two (`verdict.weighing`, after the
beta-binomial's overdispersion). The best single verdict can thus at most double its weight of evidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from fingerprint.incident.observations import family
from fingerprint.incident.sightings import Way
from fingerprint.verdict.taxonomy import PRIOR_BLOCKED
from fingerprint.verdict.weighing import TRIAL_CAP, effective

# DESIGN: mass adds up the tree, and the deepest node with at least 0.95 is reported.
ENOUGH = 0.95
# A depth that fewer than half of the sightings reach is not said of all of them.
REACHED = 0.5
# A second way in fewer than a fifth of the sightings is stated by them, not by the role. Both set by hand.
SHARE = 0.2


def named(sightings: Sequence[Sequence[Way]]) -> tuple[str, ...]:
    """The mechanisms that many verdicts of one role share, most probable first; a role may have several.

    Within layer and action the way goes down while one child has 0.95 of what goes deeper at all, and at least half of
    everything: who says no more than ``tls.reset`` does not contradict ``tls.reset.sni``, a ``tls.reset.ech`` does.
    """
    masses: dict[str, dict[str, float]] = {}
    for ways in sightings:
        best: dict[str, Way] = {}
        for way in ways:
            f = family(way.node)
            if f not in best or way.posterior > best[f].posterior:
                best[f] = way
        for f, way in best.items():
            nodes = masses.setdefault(f, {})
            nodes[way.node] = nodes.get(way.node, 0.0) + way.posterior
    shares = {f: sum(nodes.values()) / max(len(sightings), 1) for f, nodes in masses.items()}
    kept = [f for f in shares if shares[f] >= SHARE] or list(shares)
    return tuple(deepest(f, masses[f]) for f in sorted(kept, key=lambda f: (-shares[f], f)))


def deepest(root: str, masses: dict[str, float]) -> str:
    """The deepest node below ``root`` that is shared; ``masses`` are of the nodes that verdicts named."""
    at, whole = root, sum(masses.values())
    while True:
        children: dict[str, float] = {}
        for node, mass in masses.items():
            if node.startswith(at + "."):
                child = ".".join(node.split(".")[: at.count(".") + 2])
                children[child] = children.get(child, 0.0) + mass
        deeper = sum(children.values())
        best = max(sorted(children), key=lambda c: children[c], default=None)
        if best is None or children[best] < ENOUGH * deeper or children[best] < REACHED * whole:
            return at
        at = best


def repeated(posteriors: Sequence[float]) -> float | None:
    """The probability of interference after repeats that are not independent; None without any.

    Each posterior is turned back into the odds that its sighting added to the prior; they count strongest first, the
    k-th by what `effective` grows. Two of 0.99 give 0.9995; however many there are, 0.999999 is never passed.
    """
    if not posteriors:
        return None
    prior = _logit(PRIOR_BLOCKED)
    added = sorted((_logit(p) - prior for p in posteriors), reverse=True)
    total = added[0]
    for k, weight in enumerate(added[1:], start=2):
        total += min(max(weight, 0.0), TRIAL_CAP) * (effective(k) - effective(k - 1))
    return 1 / (1 + math.exp(-(prior + total)))


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))
