"""From a symptom's balance to a mechanism: the deepest supported node, its facets, and who lost the race."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fingerprint.technique import Evidence, Facets, Interval, Location, Trigger
from fingerprint.verdict import taxonomy
from fingerprint.verdict.model import Alternative, Cause, Mechanism, Weighed
from fingerprint.verdict.symptoms import Found, Symptom
from fingerprint.verdict.weighing import Balance, separation, vector, weigh

# DESIGN, "Combining": the deepest node with at least this mass is reported.
ENOUGH = 0.95
# DESIGN, "Combining": an innocent cause is reported as the reason from here on.
EXPLAINED = 0.9
# DESIGN, "Combining": what one clue must reach against every innocent explanation to carry `blocked`.
CARRIES = math.log(20)
# Innocent explanations are named however small, for a reader asks what else it could have been; other mechanisms of the
# same kind only from here on.
NAMED = 3
WORTH_NAMING = 0.01


_SUPPORTED: dict[tuple[object, ...], str | None] = {}
_LOSERS: dict[tuple[object, ...], tuple[tuple[str, int | None], ...]] = {}


def supported_node(balance: Balance) -> str | None:
    """The deepest node with enough mass whose qualifier is shown by some evidence; None below the floor."""
    symptom = balance.symptom
    fields = frozenset(f.evidence.facets.trigger.field for f in symptom.found if f.evidence.facets.trigger)
    key = (balance.key, fields)
    if key not in _SUPPORTED:
        _SUPPORTED[key] = _deepest(balance)
    return _SUPPORTED[key]


def _deepest(balance: Balance) -> str | None:
    symptom = balance.symptom
    if balance.blocked() < ENOUGH or not carried(symptom):
        return None
    candidates = {a for n in symptom.nodes for a in taxonomy.ancestors(n)}
    for node in sorted(candidates, key=lambda n: (-n.count("."), -balance.mass(n), n)):
        if balance.mass(node) >= ENOUGH and qualified(node, symptom):
            return node
    return None


def qualified(node: str, symptom: Symptom) -> bool:
    """Whether the trigger that the node's last label names was shown."""
    fields = _fields(node)
    return not fields or any(
        f.evidence.facets.trigger and f.evidence.facets.trigger.field in fields for f in symptom.found
    )


def carried(symptom: Symptom) -> bool:
    """Whether one clue is strong enough alone, or two trials speak and a control beside them passed."""
    supporting = [f for f in symptom.found if separation(vector(f, symptom), symptom.nodes) > 0]
    if any(separation(vector(f, symptom), symptom.nodes) >= CARRIES for f in supporting):
        return True
    trials = {f.evidence.subject.trial for f in supporting if f.evidence.subject.trial}
    return len(trials) >= 2 and any(f.evidence.facets.trigger for f in supporting)


def mechanism(balance: Balance, node: str) -> Mechanism:
    """Everything known about a supported node."""
    symptom = balance.symptom
    rival, _ = balance.innocent()
    weighed = tuple(sorted((_weighed(f, symptom, node, rival) for f in symptom.found), key=lambda w: -w.log_odds))
    speaking = [f.evidence for f in symptom.found if separation(vector(f, symptom), symptom.nodes) > 0]
    facets = [e.facets for e in speaking]
    at = {f"{p:g}": weigh(symptom, prior_blocked=p).mass(node) for p in taxonomy.OTHER_PRIORS}
    return Mechanism(
        node=node,
        posterior=balance.mass(node),
        posterior_at=at,
        calibrated=_calibration(speaking),
        position=_position(facets),
        trigger=_trigger((f.evidence.facets for f in symptom.found), node),
        location=_location(facets),
        injector=(),
        shape=_most_said(f.shape for f in facets),
        rate_bps=_narrowest(f.rate_bps for f in facets),
        burst_bytes=_narrowest(f.burst_bytes for f in facets),
        residual_s=_narrowest(f.residual_s for f in facets),
        evidence=tuple(w for w in weighed if w.log_odds > 0) or weighed,
        why=explain(balance, node),
    )


def alternatives(balance: Balance, node: str | None) -> tuple[Alternative, ...]:
    """The explanations that lost, most probable first, each with the evidence that hurts it most."""
    key = (balance.key, node)
    if key not in _LOSERS:
        _LOSERS[key] = _losers(balance, node)
    found = balance.symptom.found
    return tuple(
        Alternative(
            hypothesis=h,
            posterior=balance.posterior[h],
            against="nothing; it is only less common" if at is None else found[at].evidence.says,
        )
        for h, at in _LOSERS[key]
    )


