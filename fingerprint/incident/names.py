"""How services, vantages and probabilities are written in the sentences of an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# So many names are spelled out before they are counted.
NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How services are called, and which vantages there are in all."""

    titles: Mapping[str, str] = field(default_factory=dict)
    vantages: tuple[str, ...] = ()

    def services(self, ids: Sequence[str]) -> str:
        """``Twitter, Periscope and Zoom``; counted where there are many."""
        if len(ids) > NAMED + 1:
            return f"{listed([self.titles.get(s, s) for s in ids[:NAMED]])} and {len(ids) - NAMED} more services"
        return listed([self.titles.get(s, s) for s in ids])

    def places(self, keys: Sequence[str]) -> str:
        """``at Alpha and Beta``; ``at 12 of 20 vantages``; nothing where there is but one, unnamed."""
        if tuple(keys) == ("unnamed",) and len(self.vantages) == 1:
            return ""
        if len(keys) > NAMED:
            whole = f"all {len(keys)}" if len(keys) == len(self.vantages) else f"{len(keys)} of {len(self.vantages)}"
            return f" at {whole} vantages"
        return f" at {listed(keys)}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nothing"


def p_value(p: float) -> str:
    """Two digits, never zero."""
    return f"{p:.2g}" if p >= 1e-4 else f"{p:.1e}"
