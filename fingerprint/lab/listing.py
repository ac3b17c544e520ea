"""``fingerprint lab list``: presets as a table."""

from __future__ import annotations

from fingerprint.lab.presets import PRESETS
from fingerprint.terminal import console, hang


def show() -> None:
    """Censors first, then the innocent."""
    out = console()
    wide = max(map(len, PRESETS))
    for kind, title in (("censor", "Censors"), ("innocent", "Innocent, though they may not look it")):
        out.print(title, style="bold")
        for name, preset in PRESETS.items():
            if preset.kind == kind:
                hang(out, f"  {name:<{wide}}  ", preset.says)
        out.print()
    out.print("Next: fingerprint lab run --censor NAME -- curl -k https://forum.test/", style="dim")