def _losers(balance: Balance, node: str | None) -> tuple[tuple[str, int | None], ...]:
    """Hypothesis and the place of the evidence against it among what was found."""
    symptom = balance.symptom
    family = set(taxonomy.below(node)) | set(taxonomy.ancestors(node)) if node else set()
    ranked = sorted(balance.posterior, key=lambda h: (-balance.posterior[h], h))
    innocent = [h for h in ranked if h in taxonomy.INNOCENTS and h not in family][:NAMED]
    other = [h for h in ranked if h not in taxonomy.INNOCENTS and h not in family]
    other = [h for h in other if balance.posterior[h] >= WORTH_NAMING][:2]
    losers = sorted((*innocent, *other), key=lambda h: (-balance.posterior[h], h))
    winner = node or max(balance.posterior, key=lambda h: (balance.posterior[h], h))
    out = []
    for loser in losers:
        against = [_weighed(f, symptom, winner, loser).log_odds for f in symptom.found]
        best = max(range(len(against)), key=lambda i: against[i])
        out.append((loser, best if against[best] > 0 else None))
    return tuple(out)


def cause(balance: Balance) -> Cause | None:
    """The innocent explanation of a symptom, if one reaches the mark."""
    name, probability = balance.innocent()
    if probability < EXPLAINED:
        return None
    rival = max(balance.symptom.nodes, key=lambda n: balance.log_likelihood[n])
    weighed = tuple(_weighed(f, balance.symptom, name, rival) for f in balance.symptom.found)
    return Cause(
        hypothesis=name,
        posterior=probability,
        says=taxonomy.INNOCENTS[name],
        evidence=tuple(w for w in weighed if w.log_odds > 0),
    )


def explain(balance: Balance, node: str) -> tuple[str, ...]:
    """The sum, line by line: prior, each clue against the best innocent, posterior."""
    symptom = balance.symptom
    rival, left = balance.innocent()
    trials = len(symptom.trials)
    lines = [f"prior {taxonomy.PRIOR_BLOCKED:.0%} blocked, {1 - taxonomy.PRIOR_BLOCKED:.0%} not; {trials} trials"]
    for f in symptom.found:
        w = _weighed(f, symptom, node, rival)
        clue = f.evidence.clue
        basis = f"n={clue.n}" if clue.n else "uncalibrated"
        lines.append(f"{w.log_odds:+.2f} {f.technique}/{clue.id} [group {clue.group}, {basis}] {f.evidence.says}")
    lines.append(f"posterior {balance.mass(node):.4f} for {node}; best innocent: {rival} {left:.2g}")
    lines.extend(
        f"under a prior of {p:g}: {weigh(symptom, prior_blocked=p).mass(node):.4f}" for p in taxonomy.OTHER_PRIORS
    )
    return tuple(lines)


def _weighed(f: Found, symptom: Symptom, hypothesis: str, rival: str) -> Weighed:
    """Log-odds of the hypothesis (best node below it) against its rival."""
    weights = vector(f, symptom)

    def of(h: str) -> float:
        return weights[h] if h in weights else max(weights[n] for n in taxonomy.below(h) if n in weights)

    return Weighed(technique=f.technique, evidence=f.evidence, log_odds=of(hypothesis) - of(rival))


def _calibration(evidence: Iterable[Evidence]) -> dict[str, object] | None:
    clues = {e.clue.id: e.clue for e in evidence}.values()
    if not clues or any(not c.n for c in clues):
        return None
    return {"from": "+".join(sorted({c.source for c in clues})), "n": min(c.n for c in clues)}


def _position(facets: Iterable[Facets]) -> str:
    said = {f.position for f in facets if f.position}
    return said.pop() if len(said) == 1 else "unknown"


def _trigger(facets: Iterable[Facets], node: str) -> Trigger | None:
    """What the evidence names as trigger, unless a deeper node that claims it was not supported."""
    deeper = {field for n in taxonomy.below(node) if n != node for field in _fields(n)}
    said = [f.trigger for f in facets if f.trigger and f.trigger.field not in deeper - set(_fields(node))]
    return next((t for t in said if t.field in _fields(node)), said[0] if said else None)


def _fields(node: str) -> tuple[str, ...]:
    return taxonomy.QUALIFIERS.get(node.rsplit(".", 1)[-1], ())


def _location(facets: Iterable[Facets]) -> Location | None:
    said = [f.location for f in facets if f.location]
    return min(said, key=lambda at: (at.hop is None, at.hop or 0)) if said else None


def _most_said(shapes: Iterable[str | None]) -> str | None:
    said = sorted(s for s in shapes if s)
    return max(said, key=said.count) if said else None


def _narrowest(intervals: Iterable[Interval | None]) -> Interval | None:
    said = [i for i in intervals if i]
    return min(said, key=lambda i: i.high - i.low) if said else None
