"""PSH → RST;RST₀: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with two bare RSTs, one of them with acknowledgement number zero, and drops the
rest.
The innocent twin: a client's program resets with the number in place and its kernel resets once more with zero.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=333, stage="psh", resets=(("R", 0), ("R", None)))
    innocent(folder, seed=334, stage="psh", resets=(("R", 0), ("R", None)))


if __name__ == "__main__":
    make(Path(__file__).parent)
