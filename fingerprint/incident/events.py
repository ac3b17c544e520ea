"""Cells that changed → events: those whose onset intervals meet, all of them, within one usual interval.

An event lasts from the first of its cells to the last: it began at the smallest of instants that each lie in an
interval, which lies between the smallest ends, and is over at the largest.
Blocked and down never join in one event. A cell may take part in several. A cell that was never seen otherwise joins
an event only if the same service changed in it and the cell's first sighting is not before it; else such cells make
events of their own, whose start nobody saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fingerprint.incident.cells import Made
from fingerprint.incident.model import BLOCKED, DOWN, UNKNOWN, Between, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """A cell that turned bad: which stretch, and what it was before as far as anybody knows."""

    cell: int
    made: Made
    stretch: Stretch
    seen: bool  # the change itself lies between two observations


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Onsets that belong together."""

    state: str
    onsets: tuple[Onset, ...]
    onset: Between
    end: Between

    @property
    def cells(self) -> tuple[int, ...]:
        """Indices, each once, in the cells' order."""
        return tuple(sorted({o.cell for o in self.onsets}))

    @property
    def services(self) -> tuple[str, ...]:
        """Services in order of the cells."""
        return tuple(dict.fromkeys(o.made.cell.service for o in sorted(self.onsets, key=lambda o: o.cell)))

    @property
    def vantages(self) -> tuple[str, ...]:
        """Vantages in order of the cells."""
        return tuple(dict.fromkeys(o.made.cell.vantage for o in sorted(self.onsets, key=lambda o: o.cell)))


def onsets(made: Sequence[Made], state: str) -> Iterator[Onset]:
    """Every stretch of a state that begins a bad time, in order of the cells.

    A stretch after another of the same state (the way changed, or nobody looked in between) begins none.
    """
    for index, one in enumerate(made):
        before: str | None = None
        for stretch in one.cell.stretches:
            if stretch.state == state and before != state:
                known = before is not None and None not in (stretch.onset.after_ns, stretch.onset.before_ns)
                yield Onset(cell=index, made=one, stretch=stretch, seen=known)
            if stretch.state != UNKNOWN:
                before = stretch.state


def groups(made: Sequence[Made], slack_ns: int = 0) -> tuple[Group, ...]:
    """All events' members, blocked first, each kind in order of time. ``slack_ns`` is the usual interval."""
    out: list[Group] = []
    for state in (BLOCKED, DOWN):
        found = list(onsets(made, state))
        together = _met([o for o in found if o.seen], slack_ns)
        alone: list[Onset] = []
        for late in (o for o in found if not o.seen):
            home = next((g for g in together if _joins(late, g)), None)
            (alone if home is None else home).append(late)
        together += _overlapping(alone, slack_ns)
        out += sorted((_group(state, g) for g in together), key=lambda g: _start(g.onset))
    return tuple(out)


@dataclass(slots=True)
class _Core:
    """Members and what their widened intervals have in common."""

    first_ns: int
    last_ns: int
    members: list[Onset]


def _met(seen: Sequence[Onset], slack_ns: int) -> list[list[Onset]]:
    """Onsets whose intervals, half the slack wider on either side, all have an instant in common.

    The narrowest are placed first, and one that fits several groups joins the largest: an onset that is known badly
    must not draw two others together, nor stand alone beside one that it may belong to.
    """
    cores: list[_Core] = []
    for o in sorted(seen, key=lambda o: (_last_of(o) - _start(o.stretch.onset), _start(o.stretch.onset), o.cell)):
        first_ns, last_ns = _start(o.stretch.onset) - slack_ns // 2, _last_of(o) + slack_ns // 2
        fits = [
            c
            for c in cores
            if c.first_ns <= last_ns and first_ns <= c.last_ns and o.cell not in {m.cell for m in c.members}
        ]
        if not fits:
            cores.append(_Core(first_ns, last_ns, [o]))
            continue
        best = max(fits, key=lambda c: (len(c.members), -c.first_ns))
        best.first_ns, best.last_ns = max(best.first_ns, first_ns), min(best.last_ns, last_ns)
        best.members.append(o)
    return [c.members for c in cores]


def _last_of(onset: Onset) -> int:
    before_ns = onset.stretch.onset.before_ns
    assert before_ns is not None
    return before_ns


def _joins(late: Onset, group: Sequence[Onset]) -> bool:
    """Whether a cell that nobody saw otherwise may have turned bad with a group that its service belongs to."""
    if late.made.cell.service not in {o.made.cell.service for o in group}:
        return False
    first = late.stretch.onset.before_ns
    starts = [o.stretch.onset.after_ns for o in group if o.stretch.onset.after_ns is not None]
    ends = [o.stretch.end.before_ns for o in group if o.seen]
    over = None if None in ends else max(e for e in ends if e is not None)
    return first is not None and first >= min(starts) and (over is None or first <= over)


def _overlapping(alone: Sequence[Onset], slack_ns: int) -> list[list[Onset]]:
    """Stretches without a seen start that overlap in time, or nearly, chained: a run asks one name after the other."""
    out: list[list[Onset]] = []
    until_ns = 0
    for o in sorted(alone, key=lambda o: (_start(o.stretch.onset), o.cell)):
        first_ns, last_ns = _start(o.stretch.onset), _last(o.stretch.end)
        if out and first_ns <= until_ns + slack_ns:
            out[-1].append(o)
            until_ns = max(until_ns, last_ns)
        else:
            out.append([o])
            until_ns = last_ns
    return out


def _group(state: str, members: Sequence[Onset]) -> Group:
    seen = [o for o in members if o.seen]
    ends = [o.stretch.end for o in members]
    after = [o.stretch.onset.after_ns for o in seen if o.stretch.onset.after_ns is not None]
    before = [o.stretch.onset.before_ns for o in seen or members if o.stretch.onset.before_ns is not None]
    over = [e.before_ns for e in ends if e.before_ns is not None]
    last = [e.after_ns for e in ends if e.after_ns is not None]
    return Group(
        state=state,
        onsets=tuple(sorted(members, key=lambda o: (o.cell, _start(o.stretch.onset)))),
        onset=Between(after_ns=min(after, default=None), before_ns=min(before, default=None)),
        end=Between(after_ns=max(last, default=None), before_ns=max(over) if over and len(over) == len(ends) else None),
    )


def _start(onset: Between) -> int:
    return onset.after_ns if onset.after_ns is not None else onset.before_ns or 0


def _last(end: Between) -> int:
    return end.before_ns if end.before_ns is not None else end.after_ns or 0
