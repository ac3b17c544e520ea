"""PSH → ∅: made by a device behind router 4, and by an innocent client.

The device lets the ClientHello pass and drops everything after it, in both directions.
The innocent twin: the client's radio is gone right after its hello.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=319, stage="psh", resets=())
    innocent(folder, seed=320, stage="psh", resets=())


if __name__ == "__main__":
    make(Path(__file__).parent)
