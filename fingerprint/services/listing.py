"""``fingerprint services``: the table, and one service with its roles, hosts, dates, controls and sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from captures.errors import TargetError
from fingerprint import exits, services
from fingerprint.report.numbers import timestamp
from fingerprint.services.choosing import named
from fingerprint.services.model import Endpoint, Service, Services
from fingerprint.services.reading import day_ns
from fingerprint.services.roles import CONTROL, ROLES
from fingerprint.terminal import clean, complain, console

STANDING = {"read": "read in the source", "memory": "from memory"}


def show_all(at: str | None, *, as_json: bool) -> int:
    """Every service, by kind."""
    known, at_ns = _known(), _instant(at)
    if as_json:
        return _print_json([_plain(s, at_ns) for s in known.services])
    out = console()
    wide = max(len(s.id) for s in known.services), max(len(s.title) for s in known.services)
    kinds = sorted(known.services, key=lambda s: (s.kind, s.title.lower()))
    for kind, some in groupby(kinds, key=lambda s: s.kind):
        out.print(clean(kind), style="bold")
        for service in some:
            out.print(clean(f"  {service.id:<{wide[0]}}  {service.title:<{wide[1]}}  "), end="")
            out.print(clean(", ".join(_counted(service, at_ns))), style="dim")
    out.print("\nNext: fingerprint services twitter --at 2020-05-17", style="dim")
    return exits.ANSWERED


def show_one(name: str, at: str | None, *, as_json: bool) -> int:
    """One service. Raises TargetError for a name that nobody has."""
    service, at_ns = named(name, _known()), _instant(at)
    if as_json:
        return _print_json(_plain(service, at_ns))
    out, rows = console(), _rows(service, at_ns)
    out.print(clean(f"{service.title}  ({service.id}, {service.kind})"), style="bold")
    out.print(clean(service.about))
    if service.sensitive:
        out.print("Sensitive: that it was asked for can be held against somebody.")
    if not rows:
        out.print("Nothing is known of it at that time.")
    sources = {key: number for number, key in enumerate(dict.fromkeys((r.source, r.standing) for r in rows), start=1)}
    wide = max((len(row.name) for row in rows), default=0)
    for role in ROLES:
        some = [row for row in rows if row.role == role]
        if some:
            out.print(f"\n{role}", style="bold", end="")
            out.print(f"  {ROLES[role].says}", style="dim")
        for row in some:
            said = ", ".join(filter(None, (_where(row), _dates(row), "probed" if row.probe else "")))
            out.print(clean(f"  {row.name:<{wide}}  {said}  "), end="")
            out.print(f"[{sources[row.source, row.standing]}]", style="dim")
    out.print("\ncontrols", style="bold", end="")
    out.print(f"  {ROLES[CONTROL].says}", style="dim")
    out.print(clean(f"  {', '.join(service.controls) or 'none'}"))
    if service.neighbours:
        out.print(clean(f"  on the same infrastructure: {', '.join(service.neighbours)}"))
    out.print("\nsources", style="bold")
    for (source, standing), number in sources.items():
        out.print(clean(f"  [{number}] {source}; {STANDING[standing]}"), style="dim", soft_wrap=True)
    table, version, sha256 = service.table
    out.print()
    out.print(clean(f"{table}, version {version}, sha256 {sha256}"), style="dim", soft_wrap=True)
    if service.probed(_now_ns() if at_ns is None else at_ns):
        out.print(f"\nNext: fingerprint run {clean(service.id)} --dry-run", style="dim")
    return exits.ANSWERED


def _known() -> Services:
    known, complaints = services.at_hand()
    for file, says in complaints:
        complain(f"{file}: {says}")
    return known


def _instant(at: str | None) -> int | None:
    """The middle of a day, UTC. Raises TargetError for what is none."""
    if at is None:
        return None
    try:
        return day_ns(date.fromisoformat(at)) + 12 * 3600 * 10**9
    except ValueError:
        raise TargetError(f"--at {at}: want a day such as 2020-05-17") from None


def _now_ns() -> int:
    return int(datetime.now(UTC).timestamp()) * 10**9


def _rows(service: Service, at_ns: int | None) -> tuple[Endpoint, ...]:
    """All rows, or those of a day."""
    return service.endpoints if at_ns is None else service.at(at_ns)


def _counted(service: Service, at_ns: int | None) -> Iterator[str]:
    """How many endpoints in how many roles, and from when to when the table holds dates for it."""
    rows = _rows(service, at_ns)
    roles = len({row.role for row in rows})
    yield f"{len(rows)} endpoints in {roles} role{'s' if roles != 1 else ''}" if rows else "nothing at that time"
    if rows and all(row.until_ns is not None for row in rows):
        yield f"until {_last_day(max(row.until_ns or 0 for row in rows))}"
    if service.sensitive:
        yield "sensitive"
    if service.own:
        yield "yours"


def _where(row: Endpoint) -> str:
    low, high = row.ports
    return f"{low if low == high else f'{low}-{high}'}/{row.protocol}{row.path or ''}"


def _dates(row: Endpoint) -> str:
    """``from 2023-07-23 to 2024-05-16``: the last day is the last on which it was so."""
    begins = f"from {_day(row.from_ns)}" if row.from_ns is not None else ""
    ends = f"to {_last_day(row.until_ns)}" if row.until_ns is not None else ""
    return " ".join(filter(None, (begins, ends)))


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).date().isoformat()


def _last_day(until_ns: int) -> str:
    return _day(until_ns - 1)


def _print_json(content: object) -> int:
    print(json.dumps(content, indent=1, ensure_ascii=False))  # noqa: T201  # the answer
    return exits.ANSWERED


def _plain(service: Service, at_ns: int | None) -> dict[str, Any]:
    return {
        "id": service.id, "title": service.title, "kind": service.kind, "about": service.about,
        "sensitive": service.sensitive, "version": service.version, "sha256": service.sha256, "own": service.own,
        "endpoints": [
            {
                "role": row.role, "name": row.name, "ports": list(row.ports), "protocol": row.protocol,
                "path": row.path, "from": timestamp(row.from_ns), "until": timestamp(row.until_ns),
                "probe": row.probe, "source": row.source, "standing": row.standing,
            }
            for row in _rows(service, at_ns)
        ],
        "controls": {"generic": list(service.controls), "neighbours": list(service.neighbours)},
    }  # fmt: skip
