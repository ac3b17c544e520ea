"""Which loads may be slow beside another, told by bytes and times for all of them at once.

A rough goodput for each, once no faster and once no slower than the exact one is likely to be; a load is in question
where the first is not clearly above a share of some neighbour's second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.transfers.loads import BESIDE_NS, MOST_NEIGHBOURS, Load, Loads
from fingerprint.conversations.transfers.transfers import FEW_WINDOWS, IDLE_S, SKIP_S, WINDOW_S

Floats = NDArray[np.float64]

# A control carries at least half as much as its target; by total bytes, repeats included, a quarter may be that.
LEAST_SIZE_RATIO = 0.25
# How far the rough goodput may be off: a third of the bytes may be repeats (0.90 to 1.14 without, of 787 transfers).
DOUBT_RATIO = 1.5


def suspects(loads: Loads, *, slow_ratio: float, alone_s: float) -> list[Load]:
    """Loads that may run at ``slow_ratio`` of a neighbour or below, and those without one that lasted ``alone_s``."""
    out = [g[0] for g in loads.groups() if len(g) == 1 and g[0].lasted_s >= alone_s]
    several = [g for g in loads.groups() if len(g) > 1]
    every = [load for group in several for load in group]
    low, high = paces(every)
    start = 0
    for group in several:
        here = slice(start, start + len(group))
        out += _suspects(group, low[here], high[here], ratio=DOUBT_RATIO * slow_ratio, alone_s=alone_s)
        start += len(group)
    return sorted(out, key=lambda load: load.order)


def _suspects(group: Sequence[Load], low: Floats, high: Floats, *, ratio: float, alone_s: float) -> list[Load]:
    """Those of one client and direction; ``group`` is in order of start."""
    first, last, size, subject = (np.array(column, np.int64) for column in zip(*_totals(group), strict=True))
    # Most groups hold nothing slow at all.
    slow = low <= ratio * high.max()
    long = last - first >= int(alone_s * 1e9)
    out = []
    for i in np.flatnonzero(slow | long).tolist():
        near = slice(max(0, i - MOST_NEIGHBOURS), i + 1 + MOST_NEIGHBOURS)
        beside = (first[near] - last[i] <= BESIDE_NS) & (first[i] - last[near] <= BESIDE_NS)
        beside &= (subject[near] != subject[i]) & (size[near] >= LEAST_SIZE_RATIO * size[i])
        fastest = float(high[near][beside].max(initial=0.0))
        if low[i] <= ratio * fastest or (long[i] and fastest == 0):
            out.append(group[i])
    return out


def _totals(group: Sequence[Load]) -> Iterator[tuple[int, int, int, int]]:
    """First and last, size, and a number that only those share of which none is a control for the other."""
    known: dict[tuple[str | None, str], int] = {}
    for load in group:
        name = load.stream.name
        subject = (name, "" if name else load.stream.server.address)
        yield load.first_ns, load.last_ns, load.size_bytes, known.setdefault(subject, len(known))


def paces(loads: Sequence[Load]) -> tuple[Floats, Floats]:
    """A goodput in bytes/s that each load hardly stays below, and one it hardly exceeds; shape (loads,) twice.

    The time counts between data segments, but not a silence that a request of the receiver ends. The higher one
    also takes no silence for longer than a window. Of long transfers the steady part is weighed too.
    """
    low, high = np.zeros(len(loads)), np.zeros(len(loads))
    for index in {load.stream.capture for load in loads}:
        mine = [i for i, load in enumerate(loads) if load.stream.capture == index]
        low[mine], high[mine] = _paces([loads[i] for i in mine])
    return low, high


def _paces(loads: Sequence[Load]) -> tuple[Floats, Floats]:
    """The same for the loads of one recording."""
    c, count = loads[0].stream.recording.columns, len(loads)
    rows = np.concatenate([load.stream.rows for load in loads])
    number = np.repeat(np.arange(count), [len(load.stream.rows) for load in loads])
    ways = np.array([load.from_client != load.stream.client_is_a for load in loads])
    size, along = c.payload_bytes[rows], c.direction[rows] == ways[number]
    full = size > 0
    at = np.flatnonzero(full & along)
    requests = np.cumsum(full & ~along)[at]
    time_s, number, size_bytes = c.time_ns[rows[at]] / 1e9, number[at], size[at].astype(np.float64)
    same = np.diff(number, prepend=-1) == 0
    gap_s = np.diff(time_s, prepend=0.0)
    asked = np.diff(requests, prepend=0) > 0
    gap_s[~same | (asked & (gap_s > IDLE_S))] = 0.0
    started_s = np.zeros(count)
    started_s[number[~same]] = time_s[~same]
    steady = time_s - started_s[number] > SKIP_S

    def total(amounts: Floats) -> Floats:
        return np.bincount(number, amounts, count).astype(np.float64)

    def pace(times_s: Floats) -> tuple[Floats, Floats]:
        whole = _rate(total(size_bytes), total(times_s))
        later_s = total(times_s * steady)
        later = _rate(total(size_bytes * steady), later_s)
        return whole, np.where(later_s >= FEW_WINDOWS * WINDOW_S, later, whole)

    return np.minimum(*pace(np.maximum(gap_s, 0.0))), np.maximum(*pace(np.clip(gap_s, 0.0, WINDOW_S)))


def _rate(size_bytes: Floats, time_s: Floats) -> Floats:
    """Bytes per second, times below a microsecond taken for one."""
    return size_bytes / np.maximum(time_s, 1e-6)
