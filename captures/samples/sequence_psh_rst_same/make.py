"""PSH → RST=RST: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with two bare RSTs of one acknowledgement number to both ends and drops the rest.
The innocent twin: a client whose stack leaves the number in bare resets closes, and the link repeats the frame.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=329, stage="psh", resets=(("R", 0), ("R", 0)))
    innocent(folder, seed=330, stage="psh", resets=(("R", 0), ("R", 0)))


if __name__ == "__main__":
    make(Path(__file__).parent)
