"""Sightings → cells: one service's one role at one vantage, its stretches of time and how it is blocked.

Several names of one role join (`joining`): the role is as its worst name, and says how many of its names that is. A
blocked verdict from a time at which most controls of the same vantage failed is no evidence of blocking: it counts as
``down``, for the line (`lines`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from fingerprint.accounts import PACKETS
from fingerprint.incident import mechanisms
from fingerprint.incident.joining import Joined, joined
from fingerprint.incident.model import BLOCKED, DOWN, OK, UNKNOWN, Cell, Place, Stretch
from fingerprint.incident.sightings import CONTROL, Seen
from fingerprint.incident.stretches import pieces
from fingerprint.incident.times import between, moment
from fingerprint.report.wording import count, how, percent

# Shallowest first: what a role suffers at worst.
REACHES = ("none", "degraded", "partial", "full")
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A cell with what the model does not carry on."""

    cell: Cell
    joined: tuple[Joined, ...]
    seen: tuple[Seen, ...]


def cells(seen: Sequence[Seen], contradicting: Collection[int], interval_ns: int | None) -> tuple[Made, ...]:
    """All cells, by service, role and vantage in order of first appearance. Controls are none."""
    rows: dict[Key, dict[str, list[Seen]]] = {}
    for s in seen:
        if s.sighting.role != CONTROL:
            key = (s.sighting.service, s.sighting.role, s.sighting.vantage)
            rows.setdefault(key, {}).setdefault(s.sighting.target, []).append(s)
    return tuple(_cell(key, rows[key], contradicting, interval_ns) for key in rows)


def usual_interval_ns(seen: Iterable[Seen]) -> int | None:
    """The median time between two settled sightings of one name; None where no name was seen twice."""
    last: dict[tuple[str, str, str, str], int] = {}
    gaps = []
    for s in seen:
        if s.settles is None:
            continue
        name = (s.sighting.service, s.sighting.role, s.sighting.vantage, s.sighting.target)
        if name in last and s.sighting.first_ns > last[name]:
            gaps.append(s.sighting.first_ns - last[name])
        last[name] = s.sighting.first_ns
    return round(median(gaps)) if gaps else None


def _cell(
    key: Key, by_name: Mapping[str, Sequence[Seen]], contradicting: Collection[int], interval_ns: int | None
) -> Made:
    of_names = {name: pieces(row, contradicting, interval_ns) for name, row in by_name.items()}
    parts = joined({name: found for name, found in of_names.items() if found}, interval_ns)
    seen = tuple(sorted((s for row in by_name.values() for s in row), key=lambda s: s.index))
    state = _worst(parts)
    its = [s for j in parts if j.state == state for s in j.seen if s.settles == state]
    ways = mechanisms.named([s.ways for s in its]) if state == BLOCKED else ()
    rates = [s.sighting.rate_bps for s in its if s.sighting.rate_bps is not None]
    cell = Cell(
        service=key[0],
        role=key[1],
        vantage=key[2],
        targets=tuple(by_name),
        state=state,
        mechanisms=ways,
        posterior=_posterior(state, its),
        reach=max((s.sighting.reach for s in its), key=REACHES.index, default="none") if state == BLOCKED else "none",
        position=_agreed(w.position for s in its for w in s.ways if _is_of(w.node, ways)) if ways else None,
        injector=_commonest(w.injector for s in its for w in s.ways),
        rate_bps=median(rates) if rates else None,
        stretches=tuple(_stretch(j, len(by_name)) for j in parts),
        best=_best(its),
        says=_says(state, ways, parts, its, tuple(by_name), seen),
    )
    return Made(cell=cell, joined=parts, seen=seen)


def _worst(parts: Sequence[Joined]) -> str:
    states = {j.state for j in parts}
    return next((state for state in (BLOCKED, DOWN, OK) if state in states), "insufficient")


