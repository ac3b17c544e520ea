"""Two forms of hello for one name, in turn: what the veil probe and the client probe have in common.

The form that nobody minds goes first each time and must pass; the other follows. What fails under one form and passes
under the other is then asked for under the control's name, and at the control's own address.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from fingerprint.steps import Hello, Replies, Send, Target
from fingerprint.technique import Clue

Turn = Generator[Send, Replies | None, "bool | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """``harmless`` and ``minded`` are forms of `Hello`; ``seeks`` and ``shows`` go into each step."""

    target: Target
    harmless: str
    minded: str
    listen_s: float
    trials: Iterator[int]
    shows: tuple[Clue, ...] = ()
    seeks: str = "mechanism"

    def send(self, address: str, name: str, form: str, trial: int) -> Send:
        """One hello; that of the harmless form is a control, unless it carries the target's own name."""
        return Send(
            Hello(address=address, port=self.target.port, name=name, form=form),
            label=f"{form} hello for {name} at {address}",
            role="control" if form == self.harmless and name != self.target.name else "target",
            listen_s=self.listen_s,
            shows=self.shows,
            seeks=self.seeks,
            trial=trial,
        )

    def turn(self, address: str, name: str) -> Turn:
        """Harmless, then minded: whether only the second failed; None if the first did, or either was not sent.

        Under the target's name neither is a control, so that the control's goes before them.
        """
        trial = next(self.trials)
        if name == self.target.name:
            control = yield self.send(address, self.target.controls[0].name, self.harmless, trial)
            if control is None or not control.passed:
                return None
        before = yield self.send(address, name, self.harmless, trial)
        if before is None or not before.passed:
            return None
        after = yield self.send(address, name, self.minded, trial)
        if after is None or after.outcome in ("skipped", "failed"):
            return None
        return not after.passed

    def rounds(self, address: str, name: str, count: int) -> Turn:
        """Several turns, as long as the second fails; whether it did each time."""
        told: bool | None = None
        for _ in range(count):
            told = yield from self.turn(address, name)
            if not told:
                return told
        return told

    def reach(self, address: str, count: int) -> Generator[Send, Replies | None, None]:
        """The same for the control's name, here and where it lives."""
        control = self.target.controls[0]
        yield from self.rounds(address, control.name, count)
        for home in control.addresses[:1]:
            if home not in self.target.addresses:
                yield from self.rounds(home, control.name, count)
