"""PSH → RST≠RST: made by a device behind router 4, and by an innocent client.

The device answers the ClientHello with two bare RSTs that guess different acknowledgement numbers and drops the rest.
The innocent twin: a client whose stack leaves the number in bare resets closes twice, once for its program and once
for data it expected.
"""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe_sequences import innocent, tampered


def make(folder: Path) -> None:
    tampered(folder, seed=331, stage="psh", resets=(("R", 0), ("R", 1_448)))
    innocent(folder, seed=332, stage="psh", resets=(("R", 0), ("R", 1_448)))


if __name__ == "__main__":
    make(Path(__file__).parent)
