"""``fingerprint watch`` between its options and its exit code: agree, take up where it was, go on."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from captures.errors import TargetError
from fingerprint import exits
from fingerprint.live import consent, running
from fingerprint.live.asking import Wish
from fingerprint.store.places import RUNS
from fingerprint.store.resuming import Keeping
from fingerprint.terminal import clean
from fingerprint.vantages.vantage import Vantage
from fingerprint.watching import remaining, told
from fingerprint.watching.live import Line
from fingerprint.watching.memory import Memory, alone, recall, remember, resumed
from fingerprint.watching.rounds import Tally, Watch, watch
from fingerprint.watching.schedule import JITTER_RATIO, Schedule

# Of a wish, what is no part of the question: each round has a seed of its own.
NO_QUESTION = ("seed", "sensitive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often, and until when."""

    every_s: float
    for_s: float | None
    rounds: int | None
    jitter: bool

    def schedule(self, seed: int, began_ns: int) -> Schedule:
        """The rounds of a watch that begins now."""
        jitter_s = self.every_s * JITTER_RATIO if self.jitter else 0.0
        return Schedule(
            began_ns=began_ns, every_s=self.every_s, jitter_s=jitter_s, seed=seed, rounds=self.rounds, for_s=self.for_s
        )


def asked(wish: Wish, rhythm: Rhythm, vantage: Vantage) -> dict[str, Any]:
    """Everything that makes a watch this one: begun again with the same, it goes on."""
    question = {name: value for name, value in asdict(wish).items() if name not in NO_QUESTION}
    return {"wish": question, "every_s": rhythm.every_s, "jitter": rhythm.jitter, "vantage": asdict(vantage)}


def begin(wish: Wish, rhythm: Rhythm, line: Line, keeping: Keeping, policy: remaining.Policy, *, yes: bool) -> int:
    """All of it. Raises FingerprintError for what stops it before the first packet."""
    question = asked(wish, rhythm, keeping.vantage)
    foreseen, steps = running.foreseen_steps(wish, line.registry)
    fresh = Memory(asked=question, schedule=rhythm.schedule(wish.seed, time.time_ns()))
    before = recall(keeping.store, question) if keeping.store.is_dir() else None
    memory, older = resumed(before, fresh, time.time_ns())
    packets, size_bytes = consent.cost(foreseen, steps)
    more = tuple(told.before(memory.schedule, packets, size_bytes))
    consent.ask(foreseen, steps, yes=yes, sensitive=wish.sensitive, more=more)
    make(keeping.store)
    with alone(keeping.store, question):
        if older:
            say(f"watch {memory.name} goes on after round {memory.last + 1}")
        remember(keeping.store, memory)
        line.listen()
        means = Watch(
            means=line,
            keeping=keeping,
            policy=policy,
            target=wish.targets[0].name,
            residual_s=wish.residual_s,
            tell=say,
        )
        return ended(watch(means, memory), keeping.store)


def make(store: Path) -> None:
    """The folder of the store, and that of its captures, which the account that records must be able to enter."""
    try:
        (store / RUNS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"--store {store}: {error.strerror}; name another folder") from None


def ended(tally: Tally, store: Path) -> int:
    """Say what became of the rounds; the exit code."""
    missed = f", {tally.missed} missed" if tally.missed else ""
    say(f"{tally.performed} rounds, {tally.failed} of them came to nothing{missed}")
    say(f"Next: fingerprint incident {store}")
    if tally.interrupted:
        return exits.INTERRUPTED
    if not tally.failed:
        return exits.ANSWERED
    return exits.FAILED if tally.failed >= tally.performed else exits.PARTIAL


def say(sentence: str) -> None:
    """One line for people, on standard error."""
    sys.stderr.write(clean(sentence) + "\n")
    sys.stderr.flush()
