"""Every censor of the field and every innocent that looks like one, by the name that `fingerprint lab` takes.

What a preset should be judged as does not stand here: expectations are written by hand in the tests.
"""

from __future__ import annotations

from captures.errors import TargetError
from fingerprint.lab.preset import Preset
from fingerprint.lab.presets import addresses, dns, drops, http, innocents, payloads, quic, resets, slowing, tls
from fingerprint.spelling import meant

_GROUPS = (resets, dns, drops, slowing, http, addresses, tls, quic, payloads, innocents)
PRESETS: dict[str, Preset] = {p.name: p for group in _GROUPS for p in group.PRESETS}


def preset(name: str) -> Preset:
    """The preset of that name. Raises TargetError with the choices."""
    try:
        return PRESETS[name]
    except KeyError:
        hint = meant(name, PRESETS) or f"choose one of {', '.join(sorted(PRESETS))}"
        raise TargetError(f"no preset is called {name}; {hint}") from None
