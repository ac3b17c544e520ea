"""One name as two clients say it, in turn: asked only once a hello of the usual client failed.

The other client's hello must pass, under the control's name and the target's, and the usual one's fail, again and
again; then the control's name is said by both.
"""

from __future__ import annotations

from itertools import count

from fingerprint.probing.forms_in_turn import Forms
from fingerprint.steps import OTHER_CLIENT, Probe, Target
from fingerprint.technique import Clue

# Turns under the control's name: two tell a rule from an accident.
REACH = 2


class ClientsTried:
    """The steps, in order; ``shows`` are the clues that a turn could bring."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], repeats: int, listen_s: float) -> None:
        """``repeats`` turns of the target's name; ``listen_s`` seconds for an answer."""
        self.target, self.repeats = target, repeats
        self.forms = Forms(
            target=target, harmless=OTHER_CLIENT, minded="plain", listen_s=listen_s, trials=count(1), shows=shows,
            seeks="profile",
        )  # fmt: skip

    def steps(self) -> Probe:
        """On the first address: the target's name, then the control's."""
        if not self.target.secure or not self.target.addresses or not self.target.controls:
            return
        address = self.target.addresses[0]
        told = yield from self.forms.rounds(address, self.target.name, self.repeats)
        if told:
            yield from self.forms.reach(address, REACH)
