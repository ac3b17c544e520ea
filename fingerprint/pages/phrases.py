"""The words of a page: states, mechanisms, probabilities and times, each said in one way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from fingerprint.incident.model import Between, Cell
from fingerprint.incident.times import between, same_day
from fingerprint.incident.wording import slowed
from fingerprint.report.wording import STATES, how, percent
from fingerprint.terminal import clean
from fingerprint.verdict import taxonomy

# State → (symbol, word, class of the style sheet). A symbol differs in its shape, not only in its colour.
SIGNS = {
    "blocked": ("✗", "blocked", "blocked"),
    "down": ("↓", "down", "down"),
    "ok": ("✓", "works", "ok"),
    "insufficient": ("?", "cannot tell", "unknown"),
    "unknown": ("?", "not known", "unknown"),
    "invalid": ("–", "unusable", "unknown"),
}
# What is blocked by slowing alone, as prose calls it too.
SLOWED = ("~", "slowed", "blocked")
assert set(STATES) <= set(SIGNS)
# What stands on one line: a day and its hour, `p = 0.028`.
WHOLE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?|\bp = [\d.e-]*\d")
QUOTED = re.compile(r"`([^`<]+)`")
# Letters for events; who has more has too many to tell apart by a letter.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
RATES = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))


def state(name: str) -> tuple[str, str, str]:
    """Symbol, word and class."""
    return SIGNS.get(name, SIGNS["unknown"])


def of_cell(cell: Cell) -> tuple[str, str, str]:
    """Symbol, word and class of a cell: slowing has a word of its own."""
    return SLOWED if slowed(cell) else state(cell.state)


def of_target(target: Mapping[str, Any]) -> tuple[str, str, str]:
    """The same for a target of a report."""
    return SLOWED if target["state"] == "blocked" and target["reach"] == "degraded" else state(target["state"])


def device(name: str) -> str:
    """A device of the table by its name; one that is in none as that."""
    return f"an unknown device, {rest}" if (rest := name.removeprefix("unknown, ")) != name else name


def sentence(words: str) -> str:
    """With a capital at the beginning and a full stop at the end."""
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else ""


def hypothesis(name: str) -> str:
    """An innocent explanation, or another mechanism, in words."""
    return taxonomy.INNOCENTS.get(name) or (how(name) if name in taxonomy.NODES else name)


def probability(p: float | None) -> str:
    """In per cent, never rounded to certainty; a dash where nothing was weighed."""
    return percent(p).replace(" %", "\u00a0%") if p is not None else "–"


def rate(bps: float) -> str:
    """``143 kbit/s``."""
    scale, unit = next((u for u in RATES if bps >= u[0]), RATES[-1])
    return f"{bps / scale:.3g}\u00a0{unit}"


def count(n: int, thing: str, things: str | None = None) -> str:
    """``1 packet``, ``1,024 packets``."""
    return f"{n:,}\u00a0{thing if n == 1 else things or thing + 's'}"


def minute(time_ns: int | None) -> str:
    """``2020-05-17 17:31``; a dash for no time."""
    return "–" if time_ns is None else f"{_at(time_ns):%Y-%m-%d\u00a0%H:%M}"


def day(time_ns: int) -> str:
    """``17 May 2020``."""
    return f"{_at(time_ns).day}\u00a0{_at(time_ns):%B\u00a0%Y}"


def span(first_ns: int, last_ns: int) -> str:
    """``17 May 2020, 15:00 to 21:00 UTC``, or from day to day."""
    if same_day(first_ns, last_ns):
        return f"{day(first_ns)}, {_at(first_ns):%H:%M} to {_at(last_ns):%H:%M}\u00a0UTC"
    return f"{day(first_ns)}, {_at(first_ns):%H:%M} to {day(last_ns)}, {_at(last_ns):%H:%M}\u00a0UTC"


def unbroken(words: str) -> Markup:
    """The words, with dates, times and p-values that no line ends in the middle of, and `options` in fixed type."""
    safe = WHOLE.sub(r'<span class="when">\g<0></span>', str(escape(clean(words))))
    return Markup(QUOTED.sub(r"<code>\1</code>", safe))  # noqa: S704 - escaped above


def dotted(node: str) -> Markup:
    """A node of the taxonomy, in which a line may end behind a dot and nowhere else."""
    return Markup(str(escape(clean(node))).replace(".", ".<wbr>"))  # noqa: S704 - escaped above


def onset(what: Between) -> str:
    """The beginning of a stretch: the interval that it lies in."""
    return between(what)


def shut(what: Between) -> str:
    """The end of a stretch: an interval, or that it was not seen."""
    return "not seen" if what.before_ns is None else between(what)


def shortened(text: str, longest: int) -> str:
    """The text, its middle left out where it is longer than that; hostile characters are spelled out first."""
    text = clean(text)
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def _at(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
