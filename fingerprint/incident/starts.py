"""When each service turned bad at each vantage, as the test of coincidence wants to know it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.incident.cells import Made
from fingerprint.incident.coincidence import Start, Window, step_of, window
from fingerprint.incident.events import Group
from fingerprint.incident.model import Between
from fingerprint.incident.times import middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the test is asked about one event."""

    event: tuple[Start, ...]
    everything: tuple[Start, ...]
    within: Window | None


Spans = Mapping[tuple[str, str], tuple[int, int]]


def question(group: Group, groups: Sequence[Group], spans: Spans, without: Collection[int] = ()) -> Question:
    """The onsets of an event beside all onsets of its state, within the time that its services were all observed.

    ``without`` are cells of the event that are not to count.
    """
    own = _starts(group, without)
    vantages = {v for _, v in own}
    observed_ns = [spans[key] for key in own if key in spans]
    step_ns = step_of([_wide(b) for b in own.values()])
    others = [_starts(g) for g in groups if g.state == group.state and g is not group]
    everything = [s for found in (own, *others) for s in _as_starts(found, vantages)]
    return Question(
        event=tuple(_as_starts(own, vantages)), everything=tuple(everything), within=window(observed_ns, step_ns)
    )


def _starts(group: Group, without: Collection[int] = ()) -> dict[tuple[str, str], Between]:
    """By service and vantage the smallest of its roles' onsets, as far as they were seen."""
    out: dict[tuple[str, str], Between] = {}
    for o in group.onsets:
        if not o.seen or o.cell in without:
            continue
        key, one = (o.made.cell.service, o.made.cell.vantage), o.stretch.onset
        known = out.get(key)
        out[key] = one if known is None or _wide_first(one, known) else known
    return out


def _wide_first(one: Between, other: Between) -> bool:
    """Whether one ends sooner, or as soon and is narrower."""
    assert one.before_ns is not None
    assert other.before_ns is not None
    return (one.before_ns, -(one.after_ns or 0)) < (other.before_ns, -(other.after_ns or 0))


def _as_starts(found: dict[tuple[str, str], Between], vantages: Collection[str]) -> list[Start]:
    return [Start(service=s, vantage=v, at_ns=middle(b)) for (s, v), b in found.items() if v in vantages]


def observed(made: Sequence[Made]) -> Spans:
    """From the first to the last settled sighting of each service at each vantage."""
    out: dict[tuple[str, str], tuple[int, int]] = {}
    for m in made:
        key = (m.cell.service, m.cell.vantage)
        for s in m.seen:
            if s.settles:
                first_ns, last_ns = out.get(key, (s.sighting.first_ns, s.sighting.last_ns))
                out[key] = min(first_ns, s.sighting.first_ns), max(last_ns, s.sighting.last_ns)
    return out


def _wide(what: Between) -> int:
    return (what.before_ns or 0) - (what.after_ns or 0)
