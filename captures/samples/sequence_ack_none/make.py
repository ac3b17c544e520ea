"""SYN;ACK → ∅: made by a device behind router 4, and by an innocent client.

The device lets the handshake complete and drops everything after it.
The innocent twin: a browser opens a connection ahead of need and the laptop is shut.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=309, stage="ack", resets=())
    innocent(folder, seed=310, stage="ack", resets=())


if __name__ == "__main__":
    make(Path(__file__).parent)
