"""PSH → RST+ACK;RST+ACK: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with two RST+ACKs to both ends and drops the rest.
The innocent twin: a closing tab's RST+ACK is doubled by a radio link that repeats frames.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=327, stage="psh", resets=(("RA", 0), ("RA", 0)))
    innocent(folder, seed=328, stage="psh", resets=(("RA", 0), ("RA", 0)))


if __name__ == "__main__":
    make(Path(__file__).parent)
