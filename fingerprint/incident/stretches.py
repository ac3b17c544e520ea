"""One name's observations → stretches of time in which it stayed as it was, each change as an interval.

A stretch ends at the last observation of its state and the next begins at the first of its own; what lies between is
where the change is. Sightings that settle nothing neither begin nor end a stretch. A lone contrary sighting among many
is a stray: it is counted in what the stretch says, and splits nothing (`partition`). Where two accounts contradict each
other about one time, that time is unknown; so is a gap of more than `GAP` usual intervals between equal states, for
nobody looked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fingerprint.incident.model import BLOCKED, DOWN, OK, UNKNOWN, Between
from fingerprint.incident.observations import Observation, observations
from fingerprint.incident.partition import segments
from fingerprint.incident.sightings import Seen

# Three missed turns of a steady schedule are no jitter; set by hand.
GAP = 3
# A mixture is called blocked from a quarter of blocked sightings on, and never for one that is not the plurality: a
# censor that acts on part of the connections is one, a lone verdict among many others may be the one in twenty that
# the floor of 0.95 lets through. Set by hand.
PART = 0.25
NEVER = Between(after_ns=None, before_ns=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of one name, before names are joined to roles."""

    state: str
    family: str
    first_ns: int  # of the first observation of the state
    last_ns: int  # of the last
    onset: Between
    end: Between
    confidence: float
    seen: tuple[Seen, ...]
    strays: int  # sightings of another state that do not split it


def pieces(row: Sequence[Seen], contradicting: Collection[int], interval_ns: int | None) -> tuple[Piece, ...]:
    """The stretches of one name at one vantage, in order of time. ``contradicting`` are indices of sightings."""
    seen = observations(row)
    found: list[Piece] = []
    for torn, part in _runs(seen, contradicting):
        found += [_unknown(part)] if torn else _settled(part)
    if not found:
        return (_unknown(seen),) if seen else ()
    found = _with_gaps(found, seen, interval_ns)
    return _bounded(found)


def _runs(seen: Sequence[Observation], contradicting: Collection[int]) -> list[tuple[bool, list[Observation]]]:
    """Observations that settle something, cut where accounts contradict each other."""
    out: list[tuple[bool, list[Observation]]] = []
    for o in seen:
        torn = o.seen.index in contradicting
        if o.state is None and not torn:
            continue
        if not out or out[-1][0] != torn:
            out.append((torn, []))
        out[-1][1].append(o)
    return out


def _settled(part: Sequence[Observation]) -> list[Piece]:
    names = (OK, DOWN, *dict.fromkeys(o.family for o in part if o.state == BLOCKED))
    kinds = [names.index(o.family if o.state == BLOCKED else o.state) for o in part]
    groups: list[tuple[int, int, float]] = []
    labels: list[tuple[str, str]] = []
    for s in segments(kinds, [o.weight for o in part], len(names)):
        label = _label(part[s.first : s.last])
        if labels and labels[-1] == label:
            groups[-1] = groups[-1][0], s.last, groups[-1][2]
            continue
        groups.append((s.first, s.last, s.confidence))
        labels.append(label)
    return [_piece(part[first:last], confidence) for first, last, confidence in groups]


def _label(part: Sequence[Observation]) -> tuple[str, str]:
    piece = _piece(part, 1.0)
    return piece.state, piece.family


def _piece(part: Sequence[Observation], confidence: float) -> Piece:
    state = dominant(part)
    its = [o for o in part if o.state == state]
    families: dict[str, float] = {}
    for o in its:
        families[o.family] = families.get(o.family, 0.0) + o.weight
    return Piece(
        state=state,
        family=max(families, key=lambda f: families[f]),
        first_ns=its[0].first_ns,
        last_ns=max(o.last_ns for o in its),
        onset=NEVER,
        end=NEVER,
        confidence=confidence,
        seen=_each(part),
        strays=len(_each([o for o in part if o.state != state])),
    )


