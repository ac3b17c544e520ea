"""Where a capture was taken: whose line, in which network and country, and how far its clock can be believed.

A capture does not say any of this. It comes from options, from a sidecar beside the capture or from a manifest of a
folder; what nobody said is None, and a report never fills it in from an address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# What a place is filed under of which nobody said anything.
UNNAMED = "unnamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How a vantage's clock stood against the common one: add ``offset_s`` to its times; ``error_s`` either way.

    ``source`` says how that is known (``ntp``, ``manifest``, ``server dates`` ...).
    """

    offset_s: float = 0.0
    error_s: float | None = None  # None: nobody knows
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vantage:
    """One place of observation. Two captures are of one vantage if `key` is equal."""

    name: str | None = None  # what the operator calls it
    provider: str | None = None
    asn: int | None = None
    country: str | None = None  # ISO 3166-1 alpha-2, upper case
    place: str | None = None  # a city or a region, never an address
    note: str | None = None
    clock: Clock = field(default_factory=Clock)
    simulated: str | None = None  # which simulation this is; None for a real line

    @property
    def key(self) -> str:
        """The word that a vantage is filed under: its name, else its provider, else its AS, else ``unnamed``."""
        return self.name or self.provider or (f"AS{self.asn}" if self.asn else UNNAMED)
