"""Which lanes a time line has: one a cell, or, where that were too many, one a service and vantage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fingerprint.incident.model import BLOCKED, DOWN, OK, UNKNOWN, Between, Incident, Stretch

# More lanes than a screen or two are not compared by eye any more.
MOST_LANES = 60
# Painted in this order, so that the worst of several roles lies on top.
PAINTED = (OK, UNKNOWN, DOWN, BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What one lane shows; stretches in the order in which they are painted."""

    service: str
    label: str
    stretches: tuple[Stretch, ...]

    @property
    def works(self) -> bool:
        """Nothing else was ever seen of it."""
        return all(s.state == OK for s in self.stretches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The lanes that are drawn; how many are not; whether the roles of a service share one."""

    shown: tuple[Lane, ...]
    left_out: int
    merged: bool


def in_order(incident: Incident) -> list[int]:
    """The cells by service, role and vantage, each in the order in which the incident names them."""
    services = {s: n for n, (s, _) in enumerate(incident.services)}
    vantages = {v.key: n for n, v in enumerate(incident.vantages)}
    roles: dict[tuple[str, str], int] = {}
    for cell in incident.cells:
        roles.setdefault((cell.service, cell.role), len(roles))

    def place(n: int) -> tuple[int, int, int, int]:
        c = incident.cells[n]
        return services.get(c.service, len(services)), roles[c.service, c.role], vantages.get(c.vantage, 0), n

    return sorted(range(len(incident.cells)), key=place)


def lanes(incident: Incident) -> Lanes:
    """The lanes of an incident, service by service."""
    cells = [incident.cells[n] for n in in_order(incident)]
    every = [Lane(service=c.service, label=f"{c.role} · {c.vantage}", stretches=c.stretches) for c in cells]
    if len(every) <= MOST_LANES:
        return Lanes(shown=tuple(every), left_out=0, merged=False)
    by: dict[tuple[str, str], list[Stretch]] = {}
    for c in cells:
        by.setdefault((c.service, c.vantage), []).extend(c.stretches)
    joined = [Lane(service=s, label=v, stretches=tuple(painted(found))) for (s, v), found in by.items()]
    shown = chosen(joined)
    return Lanes(shown=shown, left_out=len(joined) - len(shown), merged=True)


def chosen(every: Sequence[Lane]) -> tuple[Lane, ...]:
    """As many as are drawn: those that show more than that all works first, and of each service in turn."""
    ranked: list[tuple[bool, int, int]] = []
    seen: dict[tuple[str, bool], int] = {}
    for n, lane in enumerate(every):
        turn = seen[lane.service, lane.works] = seen.get((lane.service, lane.works), 0) + 1
        ranked.append((lane.works, turn, n))
    return tuple(every[n] for n in sorted(n for _, _, n in sorted(ranked)[:MOST_LANES]))


def painted(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """Stretches of several roles as those of one: of each state what overlaps is joined, the worst comes last."""
    for state in PAINTED:
        its = sorted((s for s in stretches if s.state == state), key=began_ns)
        while its:
            one = its.pop(0)
            while its and began_ns(its[0]) <= ended_ns(one):
                one = _joined(one, its.pop(0))
            yield one


def _joined(one: Stretch, other: Stretch) -> Stretch:
    last = max(one, other, key=ended_ns)
    mechanism = one.mechanism if one.mechanism == other.mechanism else None
    return replace(one, end=last.end, mechanism=mechanism, sightings=(*one.sightings, *other.sightings))


def began_ns(stretch: Stretch) -> int:
    """When it was first seen."""
    return _known(stretch.onset.before_ns, stretch.onset)


def ended_ns(stretch: Stretch) -> int:
    """When it was last seen."""
    return _known(stretch.end.after_ns, stretch.end)


def _known(inner_ns: int | None, what: Between) -> int:
    return next((t for t in (inner_ns, what.before_ns, what.after_ns) if t is not None), 0)
