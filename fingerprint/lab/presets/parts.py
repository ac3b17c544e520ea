"""What several presets are put together from."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from fingerprint.lab.boxes import gfw_resets
from fingerprint.lab.boxes.forging import Salvo
from fingerprint.lab.boxes.residual import Residual
from fingerprint.lab.boxes.slowing import Marks
from fingerprint.lab.boxes.watching import Names, Watch
from fingerprint.lab.censor import Box
from fingerprint.lab.world import MINDED, Path

TSPU = "Xue et al., TSPU, IMC 2022: as told by others, not read"
NEAR = Path(at=1)
# A shortened window may not end between two retransmissions of one hello, whose pauses double from a quarter second.
_LEAST_FLOW_STATE_S = 30.0


def names(*minded: str, match: str = "suffix") -> Names:
    """These names, or the one that the laboratory's censors mind."""
    return Names(names=frozenset(minded) or frozenset({MINDED}), match=match)


def gfw(salvo: Callable[[Random], Salvo]) -> Callable[[float], tuple[Box, ...]]:
    """A box of the Great Firewall for the resets of ``salvo``."""
    return lambda residual_s: (gfw_resets.gfw(salvo(Random(25)), residual_s),)  # noqa: S311  # header fields, no secret


def flow(residual_s: float) -> Residual:
    """State that lives with the flow, as long as it is heard of; a fresh port is never caught."""
    return Residual(seconds=max(residual_s, _LEAST_FLOW_STATE_S), scope="4-tuple", renews=True)


def marks(match: str = "suffix", *, minded: str = MINDED) -> Marks:
    """Flows that carried a minded name."""
    return Marks(watch=Watch(names=names(minded, match=match)))
