"""Goodput over time: the slowed transfer and the control that ran free, on one logarithmic scale of bits per second.

A window in which nothing new arrived lies on the base line, which is marked 0: a logarithm has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from markupsafe import Markup

from fingerprint.pages import svg
from fingerprint.pages.phrases import rate, shortened

WIDTH, HEIGHT = 720.0, 264.0
LEFT, RIGHT, TOP, BASE = 74.0, 560.0, 18.0, 214.0
# Space between the base line, which is nothing, and the lowest decade.
LIFT = 16.0
# A line of more windows than that is a band; neighbours are joined, each by its mean.
MOST_WINDOWS = 40
# A label is as high as its letters and a little air.
LABEL = 30.0

Curve = Mapping[str, Any]


class Line(NamedTuple):
    """One curve as it is drawn: windows of equal length, bits per second."""

    title: str
    control: bool
    start_s: float
    window_s: float
    rates: tuple[float, ...]

    @property
    def ends_s(self) -> float:
        """Where its last window ends."""
        return self.start_s + self.window_s * len(self.rates)

    @property
    def typical_bps(self) -> float:
        """The middle one of its windows."""
        return median(self.rates)


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
    lines = [_line(c) for c in curves if c["rate_bps"]]
    if not lines:
        return Markup()
    axes = _axes(lines)
    inside = [*_grid(axes), *(_drawn(line, axes) for line in lines), *_labels(lines, axes)]
    return svg.picture(
        *inside, width=WIDTH, height=HEIGHT, key=key, class_="plot",
        label="Goodput: " + " and ".join(f"{line.title}{' (control)' if line.control else ''}" for line in lines),
        described=" ".join(
            f"{line.title}: {rate(line.typical_bps)} in the middle one of {len(line.rates)} windows, over"
            f" {line.ends_s:.1f} seconds." for line in lines
        ),
    )  # fmt: skip


def windows(curves: Sequence[Curve]) -> str:
    """How the values were counted, for the caption."""
    said = (f"{line.title} in windows of {line.window_s:.3g}\u00a0s" for line in map(_line, curves) if line.rates)
    return "; ".join(said)


def _line(curve: Curve) -> Line:
    rates = [float(r) for r in curve["rate_bps"]]
    joined = -(-len(rates) // MOST_WINDOWS)
    groups = [rates[i : i + joined] for i in range(0, len(rates) - joined + 1, joined)]
    means = tuple(sum(g) / len(g) for g in groups)
    return Line(curve["title"], bool(curve["control"]), curve["start_s"], curve["window_s"] * joined, means)


def _axes(lines: Sequence[Line]) -> Axes:
    every = [r for line in lines for r in line.rates if r > 0] or [1.0]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    # Beyond four decades below the fastest nothing but noise is told apart.
    return Axes(max(line.ends_s for line in lines), max(low, high - 4), max(high, low + 1))


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


def _drawn(line: Line, axes: Axes) -> Markup:
    """Steps: a window has one value from its beginning to its end."""
    points = [(axes.x(line.start_s + n * line.window_s), axes.y(r)) for n, r in enumerate(line.rates)]
    ends = [x for x, _ in points[1:]] + [axes.x(line.ends_s)]
    steps = zip(points, ends, strict=True)
    path = "".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}H{end:.1f}" for n, ((x, y), end) in enumerate(steps))
    return svg.tag("path", d=path, class_="curve control" if line.control else "curve")


def _labels(lines: Sequence[Line], axes: Axes) -> Iterator[Markup]:
    """Beside the lines, on the right, at the height of their typical rate, never over each other."""
    places = sorted((axes.y(line.typical_bps), n) for n, line in enumerate(lines))
    heights = [y for y, _ in places]
    for n, (above, below) in enumerate(pairwise(heights)):
        heights[n + 1] = max(below, heights[n] + LABEL, above)
    over = max(heights[-1] + 14 - BASE, 0)
    for (_, n), y in zip(places, heights, strict=True):
        line, at = lines[n], y - over
        kind = "label control" if line.control else "label"
        words = f"{'control: ' if line.control else ''}{shortened(line.title, 20 if line.control else 26)}"
        yield svg.tag("text", words, x=RIGHT + 12, y=at, class_=kind)
        yield svg.tag("text", rate(line.typical_bps), x=RIGHT + 12, y=at + 14, class_=f"{kind} small")
