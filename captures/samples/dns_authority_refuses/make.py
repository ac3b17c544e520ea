"""An innocent twin: a server of some zones refuses the names of others, to the provider's own customers too."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_dns import REFUSED


def make(folder: Path) -> None:
    scene = Scene(426)
    zone = {
        "chatter.test": ("151.101.129.180",),
        "weather.test": ("146.75.33.180",),
        "library.test": ("199.232.41.180",),
    }
    own = scene.resolver(
        "39.45.1.54", {name: zone[name] for name in ("weather.test", "library.test")}, rtt_s=0.014, hops=4
    )
    own.recursive, own.elsewhere_code = False, REFUSED
    scene.resolver("9.9.9.9", zone, rtt_s=0.040, hops=8)
    for trial in range(3):
        scene.lookup("39.45.1.54", "weather.test", at_s=1 + 10 * trial)
        scene.lookup("39.45.1.54", "chatter.test", at_s=2 + 10 * trial)
        scene.lookup("9.9.9.9", "chatter.test", at_s=3 + 10 * trial)
        scene.lookup("39.45.1.54", "library.test", at_s=4 + 10 * trial)
    scene.record(folder / "capture.pcapng", until_s=34)


if __name__ == "__main__":
    make(Path(__file__).parent)
