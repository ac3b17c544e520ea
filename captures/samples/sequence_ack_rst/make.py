"""SYN;ACK → RST: made by a device behind router 4, and by an innocent client.

The device sends one bare RST to both ends as soon as the handshake is complete and drops the rest.
The innocent twin: a health check connects and closes with a bare reset.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=311, stage="ack", resets=(("R", None),))
    innocent(folder, seed=312, stage="ack", resets=(("R", None),))


if __name__ == "__main__":
    make(Path(__file__).parent)
