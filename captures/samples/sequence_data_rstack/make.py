"""PSH;Data → RST+ACK: made by a device behind router 4, and by an innocent client.

The device waits for the second data of the client, sends one RST+ACK to both ends and drops the rest.
The innocent twin: the client closes its kept-alive connection with a reset, as many applications do.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=337, stage="data", resets=(("RA", 0),))
    innocent(folder, seed=338, stage="data", resets=(("RA", 0),))


if __name__ == "__main__":
    make(Path(__file__).parent)
