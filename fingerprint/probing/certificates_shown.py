"""Whose certificate a name is shown: hellos whose answer is in the clear, and how far they have to reach for it.

Control before target, equal in all but the name, with TLS 1.2 at most: once, and again if the answer came too soon. The
reach of the target is swept only if something was found.
"""

from __future__ import annotations

from itertools import count

from fingerprint.probing.names_greeted import UNKNOWN_RTT_S
from fingerprint.probing.sweep import Beam, control_sweep, trigger_sweep
from fingerprint.steps import IN_THE_CLEAR, Hello, Probe, Send, Target
from fingerprint.technique import Clue

# An answer as much sooner than the control's is worth another look.
SOON_RATIO = 0.75


class CertificatesShown:
    """The steps, in order; ``shows`` are the clues that a pair could bring."""

    def __init__(self, target: Target, *, shows: tuple[Clue, ...], pairs: int, listen_s: float) -> None:
        """``pairs`` of control and target on each address; ``listen_s`` seconds for an answer."""
        self.target, self.shows, self.pairs, self.listen_s = target, shows, pairs, listen_s
        self.controls = target.shuffled(target.controls, "certificates")
        self.trials = count(1)

    def steps(self) -> Probe:
        """A pair on the first address, more of them if the target's answer came too soon; then the place."""
        if not self.controls or not self.target.secure or not self.target.addresses:
            return
        address, control = self.target.addresses[0], self.controls[0].name
        rtt_s, answered = UNKNOWN_RTT_S, False
        for _ in range(self.pairs):
            trial = next(self.trials)
            before = yield self._send(address, control, "control", trial)
            if before is None or not before.passed:
                break
            rtt_s = before.took_s or UNKNOWN_RTT_S
            after = yield self._send(address, self.target.name, "target", trial)
            answered = after is not None and after.passed
            if after is None or not answered or after.took_s is None or after.took_s > SOON_RATIO * rtt_s:
                break
        if not answered:
            return
        beam = Beam(
            message=lambda name, hops: self._hello(address, name, hops), address=address, control=control,
            trigger=self.target.name, full="answered", what=f"hello in the clear to {address}",
            hops=self.target.hops, rtt_s=rtt_s, trials=self.trials,
        )  # fmt: skip
        way = yield from control_sweep(beam)
        yield from trigger_sweep(beam, way)

    def _hello(self, address: str, name: str, ttl_hops: int | None = None) -> Hello:
        return Hello(address=address, port=self.target.port, name=name, form=IN_THE_CLEAR, ttl_hops=ttl_hops)

    def _send(self, address: str, name: str, role: str, trial: int) -> Send:
        return Send(
            self._hello(address, name),
            label=f"hello for {name} at {address}, its certificate in the clear",
            role=role,
            listen_s=self.listen_s,
            shows=self.shows,
            trial=trial,
        )
