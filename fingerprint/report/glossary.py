"""The words of a report, each with its meaning in one sentence: what `fingerprint explain WORD` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fingerprint.report.wording import POSITIONS, SHAPES, STATES, TRIGGERS

# How far it reaches, as a page says it beside a cell.
REACH: Mapping[str, str] = MappingProxyType(
    {
        "none": "nothing of it is touched",
        "degraded": "it is slowed, not cut",
        "partial": "one protocol, resolver or endpoint of several is cut, and the others work",
        "full": "all that was tried of it is cut",
    }
)
STATE_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "blocked": "packets show that somebody interferes; slowing counts",
        "ok": "it did its work, and no failure is unexplained",
        "down": "the failure is real, and nobody interferes: an innocent cause has 90 %",
        "insufficient": "too little was seen to tell; the report names what is missing. No mild form of blocked",
        "invalid": "the controls failed, or the capture is too poor to tell",
    }
)
assert set(STATE_MEANINGS) == set(STATES)
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "target": "a name as the client asked for it, or an address without a name, from one vantage",
        "state": "one of blocked, ok (works), down, insufficient (cannot tell), invalid (unusable)",
        "mechanism": "how it is done, as <layer>.<action>.<qualifier>; a shorter id is a complete answer, too",
        "position": "where the box stands: on-path, in-path, resolver, server or unknown",
        "trigger": "the field and the value that set it off",
        "location": "the hop, or the link between two, at which a smaller reach of the packets draws no reaction",
        "shape": "how a transfer is slowed: policer, shaper, freeze, delay or loss",
        "reach": "how much of it is touched: none, degraded, partial or full",
        "residual": "for how many seconds more it stays blocked after a trigger",
        "resembles": "a device of the injector table with like header fields; it moves no verdict",
        "injector": "a device of the injector table with like header fields; it moves no verdict",
        "confidence": "the probability after all evidence, and what it would be were blocking rarer or commoner",
        "posterior": "the probability after all evidence",
        "prior": "the probability before any evidence: one failure in a hundred is taken for blocking",
        "uncalibrated": "the likelihoods were set by hand from cited sources, and not measured: trust the order more"
        " than the digits",
        "weight": "the natural logarithm of the odds that a sentence of evidence adds against the best innocent"
        " explanation: +2.3 is ten times, +4.6 a hundred times",
        "evidence": "what was seen, with the numbers of its packets in Wireshark",
        "control": "a name that nobody minds, asked in the same way: what tells a block from an outage",
        "consequence": "a failure that follows from another one, and is evidence for nothing else",
        "vantage": "the line that a capture was taken on",
        "role": "the part that a name plays in a service: web, image, video, calls, and others",
        "sighting": "one verdict about one name, from one vantage, at one time",
        "cell": "one role of one service at one vantage",
        "event": "cells that changed together, or one that changed alone",
        "onset": "the interval in which a change lies: after the last sighting of before, until the first of after",
        "forged": "sent by neither end, though it bears the name of one",
        "goodput": "bytes that were new, a second",
        "cluster": "a name for the traits of a device's packets, which it keeps from capture to capture",
        "community-id": "a hash of a conversation's addresses and ports, as Zeek and Suricata write it",
    }
)


def meaning(word: str) -> str | None:
    """What a word of a report means, with the kind of word that it is; None for none of them."""
    for kind, words in (
        ("a state", STATE_MEANINGS),
        ("a position", POSITIONS),
        ("a shape of slowing", SHAPES),
        ("a reach", REACH),
        ("a trigger", TRIGGERS),
        ("", PARTS),
    ):
        if word in words:
            shown = STATES[word][2] if word in STATES else word
            seen = f", shown as “{shown}”" if shown != word else ""
            says = words[word].removeprefix(f"{word}: ")
            return f"{word}: {kind}{seen}: {says}" if kind else f"{word}: {says}"
    return None


def words() -> tuple[str, ...]:
    """Every word that has a meaning here."""
    return (*STATE_MEANINGS, *POSITIONS, *SHAPES, *REACH, *TRIGGERS, *PARTS)
