"""Times of a document as nanoseconds, and times as an incident speaks of them: minutes, UTC, always between two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fingerprint.incident.model import Between

S = 1_000_000_000
MINUTE, HOUR, DAY = 60 * S, 3600 * S, 86400 * S
# Nobody captured packets for us before there was a web: an earlier time is a clock that was never set.
WEB_NS = int(datetime(1991, 1, 1, tzinfo=UTC).timestamp()) * S


def nanoseconds(text: str) -> int:
    """``2020-05-17T17:30:01.000000000Z`` since the epoch, exactly. Raises ValueError for anything else."""
    whole, point, rest = text.partition(".")
    if not point or not rest.endswith("Z") or len(rest) != 10:
        raise ValueError(f"{text}: want RFC 3339 in UTC with nine digits")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * S + int(rest[:9])


def span(texts: Sequence[str | None] | None, offset_ns: int) -> tuple[int, int] | None:
    """A pair of times of a document by the common clock; None where either is missing."""
    if not texts or texts[0] is None or texts[1] is None:
        return None
    return nanoseconds(texts[0]) + offset_ns, nanoseconds(texts[1]) + offset_ns


def moment(time_ns: int, *, day: bool = True, seconds: bool = False) -> str:
    """``2020-05-17 17:30``, or the time of day alone."""
    form = ("%Y-%m-%d " if day else "") + ("%H:%M:%S" if seconds else "%H:%M")
    return datetime.fromtimestamp(time_ns // S, UTC).strftime(form)


def same_day(one_ns: int, other_ns: int) -> bool:
    """Whether both lie on one day of UTC."""
    return one_ns // DAY == other_ns // DAY


def between(what: Between, *, day: bool = True) -> str:
    """``between 2020-05-17 17:05 and 17:10 UTC``, or what is left of it where one side was not seen.

    Without ``day`` the first date is left out, where it has just been read.
    """
    if what.after_ns is None and what.before_ns is None:
        return "at a time that nobody saw"
    if what.after_ns is None:
        return f"before {moment(what.before_ns or 0)} UTC"
    if what.before_ns is None:
        return f"after {moment(what.after_ns)} UTC"
    close = what.before_ns - what.after_ns < 2 * MINUTE
    if close and moment(what.after_ns, seconds=True) == moment(what.before_ns, seconds=True):
        return f"at {moment(what.after_ns, day=day, seconds=True)} UTC"
    first = moment(what.after_ns, day=day, seconds=close)
    last = moment(what.before_ns, day=not same_day(what.after_ns, what.before_ns), seconds=close)
    return f"between {first} and {last} UTC"


def long(duration_ns: float) -> str:
    """``45 s``, ``5 min``, ``2 h 10 min``, ``3 days``."""
    seconds = round(duration_ns / S)
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        rest = minutes % 60
        return f"{minutes // 60} h {rest} min" if rest else f"{minutes // 60} h"
    return f"{round(minutes / 1440)} days"


def middle(what: Between) -> int:
    """The middle of an interval with two ends."""
    assert what.after_ns is not None
    assert what.before_ns is not None
    return (what.after_ns + what.before_ns) // 2
