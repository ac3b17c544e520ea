"""SYN;ACK → RST+ACK: made by a device behind router 4, and by an innocent client.

The device sends one RST+ACK to both ends as soon as the handshake is complete and drops the rest.
The innocent twin: the loser of a race between addresses is closed with a reset, as sockets with zero linger are.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=315, stage="ack", resets=(("RA", 0),))
    innocent(folder, seed=316, stage="ack", resets=(("RA", 0),))


if __name__ == "__main__":
    make(Path(__file__).parent)
