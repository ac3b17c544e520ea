"""What a run is going to do: whom it measures, against which controls, with which techniques, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fingerprint.probing.budget import Budget
from fingerprint.steps import Target
from fingerprint.technique import Technique

ORDERS = ("adaptive", "fixed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run before its first step. Targets carry their addresses, controls, resolvers and residual window."""

    targets: tuple[Target, ...]
    techniques: tuple[str, ...] = ()  # ids of those that send; empty: all that need not be asked for
    seed: int = 0
    residual_s: float = 180.0
    budget: Budget = field(default_factory=Budget)
    order: str = "adaptive"
    recorder: str = "af-packet"  # or dumpcap, simulated: for the script
    capture_all: bool = False


def senders(plan: Plan, techniques: Sequence[tuple[str, Technique]]) -> list[tuple[str, Technique]]:
    """The techniques that send: those of the plan, and those whose steps they read.

    A plan that names none has all but those that send on request only.
    """
    wanted = {i for i, t in techniques if (i in plan.techniques if plan.techniques else not t.on_request)}
    wanted |= {other for i, technique in techniques if i in wanted for other in technique.reads_steps_of}
    return [(i, technique) for i, technique in techniques if i in wanted]
