"""SYN → ∅: made by a device behind router 4, and by an innocent client.

The device drops everything after the SYN, the server's SYN-ACK included.
The innocent twin: the client's radio is gone right after its SYN, so that no SYN-ACK reaches it.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=301, stage="syn", resets=())
    innocent(folder, seed=302, stage="syn", resets=())


if __name__ == "__main__":
    make(Path(__file__).parent)
