"""Which cells are told in detail, in which order, and the accounts that they are told from.

A page of a month at twenty providers must stay one that a browser opens at once: blocked cells come first, then those
that are down or not settled, then what works; and beyond a number they are counted, not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fingerprint.accounts import Account
from fingerprint.incident.model import BLOCKED, DOWN, OK, Cell, Incident, Stretch
from fingerprint.pages import phrases
from fingerprint.pages.findings import Finding, finding
from fingerprint.pages.lanes import in_order

# What is told, what has its ladders and plots drawn, and what is open when the page opens.
TOLD, DRAWN, OPEN = 150, 60, 12
STRETCHES_SHOWN = 12
TARGETS_SHOWN = 6
# Where a cell is filed that is not told.
REST = "cells-left-out"
ORDER = {BLOCKED: 0, DOWN: 1, "insufficient": 2, OK: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a cell in words."""

    sign: tuple[str, str, str]
    mechanism: str | None
    onset: str
    end: str
    posterior: str
    confidence: str
    sightings: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A cell told in full."""

    id: str
    service: str
    role: str
    vantage: str
    sign: tuple[str, str, str]
    says: str
    targets: str
    spans: tuple[Span, ...]
    spans_left_out: int
    finding: Finding | None
    file: str | None
    open: bool
    brief: bool  # it simply worked: what it rests on is not told


def chosen(incident: Incident) -> list[int]:
    """The cells that are told, by index, most serious first, at most `TOLD`."""
    return sorted(in_order(incident), key=lambda n: ORDER.get(incident.cells[n].state, 2))[:TOLD]


def hrefs(incident: Incident) -> dict[int, str]:
    """Where each cell's detail stands; those that are not told lead to the sentence that says so."""
    told = set(chosen(incident))
    return {n: f"#cell-{n + 1}" if n in told else f"#{REST}" for n in range(len(incident.cells))}


def details(incident: Incident, accounts: Sequence[Account]) -> list[Detail]:
    """The cells that are told, most serious first."""
    titles = dict(incident.services)
    return [_detail(incident.cells[n], n, rank, titles, accounts) for rank, n in enumerate(chosen(incident))]


def _detail(cell: Cell, n: int, rank: int, titles: Mapping[str, str], accounts: Sequence[Account]) -> Detail:
    found, account = None, None
    if cell.state != OK and cell.best is not None and cell.best.account < len(accounts):
        account = accounts[cell.best.account]
        targets = account.document["targets"]
        if cell.best.target < len(targets):
            target = targets[cell.best.target]
            found = finding(account.document, target, f"cell-{n + 1}", drawn=rank < DRAWN)
    service = titles.get(cell.service, cell.service)
    more = len(cell.targets) - TARGETS_SHOWN
    return Detail(
        id=f"cell-{n + 1}",
        service=service,
        role=cell.role,
        vantage=cell.vantage,
        sign=phrases.of_cell(cell),
        says=cell.says,
        targets=", ".join(cell.targets[:TARGETS_SHOWN]) + (f" and {more:,} more" if more > 0 else ""),
        spans=tuple(map(span, cell.stretches[:STRETCHES_SHOWN])),
        spans_left_out=max(len(cell.stretches) - STRETCHES_SHOWN, 0),
        finding=found,
        file=account.file if account else None,
        open=cell.state == BLOCKED and rank < OPEN,
        brief=cell.state == OK,
    )


def span(stretch: Stretch) -> Span:
    """A stretch in words."""
    return Span(
        sign=phrases.state(stretch.state),
        mechanism=stretch.mechanism,
        onset=phrases.onset(stretch.onset),
        end=phrases.shut(stretch.end),
        posterior=phrases.probability(stretch.posterior),
        confidence=phrases.probability(stretch.confidence),
        sightings=len(stretch.sightings),
        says=stretch.says,
    )
