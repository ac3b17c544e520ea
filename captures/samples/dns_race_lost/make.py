"""The injector is slow: the true answer arrives first, two forged ones later."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import ForgeAnswer, Scene


def make(folder: Path) -> None:
    scene = Scene(122)
    true = "151.101.129.142"
    zone = {"chatter.test": (true,), "weather.test": ("146.75.33.142",)}
    scene.resolver("9.9.9.9", zone, rtt_s=0.020, hops=6)
    web = scene.site(true)
    scene.box(4, ForgeAnswer(["chatter.test"], ["8.7.198.46"], after_s=0.045, copies=2, ttl_hops=112))
    for trial in range(3):
        scene.lookup("9.9.9.9", "weather.test", at_s=1 + 6 * trial)
        scene.visit(web, "chatter.test", at_s=2 + 6 * trial, via="9.9.9.9")
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
