"""The common time line: what it was like when, and onsets as the intervals that they are.

A stretch differs in height and texture, not only in colour: works is a thin line, down a half bar with dots, blocked a
full bar with stripes, not known a dashed outline. Between the last sighting of what was before and the first of what
came after, nothing is known: that interval is drawn as a whisker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fingerprint.incident.model import BLOCKED, DOWN, OK, UNKNOWN, Event, Incident, Stretch
from fingerprint.pages import phrases, svg
from fingerprint.pages.hours import Scale, scale
from fingerprint.pages.lanes import Lane, Lanes, began_ns, ended_ns

# A lane is as high as a line of text.
LANE = 22.0
WIDTH, LEFT, RIGHT, TOP = 1120.0, 206.0, 1104.0, 46.0
MARKS = 12
# Room for one letter of the small print in a bar.
LETTER = 6.9
# Of a label left of its lane.
LABEL_LETTERS = 27
HEIGHT = {OK: 3.0, DOWN: 9.0, BLOCKED: 15.0, UNKNOWN: 9.0}
# Of a stretch that is shorter than a hair, as much is drawn as can be seen.
LEAST = 2.0
# Letters of events, and how far apart two of one row must be.
LETTER_ROW, APART = 21.0, 24.0


def drawing(incident: Incident, lanes: Lanes, titles: dict[str, str]) -> Markup:
    """The whole picture. ``titles`` are the services' names."""
    over = scale(incident.first_ns, incident.last_ns, left=LEFT, right=RIGHT)
    rows = list(_rows(lanes.shown, titles))
    bands, letter_rows = _bands(incident.events[: len(phrases.LETTERS)], over)
    top = TOP + LETTER_ROW * (letter_rows - 1)
    bottom = top + (rows[-1].y + LANE if rows else LANE)
    inside = [
        *_axis(over, top, bottom),
        *(_band(band, top, bottom) for band in bands),
        *(part for row in rows for part in _lane(row, top, over)),
    ]
    blocked = sum(c.state == BLOCKED for c in incident.cells)
    of = "service and vantage" if lanes.merged else "service, role and vantage"
    told = (
        f"{len(rows)} lanes, one for each {of}, from {phrases.span(incident.first_ns, incident.last_ns)}. {blocked} of"
        f" {len(incident.cells)} cells were blocked at some time. The table below says the same in words."
    )
    return svg.picture(
        *inside, width=WIDTH, height=bottom + 10, label="Common time line", described=told, key="time-line",
        class_="time-line",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A lane with its place below the axis. ``heading`` is the service's name where its first lane begins."""

    lane: Lane
    y: float
    heading: str | None


def _rows(lanes: Sequence[Lane], titles: dict[str, str]) -> Iterator[Row]:
    y, before = 4.0, None
    for lane in lanes:
        new = lane.service != before
        y += 24.0 if new else 0.0
        yield Row(lane=lane, y=y, heading=titles.get(lane.service, lane.service) if new else None)
        y, before = y + LANE, lane.service


def _axis(over: Scale, top: float, bottom: float) -> Iterator[Markup]:
    for x, words, new_day in over.marks(MARKS):
        yield svg.tag("line", x1=x, x2=x, y1=top - 6, y2=bottom, class_="grid day" if new_day else "grid")
        yield svg.tag("text", words, x=x, y=top - 12, text_anchor="middle", class_="tick")
    yield svg.tag("text", "UTC", x=LEFT - 12, y=top - 12, text_anchor="end", class_="tick")


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The interval in which an event began, and where its letter stands."""

    letter: str
    kind: str
    left: float
    right: float
    row: int


def _bands(events: Sequence[Event], over: Scale) -> tuple[list[Band], int]:
    """The onsets, their letters in as many rows as it takes for none to lie over another; and how many rows."""
    bands, taken = list[Band](), list[list[float]]()
    for number, event in enumerate(events):
        after, before = event.onset.after_ns, event.onset.before_ns
        left = over.at(after if after is not None else over.first_ns)
        right = over.at(before if before is not None else over.last_ns)
        middle = (left + right) / 2
        free = (n for n, its in enumerate(taken) if all(abs(middle - other) >= APART for other in its))
        row = next(free, len(taken))
        if row == len(taken):
            taken.append([])
        taken[row].append(middle)
        kind = phrases.state(event.state)[2]
        bands.append(Band(letter=phrases.LETTERS[number], kind=kind, left=left, right=right, row=row))
    return bands, max(len(taken), 1)


def _band(band: Band, top: float, bottom: float) -> Markup:
    """Behind the lanes, from the axis to the last."""
    middle, y = (band.left + band.right) / 2, 14.0 + LETTER_ROW * band.row
    wide = max(band.right - band.left, LEAST)
    return svg.tag(
        "g",
        svg.tag("rect", x=band.left, y=top - 6, width=wide, height=bottom - top + 6, class_="band"),
        svg.tag("circle", cx=middle, cy=y, r=9.5, class_="letter"),
        svg.tag("text", band.letter, x=middle, y=y + 4.2, text_anchor="middle", class_="letter-word"),
        class_=f"event {band.kind}",
    )


def _lane(row: Row, top: float, over: Scale) -> Iterator[Markup]:
    middle = top + row.y + LANE / 2
    if row.heading is not None:
        yield svg.tag("text", phrases.shortened(row.heading, LABEL_LETTERS), x=0, y=middle - LANE + 2, class_="service")
    label = phrases.shortened(row.lane.label, LABEL_LETTERS)
    yield svg.tag("text", label, x=10, y=middle + 4, class_="lane")
    yield svg.tag("line", x1=LEFT, x2=RIGHT, y1=middle, y2=middle, class_="rail")
    for stretch in row.lane.stretches:
        yield _stretch(stretch, middle, over)


def _stretch(stretch: Stretch, middle: float, over: Scale) -> Markup:
    """The bar from the first sighting of it to the last, and whiskers over what nobody saw on either side."""
    _, word, kind = phrases.state(stretch.state)
    left = over.at(began_ns(stretch))
    right = max(over.at(ended_ns(stretch)), left + LEAST)
    high = HEIGHT[stretch.state]
    bar = {"x": left, "y": middle - high / 2, "width": right - left, "height": high}
    parts = [svg.tag("title", _words(stretch, word)), svg.tag("rect", **bar, class_=f"bar {kind}")]
    if stretch.state in {BLOCKED, DOWN}:
        parts.append(svg.tag("rect", **bar, class_=f"texture {kind}"))
    parts += _whisker(over.at(stretch.onset.after_ns) if stretch.onset.after_ns is not None else None, left, middle)
    if stretch.state == BLOCKED and stretch.mechanism and right - left > LETTER * len(stretch.mechanism) + 12:
        parts.append(svg.tag("text", stretch.mechanism, x=left + 6, y=middle + 4, class_="in-bar"))
    return svg.tag("g", *parts, class_=f"stretch {kind}")


def _whisker(start: float | None, end: float, middle: float) -> Iterator[Markup]:
    """The interval of an onset: a line with a stop where the last sighting of the state before stands."""
    if start is None or end - start < 1:
        return
    yield svg.tag("line", x1=start, x2=end, y1=middle, y2=middle, class_="whisker")
    yield svg.tag("line", x1=start, x2=start, y1=middle - 5, y2=middle + 5, class_="whisker stop")


def _words(stretch: Stretch, word: str) -> str:
    how = f" ({stretch.mechanism})" if stretch.mechanism else ""
    return f"{word}{how}: began {phrases.onset(stretch.onset)}; ended: {phrases.shut(stretch.end)}"
