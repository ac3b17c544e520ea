"""A box near the client ends every connection to chatter.test's address, handshake included; the client is wary."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_interception import Wary


def make(folder: Path) -> None:
    scene = Scene(314)
    web = scene.site("45.77.80.10", rtt_s=0.080, hops=9)
    taken = scene.site("45.77.80.20", rtt_s=0.012, hops=3, think_s=0.070)
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.open(taken, Wary("chatter.test"), at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
