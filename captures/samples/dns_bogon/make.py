"""The provider's resolver answers a private address for chatter.test; another resolver and all controls are honest."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(126)
    honest = {
        "chatter.test": ("151.101.129.146",),
        "weather.test": ("146.75.33.146",),
        "library.test": ("199.232.41.146",),
    }
    scene.resolver("39.32.1.1", {**honest, "chatter.test": ("10.20.30.40",)}, rtt_s=0.008, hops=3)
    scene.resolver("9.9.9.9", honest, rtt_s=0.030, hops=7)
    web = scene.site("151.101.129.146")
    scene.site("146.75.33.146")
    for trial in range(2):
        for i, resolver in enumerate(("39.32.1.1", "9.9.9.9")):
            for j, name in enumerate(("weather.test", "chatter.test", "library.test")):
                scene.lookup(resolver, name, at_s=1 + 10 * trial + 3 * i + j)
        scene.visit(web, "chatter.test", at_s=8 + 10 * trial, via="9.9.9.9")
        scene.visit("146.75.33.146", "weather.test", at_s=9 + 10 * trial, via="39.32.1.1")
    scene.record(folder / "capture.pcapng", until_s=24)


if __name__ == "__main__":
    make(Path(__file__).parent)
