"""One cause, one mechanism: what only follows from an earlier interference is listed, and is evidence for nothing else.

Connections to an address that came from a disputed answer say nothing about the name's own address. Connections that
fail while setting up, to an address that was cut off for a trigger moments before, belong to that trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fingerprint.conversations.openings import opening
from fingerprint.conversations.streams import Stream
from fingerprint.technique import Cited
from fingerprint.verdict.symptoms import Found

# The longest residual window on record: TSPU 420 s (Xue et al., IMC 2022).
RESIDUAL_S = 420.0
# What a residual block breaks before any request is sent; a request that dies is judged on its own.
SET_UP_FAILED = frozenset({"unanswered", "refused", "half-open", "reset"})


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


def of_residual_blocking(convicted: Iterable[Found], streams: Sequence[Stream]) -> Mapping[str, Consequence]:
    """Connections to a convicted stream's address that fail in set-up within the residual window, by trial."""
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
    for s in streams if triggers else ():
        earlier = [
            name
            for at, name in triggers.get((s.client.address, s.server.address), ())
            if 0 < (s.first_ns - at) / 1e9 <= RESIDUAL_S
        ]
        if not earlier or s.trial in guilty or s.client_bytes:
            continue
        first = opening(s)
        if first.outcome in SET_UP_FAILED:
            says = f"set-up fails within {RESIDUAL_S:.0f} s after {earlier[-1]} was cut off at the same address"
            out[s.trial] = Consequence(stream=s, says=says, packets=(Cited(s.capture, int(s.rows[0]) + 1),))
    return out
