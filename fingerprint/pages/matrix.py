"""The matrix: services and their roles down, vantages across, one cell a state, a mechanism and its confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fingerprint.incident.model import Cell, Incident
from fingerprint.pages import phrases
from fingerprint.report.glossary import REACH
from fingerprint.report.wording import how
from fingerprint.vantages.vantage import Vantage


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """One cell of the table, as it is written. ``href`` leads to its detail."""

    symbol: str
    word: str
    kind: str
    mechanism: str | None
    more: int  # mechanisms beside the first
    confidence: str | None
    note: str | None
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One role of a service, a square a vantage; None where nothing was looked at."""

    role: str
    squares: tuple[Square | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A service with its roles."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A vantage as the head of a column."""

    key: str
    details: tuple[str, ...]
    simulated: bool


def columns(incident: Incident) -> tuple[Column, ...]:
    """The vantages in the incident's order."""
    return tuple(Column(key=v.key, details=about(v), simulated=v.simulated is not None) for v in incident.vantages)


def about(v: Vantage) -> tuple[str, ...]:
    """Provider, network, place and country, as far as somebody said them and the name does not already."""
    network = f"AS{v.asn}" if v.asn else None
    where = ", ".join(w for w in (v.place, v.country) if w)
    return tuple(w for w in (v.provider, network, where) if w and w != v.key)


def groups(incident: Incident, hrefs: Mapping[int, str]) -> tuple[Group, ...]:
    """The rows. ``hrefs`` lead from the index of a cell to its detail."""
    by: dict[str, dict[str, dict[str, int]]] = {}
    for n, cell in enumerate(incident.cells):
        by.setdefault(cell.service, {}).setdefault(cell.role, {})[cell.vantage] = n
    keys = [v.key for v in incident.vantages]
    titles = dict(incident.services)
    order = [s for s, _ in incident.services if s in by] + [s for s in by if s not in titles]
    return tuple(
        Group(
            title=titles.get(service, service),
            lines=tuple(
                Line(role=role, squares=tuple(_at(incident.cells, its.get(key), hrefs) for key in keys))
                for role, its in by[service].items()
            ),
        )
        for service in order
    )


def part(cell: Cell) -> str | None:
    """The word for what is cut in part; slowing is said by its sign, and everything is the rule."""
    return cell.reach if cell.state == "blocked" and cell.reach == "partial" else None


def mechanisms(incident: Incident) -> tuple[tuple[str, str], ...]:
    """What the ids in the matrix mean, in their order."""
    nodes = dict.fromkeys(cell.mechanisms[0] for cell in incident.cells if cell.mechanisms)
    return tuple((node, how(node).replace(": ", " with ")) for node in nodes)


def keys(incident: Incident) -> tuple[tuple[str, str], ...]:
    """What the ids mean, and the one word of reach."""
    reach = (("partial", REACH["partial"]),) if any(part(cell) for cell in incident.cells) else ()
    return (*mechanisms(incident), *reach)


def _at(cells: Sequence[Cell], index: int | None, hrefs: Mapping[int, str]) -> Square | None:
    return square(cells[index], hrefs[index]) if index is not None else None


def square(cell: Cell, href: str) -> Square:
    """A cell as it is written in the matrix."""
    symbol, word, kind = phrases.of_cell(cell)
    firm = cell.state in {"blocked", "down"} and cell.posterior is not None
    rate = phrases.rate(cell.rate_bps) if cell.rate_bps else None
    return Square(
        symbol=symbol,
        word=word,
        kind=kind,
        mechanism=cell.mechanisms[0] if cell.mechanisms else None,
        more=max(len(cell.mechanisms) - 1, 0),
        confidence=phrases.probability(cell.posterior) if firm else None,
        note=rate or part(cell),
        href=href,
    )
