"""Performs the rounds of a watch on this machine, each in a process of its own.

Recording takes privileges that are given up for good before a stranger's byte is read; the watch keeps them, for the
next round, and reads of what came back only the report, as JSON from its own child.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from captures.errors import FingerprintError, PrivilegeError, TargetError
from fingerprint import exits
from fingerprint.live import running
from fingerprint.live.asking import Wish
from fingerprint.networks import Networks
from fingerprint.plugins.registry import Registry
from fingerprint.report.document import as_dict
from fingerprint.vantages.vantage import Vantage
from fingerprint.watching.rounds import Outcome, Round

# The clock is looked at this often: while the machine sleeps, the one that a sleep goes by stands still.
LOOK_S = 60.0
WITHOUT_A_WORD = "its process ended without a word: it was killed"


class Woken(Exception):
    """A signal came while nothing was done but waiting."""


@dataclass(slots=True, kw_only=True)
class Line:
    """`Means` on a real line. Install it with `listen` before the first round."""

    wish: Wish
    registry: Registry
    vantage: Vantage
    plugins: Sequence[Path] = ()
    networks: Networks | None = None
    ended: bool = False
    _child: int = 0
    _waiting: bool = False
    _performed: int = 0
    _ahead_ns: int = field(default_factory=lambda: time.time_ns() - since_boot_ns())

    def listen(self) -> None:
        """Have signals end the watch in good order."""
        for number in running.SIGNALS:
            if not running.stays_ignored(number):
                signal.signal(number, self._signalled)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        first, self.ended = not self.ended, True
        if self._child:
            os.kill(self._child, number)
        elif first and self._waiting:
            raise Woken

    def now_ns(self) -> int:
        """By the system's clock as it stood at the beginning; that it is set meanwhile moves no round."""
        return since_boot_ns() + self._ahead_ns

    def wait_until(self, due_ns: int) -> bool:
        """See `Means`."""
        try:
            self._waiting = True
            while not self.ended and (left_s := (due_ns - self.now_ns()) / 1e9) > 0:
                time.sleep(min(left_s, LOOK_S))
        except Woken:
            pass
        finally:
            self._waiting = False
        return not self.ended

    def perform(self, planned: Round) -> Outcome:
        """Raises TargetError or PrivilegeError if the first round of all cannot be performed: no other could."""
        told = self._told_by_child(planned)
        self._performed += 1
        if told is None:
            return Outcome(why=WITHOUT_A_WORD)
        if "document" in told:
            return Outcome(document=told["document"])
        if self._performed == 1 and told["code"] in (exits.USAGE, exits.MISSING):
            raise (TargetError if told["code"] == exits.USAGE else PrivilegeError)(told["why"])
        return Outcome(why=told["why"])

    def _told_by_child(self, planned: Round) -> dict[str, Any] | None:
        reading, writing = os.pipe()
        sys.stderr.flush()
        # A signal between fork and the next line would go to nobody's child.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, running.SIGNALS)
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._be_child(planned, writing, held)
        self._child = child
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            text = told.read()
        os.waitpid(child, 0)
        self._child = 0
        try:
            made = json.loads(text)
        except ValueError:
            return None
        return made if isinstance(made, dict) and ("document" in made or "why" in made) else None

    def _be_child(self, planned: Round, writing: int, held: set[int]) -> None:
        """Record, judge, tell, and go; nothing of the parent is run after this."""
        try:
            for number in running.SIGNALS:
                if not running.stays_ignored(number):
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            told = self._recorded_and_judged(planned)
            with os.fdopen(writing, "wb") as out:
                out.write(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        finally:
            os._exit(0)

    def _recorded_and_judged(self, planned: Round) -> dict[str, Any]:
        wish = replace(self.wish, seed=planned.seed)
        try:
            running.recorded(wish, self.registry, planned.capture, self.plugins, self.vantage)
            # What is recorded is judged, even if somebody ends the watch meanwhile.
            for number in running.SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            return {"document": judged(planned.capture, self.registry, self.networks)}
        except FingerprintError as error:
            return {"why": str(error), "code": exits.code_of(error)}
        except Exception as error:  # noqa: BLE001  # one round of many: what went wrong is kept, and the watch goes on
            return {"why": f"internal fault ({type(error).__name__}: {error})", "code": exits.FAILED}


def since_boot_ns() -> int:
    """Time that goes on while the machine sleeps, and that nobody sets (clock_gettime(2), CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def judged(capture: Path, registry: Registry, networks: Networks | None) -> dict[str, Any]:
    """The document that is kept of a capture, as `analyse --store` would keep it."""
    from fingerprint.verbs import analysing

    report = analysing.judged([str(capture)], registry, jobs=1, networks=networks)
    return as_dict(report, all_ok=True, pictures=True)
