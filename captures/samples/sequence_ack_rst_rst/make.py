"""SYN;ACK → RST;RST: made by a device behind router 4, and by an innocent client.

The device sends two bare RSTs to both ends as soon as the handshake is complete and drops the rest.
The innocent twin: a preconnected browser is killed; its kernel and the NAT in front of it both reset.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=313, stage="ack", resets=(("R", None), ("R", None)))
    innocent(folder, seed=314, stage="ack", resets=(("R", None), ("R", None)))


if __name__ == "__main__":
    make(Path(__file__).parent)
