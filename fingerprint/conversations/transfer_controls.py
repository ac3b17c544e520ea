"""Transfers that a slow one may be held against: same client, same time, as long, but another name or server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.bootstrap import ratio_interval, seeded
from fingerprint.conversations.transfers import Transfer
from fingerprint.technique import Interval

# DESIGN, "What a qualifier needs": a control elsewhere counts within a minute.
BESIDE_S = 60.0
# A control that ended early may have lived on a burst: it must have carried at least half as much.
COMPARABLE_RATIO = 0.5
# Two transfers that ran together this long saw the same network: as good as taking turns twice.
TOGETHER_S = 3.0
# The nearest controls in time are enough, and keep a busy capture from diluting them.
MOST_CONTROLS = 4


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A transfer with its controls. ``pairs`` counts how often target and control took turns, or ran together."""

    target: Transfer
    controls: tuple[Transfer, ...]
    same_address: bool
    pairs: int
    ratio: Interval  # goodput of the target over that of the controls
    siblings: tuple[Transfer, ...]  # other transfers of the target's own name or address, in time order

    @property
    def best(self) -> Transfer:
        """The control with the median goodput, the slower of two."""
        ranked = sorted(self.controls, key=lambda c: c.goodput_bytes_s)
        return ranked[(len(ranked) - 1) // 2]

    @property
    def same_hello(self) -> bool:
        """Whether every control opened with a ClientHello of the target's length and JA4."""
        mine = hello_shape(self.target)
        return mine is not None and all(hello_shape(c) == mine for c in self.controls)


def subject_of(t: Transfer) -> tuple[str, str | None]:
    """What a transfer is filed under: server address, and name or None."""
    return t.stream.server.address, t.stream.name


def hello_shape(t: Transfer) -> tuple[int, str] | None:
    """Size in bytes and JA4 of the stream's ClientHello; None where it has none."""
    hello = t.stream.hello if t.stream.protocol == "tls" else None
    return (hello.size_bytes, hello.ja4) if hello is not None else None


def compare(target: Transfer, others: Sequence[Transfer]) -> Comparison | None:
    """The target against its controls; None where no transfer beside it may serve as one.

    Another name (or none) on the same address is the better control; only without one does another server count.
    """
    beside = [o for o in others if _comparable(target, o)]
    address, name = subject_of(target)
    here = [o for o in beside if o.stream.server.address == address and o.stream.name != name]
    away = [
        o for o in beside if o.stream.server.address != address and (o.stream.name != name or o.stream.name is None)
    ]
    pool = here or away
    if not pool:
        return None
    controls = tuple(sorted(sorted(pool, key=lambda o: _gap_s(target, o))[:MOST_CONTROLS], key=lambda o: o.start_ns))
    siblings = tuple(o for o in beside if subject_of(o) == (address, name))
    samples: NDArray[np.float64] = np.concatenate([c.samples_bytes_s for c in controls])
    if not samples.mean() > 0:
        return None
    seed = seeded(target.stream.recording.sha256, "ratio", target.stream.flow, int(target.stream.rows[0]))
    return Comparison(
        target=target,
        controls=controls,
        same_address=bool(here),
        pairs=turns([target, *siblings], controls),
        ratio=ratio_interval(target.samples_bytes_s, samples, seed),
        siblings=siblings,
    )


def turns(targets: Sequence[Transfer], controls: Sequence[Transfer]) -> int:
    """How often a target follows a control or a control a target, in order of start; running together counts too."""
    order = sorted([(t.start_ns, "t") for t in targets] + [(c.start_ns, "c") for c in controls])
    changes = sum(a[1] != b[1] for a, b in pairwise(order))
    together = sum(
        min(t.end_ns, c.end_ns) - max(t.start_ns, c.start_ns) >= TOGETHER_S * 1e9 for t in targets for c in controls
    )
    return changes + together


def _comparable(target: Transfer, other: Transfer) -> bool:
    if other.stream is target.stream or other.from_client != target.from_client:
        return False
    return (
        other.stream.client.address == target.stream.client.address
        and other.new_bytes >= COMPARABLE_RATIO * target.new_bytes
        and _gap_s(target, other) <= BESIDE_S
        and not other.window_limited
    )


def _gap_s(a: Transfer, b: Transfer) -> float:
    """Time between the end of one and the start of the other, 0 where they overlap."""
    return max(0, a.start_ns - b.end_ns, b.start_ns - a.end_ns) / 1e9
