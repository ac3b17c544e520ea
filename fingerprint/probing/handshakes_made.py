"""Handshakes on every address, before anything is named, and a certificate that names the target the other way.

A handshake samples the round trip that resets are timed by, and shows resets and refusals that need no name. A hello
without a name that allows TLS 1.2 at most makes the server send its certificate in the clear: then only server to
client carries the target's name. What comes after a reset is recorded for as long as its named sender may go on.
"""

from __future__ import annotations

from itertools import count

from fingerprint.probing.names_greeted import one_a_family
from fingerprint.steps import NAMED_BY_SERVER, Handshake, Hello, Probe, Send, Target, Wait
from fingerprint.technique import Clue

ANSWER_S = 2.0


def handshakes_made(target: Target, *, shows: tuple[Clue, ...], repeats: int, listen_s: float) -> Probe:
    """``repeats`` handshakes each with the control's server and the target's, then the server's own naming."""
    trials = count(1)
    control = next((c for c in target.controls if c.addresses), None)
    met = False
    for _ in range(repeats):
        for address in one_a_family(target.addresses):
            trial = next(trials)
            beside = [a for a in (control.addresses if control else ()) if (":" in a) == (":" in address)]
            for where, role in (*((a, "control") for a in beside[:1]), (address, "target")):
                replies = yield Send(
                    Handshake(address=where, port=target.port), label=f"handshake with {where}", role=role,
                    listen_s=ANSWER_S, shows=shows, trial=trial,
                )  # fmt: skip
                if replies is None or replies.outcome in ("skipped", "failed"):
                    break
                met |= replies.outcome == "reset"
    if met:
        yield Wait(listen_s, label="what a reset's own sender may still say")
    if not target.secure:
        return
    for address in one_a_family(target.addresses)[:1]:
        own = [a for a in (control.addresses if control else ()) if (":" in a) == (":" in address)]
        trial = next(trials)
        for where, role in (*((a, "control") for a in own[:1]), (address, "target")):
            yield Send(
                Hello(address=where, port=target.port, form=NAMED_BY_SERVER),
                label=f"nameless hello to {where}, whose certificate names it", role=role, listen_s=ANSWER_S,
                seeks="profile", trial=trial,
            )  # fmt: skip
