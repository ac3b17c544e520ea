"""PSH → RST;RST+ACK: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with a bare RST and a RST+ACK to both ends, as two device types on one link do, and
drops the rest.
The innocent twin: a program closes with RST+ACK and its host's firewall adds a bare RST when it tears down the state.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=325, stage="psh", resets=(("R", None), ("RA", 0)))
    innocent(folder, seed=326, stage="psh", resets=(("R", None), ("RA", 0)))


if __name__ == "__main__":
    make(Path(__file__).parent)
