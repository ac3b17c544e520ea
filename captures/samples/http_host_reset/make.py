"""A request whose Host names chatter.test draws a forged reset; weather.test passes on the same address."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(175)
    address = "151.101.65.195"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("Host: chatter.test"), ("R", {}), ("RA", {"ip_id": 0x1F6A}), ttl_hops=112))
    for trial in range(3):
        scene.fetch(web, "weather.test", at_s=1 + 6 * trial)
        scene.fetch(web, "chatter.test", at_s=3 + 6 * trial)
    scene.record(folder / "capture.pcapng", until_s=22)


if __name__ == "__main__":
    make(Path(__file__).parent)
