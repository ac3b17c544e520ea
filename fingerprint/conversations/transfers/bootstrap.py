"""Intervals for numbers made of autocorrelated samples, the same in every run.

Neighbouring windows of one transfer resemble each other, so single windows must not be drawn as if they were
independent: blocks of neighbours are (Künsch, "The jackknife and the bootstrap for general stationary observations",
Annals of Statistics 17, 1989). The draws come from a generator seeded by the capture's own SHA-256.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from fingerprint.technique import Interval

Floats = NDArray[np.float64]

# Enough draws for a 95 % interval by percentiles (Efron and Tibshirani, An Introduction to the Bootstrap, 1993).
DRAWS = 1000


def seeded(sha256: str, *words: object) -> np.random.Generator:
    """A random generator that depends on nothing but the capture's digest and the words."""
    digest = hashlib.sha256("|".join((sha256, *map(str, words))).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def block_length(count: int) -> int:
    """Samples in a block: the cube root of the count, the order that Künsch's variance estimate wants; at least 1."""
    return max(1, round(math.cbrt(count)))


def resampled_rows(count: int, generator: np.random.Generator, *, draws: int = DRAWS) -> NDArray[np.int64]:
    """Row numbers of ``draws`` samples of ``count`` rows, drawn in circular blocks of neighbours.

    Shape (draws, count).
    """
    length = block_length(count)
    blocks = -(-count // length)
    starts = generator.integers(0, count, size=(draws, blocks))
    rows = (starts[:, :, None] + np.arange(length)[None, None, :]) % count
    return rows.reshape(draws, -1)[:, :count]


def mean_draws(samples: Floats, generator: np.random.Generator, *, draws: int = DRAWS) -> Floats:
    """Means of block-resampled ``samples``, in shape (draws,)."""
    means: Floats = samples[resampled_rows(len(samples), generator, draws=draws)].mean(axis=1)
    return means


def interval(value: float, draws: Floats) -> Interval:
    """The value with the central 95 % of its draws, widened to hold the value itself."""
    low, high = np.percentile(draws, (2.5, 97.5)).tolist()
    return Interval(value=value, low=min(low, value), high=max(high, value))


def mean_interval(samples: Floats, generator: np.random.Generator) -> Interval:
    """Mean of ``samples`` with its 95 % interval. Raises ValueError without samples."""
    if not len(samples):
        raise ValueError("no samples; give at least one")
    return interval(float(samples.mean()), mean_draws(samples, generator))


def ratio_interval(target: Floats, control: Floats, generator: np.random.Generator) -> Interval:
    """Mean of ``target`` over mean of ``control`` with its 95 % interval, each resampled in its own blocks.

    Raises ValueError without samples, or where the control's mean is not positive.
    """
    if not len(target) or not len(control) or control.mean() <= 0:
        raise ValueError("a ratio needs samples on both sides and a control above zero")
    above, below = mean_draws(target, generator), mean_draws(control, generator)
    floor = float(control.mean()) / len(control) * 1e-3
    return interval(float(target.mean() / control.mean()), above / np.maximum(below, floor))
