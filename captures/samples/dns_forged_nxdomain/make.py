"""The injector denies the name: NXDOMAIN arrives first, the true address later."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import ForgeAnswer, Scene


def make(folder: Path) -> None:
    scene = Scene(125)
    zone = {"chatter.test": ("151.101.129.145",), "weather.test": ("146.75.33.145",)}
    scene.resolver("208.67.222.222", zone, rtt_s=0.060, hops=9)
    scene.box(2, ForgeAnswer(["chatter.test"], [], rcode=3, ttl_hops=253, aa=0))
    for trial in range(3):
        scene.lookup("208.67.222.222", "weather.test", at_s=1 + 4 * trial)
        scene.lookup("208.67.222.222", "chatter.test", at_s=2 + 4 * trial)
        scene.lookup("208.67.222.222", "no-such-name-8d1f.test", at_s=3 + 4 * trial)
    scene.record(folder / "capture.pcapng", until_s=18)


if __name__ == "__main__":
    make(Path(__file__).parent)
