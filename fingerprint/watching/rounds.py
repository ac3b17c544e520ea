"""The loop of a watch: wait for a round, have it performed, keep what came of it.

A round that fails is kept as one that came to nothing, and the watch goes on. Who performs a round and which clock runs
is told by `Means`; this file knows no network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from fingerprint import __version__
from fingerprint.accounts import PACKETS, Account
from fingerprint.live import runs
from fingerprint.report.document import as_dict
from fingerprint.report.numbers import timestamp
from fingerprint.store.appending import append
from fingerprint.store.entry import digest
from fingerprint.store.places import RUNS
from fingerprint.store.resuming import Keeping, keep
from fingerprint.verdict.model import Failure, Report
from fingerprint.watching import remaining, told
from fingerprint.watching.memory import Memory, remember
from fingerprint.watching.schedule import NS, following

CUT_OFF = "the watch was killed, or the machine went down, while this round was under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round that is to be performed now, and where its capture goes."""

    number: int
    seed: int
    capture: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a round: its report's document, or why there is none."""

    document: dict[str, Any] | None = None
    why: str = ""


class Means(Protocol):
    """A line to watch, and a clock."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""

    def wait_until(self, due_ns: int) -> bool:
        """Let time pass until then. False as soon as the watch is to end."""

    def perform(self, planned: Round) -> Outcome:
        """Record and judge. What goes wrong is an outcome; it raises only what makes every round impossible."""

    @property
    def ended(self) -> bool:
        """Whether somebody ended the watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Everything that stays the same from round to round."""

    means: Means
    keeping: Keeping
    policy: remaining.Policy
    target: str  # what captures are named after
    residual_s: float  # no round begins sooner after the end of another
    tell: Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the rounds."""

    performed: int = 0
    failed: int = 0
    missed: int = 0
    interrupted: bool = False


def watch(of: Watch, memory: Memory) -> Tally:
    """All rounds that are left, one after the other."""
    tally = Tally()
    memory = _after_a_crash(of, memory, tally)
    earliest_ns = of.means.now_ns()
    while (number := following(memory.schedule, memory.last, earliest_ns)) is not None:
        due_ns = max(memory.schedule.due_ns(number), earliest_ns)
        if not of.means.wait_until(due_ns):
            tally.interrupted = True
            break
        if following(memory.schedule, memory.last, of.means.now_ns()) != number:
            earliest_ns = of.means.now_ns()  # the machine slept past it
            continue
        _missed(of, memory.last, number, tally)
        memory = replace(memory, last=number, under_way=True)
        remember(of.keeping.store, memory)
        _perform(of, memory, tally)
        memory = replace(memory, under_way=False)
        remember(of.keeping.store, memory)
        if of.means.ended:
            tally.interrupted = True
            break
        earliest_ns = of.means.now_ns() + round(of.residual_s * NS)
    total = memory.schedule.total
    if total is not None and not tally.interrupted:
        _missed(of, memory.last, total, tally)
    return tally


def _after_a_crash(of: Watch, memory: Memory, tally: Tally) -> Memory:
    """A round that was under way is kept as one that came to nothing, once."""
    if not memory.under_way:
        return memory
    of.tell(f"round {memory.last + 1}: {CUT_OFF}")
    _keep_failure(of, memory, CUT_OFF)
    tally.failed += 1
    memory = replace(memory, under_way=False)
    remember(of.keeping.store, memory)
    return memory


def _missed(of: Watch, last: int, number: int, tally: Tally) -> None:
    """Say which rounds are left out. Before the first there are none."""
    missed = number - last - 1
    if missed > 0 and last >= 0:
        tally.missed += missed
        which = f"round {number} was" if missed == 1 else f"rounds {last + 2} to {number} were"
        of.tell(f"{which} missed and will not be made up for")


def _perform(of: Watch, memory: Memory, tally: Tally) -> None:
    """One round, from its recording to what is left of it."""
    planned = Round(
        number=memory.last, seed=memory.schedule.seed_of(memory.last), capture=capture_of(of, memory, of.means.now_ns())
    )
    outcome = of.means.perform(planned)
    tally.performed += 1
    if outcome.document is None or not outcome.document["captures"]:
        tally.failed += 1
        _keep_failure(of, memory, outcome.why or "nothing of it could be read")
    else:
        keep(outcome.document, of.keeping, str(planned.capture))
    of.tell(told.of_round(memory, outcome.document, outcome.why))
    for gone in remaining.surplus(of.policy, planned.capture, outcome.document, memory.name):
        runs.discard(gone)


def capture_of(of: Watch, memory: Memory, now_ns: int) -> Path:
    """Where a round's capture goes: after the first target, the time and the watch."""
    return remaining.path(of.keeping.store / RUNS, of.target, now_ns, memory.name)


def _keep_failure(of: Watch, memory: Memory, why: str) -> None:
    """An account without captures and targets, which says that and why a round came to nothing."""
    due = timestamp(memory.schedule.due_ns(memory.last))
    failure = Failure(file=f"round {memory.last + 1}, due {due}", error=why)
    report = Report(version=__version__, captures=(), verdicts=(), tables=(), errors=(failure,), partial=why)
    document = as_dict(report)
    account = Account(
        kind=PACKETS, file=failure.file, sha256=digest(document), document=document, vantage=of.keeping.vantage
    )
    append(of.keeping.store, account, {**of.keeping.made_by, "watch": memory.name})
