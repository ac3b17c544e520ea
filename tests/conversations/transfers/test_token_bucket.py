"""A token bucket is found by its rate and burst, and chance is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from fingerprint.conversations.transfers import token_bucket
from fingerprint.conversations.transfers.bootstrap import seeded
from fingerprint.conversations.transfers.goodput import Span

Trace = tuple[np.ndarray, np.ndarray, np.ndarray]


def _policed(rate_bps: float, burst_bytes: float, offered_bps: float, seconds: float = 20.0) -> Trace:
    """Times, bytes that passed, and bytes dropped, of evenly paced packets of 1500 bytes before a policer."""
    time_s = np.arange(0, seconds, 1500 * 8 / offered_bps)
    level, last, passed = burst_bytes, 0.0, []
    for at in time_s.tolist():
        level, last = min(burst_bytes, level + (at - last) * rate_bps / 8), at
        passed.append(1500 if level >= 1500 else 0)
        level -= passed[-1]
    sizes = np.array(passed)
    return time_s, sizes, 1500 - sizes


def _random(share: float, offered_bps: float, seconds: float = 20.0) -> Trace:
    time_s = np.arange(0, seconds, 1500 * 8 / offered_bps)
    kept = np.random.default_rng(5).random(len(time_s)) >= share
    return time_s, 1500 * kept, 1500 * ~kept


def _dispersion(trace: Trace) -> float | None:
    time_s, passed, dropped = trace
    share = token_bucket.lost_share(passed, dropped)
    least_s = token_bucket.packets_to_tell(share) * (time_s[1] - time_s[0])
    slopes = token_bucket.slopes_between_drops(
        time_s, passed, dropped > 0, spans=(Span(0.0, float(time_s[-1])),), least_s=least_s
    )
    return token_bucket.dispersion(slopes, share=share, segment_bytes=1500)


@pytest.mark.parametrize("rate_bps", [150e3, 700e3, 5e6])
@pytest.mark.parametrize("excess", [1.3, 2.5])
def test_the_rate_and_burst_of_a_policer_are_found_whatever_the_sender_does(rate_bps: float, excess: float) -> None:
    burst = rate_bps / 8
    time_s, passed, dropped = _policed(rate_bps, burst, rate_bps * excess)
    spans = (Span(0.0, float(time_s[-1])),)
    slopes = token_bucket.slopes_between_drops(time_s, passed, dropped > 0, spans=spans, least_s=0.5)
    found = token_bucket.policer(time_s, passed, slopes=slopes, until_s=float(time_s[-1]), seed=seeded("00"))
    assert found is not None
    assert found.rate_bps.value == pytest.approx(rate_bps, rel=0.05)
    assert found.burst_bytes.value == pytest.approx(burst, rel=0.25)
    assert found.rate_bps.low <= found.rate_bps.value <= found.rate_bps.high


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_random_loss_scatters_like_chance_and_a_policer_does_not(share: float) -> None:
    chance = _dispersion(_random(share, 2e6, 60.0))
    bucket = _dispersion(_policed(2e6, 50e3, 2e6 / (1 - share), 60.0))
    assert chance is not None
    assert 0.4 < chance < 2.5
    assert bucket is not None
    assert bucket < 0.1


def test_a_handful_of_drops_is_no_line() -> None:
    time_s, passed, dropped = _random(0.001, 2e6, 5.0)
    slopes = token_bucket.slopes_between_drops(time_s, passed, dropped > 0, spans=(Span(0.0, 5.0),), least_s=0.05)
    assert token_bucket.unevenness(slopes) is None
    assert token_bucket.policer(time_s, passed, slopes=slopes, until_s=5.0, seed=seeded("00")) is None


def test_drops_in_different_spans_make_no_slope() -> None:
    time_s, passed = np.array([0.0, 1.0, 9.0, 10.0]), np.full(4, 1500)
    slopes = token_bucket.slopes_between_drops(
        time_s, passed, np.full(4, True), spans=(Span(0.0, 1.0), Span(9.0, 10.0)), least_s=0.5
    )
    assert slopes.took_s.tolist() == [1.0, 1.0]


def test_a_shaper_is_its_median_rate_and_what_came_above_it() -> None:
    # 40 kB at once, then 1500 bytes every 60 ms (200 kbit/s).
    time_s = np.concatenate((np.full(27, 0.0), 0.06 * np.arange(1, 100)))
    windows = np.full(20, 25_000.0)
    found = token_bucket.shaper(time_s, np.full(126, 1500), windows_bytes_s=windows, seed=seeded("00"))
    assert found is not None
    assert found.rate_bps.value == 200_000
    assert found.burst_bytes.value == pytest.approx(40_500, rel=0.05)
