"""PSH → RST: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with one bare RST to both ends and drops the rest.
The innocent twin: the user leaves the page while the server still thinks, and the client resets without ACK.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=321, stage="psh", resets=(("R", None),))
    innocent(folder, seed=322, stage="psh", resets=(("R", None),))


if __name__ == "__main__":
    make(Path(__file__).parent)
