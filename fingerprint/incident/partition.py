"""Where a sequence of states changes: optimal partitioning of categories, by marginal likelihood.

Every segment is a run of draws from one unknown mixture of categories, with Dirichlet prior `ALPHA` on each: nearly
pure mixtures are expected, and any rate of strays (a censor that misses, a probe that is lost) costs little once it is
steady. A further change costs log n, which is what a uniform prior over its n places takes. Observations weigh at most
one, less where the verdict was less sure, so that a doubtful one can hardly make a change by itself.

For a run of equal observations the sum is convex in where it is divided (the trigamma function falls), so a best
change lies between unequal neighbours, and runs can be moved as wholes.

Method: Jackson et al., "An algorithm for optimal partitioning of data on an interval", IEEE Signal Processing Letters
12(2), 2005.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# With one fiftieth a lone contrary sighting stands as a stretch of its own among up to four, and among more it is a
# stray; at either end of a sequence one is enough. Set by hand for that.
ALPHA = 0.02

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Segment:
    """Observations ``first`` to before ``last``, and how sure the change before them is (1.0 for the first)."""

    first: int
    last: int
    confidence: float


def segments(categories: Sequence[int], weights: Sequence[float], kinds: int) -> tuple[Segment, ...]:
    """The best division of a sequence. ``categories`` count from 0 to below ``kinds``; weights lie in 0 to 1.

    Raises ValueError if the two sequences differ in length.
    """
    if len(categories) != len(weights):
        raise ValueError("a weight for every observation")
    if not categories:
        return ()
    starts = [i for i, c in enumerate(categories) if not i or c != categories[i - 1]]
    sums = _sums(categories, weights, kinds)[[*starts, len(categories)]]
    penalty = math.log(len(categories))
    best = np.zeros(len(sums))
    came_from = np.zeros(len(sums), dtype=int)
    for end in range(1, len(sums)):
        costs = best[:end] - evidence(sums[end] - sums[:end]) + penalty
        came_from[end] = int(np.argmin(costs))
        best[end] = costs[came_from[end]]
    cuts = [len(sums) - 1]
    while cuts[-1]:
        cuts.append(int(came_from[cuts[-1]]))
    cuts.reverse()
    places = [*starts, len(categories)]
    out = []
    for n in range(len(cuts) - 1):
        sure = _confidence(sums, cuts[n - 1], cuts[n], cuts[n + 1], penalty) if n else 1.0
        out.append(Segment(places[cuts[n]], places[cuts[n + 1]], sure))
    return tuple(out)


def evidence(counts: Array) -> Array:
    """The log marginal likelihood of counts under the Dirichlet-multinomial. Shape (…, kinds) → (…)."""
    kinds = counts.shape[-1]
    each = log_gamma(counts + ALPHA) - log_gamma(np.array(ALPHA))
    whole = log_gamma(counts.sum(axis=-1) + kinds * ALPHA) - log_gamma(np.array(kinds * ALPHA))
    return np.asarray(each.sum(axis=-1) - whole)


def _sums(categories: Sequence[int], weights: Sequence[float], kinds: int) -> Array:
    table = np.zeros((len(categories) + 1, kinds))
    table[np.arange(1, len(categories) + 1), categories] = weights
    return np.cumsum(table, axis=0)


def _confidence(sums: Array, before: int, at: int, after: int, penalty: float) -> float:
    """Posterior probability that the two neighbours differ, against one mixture for both."""
    apart = evidence(sums[at] - sums[before]) + evidence(sums[after] - sums[at]) - penalty
    together = evidence(sums[after] - sums[before])
    return float(1 / (1 + math.exp(-min(float(apart - together), 50.0))))


def log_gamma(x: Array) -> Array:
    """Logarithm of the gamma function above zero: Stirling's series after eight steps up (DLMF 5.11.1, 5.5.1).

    Accurate to 1e-10 there; scipy, which has it too, is an extra and takes a second to import.
    """
    steps = np.zeros_like(x)
    y = np.array(x, dtype=float)
    for _ in range(8):
        steps += np.log(y)
        y = y + 1
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5)
    return np.asarray((y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi) + series - steps)
