"""Goodput over time: the slowed transfer and the control that ran free, on one logarithmic scale of bits per second.

A stretch in which nothing new arrived lies on the base line, which is marked 0: a logarithm has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from markupsafe import Markup

from fingerprint.pages import svg
from fingerprint.pages.phrases import rate, shortened

WIDTH, HEIGHT = 720.0, 264.0
LEFT, RIGHT, TOP, BASE = 74.0, 544.0, 18.0, 214.0
# Space between the base line, which is nothing, and the lowest decade.
LIFT = 16.0
# More steps than that across the plot are a band; neighbours are joined, each by its mean.
MOST_STEPS = 24
# A label is two lines high; a line shorter than a mark is drawn as a mark.
LABEL, MARK = 32.0, 8.0
# What is slower than the fastest by more is not told from nothing.
DECADES = 4

Curve = Mapping[str, Any]


class Step(NamedTuple):
    """A stretch of time and the mean rate in it."""

    start_s: float
    end_s: float
    bps: float


class Line(NamedTuple):
    """One curve as it is drawn."""

    title: str
    control: bool
    steps: tuple[Step, ...]

    @property
    def ends_s(self) -> float:
        """Where its last step ends."""
        return self.steps[-1].end_s

    @property
    def mean_bps(self) -> float:
        """Over all of it."""
        return sum((s.end_s - s.start_s) * s.bps for s in self.steps) / (self.ends_s - self.steps[0].start_s)


class Axes(NamedTuple):
    """From seconds and bits per second to places."""

    seconds: float
    low: int  # decades
    high: int

    def x(self, at_s: float) -> float:
        """Place of a time."""
        return LEFT + (RIGHT - LEFT) * at_s / self.seconds

    def y(self, bps: float) -> float:
        """Place of a rate."""
        if bps < 10**self.low:
            return BASE
        share = (math.log10(bps) - self.low) / (self.high - self.low)
        return BASE - LIFT - (BASE - LIFT - TOP) * min(share, 1.0)


def drawing(curves: Sequence[Curve], key: str) -> Markup:
    """The plot of a mechanism's curves; empty without any that has windows."""
    drawn = lines(curves)
    if not drawn:
        return Markup()
    axes = _axes(drawn)
    inside = [*_grid(axes), *(part for line in drawn for part in _drawn(line, axes)), *_labels(drawn, axes)]
    return svg.picture(
        *inside, width=WIDTH, height=HEIGHT, key=key, class_="plot",
        label="Goodput: " + " and ".join(f"{line.title}{' (control)' if line.control else ''}" for line in drawn),
        described=" ".join(
            f"{line.title}: {rate(line.mean_bps)} on average over {line.ends_s:.2g} seconds." for line in drawn
        ),
    )  # fmt: skip


def windows(curves: Sequence[Curve]) -> str:
    """How long a step of each line is, for the caption."""
    said = (
        f"{line.title} in steps of {line.steps[0].end_s - line.steps[0].start_s:.2g}\u00a0s" for line in lines(curves)
    )
    return "; ".join(said)


def lines(curves: Sequence[Curve]) -> list[Line]:
    """The curves that have windows, none in more steps than can be told apart."""
    some = [c for c in curves if c["rate_bps"]]
    longest_s = max((c["start_s"] + c["window_s"] * len(c["rate_bps"]) for c in some), default=0.0)
    return [Line(c["title"], bool(c["control"]), tuple(_steps(c, longest_s / MOST_STEPS))) for c in some]


def _steps(curve: Curve, least_s: float) -> Iterator[Step]:
    rates, window_s = [float(r) for r in curve["rate_bps"]], float(curve["window_s"])
    joined = max(1, math.ceil(least_s / window_s - 1e-9))
    for first in range(0, len(rates), joined):
        some = rates[first : first + joined]
        start_s = curve["start_s"] + first * window_s
        yield Step(start_s, start_s + window_s * len(some), sum(some) / len(some))


def _axes(drawn: Sequence[Line]) -> Axes:
    every = [s.bps for line in drawn for s in line.steps if s.bps > 0] or [1.0]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    return Axes(max(line.ends_s for line in drawn), max(low, high - DECADES), max(high, low + 1))


def _grid(axes: Axes) -> Iterator[Markup]:
    for decade in range(axes.low, axes.high + 1):
        y = axes.y(10.0**decade)
        yield svg.tag("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="grid")
        yield svg.tag("text", rate(10.0**decade), x=LEFT - 10, y=y + 4, text_anchor="end", class_="tick")
    yield svg.tag("line", x1=LEFT, x2=RIGHT, y1=BASE, y2=BASE, class_="axis")
    yield svg.tag("text", "0", x=LEFT - 10, y=BASE + 4, text_anchor="end", class_="tick")
    step = _step(axes.seconds)
    for n in range(int(axes.seconds / step + 1e-9) + 1):
        x = axes.x(n * step)
        yield svg.tag("line", x1=x, x2=x, y1=BASE, y2=BASE + 5, class_="axis")
        yield svg.tag("text", f"{n * step:g}", x=x, y=BASE + 20, text_anchor="middle", class_="tick")
    words = "seconds since the transfer began"
    yield svg.tag("text", words, x=(LEFT + RIGHT) / 2, y=BASE + 40, text_anchor="middle", class_="tick")


def _step(seconds: float) -> float:
    """A round step that leaves four to ten marks."""
    power = 10.0 ** math.floor(math.log10(seconds / 4))
    return next(power * f for f in (1, 2, 5, 10) if seconds / (power * f) <= 8)


def _drawn(line: Line, axes: Axes) -> Iterator[Markup]:
    """Steps: a stretch has one value from its beginning to its end."""
    kind = "curve control" if line.control else "curve"
    places = [(axes.x(s.start_s), axes.x(s.end_s), axes.y(s.bps)) for s in line.steps]
    path = "".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}H{end:.1f}" for n, (x, end, y) in enumerate(places))
    end, at = places[-1][1:]
    if end < RIGHT - MARK:
        yield svg.tag("line", x1=end, x2=RIGHT, y1=at, y2=at, class_="leader")
    yield svg.tag("path", d=path, class_=kind)
    if places[-1][1] - places[0][0] < 2 * MARK:
        x, y = (places[0][0] + places[-1][1]) / 2, places[0][2]
        yield svg.tag("rect", x=x - MARK / 2, y=y - MARK / 2, width=MARK, height=MARK, class_=f"mark {kind}")


def _labels(drawn: Sequence[Line], axes: Axes) -> Iterator[Markup]:
    """Beside the lines, on the right, at the height of their mean rate, never over each other."""
    places = sorted((axes.y(line.mean_bps), n) for n, line in enumerate(drawn))
    heights = [y for y, _ in places]
    for n, (_, below) in enumerate(pairwise(list(heights))):
        heights[n + 1] = max(below, heights[n] + LABEL)
    over = max(heights[-1] + 14 - BASE, 0)
    for (_, n), y in zip(places, heights, strict=True):
        line, at = drawn[n], y - over
        kind = "label control" if line.control else "label"
        words = f"{'control: ' if line.control else ''}{shortened(line.title, 14 if line.control else 21)}"
        took = f"{rate(line.mean_bps)} over {line.ends_s:.2g}\u00a0s"
        yield svg.tag("text", words, x=RIGHT + 12, y=at, class_=kind)
        yield svg.tag("text", took, x=RIGHT + 12, y=at + 15, class_=f"{kind} small")