def _posterior(state: str, its: Sequence[Seen]) -> float | None:
    """Blocked: all repeats together. Down: the best, for causes are not repeated evidence of one line. Ok: none."""
    posteriors = [p for s in its if (p := s.sighting.posterior) is not None and s.sighting.state == state]
    if state == BLOCKED:
        return mechanisms.repeated(posteriors)
    return max(posteriors, default=None) if state == DOWN else None


def _stretch(part: Joined, names: int) -> Stretch:
    its = [s for s in part.seen if s.settles == part.state]
    ways = mechanisms.named([s.ways for s in its]) if part.state == BLOCKED else ()
    return Stretch(
        state=part.state,
        mechanism=ways[0] if ways else None,
        posterior=_posterior(part.state, its),
        onset=part.onset,
        end=part.end,
        confidence=part.confidence,
        sightings=tuple(s.index for s in part.seen),
        says=_told(part, its, names),
    )


def _told(part: Joined, its: Sequence[Seen], names: int) -> str:
    if part.state == UNKNOWN:
        if not part.seen:
            return "unknown: nobody looked"
        why = next((s.why_not for s in part.seen if s.why_not), None)
        return f"unknown: {why}" if why else f"unknown: {count(len(part.seen), 'sighting')} settling nothing"
    some = f", {len(part.names)} of {names} names" if names > 1 and part.state != OK else ""
    but = f"; {count(part.strays, 'sighting')} of another state among them split nothing" if part.strays else ""
    began = f"; began {between(part.onset)}" if part.onset.after_ns is not None else ""
    return f"{part.state} in {count(len(its), 'sighting')}{some}{began}{but}"


def _best(its: Sequence[Seen]) -> Place | None:
    """The sighting to draw: of packets if there is one, the most probable, the earliest."""
    if not its:
        return None
    best = max(its, key=lambda s: (s.sighting.kind == PACKETS, s.sighting.posterior or 0.0, -s.index))
    return best.sighting.at


def _is_of(node: str, ways: Sequence[str]) -> bool:
    return any(node == way or node.startswith(way + ".") for way in ways)


def _agreed(words: Iterable[str]) -> str:
    """The word that all give who give one; ``unknown`` where they differ."""
    told = {word for word in words if word != "unknown"}
    return told.pop() if len(told) == 1 else "unknown"


def _commonest(words: Iterable[str | None]) -> str | None:
    told = [word for word in words if word]
    return max(sorted(set(told)), key=told.count, default=None)


def _says(
    state: str,
    ways: Sequence[str],
    parts: Sequence[Joined],
    its: Sequence[Seen],
    names: Sequence[str],
    seen: Sequence[Seen],
) -> str:
    """One sentence about the cell; strays and lines that failed are named."""
    if state == "insufficient":
        return f"{count(len(seen), 'sighting')}, none of which settles anything"
    failing = {name for j in parts if j.state == state for name in j.names}
    some = f"{len(failing)} of {len(names)} names: " if len(names) > 1 and state != OK else ""
    strays = [s for j in parts for s in j.seen if s.settles and s.settles != j.state]
    but = f"; {_strays(strays)}" if strays else ""
    if state == OK:
        return f"works in {count(len(its), 'sighting')}{but}"
    if state == DOWN:
        why = next((s.why_not for s in its if s.why_not), "unavailable, with no sign of interference")
        return f"{some}{why}, in {count(len(its), 'sighting')}{but}"
    sure = f" ({percent(_posterior(state, its))})"
    return f"{some}{'; and '.join(how(way) for way in ways)}{sure}, in {count(len(its), 'sighting')}{but}"


def _strays(strays: Sequence[Seen]) -> str:
    """Contrary sightings, counted by state, with the time of the first."""
    kinds = [s.settles for s in strays]
    each = ", ".join(f"{kinds.count(k)} {k}" for k in (BLOCKED, DOWN, OK) if k in kinds)
    verb = "stands" if len(strays) == 1 else "stand"
    return f"{each} (first {moment(strays[0].sighting.first_ns)} UTC) {verb} alone and split nothing"
