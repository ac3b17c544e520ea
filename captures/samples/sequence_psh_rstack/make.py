"""PSH → RST+ACK: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with one RST+ACK to both ends and drops the rest.
The innocent twin: the user closes the tab while the server still thinks; the socket had zero linger.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=323, stage="psh", resets=(("RA", 0),))
    innocent(folder, seed=324, stage="psh", resets=(("RA", 0),))


if __name__ == "__main__":
    make(Path(__file__).parent)
