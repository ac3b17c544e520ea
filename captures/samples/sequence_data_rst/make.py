"""PSH;Data → RST: made by a device behind router 4, and by an innocent client.

The device waits for the second request of the connection, sends two bare RSTs to both ends and drops the rest.
The innocent twin: the user leaves after the page has come; the client resets twice without ACK.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=335, stage="data", resets=(("R", None), ("R", None)))
    innocent(folder, seed=336, stage="data", resets=(("R", None), ("R", None)))


if __name__ == "__main__":
    make(Path(__file__).parent)
