"""Transfers that a slow one may be held against: same client, same time, as long, but another name or server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fingerprint.conversations.transfers.bootstrap import ratio_interval, seeded
from fingerprint.conversations.transfers.loads import BESIDE_S, Load, Loads, gap_s
from fingerprint.conversations.transfers.transfers import Transfer
from fingerprint.technique import Interval

# A control that ended early may have lived on a burst: it must have carried at least half as much.
COMPARABLE_RATIO = 0.5
# Two transfers that ran together this long saw the same network: as good as taking turns twice.
TOGETHER_S = 3.0
# The nearest controls in time are enough, and keep a busy capture from diluting them.
MOST_CONTROLS = 4
# Transfers of the target's own name are counted as turns, and any that ran free refutes: so many tell.
MOST_SIBLINGS = 32


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A transfer with its controls. ``pairs`` counts how often target and control took turns, or ran together."""

    target: Transfer
    controls: tuple[Transfer, ...]
    same_address: bool
    pairs: int
    siblings: tuple[Transfer, ...]  # other transfers of the target's own name or address, in time order

    @property
    def samples_bytes_s(self) -> NDArray[np.float64]:
        """Goodput of all controls."""
        return np.concatenate([c.samples_bytes_s for c in self.controls])

    @cached_property
    def ratio_value(self) -> float:
        """Goodput of the target over that of the controls."""
        return float(self.target.samples_bytes_s.mean() / self.samples_bytes_s.mean())

    @cached_property
    def ratio(self) -> Interval:
        """The same with its 95 % interval."""
        s = self.target.stream
        seed = seeded(s.recording.sha256, "ratio", s.flow, int(s.rows[0]))
        return ratio_interval(self.target.samples_bytes_s, self.samples_bytes_s, seed)

    @property
    def best(self) -> Transfer:
        """The control with the median goodput, the slower of two."""
        ranked = sorted(self.controls, key=lambda c: c.goodput_bytes_s)
        return ranked[(len(ranked) - 1) // 2]

    def ran_free(self, margin_ratio: float) -> bool:
        """Whether another transfer of the same name on this address came within that share of the best control."""
        return any(o.goodput_bytes_s >= margin_ratio * self.best.goodput_bytes_s for o in self.siblings)

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


def compare(load: Load, loads: Loads) -> Comparison | None:
    """A load against its controls; None where no transfer beside it may serve as one.

    Another name (or none) on the same address and port is the better control; only without one does another server, or
    another port, count. What the name itself did on another port says nothing of this one: a box that slows TLS by its
    SNI leaves the same name alone in the clear.
    """
    target = loads.transfer(load)
    if target is None:
        return None
    name = target.stream.name
    on_address = _long_enough(target, loads.beside(load, same_address=True))
    on_port = [o for o in on_address if o.stream.server.port == target.stream.server.port]
    here = [o for o in on_port if o.stream.name != name]
    controls = loads.nearest(target, here, most=MOST_CONTROLS, fits=lambda o: _comparable(target, o))
    same_address = bool(controls)
    if not controls:
        away = _long_enough(target, loads.beside(load, same_address=False))
        away = [o for o in away if o.stream.server != target.stream.server and (name is None or o.stream.name != name)]
        controls = loads.nearest(target, away, most=MOST_CONTROLS, fits=lambda o: _comparable(target, o))
    if not controls:
        return None
    own = [o for o in on_port if o.stream.name == name]
    siblings = loads.nearest(target, own, most=MOST_SIBLINGS, fits=lambda o: _comparable(target, o))
    controls.sort(key=lambda o: o.start_ns)
    siblings.sort(key=lambda o: o.stream.first_ns)
    if not any(c.samples_bytes_s.any() for c in controls):
        return None
    return Comparison(
        target=target,
        controls=tuple(controls),
        same_address=same_address,
        pairs=turns([target, *siblings], controls),
        siblings=tuple(siblings),
    )


def turns(targets: Sequence[Transfer], controls: Sequence[Transfer]) -> int:
    """How often a target follows a control or a control a target, in order of start; running together counts too."""
    order = sorted([(t.start_ns, "t") for t in targets] + [(c.start_ns, "c") for c in controls])
    changes = sum(a[1] != b[1] for a, b in pairwise(order))
    together = sum(
        min(t.end_ns, c.end_ns) - max(t.start_ns, c.start_ns) >= TOGETHER_S * 1e9 for t in targets for c in controls
    )
    return changes + together


def _long_enough(target: Transfer, loads: Sequence[Load]) -> list[Load]:
    """Loads that by their total bytes may be comparable, of other streams."""
    least = COMPARABLE_RATIO * target.new_bytes
    return [o for o in loads if o.size_bytes >= least and o.stream is not target.stream]


def _comparable(target: Transfer, other: Transfer) -> bool:
    return (
        other.new_bytes >= COMPARABLE_RATIO * target.new_bytes
        and gap_s(target, other) <= BESIDE_S
        and not other.window_limited
    )
