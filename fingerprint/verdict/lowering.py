"""What a capture's faults take from its evidence, by rule.

An issue raises P(seen | capture-fault) for the clues that such a fault can fake: lost packets fake silence, a stepping
clock fakes early answers, frames recorded twice fake second answers. One-sided and mid-flow captures need no entry:
what was not seen is no evidence from the start, and a target of which only one side was seen is `invalid`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FAULT = "capture-fault"

# Issue of `fingerprint.quality` → group of clues → the least that P(seen | capture-fault) becomes. Set by hand.
LOWERED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "dropped": {
            "silence": 0.05, "witness": 0.05, "dns-silence": 0.05, "freeze": 0.05, "freeze-cap": 0.05, "shape": 0.02,
        },
        "clock": {
            "ending-itself": 0.3, "ending-timing": 0.3, "ending-aftermath": 0.1, "dns-time": 0.3, "shape": 0.05,
            "slow-pair": 0.02,
        },
        "duplicates": {"ending-aftermath": 0.05, "ending-numbers": 0.05, "dns-answers": 0.05},
        "offload": {"shape": 0.02, "ending-timing": 0.005},
        "snaplen": {"dns-answers": 0.02, "silence": 0.01},
    }
)  # fmt: skip


def floor(group: str, issues: frozenset[str]) -> float:
    """The least P(seen | capture-fault) of a clue of that group in a capture with those issues."""
    return max((LOWERED[i].get(group, 0.0) for i in issues if i in LOWERED), default=0.0)
