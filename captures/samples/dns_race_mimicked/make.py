"""The forged answer copies the resolver's hop limit and flags; only the time and the second answer betray it."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import ForgeAnswer, Scene


def make(folder: Path) -> None:
    scene = Scene(121)
    zone = {"chatter.test": ("151.101.129.141",), "weather.test": ("146.75.33.141",)}
    scene.resolver("208.67.222.222", zone, rtt_s=0.060, hops=9)
    scene.box(3, ForgeAnswer(["chatter.test"], ["31.13.80.54"], ttl_hops=None, aa=0, record_ttl_s=192))
    for trial in range(4):
        scene.lookup("208.67.222.222", "weather.test", at_s=1 + 4 * trial)
        scene.lookup("208.67.222.222", "chatter.test", at_s=3 + 4 * trial)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
