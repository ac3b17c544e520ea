"""How long a block outlives its trigger: one trigger, and few innocent tries in growing pauses until one passes.

Control before trigger. The tries are made inside the window on purpose; nothing is sent that names the target before
it has run out, for that would begin it anew. Where an innocent try passes at once, there is no window.
"""

from __future__ import annotations

from itertools import count

from fingerprint.conversations.residual import RESIDUAL_S
from fingerprint.probing.names_greeted import one_a_network
from fingerprint.steps import Handshake, Hello, Probe, Request, Send, Target, Wait

# The two ports that a web server listens to (RFC 9110 section 4.2).
WEB_PORTS = (443, 80)


def window_measured(target: Target, *, pause_s: float, growth_ratio: float, listen_s: float) -> Probe:
    """The steps at the target's first address; ``pause_s`` grows by ``growth_ratio`` from try to try."""
    trials = count(1)
    address = next(iter(one_a_network(target.addresses)), None)
    if address is None or not target.controls:
        return
    control = target.shuffled(target.controls, "window")[0].name

    def step(name: str, role: str, trial: int, *, repeat: bool = False) -> Send:
        message = (
            Hello(address=address, port=target.port, name=name)
            if target.secure
            else Request(address=address, port=target.port, host=name, path=target.path)
        )
        what = "innocent repeat" if repeat else "hello" if target.secure else "request"
        return Send(
            message, label=f"{what} for {name} at {address}, for the window", role=role, listen_s=listen_s,
            seeks="profile", trial=trial, at_once=repeat,
        )  # fmt: skip

    trial = next(trials)
    free = yield step(control, "control", trial)
    if free is None or not free.passed:
        return
    trigger = yield step(target.name, "target", trial)
    if trigger is None or trigger.outcome in ("skipped", "failed", free.outcome):
        return
    waited_s, pause, asked_port = 0.0, pause_s, False
    while waited_s <= RESIDUAL_S:
        again = yield step(control, "control", next(trials), repeat=True)
        if again is None or again.passed or again.outcome in ("skipped", "failed"):
            return
        if not asked_port:
            asked_port = True
            other = next(p for p in WEB_PORTS if p != target.port)
            yield Send(
                Handshake(address=address, port=other), label=f"innocent repeat on port {other} of {address}",
                role="control", listen_s=listen_s, seeks="profile", trial=next(trials), at_once=True,
            )  # fmt: skip
        yield Wait(pause, label="for the window to run out")
        waited_s, pause = waited_s + pause, pause * growth_ratio
