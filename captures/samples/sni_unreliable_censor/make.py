"""The injector catches every second hello for chatter.test and misses the others."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(142)
    address = "151.101.65.162"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.box(4, Forge(names("chatter.test"), ("RA", {"ip_id": 30_000}), ttl_hops=115, every=2))
    for trial in range(4):
        scene.visit(web, "weather.test", at_s=1 + 6 * trial, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=3 + 6 * trial, page_bytes=4_000)
    scene.record(folder / "capture.pcapng", until_s=28)


if __name__ == "__main__":
    make(Path(__file__).parent)
