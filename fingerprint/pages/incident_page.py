"""An incident as one page. Nothing is decided here: what the incident says is put where a reader looks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from fingerprint.accounts import KINDS, Account
from fingerprint.incident.model import Event, Incident, Test
from fingerprint.incident.times import S, long
from fingerprint.incident.wording import reasons, slowed
from fingerprint.pages import details, matrix, phrases, time_line
from fingerprint.pages.assembling import page
from fingerprint.pages.details import Span
from fingerprint.pages.lanes import in_order
from fingerprint.pages.lanes import lanes as lanes_of

# Rows of long tables; the others are counted.
SPANS_SHOWN, SOURCES_SHOWN, CELLS_LINKED, DOUBTS_SHOWN = 240, 120, 12, 60
# How `incident.wording` begins what is simulated.
MARK = ", not a measurement: "
KIND_WORDS = {"packets": "packets", "ooni": "socket errors, no packets", "told": "what people told"}
assert set(KIND_WORDS) == set(KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event with its letter, names and links."""

    letter: str
    id: str
    sign: tuple[str, str, str]
    title: str
    event: Event
    test: Test | None
    shared: tuple[tuple[str, int], ...]
    links: tuple[tuple[str, str], ...]
    links_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stretch in the table that says the same as the time line."""

    service: str
    role: str
    vantage: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which of the accounts are simulated and which were measured."""

    simulated: tuple[str, ...]
    measured: tuple[str, ...]
    names: tuple[str, ...]


def write_html(incident: Incident, accounts: Sequence[Account], out: IO[str]) -> None:
    """One static file. ``accounts`` are those that the incident was made of, in the same order."""
    titles = dict(incident.services)
    hrefs = details.hrefs(incident)
    told = details.details(incident, accounts)
    rows = _rows(incident, titles)
    lanes = lanes_of(incident)
    out.write(
        page(
            "incident.html.j2",
            incident=incident,
            headline=without_mark(incident, incident.headline),
            reasons=without_mark(incident, reasons(incident)),
            sign_of=phrases.state(incident.answer),
            span=phrases.span(incident.first_ns, incident.last_ns),
            day=phrases.day(incident.first_ns),
            interval=_interval(incident.interval_s),
            origin=origin(incident) if incident.simulated else None,
            columns=matrix.columns(incident),
            groups=matrix.groups(incident, hrefs),
            keys=matrix.keys(incident),
            slowed=any(map(slowed, incident.cells)),
            roles=_roles(incident, titles),
            roles_event=next((phrases.LETTERS[line.event] for line in incident.roles if line.event is not None), None),
            time_line=time_line.drawing(incident, lanes, titles),
            lanes_left_out=lanes.left_out,
            lanes_merged=lanes.merged,
            rows=rows[:SPANS_SHOWN],
            rows_left_out=max(len(rows) - SPANS_SHOWN, 0),
            events=events(incident, hrefs),
            details=told,
            details_left_out=len(incident.cells) - len(told),
            rest=details.REST,
            sources=[(s, KIND_WORDS.get(s.kind, s.kind)) for s in incident.sources[:SOURCES_SHOWN]],
            sources_left_out=max(len(incident.sources) - SOURCES_SHOWN, 0),
            doubts=incident.doubts[:DOUBTS_SHOWN],
            doubts_left_out=max(len(incident.doubts) - DOUBTS_SHOWN, 0),
            packets=sum(s.packets for s in incident.sources),
        )
    )


def _interval(interval_s: float | None) -> str | None:
    if interval_s is None:
        return None
    return long(interval_s * S).replace(" ", "\u00a0")


def without_mark(incident: Incident, words: str) -> str:
    """A sentence without the words by which it is marked as simulated: the page has a mark of its own beside it."""
    marked, found, rest = words.partition(MARK)
    return rest if incident.simulated and found and marked.startswith("A simulation") else words


def origin(incident: Incident) -> Origin:
    """Vantages by whether what was seen there is simulated."""
    simulated = dict.fromkeys(s.vantage for s in incident.sources if s.simulated)
    measured = dict.fromkeys(s.vantage for s in incident.sources if not s.simulated)
    return Origin(simulated=tuple(simulated), measured=tuple(measured), names=incident.simulated)


def _roles(incident: Incident, titles: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Service → what works of it, a sentence for all the vantages at which it is the same."""
    out: dict[str, dict[str, list[str]]] = {}
    for line in incident.roles:
        out.setdefault(titles.get(line.service, line.service), {}).setdefault(line.says, []).append(line.vantage)
    return [(title, [(_joined(its), says) for says, its in lines.items()]) for title, lines in out.items()]


def events(incident: Incident, hrefs: Mapping[int, str]) -> list[Told]:
    """The events in the incident's order, as many as there are letters."""
    titles = dict(incident.services)
    return [
        Told(
            letter=letter,
            id=f"event-{letter.lower()}",
            sign=phrases.SLOWED if all(slowed(incident.cells[n]) for n in event.cells) else phrases.state(event.state),
            title=f"{_joined([titles.get(s, s) for s in event.services])} at {_joined(event.vantages)}",
            event=event,
            test=event.test,
            shared=tuple((phrases.device(name), len(cells)) for name, cells in event.injectors),
            links=tuple((_cell(incident, n), hrefs[n]) for n in event.cells[:CELLS_LINKED]),
            links_left_out=max(len(event.cells) - CELLS_LINKED, 0),
        )
        for letter, event in zip(phrases.LETTERS, incident.events, strict=False)
    ]


def _joined(words: Sequence[str], most: int = 5) -> str:
    """``a, b and c``; of many the first few and a number."""
    shown = [*words[:most], *([f"{len(words) - most} more"] if len(words) > most else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "nobody"


def _cell(incident: Incident, n: int) -> str:
    cell = incident.cells[n]
    title = dict(incident.services).get(cell.service, cell.service)
    return f"{title}, {cell.role}, {cell.vantage}"


def _rows(incident: Incident, titles: Mapping[str, str]) -> list[Row]:
    """All stretches, those of cells that failed first, in order of the cells."""
    cells = [incident.cells[n] for n in in_order(incident)]
    order = sorted(cells, key=lambda c: all(s.state == "ok" for s in c.stretches))
    return [
        Row(service=titles.get(c.service, c.service), role=c.role, vantage=c.vantage, span=details.span(s))
        for c in order
        for s in c.stretches
    ]
