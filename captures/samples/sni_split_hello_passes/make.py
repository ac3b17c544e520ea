"""Whole hellos for chatter.test are reset; the same hello, cut in the middle of the name, passes."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Forge, Scene, names


def make(folder: Path) -> None:
    scene = Scene(147)
    address = "151.101.65.167"
    web = scene.site(address, rtt_s=0.080, hops=9)
    scene.box(3, Forge(names("chatter.test"), ("R", {}), ttl_hops=59))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 9 * trial, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=3 + 9 * trial, page_bytes=4_000)
        scene.visit(web, "chatter.test", at_s=6 + 9 * trial, page_bytes=4_000, split_at=4)
    scene.record(folder / "capture.pcapng", until_s=30)


if __name__ == "__main__":
    make(Path(__file__).parent)
