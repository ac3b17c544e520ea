"""A policer of 5 kbit/s catches connections whose hello names chatter.test; even its small pages take seconds."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Police, Scene, names


def make(folder: Path) -> None:
    scene = Scene(303)
    web = scene.site("151.101.65.213", rtt_s=0.060, hops=8)
    scene.box(2, Police(5_200, 6_000, match=names("chatter.test")))
    for trial in range(3):
        scene.visit(web, "weather.test", at_s=1 + 40 * trial, page_bytes=8_000)
        scene.visit(web, "chatter.test", at_s=4 + 40 * trial, page_bytes=8_000, abort_after_s=30)
    scene.record(folder / "capture.pcapng", until_s=120)


if __name__ == "__main__":
    make(Path(__file__).parent)
