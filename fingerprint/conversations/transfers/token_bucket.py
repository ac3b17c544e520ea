"""The rate and the burst of a limiter, from what passed it.

A policer lets through ``burst + rate * t`` bytes and drops the rest (RFC 2697 without colours). Whenever it drops,
its bucket is empty; so between two drops exactly ``rate * t`` passed, whatever the sender does. This is why loss by a
policer lies on one slope and random loss does not, and it holds for senders that ignore loss (Flach et al., "An
Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016, section 3). A shaper queues instead: behind it the flow
arrives at the rate as long as its queue is not empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.transfers.bootstrap import interval, resampled_rows
from fingerprint.conversations.transfers.goodput import Span
from fingerprint.technique import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Fewer slopes than this lie on one line by chance.
LEAST_SLOPES = 5
# Chance drops should scatter by this many packets along a slope, so that a bucket's rounding (one packet) stands out.
SCATTER_PKTS = 2.5


class Slopes(NamedTuple):
    """Bytes that passed, and seconds that went by, from one drop to a later one; arrays of equal length."""

    passed_bytes: Floats
    took_s: Floats


class Bucket(NamedTuple):
    """A token bucket: rate in bit/s and burst in bytes, each with its 95 % interval."""

    rate_bps: Interval
    burst_bytes: Interval


def slopes_between_drops(
    time_s: Floats, passed_bytes: Ints, dropped: NDArray[np.bool_], *, spans: Sequence[Span], least_s: float
) -> Slopes:
    """What passed between drops at least ``least_s`` apart and within one span.

    ``time_s``, ``passed_bytes`` (0 for a dropped segment) and ``dropped`` have shape (segments,): one limiter's input
    in time order, headers included. Drops closer together than ``least_s``, usually half a round trip, are one event.
    """
    total = np.cumsum(passed_bytes)
    rows = np.flatnonzero(dropped)
    passed, took = [], []
    for start_s, end_s in spans:
        last = -1
        for row in rows[(time_s[rows] >= start_s) & (time_s[rows] <= end_s)].tolist():
            if last >= 0 and time_s[row] - time_s[last] < least_s:
                continue
            if last >= 0:
                passed.append(float(total[row] - total[last]))
                took.append(float(time_s[row] - time_s[last]))
            last = row
    return Slopes(np.array(passed), np.array(took))


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The smallest value at or below which ``share`` (0 to 1) of the weight lies. Raises ValueError if empty."""
    if not len(values):
        raise ValueError("no values; give at least one")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    at = int(np.searchsorted(reached, share * reached[-1]))
    return float(values[order][min(at, len(order) - 1)])


def unevenness(slopes: Slopes) -> float | None:
    """Interquartile range of the slopes over their median, weighted by time; None below `LEAST_SLOPES`.

    Near 0 where one rate explains all drops.
    """
    if len(slopes.took_s) < LEAST_SLOPES:
        return None
    rates = slopes.passed_bytes / slopes.took_s
    low, middle, high = (weighted_quantile(rates, slopes.took_s, q) for q in (0.25, 0.5, 0.75))
    return (high - low) / middle if middle > 0 else None


def lost_share(passed_bytes: Ints, dropped_bytes: Ints) -> float:
    """Bytes dropped over bytes offered, 0 to 1."""
    offered = int(passed_bytes.sum() + dropped_bytes.sum())
    return float(dropped_bytes.sum()) / offered if offered else 0.0


def packets_to_tell(share: float) -> float:
    """How many packets a slope must span before chance drops scatter by two packets: then a bucket's half is less."""
    return SCATTER_PKTS**2 / max(1e-6, share * (1 - share))


def dispersion(slopes: Slopes, *, share: float, segment_bytes: float) -> float | None:
    """How far what passed scatters around one rate, as a share of what drops by chance would make it scatter.

    The squared ratio of the interquartile range (as a standard deviation) to that of independent drops at the same
    ``share`` (binomial). About 0 for a token bucket, which lets through what it has tokens for, to the packet; about 1
    for random loss under a sender that keeps its pace; far above where the sender slows down after loss. None with
    fewer than `LEAST_SLOPES` slopes.
    """
    if len(slopes.took_s) < LEAST_SLOPES or not 0 < share < 1:
        return None
    rate = weighted_quantile(slopes.passed_bytes / slopes.took_s, slopes.took_s, 0.5)
    off_pkts = (slopes.passed_bytes - rate * slopes.took_s) / segment_bytes
    chance_pkts = np.sqrt(np.maximum(slopes.passed_bytes / segment_bytes, 1.0) * share)
    low, high = np.percentile(off_pkts / chance_pkts, (25, 75)).tolist()
    # The interquartile range of a normal distribution is 1.349 standard deviations.
    return float(((high - low) / 1.349) ** 2)


def policer(
    time_s: Floats, passed_bytes: Ints, *, slopes: Slopes, until_s: float, seed: np.random.Generator
) -> Bucket | None:
    """The bucket whose line the drops lie on; None below `LEAST_SLOPES`.

    The rate is the median slope between drops, weighted by time. The burst is the smallest with which what had passed
    up to ``until_s``, usually the first pause, stays under ``burst + rate * t``.
    """
    if len(slopes.took_s) < LEAST_SLOPES:
        return None
    rates = slopes.passed_bytes / slopes.took_s
    rate = weighted_quantile(rates, slopes.took_s, 0.5)
    rows = resampled_rows(len(rates), seed, draws=200)
    found = interval(rate, np.array([weighted_quantile(rates[r], slopes.took_s[r], 0.5) for r in rows]))
    first = time_s <= until_s
    burst = _above_the_line(time_s[first], passed_bytes[first], found)
    return Bucket(in_bits(found), burst)


def shaper(time_s: Floats, arrived_bytes: Ints, *, windows_bytes_s: Floats, seed: np.random.Generator) -> Bucket | None:
    """The rate at which a never empty queue drains, and the burst that passed before it filled; None without goodput.

    ``windows_bytes_s`` are arrival rates while the sender was busy. The rate is their median. The burst is how far the
    curve of arrivals, in shape (segments,), rises above ``rate * t``.
    """
    if len(windows_bytes_s) < 2 or not np.median(windows_bytes_s) > 0:
        return None
    rate = float(np.median(windows_bytes_s))
    rows = resampled_rows(len(windows_bytes_s), seed, draws=500)
    found = interval(rate, np.median(windows_bytes_s[rows], axis=1))
    return Bucket(in_bits(found), _above_the_line(time_s, arrived_bytes, found))


def in_bits(rate: Interval) -> Interval:
    """Bytes per second as bits per second."""
    return Interval(value=8 * rate.value, low=8 * rate.low, high=8 * rate.high)


def _above_the_line(time_s: Floats, passed_bytes: Ints, rate: Interval) -> Interval:
    """How far the curve of what passed rises above ``rate * t``, in bytes, for all three rates."""
    curve, since_s = np.cumsum(passed_bytes), time_s - time_s[0]
    value, low, high = (max(0.0, float((curve - r * since_s).max())) for r in (rate.value, rate.high, rate.low))
    return Interval(value=value, low=low, high=high)
