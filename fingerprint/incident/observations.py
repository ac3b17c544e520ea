"""Sightings of one name at one vantage as observations in order of time, each with when its state held.

A capture in which a name first worked and then failed holds two observations, if it never worked again: then the
change is known more closely than by the capture's ends. A name that works and fails in every capture (by one protocol
of two, say, or in the forms of a request that a probe tries) did not change, and stays one observation; so does one
beyond whose change nobody looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fingerprint.incident.model import BLOCKED, OK
from fingerprint.incident.sightings import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A state that was seen to hold from ``first_ns`` to ``last_ns``; None where the sighting settles nothing."""

    state: str | None
    family: str  # layer and action of the mechanism; empty unless blocked
    weight: float
    first_ns: int
    last_ns: int
    seen: Seen


def observations(row: Sequence[Seen]) -> tuple[Observation, ...]:
    """What sightings of one name, in order of time, say about when it was what."""
    settled = [seen for seen in row if seen.settles]
    places = {seen.index: n for n, seen in enumerate(settled)}
    out: list[Observation] = []
    for seen in row:
        n = places.get(seen.index)
        if n is None:
            out.append(_whole(seen))
            continue
        before, after = settled[n - 1] if n else None, settled[n + 1] if n + 1 < len(settled) else None
        out.extend(_parts(seen, before, after))
    out.sort(key=lambda o: (o.first_ns, o.last_ns, o.seen.index))
    return tuple(out)


def _whole(seen: Seen) -> Observation:
    first_ns, last_ns = seen.held_ns
    posterior = seen.sighting.posterior
    return Observation(
        state=seen.settles,
        family=family(seen.sighting.mechanism) if seen.settles == BLOCKED else "",
        weight=1.0 if seen.settles == OK or posterior is None else posterior,
        first_ns=first_ns,
        last_ns=last_ns,
        seen=seen,
    )


def _parts(seen: Seen, before: Seen | None, after: Seen | None) -> tuple[Observation, ...]:
    whole, s = _whole(seen), seen.sighting
    if seen.settles == OK or s.worked_ns is None or s.failed_ns is None:
        return (whole,)
    begins = s.worked_ns[1] < s.failed_ns[0] and _one_way(after)
    ends = s.failed_ns[1] < s.worked_ns[0] and _one_way(before)
    if not begins and not ends:
        return (whole,)
    worked = Observation(state=OK, family="", weight=1.0, first_ns=s.worked_ns[0], last_ns=s.worked_ns[1], seen=seen)
    return (worked, whole) if begins else (whole, worked)


def _one_way(seen: Seen | None) -> bool:
    """Whether the neighbour beyond a change shows that the name does not simply work one way and fail another."""
    return seen is not None and not (seen.settles != OK and seen.sighting.worked_ns and seen.sighting.failed_ns)


def family(node: str | None) -> str:
    """Layer and action, ``tls.reset`` of ``tls.reset.sni``: siblings below are told apart by depth, not by time."""
    return ".".join(node.split(".")[:2]) if node else ""
