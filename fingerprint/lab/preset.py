"""A preset: a box, the path around it and the far ends, under one name that `fingerprint lab run --censor` takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fingerprint.lab.censor import Box
from fingerprint.lab.world import Path, Servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """``boxes`` makes fresh boxes for one run, nearest to the client first; ``residual_s`` is how long blocks last."""

    name: str
    says: str  # one sentence: what it does, and whose device it is
    source: str
    boxes: Callable[[float], tuple[Box, ...]]  # residual_s → boxes
    kind: str = "censor"  # or innocent
    on_path: bool = False  # it sees copies and injects; whatever it returns, the packet goes on
    residual_s: float = 0.0  # as in the field; tests shorten it
    path: Path = field(default_factory=Path)
    servers: Servers = field(default_factory=Servers)
