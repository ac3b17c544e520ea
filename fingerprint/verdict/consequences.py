"""One cause, one mechanism: what only follows from an earlier interference is listed, and is evidence for nothing else.

Connections to an address that came from a disputed answer say nothing about the name's own address. Connections that
fail while setting up, to an address that was cut off for a trigger moments before, belong to that trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.conversations.openings import opening
from fingerprint.conversations.residual import RESIDUAL_S, SET_UP_FAILED, Residual
from fingerprint.conversations.streams import Stream
from fingerprint.technique import Cited
from fingerprint.verdict.symptoms import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """A conversation that follows from something already found."""

    stream: Stream
    says: str
    packets: tuple[Cited, ...]


def of_disputed_answers(convicted: Iterable[Found], streams: Sequence[Stream]) -> Mapping[str, Consequence]:
    """Streams to addresses that a disputed answer gave, by trial."""
    disputed: dict[tuple[str, str], str] = {}
    for f in convicted:
        for address in f.evidence.disputes:
            disputed[f.evidence.subject.name or "", address] = address
    addresses = {address for _, address in disputed}
    out = {}
    for s in streams:
        if s.server.address in addresses and (s.name is None or (s.name, s.server.address) in disputed):
            says = f"connection to {s.server.address}, an address that came from a disputed answer"
            out[s.trial] = Consequence(stream=s, says=says, packets=(Cited(s.capture, int(s.rows[0]) + 1),))
    return out


def of_residual_blocking(
    convicted: Iterable[Found], streams: Sequence[Stream], aftermath: Mapping[str, Residual]
) -> Mapping[str, Consequence]:
    """Connections to a convicted stream's address that fail within the residual window, by trial.

    Those that fail in set-up, and requests under a name that passes there before or after (``aftermath``).
    """
    convicted = list(convicted)
    by_trial = {s.trial: s for s in streams}
    triggers: dict[tuple[str, str], list[tuple[int, str]]] = {}
    guilty = set()
    for f in convicted:
        cause = by_trial.get(f.evidence.subject.trial or "")
        # What broke in set-up after a trigger follows from it, whoever broke it and however plainly.
        if cause is not None and cause.client_bytes:
            guilty.add(cause.trial)
            end = (cause.client.address, cause.server.address)
            triggers.setdefault(end, []).append((cause.first_ns, f.evidence.subject.name or cause.server.address))
    out: dict[str, Consequence] = {}
    for s in streams if aftermath else ():
        cause_of = aftermath.get(s.trial)
        at_fault = cause_of and {(f.evidence.subject.name, f.evidence.subject.address) for f in convicted}
        if cause_of and at_fault and (cause_of.name, cause_of.address) in at_fault:
            says = f"fails while {cause_of.name} was just cut off at the same address, and passes there otherwise"
            out[s.trial] = Consequence(stream=s, says=says, packets=(Cited(s.capture, int(s.rows[0]) + 1),))
    for s in streams if triggers else ():
        earlier = [
            name
            for at, name in triggers.get((s.client.address, s.server.address), ())
            if 0 < (s.first_ns - at) / 1e9 <= RESIDUAL_S
        ]
        if not earlier or s.trial in guilty or s.trial in out or s.client_bytes:
            continue
        first = opening(s)
        if first.outcome in SET_UP_FAILED:
            says = f"set-up fails within {RESIDUAL_S:.0f} s after {earlier[-1]} was cut off at the same address"
            out[s.trial] = Consequence(stream=s, says=says, packets=(Cited(s.capture, int(s.rows[0]) + 1),))
    return out
