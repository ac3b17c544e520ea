"""SYN → RST;RST+ACK: made by a device behind router 4, and by an innocent client.

The device answers the SYN with a bare RST and a RST+ACK to both ends and drops the rest.
The innocent twin: a health check sends its RST+ACK while its kernel, which has no such connection, sends a bare RST
as well.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=307, stage="syn", resets=(("R", None), ("RA", 0)))
    innocent(folder, seed=308, stage="syn", resets=(("R", None), ("RA", 0)))


if __name__ == "__main__":
    make(Path(__file__).parent)
