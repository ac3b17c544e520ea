"""A device on router 3 answers queries for chatter.test first; the resolver's true answer comes later."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import ForgeAnswer, Scene


def make(folder: Path) -> None:
    scene = Scene(105)
    true, forged = "151.101.129.140", "31.13.94.37"
    zone = {"chatter.test": (true,), "weather.test": ("146.75.33.140",), "library.test": ("199.232.41.140",)}
    scene.resolver("208.67.222.222", zone, rtt_s=0.060, hops=9)
    scene.box(3, ForgeAnswer(["chatter.test"], [forged], ttl_hops=247))
    for trial in range(3):
        scene.lookup("208.67.222.222", "weather.test", at_s=1 + 4 * trial)
        scene.lookup("208.67.222.222", "chatter.test", at_s=2 + 4 * trial)
        scene.lookup("208.67.222.222", "library.test", at_s=3 + 4 * trial)
    scene.record(folder / "capture.pcapng", until_s=20)


if __name__ == "__main__":
    make(Path(__file__).parent)
