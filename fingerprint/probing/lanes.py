"""A technique's probe while it runs: its pending step, its trial, and what becomes of it when it fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from fingerprint.plugins import blame
from fingerprint.plugins.overdue import Overdue, bounded
from fingerprint.probing.pacing import place_of
from fingerprint.steps import Hello, Message, Probe, Replies, Request, Send, Step, Transfer, Wait


def skipped(why: str) -> Replies:
    """What a step gets for an answer that was not worth taking, or could not be afforded."""
    return Replies(outcome="skipped", why=why)


# A lane that asks on and on for what nobody wants is closed: no honest probe is that long.
MOST_SKIPPED = 500
# Nor does any take so many steps, waits included.
MOST_STEPS = 5_000
# Seconds of computing until the next step. Ours take less than a millisecond.
STEP_S = 5.0


class Lane:
    """One generator of steps. What it raises comes out of `pending` and `within_trial`."""

    def __init__(self, technique: str, begin: Callable[[], Probe]) -> None:
        """``technique`` is the id under which the script lists the steps; ``begin`` makes the generator."""
        self.technique = technique
        self._begin = begin
        self._skipped = self._taken = 0
        self.running = False
        self.sent: Message | None = None  # the message as it went out, perhaps shorter than the step's
        self.tried: list[tuple[Send, Replies]] = []  # steps of the trial that is going on
        self._probe: Probe | None = None
        self._over = False
        self._pending: Step | None = None
        self._answer: Replies | None = None
        self._trial: int | None = None

    @property
    def pending(self) -> Step | None:
        """The step that the lane wants to take next; None once it has come to its end.

        Raises what the probe raises, TypeError for what is no step, and TimeoutError for a probe that does not end.
        """
        if self._pending is None and not self._over:
            try:
                with bounded(STEP_S):
                    self._pending = checked(self._next())
            except StopIteration:
                self._over = True
            except Overdue as error:
                why = TimeoutError(f"no step came within {STEP_S:.0f} seconds of computing")
                raise why.with_traceback(error.__traceback__) from None
            except (SystemExit, GeneratorExit) as error:
                raise RuntimeError(blame.said(error)).with_traceback(error.__traceback__) from None
        return self._pending

    def _next(self) -> Step:
        self._taken += 1
        if self._taken > MOST_STEPS:
            raise TimeoutError(f"it takes more than {MOST_STEPS} steps")
        if self._probe is None:
            self._probe = self._begin()
            return next(self._probe)
        return self._probe.send(self._answer)

    @property
    def within_trial(self) -> bool:
        """Whether the pending step belongs to a trial of which a step was taken."""
        step = self.pending
        return isinstance(step, Send) and bool(self.tried) and step.trial == self._trial

    @property
    def follows_up(self) -> bool:
        """Whether the pending step asks more about something that was found."""
        step = self.pending
        return isinstance(step, Send) and step.seeks != "mechanism"

    @property
    def greets(self) -> bool:
        """Whether the lane finds out just now if the target answers at all."""
        step = self.pending
        return isinstance(step, Send) and isinstance(step.message, Hello | Request) and not self.follows_up

    @property
    def transfers(self) -> bool:
        """Whether the pending step moves as much as it can."""
        step = self.pending
        return isinstance(step, Send) and isinstance(step.message, Transfer)

    @property
    def place(self) -> str | None:
        """Where the pending step goes, as `Pacing` counts places."""
        step = self.pending
        return place_of(step.message) if isinstance(step, Send) else None

    @property
    def held(self) -> str | None:
        """The place that the lane keeps to itself until its trial is through."""
        return self.place if self.within_trial else None

    def begin(self, message: Message | None) -> None:
        """The pending step is being taken, with this message."""
        self.running, self.sent = True, message

    def answer(self, replies: Replies | None) -> None:
        """What came back for the pending step; the generator hears it when it is asked for its next one."""
        if isinstance(self._pending, Send):
            self._trial = self._pending.trial
        self.running, self._pending, self._answer = False, None, replies
        self._skipped = self._skipped + 1 if replies is not None and replies.outcome == "skipped" else 0
        if self._skipped > MOST_SKIPPED:
            self.close()

    def close(self) -> None:
        """End the generator: whatever it still wanted, nothing more is sent."""
        probe, self._probe, self._pending = self._probe, None, None
        self.running, self._over = False, True
        if probe is None:
            return
        with suppress(Exception, Overdue), bounded(STEP_S):  # a plugin that fails while it is closed has no more to say
            probe.close()

    def blame(self, error: Exception) -> str:
        """One sentence that names the plugin's file and line."""
        file = blame.file_of(self._begin)
        where = blame.stands_at(self._probe, file) or blame.at(error, file)
        said = blame.said(error)
        return f"technique {self.technique} stopped probing at {where}: {said}; report it to its author"


def checked(step: object) -> Step:
    """The step, if it is one. Raises TypeError otherwise."""
    if isinstance(step, Wait) or (isinstance(step, Send) and isinstance(step.message, Message)):
        return step
    raise TypeError(f"{step!r} is no step; yield Send(message, label=...) or Wait(seconds)")
