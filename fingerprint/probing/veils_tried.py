"""Hellos that hide their name, beside hellos of the same client and length that do not.

One with an encrypted_client_hello and one with an encrypted_server_name go first, under the control's name, so that
what the target's name meets is not asked twice. Only if one of them fails is the target's name sent both ways, in turn.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from fingerprint.probing.forms_in_turn import Forms
from fingerprint.steps import BARE, ESNI, VEILED, Probe, Target
from fingerprint.technique import Clue

# Turns under the control's name: two tell a rule from an accident.
REACH = 2


class VeilsTried:
    """The steps, in order; ``shows`` are the clues that a turn could bring."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], repeats: int, listen_s: float) -> None:
        """``repeats`` turns of the target's name; ``listen_s`` seconds for an answer."""
        self.target, self.repeats = target, repeats
        self.forms = Forms(
            target=target, harmless=BARE, minded=VEILED, listen_s=listen_s, trials=count(1), shows=shows
        )  # fmt: skip

    def steps(self) -> Probe:
        """On the first address: each veil once under a name that nobody minds, and what it takes to be sure."""
        if not self.target.secure or not self.target.addresses or not self.target.controls:
            return
        address, control = self.target.addresses[0], self.target.controls[0].name
        trial = next(self.forms.trials)
        before = yield self.forms.send(address, control, BARE, trial)
        if before is None or not before.passed:
            return
        for veil in (VEILED, ESNI):
            forms = replace(self.forms, minded=veil)
            first = yield forms.send(address, control, veil, trial)
            if first is None or first.outcome in ("skipped", "failed"):
                return
            if first.passed:
                continue
            told = yield from forms.rounds(address, self.target.name, self.repeats)
            if told and veil == VEILED:
                yield from forms.reach(address, REACH)
            return
