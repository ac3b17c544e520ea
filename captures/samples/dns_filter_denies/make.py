"""An innocent twin: a filter in the user's own network denies a name, and once asked refuses another."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_dns import NXDOMAIN, REFUSED


def make(folder: Path) -> None:
    scene = Scene(427, client="192.168.1.20")
    zone = {"ads.test": ("104.16.81.180",), "bets.test": ("104.16.82.180",), "news.test": ("151.101.129.181",)}
    own = scene.resolver("192.168.1.2", zone, rtt_s=0.001, hops=0)
    own.codes = {"ads.test": NXDOMAIN, "bets.test": REFUSED}
    scene.resolver("9.9.9.9", zone, rtt_s=0.030, hops=7)
    for trial in range(3):
        scene.lookup("192.168.1.2", "news.test", at_s=1 + 8 * trial)
        for i, name in enumerate(("ads.test", "bets.test")):
            scene.lookup("192.168.1.2", name, at_s=2 + i + 8 * trial)
            scene.lookup("9.9.9.9", name, at_s=4 + i + 8 * trial)
    scene.record(folder / "capture.pcapng", until_s=28)


if __name__ == "__main__":
    make(Path(__file__).parent)
