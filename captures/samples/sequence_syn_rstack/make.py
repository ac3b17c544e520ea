"""SYN → RST+ACK: made by a device behind router 4, and by an innocent client.

The device answers the SYN with one RST+ACK to both ends and drops the rest.
The innocent twin: a load balancer's health check resets as soon as the SYN-ACK shows that somebody listens.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=305, stage="syn", resets=(("RA", 0),))
    innocent(folder, seed=306, stage="syn", resets=(("RA", 0),))


if __name__ == "__main__":
    make(Path(__file__).parent)
