"""SYN → RST: made by a device behind router 4, and by an innocent client.

The device answers the SYN with one bare RST to both ends and drops the rest.
The innocent twin: a scanner sends a SYN of its own making, and its kernel, which knows nothing of it, resets the SYN-
ACK.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=303, stage="syn", resets=(("R", None),))
    innocent(folder, seed=304, stage="syn", resets=(("R", None),))


if __name__ == "__main__":
    make(Path(__file__).parent)
