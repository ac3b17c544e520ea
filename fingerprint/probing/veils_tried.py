"""Hellos that hide their name, beside hellos of the same client and length that do not.

One with an encrypted_client_hello and one with an encrypted_server_name go first; only if one of them fails are its
twins sent, in turn, and then the control's name.
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
        """On the first address: each veil once, and what it takes to be sure."""
        if not self.target.secure or not self.target.addresses:
            return
        address, name = self.target.addresses[0], self.target.name
        for veil in (VEILED, ESNI):
            forms = replace(self.forms, minded=veil)
            first = yield forms.send(address, name, veil, next(forms.trials))
            if first is None or first.outcome in ("skipped", "failed"):
                return
            if first.passed:
                continue
            told = yield from forms.rounds(address, name, self.repeats)
            if told and veil == VEILED:
                yield from forms.reach(address, REACH)
            return
