"""The sum of evidence: log-likelihoods per hypothesis, grouped so that nothing counts twice.

Clues of one group in one trial are facets of one thing seen: the one that separates most counts. All clues of one
trial share packets and are capped together. Trials are repeats of one experiment under one censor, so the k-th adds
less than the first (Kish's design effect with intra-class correlation `RHO`, the beta-binomial's overdispersion).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fingerprint.technique import Clue
from fingerprint.verdict import lowering
from fingerprint.verdict.symptoms import Found, Symptom, likelihood
from fingerprint.verdict.taxonomy import INNOCENT_PRIOR, INNOCENTS, PRIOR_BLOCKED, node_prior

# What one connection alone may contribute: a likelihood ratio of 10,000. Set by hand: no field study supports more
# from a single packet exchange, and a capture fault can make any one of them.
TRIAL_CAP = math.log(1e4)
# Intra-class correlation of repeats. Set by hand at one half: two trials count as 1.33, many as 2.
RHO = 0.5
# Probabilities are kept away from zero, so that no single clue can be a proof.
FLOOR = 1e-6

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Posterior probabilities of a symptom's hypotheses, and the lines of the sum."""

    symptom: Symptom
    log_likelihood: Weights
    posterior: Weights
    key: tuple[object, ...]  # equal keys have equal sums, so that what follows from them is worked out once

    def blocked(self) -> float:
        """The probability of interference."""
        return sum(self.posterior[n] for n in self.symptom.nodes)

    def innocent(self) -> tuple[str, float]:
        """The innocent explanation that is left, and its probability."""
        name = max(INNOCENTS, key=lambda h: (self.posterior[h], h))
        return name, self.posterior[name]

    def mass(self, node: str) -> float:
        """The probability of a node with everything below it."""
        return sum(p for h, p in self.posterior.items() if h == node or h.startswith(node + "."))


# One entry a clue, layer and family of nodes: a large capture weighs the same few clues thousands of times.
_VECTORS: dict[tuple[int, str, tuple[str, ...], frozenset[str]], tuple[Clue, dict[str, float]]] = {}
_BALANCES: dict[tuple[object, ...], tuple[dict[str, float], dict[str, float]]] = {}


def vector(f: Found, symptom: Symptom) -> dict[str, float]:
    """The log-likelihood of one piece of evidence under every hypothesis of the symptom."""
    clue = f.evidence.clue
    key = (id(clue), symptom.layer, symptom.nodes, f.issues)
    kept = _VECTORS.get(key)
    if kept is None or kept[0] is not clue:
        given = {h: likelihood(clue, h, symptom.layer) for h in (*symptom.nodes, *INNOCENTS)}
        given[lowering.FAULT] = max(given[lowering.FAULT], lowering.floor(clue.group, f.issues))
        seen = {h: math.log(max(FLOOR, p)) for h, p in given.items()}
        _VECTORS[key] = kept = (clue, seen)
    return kept[1]


def separation(weights: Weights, nodes: Sequence[str]) -> float:
    """Log-likelihood ratio of the best mechanism against the best innocent explanation."""
    return max(weights[n] for n in nodes) - max(weights[i] for i in INNOCENTS)


def trial_vector(found: Sequence[Found], symptom: Symptom) -> dict[str, float]:
    """The evidence of one trial: one clue a group, summed, capped."""
    groups: dict[str, dict[str, float]] = {}
    for f in found:
        seen, group = vector(f, symptom), f.evidence.clue.group
        if group not in groups or _span(seen) > _span(groups[group]):
            groups[group] = seen
    total = {h: sum(g[h] for g in groups.values()) for h in (*symptom.nodes, *INNOCENTS)}
    top = max(total.values())
    return {h: max(w - top, -TRIAL_CAP) for h, w in total.items()}


def weigh(symptom: Symptom, *, prior_blocked: float = PRIOR_BLOCKED) -> Balance:
    """The balance of one symptom under a prior."""
    trials: dict[str | None, int] = {None: 0}
    order = tuple(
        (id(f.evidence.clue), f.issues, trials.setdefault(f.evidence.subject.trial, len(trials))) for f in symptom.found
    )
    key = (symptom.layer, symptom.nodes, order, prior_blocked)
    if key not in _BALANCES:
        total = _total(symptom)
        _BALANCES[key] = total, posterior(symptom, total, prior_blocked)
    total, after = _BALANCES[key]
    return Balance(symptom=symptom, log_likelihood=total, posterior=after, key=key)


def _total(symptom: Symptom) -> dict[str, float]:
    """The sum over trials, strongest first, and over what all of them share."""
    by_trial: dict[str | None, list[Found]] = {}
    for f in symptom.found:
        by_trial.setdefault(f.evidence.subject.trial, []).append(f)
    shared = by_trial.pop(None, [])
    vectors = [trial_vector(found, symptom) for found in by_trial.values()]
    vectors.sort(key=lambda v: -abs(separation(v, symptom.nodes)))
    total = dict.fromkeys((*symptom.nodes, *INNOCENTS), 0.0)
    for k, seen in enumerate(vectors, start=1):
        weight = effective(k) - effective(k - 1)
        total = {h: w + weight * seen[h] for h, w in total.items()}
    if shared:
        both = trial_vector(shared, symptom)
        total = {h: w + both[h] for h, w in total.items()}
    return total


def effective(trials: int) -> float:
    """How many independent trials that many repeats are worth."""
    return trials / (1 + (trials - 1) * RHO) if trials else 0.0


def posterior(symptom: Symptom, total: Weights, prior_blocked: float) -> dict[str, float]:
    """Bayes' rule over the symptom's hypotheses; they sum to one."""
    prior = {n: prior_blocked * share for n, share in node_prior(symptom.nodes).items()}
    prior |= {i: (1 - prior_blocked) * p for i, p in INNOCENT_PRIOR.items()}
    top = max(total.values())
    raw = {h: prior[h] * math.exp(total[h] - top) for h in total}
    whole = sum(raw.values())
    return {h: r / whole for h, r in raw.items()}


def _span(weights: Weights) -> float:
    return max(weights.values()) - min(weights.values())