def dominant(part: Sequence[Observation]) -> str:
    """The state of a segment: the one with most weight, or blocked from a quarter of at least two sightings on."""
    states = [state for state in (OK, DOWN, BLOCKED) if any(o.state == state for o in part)]
    weights = {state: sum(o.weight for o in part if o.state == state) for state in states}
    whole = sum(weights.values())
    if sum(o.state == BLOCKED for o in part) > 1 and weights[BLOCKED] >= PART * whole > 0:
        return BLOCKED
    return max(weights, key=lambda state: weights[state])


def _each(part: Sequence[Observation]) -> tuple[Seen, ...]:
    return tuple({o.seen.index: o.seen for o in part}.values())


def _unknown(part: Sequence[Observation]) -> Piece:
    return _nobody_knows(part[0].first_ns, max(o.last_ns for o in part), _each(part))


def _nobody_knows(first_ns: int, last_ns: int, seen: tuple[Seen, ...] = ()) -> Piece:
    return Piece(
        state=UNKNOWN,
        family="",
        first_ns=first_ns,
        last_ns=last_ns,
        onset=NEVER,
        end=NEVER,
        confidence=1.0,
        seen=seen,
        strays=0,
    )


def _with_gaps(found: list[Piece], seen: Sequence[Observation], interval_ns: int | None) -> list[Piece]:
    """The pieces cut where nothing was settled for too long, with a piece of what is unknown in between.

    Where no interval is usual, every sighting beyond the settled ones shows a time that nobody settled.
    """
    wide = GAP * (interval_ns or 0)
    out: list[Piece] = []
    for piece in found:
        out += [piece] if piece.state == UNKNOWN or not wide else _cut(piece, seen, wide)
    last_ns = max(p.last_ns for p in out)
    before = [o for o in seen if o.state is None and o.last_ns < out[0].first_ns - wide]
    after = [o for o in seen if o.state is None and o.first_ns > last_ns + wide]
    return [*([_unknown(before)] if before else []), *out, *([_unknown(after)] if after else [])]


def _cut(piece: Piece, seen: Sequence[Observation], wide_ns: int) -> list[Piece]:
    indices = {s.index for s in piece.seen}
    its = [o for o in seen if o.state and o.seen.index in indices and piece.first_ns <= o.first_ns <= piece.last_ns]
    groups: list[list[Observation]] = [[]]
    known_until = piece.first_ns
    for o in its:
        if groups[-1] and o.first_ns - known_until > wide_ns:
            groups.append([])
        groups[-1].append(o)
        known_until = max(known_until, o.last_ns)
    if len(groups) < 2 or any(dominant(g) != piece.state for g in groups):
        return [piece]
    out: list[Piece] = []
    for n, group in enumerate(groups):
        part = replace(_piece(group, piece.confidence if not n else 1.0), family=piece.family)
        if n:
            blind = [o for o in seen if o.state is None and out[-1].last_ns < o.first_ns < part.first_ns]
            out.append(_unknown(blind) if blind else _nobody_knows(out[-1].last_ns, part.first_ns))
        out.append(part)
    return out


def _bounded(found: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces with onset and end: the last of one state and the first of the next, as wide as the clocks' error."""
    bounds = [_change(a, b) for a, b in pairwise(found)]
    out = []
    for n, piece in enumerate(found):
        onset = bounds[n - 1] if n else replace(NEVER, before_ns=piece.first_ns + _error(piece))
        end = bounds[n] if n < len(bounds) else replace(NEVER, after_ns=piece.last_ns - _error(piece))
        out.append(replace(piece, onset=onset, end=end))
    return tuple(out)


def _change(one: Piece, other: Piece) -> Between:
    after_ns, before_ns = sorted((one.last_ns, other.first_ns))
    return Between(after_ns=after_ns - _error(one), before_ns=before_ns + _error(other))


def _error(piece: Piece) -> int:
    return max((s.error_ns for s in piece.seen), default=0)
