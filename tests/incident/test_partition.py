"""Where a sequence changes, against every division that there is."""

from __future__ import annotations

import math
import random
from itertools import combinations, pairwise

import numpy as np
import pytest

from fingerprint.incident.partition import evidence, log_gamma, segments


def brute(categories, weights, kinds):
    """The lowest cost of all divisions, each change costing log n."""
    n = len(categories)
    best = math.inf
    for changes in range(n):
        for cuts in combinations(range(1, n), changes):
            edges = [0, *cuts, n]
            cost = changes * math.log(n)
            for a, b in pairwise(edges):
                counts = np.zeros(kinds)
                for c, w in zip(categories[a:b], weights[a:b], strict=True):
                    counts[c] += w
                cost -= float(evidence(counts))
            best = min(best, cost)
    return best


def cost_of(found, categories, weights, kinds):
    total = (len(found) - 1) * math.log(len(categories))
    for s in found:
        counts = np.zeros(kinds)
        for c, w in zip(categories[s.first : s.last], weights[s.first : s.last], strict=True):
            counts[c] += w
        total -= float(evidence(counts))
    return total


@pytest.mark.parametrize("seed", range(40))
def test_no_division_is_better_than_the_one_that_is_found(seed):
    draw = random.Random(seed)
    n, kinds = draw.randint(2, 9), draw.randint(2, 4)
    categories = [draw.randrange(kinds) if draw.random() < 0.4 else 0 for _ in range(n)]
    weights = [draw.choice((1.0, 0.96, 0.6)) for _ in range(n)]
    found = segments(categories, weights, kinds)
    assert found[0].first == 0
    assert found[-1].last == n
    assert cost_of(found, categories, weights, kinds) == pytest.approx(brute(categories, weights, kinds))


def cuts(text):
    return [s.first for s in segments([int(c) for c in text], [1.0] * len(text), 3)][1:]


def test_a_change_at_either_end_needs_one_observation():
    assert cuts("01") == [1]
    assert cuts("0" * 100 + "1") == [100]
    assert cuts("1" + "0" * 100) == [1]


def test_a_lone_contrary_observation_stands_among_few_and_is_a_stray_among_many():
    assert cuts("0010") == [2, 3]
    assert cuts("00100") == []
    assert cuts("0" * 50 + "1" + "0" * 50) == []


def test_two_in_a_row_among_a_hundred_are_a_stretch():
    assert cuts("0" * 50 + "11" + "0" * 50) == [50, 52]


def test_a_steady_mixture_is_one_stretch_and_not_many():
    assert cuts("0" * 20 + "1011011101" + "0" * 20) == [20, 30]


def test_a_doubtful_observation_does_not_make_a_change_that_a_sure_one_makes():
    states = [0] * 30 + [1]
    assert len(segments(states, [1.0] * 31, 3)) == 2
    assert len(segments(states, [1.0] * 30 + [0.2], 3)) == 1


def test_more_observations_make_a_change_surer():
    few, many = segments([0, 1], [1.0] * 2, 3), segments([0] * 20 + [1] * 20, [1.0] * 40, 3)
    assert few[0].confidence == many[0].confidence == 1.0
    assert 0.8 < few[1].confidence < 0.95 < many[1].confidence


def test_the_logarithm_of_gamma_is_that_of_the_library():
    scipy = pytest.importorskip("scipy.special")
    x = np.geomspace(0.01, 1e5, 200)
    assert np.abs(log_gamma(x) - scipy.gammaln(x)).max() < 1e-8


def test_weights_and_states_go_in_pairs():
    with pytest.raises(ValueError, match="weight"):
        segments([0, 1], [1.0], 2)
    assert segments([], [], 2) == ()
