"""Intervals are honest about autocorrelation and the same in every run."""

from __future__ import annotations

import numpy as np
import pytest

from fingerprint.conversations.transfers.bootstrap import mean_interval, ratio_interval, resampled_rows, seeded


def test_the_same_capture_gives_the_same_interval_and_another_another() -> None:
    samples = np.random.default_rng(1).normal(10, 3, 50)
    assert mean_interval(samples, seeded("ab", 1)) == mean_interval(samples, seeded("ab", 1))
    assert mean_interval(samples, seeded("ab", 1)) != mean_interval(samples, seeded("cd", 1))


def test_the_interval_holds_the_mean_of_the_source_about_as_often_as_it_says() -> None:
    source = np.random.default_rng(2)
    held = 0
    for trial in range(100):
        found = mean_interval(source.exponential(5, 60), seeded("00", trial))
        held += found.low <= 5 <= found.high
    assert held >= 85


def test_autocorrelated_samples_get_a_wider_interval_than_shuffled_ones() -> None:
    steps = np.random.default_rng(3).normal(0, 1, 400)
    slow = np.convolve(steps, np.ones(10), mode="valid")
    shuffled = np.random.default_rng(4).permutation(slow)
    wide, narrow = mean_interval(slow, seeded("00")), mean_interval(shuffled, seeded("00"))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_blocks_are_neighbours() -> None:
    rows = resampled_rows(64, seeded("00"), draws=3)
    assert rows.shape == (3, 64)
    steps = np.diff(rows.reshape(3, 16, 4), axis=2) % 64
    assert (steps == 1).all()


def test_a_ratio_needs_a_control_that_moved() -> None:
    with pytest.raises(ValueError, match="control"):
        ratio_interval(np.ones(4), np.zeros(4), seeded("00"))


def test_a_third_of_the_control_is_a_third() -> None:
    found = ratio_interval(np.full(20, 1.0), np.full(20, 3.0), seeded("00"))
    assert found.value == pytest.approx(1 / 3)
    assert found.low == pytest.approx(found.high)
