"""What the controls did while an event lasted, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fingerprint.incident.events import Group
from fingerprint.incident.lines import Control, Controls

# How a sentence about a line that is at fault begins.
FAILED = "controls failed too"


def during(group: Group, controls: Controls) -> dict[str, Control]:
    """By vantage of an event, the controls within the time that the event certainly spans."""
    out = {}
    for vantage in group.vantages:
        its = [s for o in group.onsets if o.made.cell.vantage == vantage for s in o.made.seen]
        within = {i for o in group.onsets if o.made.cell.vantage == vantage for i in o.stretch.sightings}
        held = [s.held_ns for s in its if s.index in within] or [s.held_ns for s in its]
        out[vantage] = controls.at(vantage, min(h[0] for h in held), max(h[1] for h in held))
    return out


def sentence(found: dict[str, Control]) -> str:
    """``controls stayed up: 24 of 24 sightings were ok``."""
    settled, ok = sum(c.settled for c in found.values()), sum(c.ok for c in found.values())
    without = [v for v, c in found.items() if not c.settled]
    if not settled:
        return "no control was seen at the time"
    share = f"{ok} of {settled} of their sightings were ok"
    missing = f"; none was seen at {_list(without)}" if without else ""
    if any(c.failing for c in found.values()):
        failing = [v for v, c in found.items() if c.failing]
        return f"{FAILED} at {_list(failing)}: {share}{missing}"
    if ok == settled:
        return f"controls stayed up: {share}{missing}"
    return f"controls mostly stayed up: {share}{missing}"


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)
