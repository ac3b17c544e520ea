"""``fingerprint services``: the table, and one service with its roles, hosts, dates, controls and sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby

from captures.errors import TargetError
from fingerprint import exits, services
from fingerprint.services.choosing import named
from fingerprint.services.fields import day_ns
from fingerprint.services.model import Endpoint, Service, Services
from fingerprint.services.roles import CONTROL, ROLES
from fingerprint.services.shown import dates, last_day, plain, shown, where
from fingerprint.terminal import clean, complain, console

STANDING = {"read": "read in the source", "memory": "from memory"}


def show_all(at: str | None, *, as_json: bool) -> int:
    """Every service, by kind."""
    known, at_ns = _known(), _instant(at)
    if as_json:
        return _print_json([plain(s, at_ns) for s in known.services])
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
        return _print_json(plain(service, at_ns))
    out, rows = console(), shown(service, at_ns)
    out.print(clean(f"{service.title}  ({service.id}, {service.kind})"), style="bold")
    out.print(clean(service.about))
    for owner in rows.owners:
        said = " ".join(filter(None, ("Owner:", owner.name, dates(owner))))
        out.print(clean(said), end="")
        out.print(f"  [{rows.cited[owner.source, owner.standing]}]", style="dim")
    if service.sensitive:
        out.print("Sensitive: that it was asked for can be held against somebody.")
    if not rows.endpoints:
        out.print("Nothing is known of it at that time.")
    by_role = {role: some for role in ROLES if (some := rows.of_role(role))}
    wide = max((len(called) for some in by_role.values() for called, _ in some), default=0)
    for role, some in by_role.items():
        out.print(f"\n{role}", style="bold", end="")
        out.print(f"  {ROLES[role].says}", style="dim")
        for called, row in some:
            probed = "probed" if isinstance(row, Endpoint) and row.probe else ""
            said = ", ".join(filter(None, (where(row), dates(row), probed)))
            out.print(clean(f"  {called:<{wide}}  {said}  "), end="")
            out.print(f"[{rows.cited[row.source, row.standing]}]", style="dim")
    out.print("\ncontrols", style="bold", end="")
    out.print(f"  {ROLES[CONTROL].says}", style="dim")
    out.print(clean(f"  {', '.join(service.controls) or 'none'}"))
    if service.neighbours:
        out.print(clean(f"  on the same infrastructure: {', '.join(service.neighbours)}"))
    out.print("\nsources", style="bold")
    for (source, standing), number in rows.cited.items():
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


def _counted(service: Service, at_ns: int | None) -> Iterator[str]:
    """How many endpoints in how many roles, and from when to when the table holds dates for it."""
    rows = shown(service, at_ns).endpoints
    roles = len({row.role for row in rows})
    yield f"{len(rows)} endpoints in {roles} role{'s' if roles != 1 else ''}" if rows else "nothing at that time"
    if rows and all(row.until_ns is not None for row in rows):
        yield f"until {last_day(max(row.until_ns or 0 for row in rows))}"
    if service.sensitive:
        yield "sensitive"
    if service.own:
        yield "yours"


def _print_json(content: object) -> int:
    print(json.dumps(content, indent=1, ensure_ascii=False))  # noqa: T201  # the answer
    return exits.ANSWERED
