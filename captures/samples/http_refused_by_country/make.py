"""The server itself answers 451 to one client and the page to another, for the very same request."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_vantages import record_together


def make(folder: Path) -> None:
    address = "151.101.66.20"
    here, there = Scene(610, client="39.45.170.21"), Scene(611, client="185.70.40.9")
    for scene, rtt_s, manners in ((here, 0.110, {"chatter.test": "unavailable"}), (there, 0.030, {})):
        web = scene.site(address, rtt_s=rtt_s, hops=9, manners=manners)
        for trial in range(3):
            scene.fetch(web, "chatter.test", at_s=1 + 4 * trial)
            scene.fetch(web, "weather.test", at_s=3 + 4 * trial)
    record_together([here, there], folder / "capture.pcapng", until_s=15)


if __name__ == "__main__":
    make(Path(__file__).parent)
