"""Numbers and times as a report writes them: short, with units in the key, and the same on every run."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from fingerprint.technique import Interval

# Four digits say more than any of our estimates knows.
DIGITS = 4


def short(value: float | None) -> float | int | None:
    """Rounded to four significant digits; a whole number where it is one. None for what is no number."""
    if value is None or not math.isfinite(value):
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) >= 10 ** (DIGITS - 1) else rounded


def probability(value: float | None) -> float | None:
    """A probability rounded so that what is missing to one keeps three significant digits: 0.999962, never 1.0."""
    if value is None or not math.isfinite(value):
        return None
    if value <= 0.5:
        return float(f"{value:.3g}")
    return round(1 - float(f"{1 - value:.3g}"), 12)


def interval(value: Interval | None) -> dict[str, float | int | None] | None:
    """Value and bounds of the 95 % interval."""
    if value is None:
        return None
    return {"value": short(value.value), "low": short(value.low), "high": short(value.high)}


def timestamp(time_ns: int | None) -> str | None:
    """RFC 3339 in UTC with nine digits, exact. None also for times outside the years that RFC 3339 can write."""
    if time_ns is None:
        return None
    seconds, rest = divmod(time_ns, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
    except (OverflowError, ValueError, OSError):
        return None
