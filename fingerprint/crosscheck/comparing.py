"""Fact against fact. What only one of the two shows is not available for comparison, and is never counted as agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fingerprint.crosscheck.facts import Facts
from fingerprint.crosscheck.wireshark import Values

AGREE: Literal["agree"] = "agree"
DISAGREE: Literal["disagree"] = "disagree"
NOT_AVAILABLE: Literal["not available"] = "not available"
Outcome = Literal["agree", "disagree", "not available"]

# Facts of which a frame has a set: Wireshark lists those of every section of a DNS message together.
_SETS = frozenset(("dns.a", "dns.aaaa"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One fact of one packet. ``says`` is the claim of a report that it was taken from, empty for a packet's own."""

    number: int
    fact: str
    ours: str | None
    wireshark: tuple[str, ...]
    outcome: Outcome
    says: str = ""


def compare(ours: Mapping[int, Facts], theirs: Mapping[int, Values]) -> Iterator[Compared]:
    """Every fact of every frame, in order. Raises KeyError for a frame that Wireshark was not asked about."""
    for number, facts in sorted(ours.items()):
        shown = theirs[number]
        for fact in sorted(facts.keys() | shown.keys()):
            mine, values = facts.get(fact), shown.get(fact, ())
            yield Compared(number=number, fact=fact, ours=mine, wireshark=values, outcome=outcome(fact, mine, values))


def outcome(fact: str, ours: str | None, shown: tuple[str, ...]) -> Outcome:
    """Agree, if what we say is among what Wireshark shows."""
    if ours is None or not shown:
        return NOT_AVAILABLE
    if fact in _SETS:
        return AGREE if set(ours.split()) <= set(shown) else DISAGREE
    if fact.endswith("tcp.options") and ours.endswith("00"):
        # RFC 9293 section 3.1: behind kind 0 there are no options, whatever the bytes are.
        return AGREE if shown[0].startswith(ours) else DISAGREE
    return AGREE if ours in shown else DISAGREE
