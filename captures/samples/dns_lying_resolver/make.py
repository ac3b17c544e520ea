"""The provider's resolver gives a false address for chatter.test; two public resolvers and the visit tell the truth."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene


def make(folder: Path) -> None:
    scene = Scene(107)
    true, false = "151.101.193.140", "39.32.10.9"
    honest = {"chatter.test": (true,), "weather.test": ("146.75.33.140",)}
    scene.resolver("39.32.1.1", {**honest, "chatter.test": (false,)}, rtt_s=0.006, hops=2)
    scene.resolver("9.9.9.9", honest, rtt_s=0.030, hops=7)
    scene.resolver("208.67.222.222", honest, rtt_s=0.060, hops=9)
    web = scene.site(true)
    scene.site("146.75.33.140")
    for trial in range(2):
        for i, resolver in enumerate(("39.32.1.1", "9.9.9.9", "208.67.222.222")):
            scene.lookup(resolver, "weather.test", at_s=1 + 10 * trial + i)
            scene.lookup(resolver, "chatter.test", at_s=1.5 + 10 * trial + i)
        scene.visit(web, "chatter.test", at_s=5 + 10 * trial, via="9.9.9.9")
        scene.visit("146.75.33.140", "weather.test", at_s=7 + 10 * trial, via="39.32.1.1")
    scene.record(folder / "capture.pcapng", until_s=24)


if __name__ == "__main__":
    make(Path(__file__).parent)
