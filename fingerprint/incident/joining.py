"""The names of one role joined: at any time a role is as its worst name is, and says how many names that are.

A role turns bad when its first name does and good again when its last one does; both are known as well as those names'
own changes are. What a name was last seen to be holds for `stretches.GAP` usual intervals, no longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fingerprint.incident.model import BLOCKED, DOWN, OK, UNKNOWN, Between
from fingerprint.incident.sightings import Seen
from fingerprint.incident.stretches import GAP, Piece

WORSE = (UNKNOWN, OK, DOWN, BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A stretch of a role: which names were in its state, by which pieces."""

    state: str
    family: str
    names: tuple[str, ...]
    onset: Between
    end: Between
    confidence: float
    seen: tuple[Seen, ...]  # of the names in that state
    strays: int


@dataclass(slots=True, kw_only=True)
class _Open:
    state: str
    family: str
    from_ns: int
    until_ns: int | None
    pieces: list[tuple[str, Piece]]


def joined(by_name: Mapping[str, Sequence[Piece]], interval_ns: int | None) -> tuple[Joined, ...]:
    """The stretches of a role, in order of time."""
    if len(by_name) == 1:
        name, only = next(iter(by_name.items()))
        return tuple(_alone(name, piece) for piece in only)
    opened = _swept(by_name, interval_ns)
    bounds = [_change(a, b) for a, b in pairwise(opened)]
    out = []
    for n, part in enumerate(opened):
        onset = bounds[n - 1] if n else _earliest(part)
        end = bounds[n] if n < len(bounds) else _latest(part)
        out.append(_closed(part, onset, end))
    return tuple(out)


def _alone(name: str, piece: Piece) -> Joined:
    return Joined(
        state=piece.state,
        family=piece.family,
        names=(name,),
        onset=piece.onset,
        end=piece.end,
        confidence=piece.confidence,
        seen=piece.seen,
        strays=piece.strays,
    )


def _swept(by_name: Mapping[str, Sequence[Piece]], interval_ns: int | None) -> list[_Open]:
    """Stretches of the worst state, from the first piece to the last."""
    spans = [span for name, pieces in by_name.items() for span in _spans(name, pieces, interval_ns)]
    times = sorted({t for from_ns, until_ns, _, _ in spans for t in (from_ns, until_ns) if t is not None})
    out: list[_Open] = []
    for at, time_ns in enumerate(times):
        until_ns = times[at + 1] if at + 1 < len(times) else None
        here = [(name, p) for f, u, name, p in spans if f <= time_ns and (u is None or time_ns < u)]
        if not here:
            continue
        state = max((p.state for _, p in here), key=WORSE.index)
        its = [(name, p) for name, p in here if p.state == state]
        families = [p.family for _, p in its]
        family = max(sorted(set(families)), key=families.count)
        if out and (out[-1].state, out[-1].family) == (state, family):
            out[-1].until_ns = until_ns
            out[-1].pieces += [pair for pair in its if not any(pair[1] is p for _, p in out[-1].pieces)]
            continue
        out.append(_Open(state=state, family=family, from_ns=time_ns, until_ns=until_ns, pieces=its))
    return out


def _spans(name: str, pieces: Sequence[Piece], interval_ns: int | None) -> list[tuple[int, int | None, str, Piece]]:
    out: list[tuple[int, int | None, str, Piece]] = []
    for n, piece in enumerate(pieces):
        after = pieces[n + 1].first_ns if n + 1 < len(pieces) else None
        if after is None and interval_ns is not None:
            after = piece.last_ns + GAP * interval_ns + 1
        out.append((piece.first_ns, after, name, piece))
    return out


def _change(one: _Open, other: _Open) -> Between:
    """When the role changed: with the first name that turns worse, or the last that turns better."""
    if WORSE.index(other.state) >= WORSE.index(one.state):
        return _earliest(other)
    return _latest(one)


def _earliest(part: _Open) -> Between:
    """The smallest of instants that each lie in an interval: it lies between the smallest ends."""
    onsets = [p.onset for _, p in part.pieces]
    first = min(onsets, key=_before)
    near = [o for o in onsets if o.after_ns is None or o.after_ns <= _before(first)]
    after = [o.after_ns for o in near if o.after_ns is not None]
    known = first.after_ns is not None
    return Between(after_ns=min(after) if known and after else None, before_ns=first.before_ns)


def _latest(part: _Open) -> Between:
    ends = [p.end for _, p in part.pieces]
    last = max(ends, key=_after)
    near = [e.before_ns for e in ends if e.before_ns is not None and e.before_ns >= _after(last)]
    known = all(e.before_ns is not None for e in ends)
    return Between(after_ns=last.after_ns, before_ns=max(near) if known and near else None)


def _before(onset: Between) -> int:
    return onset.before_ns if onset.before_ns is not None else 1 << 63


def _after(end: Between) -> int:
    return end.after_ns if end.after_ns is not None else -(1 << 63)


def _closed(part: _Open, onset: Between, end: Between) -> Joined:
    until_ns = part.until_ns
    seen = {
        s.index: s
        for _, p in part.pieces
        for s in p.seen
        if s.sighting.last_ns >= part.from_ns and (until_ns is None or s.sighting.first_ns < until_ns)
    }
    return Joined(
        state=part.state,
        family=part.family,
        names=tuple(sorted({name for name, _ in part.pieces})),
        onset=onset,
        end=end,
        confidence=min(part.pieces, key=lambda pair: pair[1].first_ns)[1].confidence,
        seen=tuple(seen[i] for i in sorted(seen)),
        strays=sum(p.strays for _, p in part.pieces),
    )
