"""An innocent twin: of two servers in one /24 one is near, and its certificate is good."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_interception import Wary


def make(folder: Path) -> None:
    scene = Scene(315)
    web = scene.site("45.77.80.10", rtt_s=0.080, hops=9)
    near = scene.site("45.77.80.20", rtt_s=0.012, hops=3)
    other = scene.site("178.33.7.40", rtt_s=0.060, hops=8)
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial)
        scene.visit(near, "chatter.test", at_s=3 + 6 * trial)
        scene.open(other, Wary("garden.test"), at_s=5 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
