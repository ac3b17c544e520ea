"""Did services start together? A permutation test on when each began, by circular shifts of whole services.

What is compared
    At each vantage, how many services turned bad within the width that the event has there; added up over the vantages
    (`statistic`). Each vantage is compared by its own clock alone, so that wrong clocks cannot make a coincidence.
Against what
    Every service's whole history moves along the common time of observation by an amount of its own, all its roles and
    all its vantages together, what leaves at the end coming in at the beginning. This keeps how long it was blocked,
    how often, and where; only *when*, beside the other services, is free. All services that turned bad at any time take
    part, not only those that happened to fall together, so that a coincidence found among many is not called rare.
Resolution
    Time is counted in usual intervals. Two onsets in one interval are together, and nothing finer is claimed.
Exactness
    With at most `COUNTED` arrangements all are counted; else `DRAWN` are drawn from a seed that the caller makes of the
    accounts' hashes, and p = (1 + as extreme) / (1 + drawn) (Phipson and Smyth, 2010).

Method: the scan statistic's maximum window, conditioned by Monte Carlo as in Kulldorff, "A spatial scan statistic",
Communications in Statistics 26(6), 1997; circular shifts as in Besag and Clifford's tests of independence of series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fingerprint.incident.model import Test
from fingerprint.incident.times import S, long

COUNTED = 200_000
DRAWN = 19_999
# So many arrangements are worked on at once.
BATCH = 1_000
# After so many drawn arrangements as extreme as the event nothing will make it rare (Besag and Clifford, 1991).
PLENTY = 200

Cells = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A service that turned bad at a vantage: the middle of the onset's interval."""

    service: str
    vantage: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The common time of observation, in steps of the usual interval."""

    first_ns: int
    step_ns: int
    steps: int

    def place(self, at_ns: int) -> int | None:
        """The step that a time falls into, None outside."""
        n = (at_ns - self.first_ns) // self.step_ns
        return n if 0 <= n < self.steps else None


def window(spans: Sequence[tuple[int, int]], step_ns: int | None) -> Window | None:
    """The time in which every one of several services was observed; None where that is less than three steps."""
    if not spans or not step_ns:
        return None
    first_ns, last_ns = max(s[0] for s in spans), min(s[1] for s in spans)
    steps = (last_ns - first_ns) // step_ns
    return Window(first_ns=first_ns, step_ns=step_ns, steps=steps) if steps >= 3 else None


def coincidence(
    event: Sequence[Start],
    everything: Sequence[Start],
    within: Window,
    seed: int,
    merged: Mapping[str, str] | None = None,
) -> Test | None:
    """The test for an event among all onsets of its state; None with fewer than two services in it.

    ``merged`` gives services that count as one another name; that is how shared infrastructure is discounted.
    """
    one = merged or {}
    own = _placed(event, within, one)
    pool = _placed([s for s in everything if s.vantage in {e.vantage for e in event}], within, one)
    if len({service for _, service, _ in own}) < 2:
        return None
    width = max(max(p for v, _, p in own if v == u) - min(p for v, _, p in own if v == u) for u, _, _ in own)
    services = sorted({service for _, service, _ in pool})
    observed = sum(len({s for v, s, _ in own if v == u}) for u in {v for v, _, _ in own})
    free = len(services) - 1
    exact = within.steps**free <= COUNTED
    extreme, tried = 0, 0
    for shifts in _every(within.steps, free) if exact else _drawn(within.steps, free, seed):
        counts = _together(pool, services, shifts, width, within.steps)
        extreme += int((counts >= observed).sum())
        tried += len(shifts)
        if not exact and extreme >= PLENTY:
            break
    return Test(
        statistic=f"services that start within {long((width + 1) * within.step_ns)}, added up over the vantages",
        observed=float(observed),
        permutations=tried,
        exact=exact,
        p_value=extreme / tried if exact else (1 + extreme) / (1 + tried),
        assumptions=_assumptions(within, services, len({v for v, _, _ in pool})),
    )


Placed = list[tuple[str, str, int]]


def _placed(starts: Sequence[Start], within: Window, merged: Mapping[str, str]) -> Placed:
    """(vantage, service, step), each once."""
    found = {
        (s.vantage, merged.get(s.service, s.service), step)
        for s in starts
        if (step := within.place(s.at_ns)) is not None
    }
    return sorted(found)


def _every(steps: int, free: int) -> list[Cells]:
    """All shifts of all services but the first, which stays: only differences count. Shape (arrangements, free)."""
    whole = steps**free
    index = np.arange(whole, dtype=np.int64)
    columns = [(index // steps**k) % steps for k in range(free)]
    table = np.stack(columns, axis=1)
    return [table[at : at + BATCH] for at in range(0, whole, BATCH)]


def _drawn(steps: int, free: int, seed: int) -> list[Cells]:
    table = np.random.default_rng(seed).integers(0, steps, size=(DRAWN, free), dtype=np.int64)
    return [table[at : at + BATCH] for at in range(0, DRAWN, BATCH)]


def _together(pool: Placed, services: Sequence[str], shifts: Cells, width: int, steps: int) -> NDArray[np.int64]:
    """For each arrangement the largest number of services within ``width`` at a vantage, added up over vantages."""
    moved = np.concatenate([np.zeros((len(shifts), 1), dtype=np.int64), shifts], axis=1)
    total = np.zeros(len(shifts), dtype=np.int64)
    for vantage in sorted({v for v, _, _ in pool}):
        here = sorted((services.index(s), step) for v, s, step in pool if v == vantage)
        firsts = [n for n, (s, _) in enumerate(here) if not n or s != here[n - 1][0]]
        places = np.stack([(moved[:, s] + step) % steps for s, step in here], axis=1)
        best = np.zeros(len(shifts), dtype=np.int64)
        for anchor in range(len(here)):
            inside = (places - places[:, [anchor]]) % steps <= width
            count = np.logical_or.reduceat(inside, firsts, axis=1).sum(axis=1)
            best = np.maximum(best, count)
        total += best
    return total


def _assumptions(within: Window, services: Sequence[str], vantages: int) -> tuple[str, ...]:
    lines = f"{vantages} vantages" if vantages > 1 else "the vantage"
    step = long(within.step_ns)
    given = "which services changed, for how long and how often is taken as given; only when is tested"
    free = "without a common cause a service's history could as well lie anywhere else on the common time"
    whole = f"all roles of a service, and its histories at {lines}, move together, so their agreement adds nothing"
    return (
        f"{given}, in {within.steps:,} steps of {step}",
        f"{free} of observation, and no hour is likelier than another",
        whole,
        f"{len(services)} services that changed at any time take part, not only those of this event",
        f"nothing finer than {step} is claimed, and each vantage is compared by its own clock",
    )


def step_of(intervals_ns: Sequence[int]) -> int | None:
    """The step of a test: the widest of the intervals between which its onsets lie, at least a second."""
    return max(*intervals_ns, S) if intervals_ns else None
