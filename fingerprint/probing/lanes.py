"""A technique's probe while it runs: its pending step, its trial, and what becomes of it when it fails."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fingerprint.probing.pacing import place_of
from fingerprint.steps import Message, Probe, Replies, Send, Step


def skipped(why: str) -> Replies:
    """What a step gets for an answer that was not worth taking, or could not be afforded."""
    return Replies(outcome="skipped", why=why)


class Lane:
    """One generator of steps. What it raises comes out of `pending` and `within_trial`."""

    def __init__(self, technique: str, probe: Probe) -> None:
        """``technique`` is the id under which the script lists the steps."""
        self.technique = technique
        self.running = False
        self.sent: Message | None = None  # the message as it went out, perhaps shorter than the step's
        self.tried: list[tuple[Send, Replies]] = []  # steps of the trial that is going on
        self._probe: Probe | None = probe
        self._pending: Step | None = None
        self._asked = False
        self._answer: Replies | None = None
        self._trial: int | None = None

    @property
    def pending(self) -> Step | None:
        """The step that the lane wants to take next; None once it has come to its end."""
        if self._pending is None and self._probe is not None:
            try:
                self._pending = self._probe.send(self._answer) if self._asked else next(self._probe)
            except StopIteration:
                self._probe = None
            self._asked = True
        return self._pending

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

    def close(self) -> None:
        """End the generator: whatever it still wanted, nothing more is sent."""
        probe, self._probe, self._pending = self._probe, None, None
        self.running = False
        if probe is None:
            return
        with suppress(Exception):  # a plugin that fails while it is closed has no more to say
            probe.close()

    def blame(self, error: Exception) -> str:
        """One sentence that names the plugin's file and line."""
        trace, where = error.__traceback__, ""
        while trace is not None:
            where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
            trace = trace.tb_next
        said = f"{type(error).__name__}: {error}"
        return f"technique {self.technique} stopped probing at {where}: {said}; report it to its author"
