"""The provider's own resolver refuses to answer for chatter.test; a public one knows it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_dns import REFUSED


def make(folder: Path) -> None:
    scene = Scene(422)
    zone = {
        "chatter.test": ("151.101.129.180",),
        "weather.test": ("146.75.33.180",),
        "library.test": ("199.232.41.180",),
    }
    own = scene.resolver("39.45.1.53", zone, rtt_s=0.014, hops=4)
    own.codes["chatter.test"] = REFUSED
    scene.resolver("9.9.9.9", zone, rtt_s=0.040, hops=8)
    for trial in range(3):
        scene.lookup("39.45.1.53", "weather.test", at_s=1 + 10 * trial)
        scene.lookup("39.45.1.53", "chatter.test", at_s=2 + 10 * trial)
        scene.lookup("9.9.9.9", "chatter.test", at_s=3 + 10 * trial)
        scene.lookup("39.45.1.53", "library.test", at_s=4 + 10 * trial)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
