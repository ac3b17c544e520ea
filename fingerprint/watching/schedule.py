"""When a round is due. Pure: time is an argument, and chance is a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

NS = 1_000_000_000
# A round that begins later than this part of the interval is another round's: it is missed.
LATEST_RATIO = 0.5
# How much later than its time a round may begin by chance. Enough that nobody can tell a watch by its beat alone, and
# little enough that two rounds never change places.
JITTER_RATIO = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Rounds count from zero, which begins at ``began_ns``; the others up to ``jitter_s`` after their time.

    ``rounds`` is how many there are at most, ``for_s`` how long after the beginning the last may begin.
    """

    began_ns: int
    every_s: float
    jitter_s: float
    seed: int
    rounds: int | None = None
    for_s: float | None = None

    def due_ns(self, number: int) -> int:
        """When a round is due; the same every time it is asked."""
        late_s = Random(f"{self.seed}:{number}").uniform(0.0, self.jitter_s) if number else 0.0  # noqa: S311  # no secret
        return self.began_ns + round((number * self.every_s + late_s) * NS)

    def exists(self, number: int) -> bool:
        """Whether there is such a round, before the watch has ended."""
        in_count = self.rounds is None or number < self.rounds
        return in_count and (self.for_s is None or number * self.every_s < self.for_s)

    @property
    def total(self) -> int | None:
        """How many rounds there are; None for a watch without an end."""
        by_time = None if self.for_s is None else max(1, -int(-self.for_s // self.every_s))
        return min((n for n in (self.rounds, by_time) if n is not None), default=None)

    def seed_of(self, number: int) -> int:
        """The seed of that round's run: the order of its steps differs from round to round."""
        return Random(f"{self.seed}:{number}:run").randrange(1 << 31)  # noqa: S311  # as above


def following(schedule: Schedule, last: int, earliest_ns: int) -> int | None:
    """The round that comes after ``last`` and is not missed by ``earliest_ns``; None if the watch has ended.

    A round is missed when it could only begin more than half an interval late.
    """
    late_ns = round(schedule.every_s * LATEST_RATIO * NS)
    elapsed_s = (earliest_ns - late_ns - schedule.began_ns) / NS
    # Every round before this one was due at the latest a whole jitter earlier, so it is missed.
    number = max(last + 1, int((elapsed_s - schedule.jitter_s) / schedule.every_s))
    while schedule.due_ns(number) < earliest_ns - late_ns:
        number += 1
    return number if schedule.exists(number) else None
