"""What is shown of a service, at all times or on one day: its rows in words, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from fingerprint.report.numbers import timestamp
from fingerprint.services.model import Dated, Endpoint, Owner, Range, Reachable, Service

Row = TypeVar("Row", bound=Dated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The rows of a service that count."""

    endpoints: tuple[Endpoint, ...]
    ranges: tuple[Range, ...]
    owners: tuple[Owner, ...]

    @property
    def cited(self) -> dict[tuple[str, str], int]:
        """Sources with their standing, numbered in order of the rows."""
        sources = dict.fromkeys((row.source, row.standing) for row in (*self.endpoints, *self.ranges, *self.owners))
        return {key: number for number, key in enumerate(sources, start=1)}

    def of_role(self, role: str) -> tuple[tuple[str, Reachable], ...]:
        """Names with their rows, then prefixes with theirs."""
        names = ((row.name, row) for row in self.endpoints if row.role == role)
        return (*names, *((str(network), row) for row in self.ranges if row.role == role for network in row.networks))


def shown(service: Service, at_ns: int | None) -> Shown:
    """All rows, or those of a time."""

    def then(rows: Sequence[Row]) -> tuple[Row, ...]:
        return tuple(row for row in rows if at_ns is None or row.valid(at_ns))

    return Shown(endpoints=then(service.endpoints), ranges=then(service.ranges), owners=then(service.owners))


def where(row: Reachable) -> str:
    """``8801-8810/udp``."""
    low, high = row.ports
    path = row.path if isinstance(row, Endpoint) else None
    return f"{low if low == high else f'{low}-{high}'}/{row.protocol}{path or ''}"


def dates(row: Dated) -> str:
    """``from 2023-07-23 to 2024-05-16``: the last day is the last on which it was so."""
    begins = f"from {_day(row.from_ns)}" if row.from_ns is not None else ""
    ends = f"to {last_day(row.until_ns)}" if row.until_ns is not None else ""
    return " ".join(filter(None, (begins, ends)))


def last_day(until_ns: int) -> str:
    """The day before the first instant no more."""
    return _day(until_ns - 1)


def plain(service: Service, at_ns: int | None) -> dict[str, Any]:
    """Everything of a service as JSON takes it."""
    rows = shown(service, at_ns)
    return {
        "id": service.id, "title": service.title, "kind": service.kind, "about": service.about,
        "sensitive": service.sensitive, "version": service.version, "sha256": service.sha256, "own": service.own,
        "endpoints": [
            {
                "role": row.role, "name": row.name, "ports": list(row.ports), "protocol": row.protocol,
                "path": row.path, **_dated(row), "probe": row.probe, **_cited(row),
            }
            for row in rows.endpoints
        ],
        "ranges": [
            {
                "role": row.role, "networks": [str(network) for network in row.networks], "ports": list(row.ports),
                "protocol": row.protocol, **_dated(row), **_cited(row),
            }
            for row in rows.ranges
        ],
        "owners": [{"name": row.name, **_dated(row), **_cited(row)} for row in rows.owners],
        "controls": {"generic": list(service.controls), "neighbours": list(service.neighbours)},
    }  # fmt: skip


def _dated(row: Dated) -> dict[str, str | None]:
    return {"from": timestamp(row.from_ns), "until": timestamp(row.until_ns)}


def _cited(row: Dated) -> dict[str, str]:
    return {"source": row.source, "standing": row.standing}


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).date().isoformat()
