"""An incident on a terminal: the verdict, a matrix of words, what changed together and when, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fingerprint.incident.model import Cell, Event, Incident
from fingerprint.incident.names import p_value
from fingerprint.incident.times import between, moment
from fingerprint.incident.wording import reasons, slowed
from fingerprint.report.wording import STATES, count
from fingerprint.terminal import ascii_only, clean, console

# Words of the matrix that a report for people does not have: slowing is a state of its own to a reader's eye.
SLOWED = ("~", "~", "slowed", "bold yellow")
# Columns of vantages beside each other; the others go below.
BESIDE = 5
SHOWN = 6
Key = tuple[str, str, str]  # service, role, vantage


def write(incident: Incident, out: IO[str]) -> None:
    """Write the summary to ``out``, coloured on a terminal and plain in a pipe."""
    page = Page(console(out), plain=ascii_only(out))
    page.verdict(incident)
    page.matrix(incident)
    page.events(incident.events)
    page.listed("Compared", [f"{c.file}: {c.answer}. {c.says}" for c in incident.comparisons])
    page.listed("Not known", incident.unknown)
    page.listed("Doubts", [d.says for d in incident.doubts], style="yellow")
    page.listed("Next", incident.next)
    page.sources(incident)


class Page:
    """A page being written, block by block."""

    def __init__(self, to: Console, *, plain: bool) -> None:
        self.to = to
        self.plain = plain

    def safe(self, text: str) -> str:
        """Text from an account, as it may be shown."""
        text = clean(text)
        return text.encode("ascii", "backslashreplace").decode() if self.plain else text

    def line(self, text: str, style: str = "", margin: str = "") -> None:
        """One line or, wrapped, several under each other."""
        written = Text(self.safe(text), style)
        for n, line in enumerate(written.wrap(self.to, max(20, self.to.width - len(margin)), overflow="fold")):
            line.rstrip()
            self.to.print(Text(" " * len(margin) if n else margin).append_text(line), soft_wrap=True)

    def blank(self) -> None:
        """An empty line."""
        self.to.print()

    def verdict(self, incident: Incident) -> None:
        """The sentence, and the same with its reasons."""
        self.line(incident.headline, "bold")
        if why := reasons(incident):
            self.blank()
            self.line(why)

    def matrix(self, incident: Incident) -> None:
        """Services and roles down, vantages across, a sign and a word in each cell."""
        titles = dict(incident.services)
        cells = {(c.service, c.role, c.vantage): c for c in incident.cells}
        rows = list(dict.fromkeys((c.service, c.role) for c in incident.cells))
        columns = self.columns(cells, rows)
        for at in range(0, len(columns), BESIDE):
            some = columns[at : at + BESIDE]
            table = Table(box=None, show_edge=False, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
            for name in ("", "", *(v[0] if len(v) == 1 else f"{len(v)} vantages" for v in some)):
                table.add_column(Text(self.safe(name)), overflow="fold")
            last = ""
            for service, role in rows:
                title = titles.get(service, service)
                shown = [self.word(cells.get((service, role, v[0]))) for v in some]
                table.add_row(Text("" if title == last else self.safe(title), "bold"), Text(self.safe(role)), *shown)
                last = title
            self.blank()
            self.to.print(table)
            for alike in (v for v in some if len(v) > 1):
                self.line(f"{len(alike)} vantages: {', '.join(alike)}", "dim")

    def columns(self, cells: Mapping[Key, Cell], rows: Sequence[tuple[str, str]]) -> list[list[str]]:
        """The vantages in order of their names; where there are too many, those that read alike in one column."""
        vantages = sorted({v for _, _, v in cells})
        if len(vantages) <= BESIDE:
            return [[v] for v in vantages]
        alike: dict[tuple[str, ...], list[str]] = {}
        for v in vantages:
            alike.setdefault(tuple(self.word(cells.get((*row, v))).plain for row in rows), []).append(v)
        return list(alike.values())

    def word(self, cell: Cell | None) -> Text:
        """A sign and a word."""
        if cell is None:
            return Text("not seen", "dim")
        symbol, ascii_symbol, word, style = SLOWED if slowed(cell) else STATES[cell.state]
        return Text(f"{ascii_symbol if self.plain else symbol} {word}", style)

    def events(self, events: Sequence[Event]) -> None:
        """What changed together, with onset intervals and the test."""
        for number, e in enumerate(events[:SHOWN], 1):
            self.blank()
            symbol, ascii_symbol, word, style = STATES[e.state]
            p = f", p = {p_value(e.test.p_value)}" if e.test else ""
            start = between(e.onset) if e.onset.after_ns is not None else f"already {between(e.onset)}"
            self.line(f"{ascii_symbol if self.plain else symbol} {number}. {word} {start}{p}", style)
            self.line(e.says, margin="  ")
        if len(events) > SHOWN:
            self.blank()
            self.line(f"{count(len(events) - SHOWN, 'more event')}; --json has every one", "dim")

    def listed(self, title: str, lines: Sequence[str], style: str = "") -> None:
        """A heading and a list; nothing where there is nothing to list."""
        if not lines:
            return
        self.blank()
        self.line(title, "bold")
        for line in lines[:SHOWN]:
            self.line(line, style, margin="  - " if self.plain else "  · ")
        if len(lines) > SHOWN:
            self.line(f"{len(lines) - SHOWN} more; --json has every one", "dim", margin="    ")

    def sources(self, incident: Incident) -> None:
        """How much was read, of which kinds, over which time."""
        self.blank()
        kinds = [s.kind for s in incident.sources]
        each = ", ".join(f"{kinds.count(k)} of {k}" for k in dict.fromkeys(kinds))
        span = ""
        if incident.sightings:
            span = f", {moment(incident.first_ns)} to {moment(incident.last_ns)} UTC"
        said = f"{count(len(kinds), 'account')}{f' ({each})' if each else ''}"
        self.line(f"{said}, {count(len(incident.sightings), 'sighting')}{span}", "dim")
